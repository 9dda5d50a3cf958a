//! Products of small matrices whose entries are lanes: the one primitive under every encoder.
//!
//! Maths: C = alpha A B (+ C), or C += alpha sum over samples of A B; A and B hold lanes or broadcast parameters.
//! Shapes: A (m, k), B (k, n), C (m, n), each with a row and a column stride; transposition is a stride swap.
//! Cost: m n k multiply-adds per lane, in balanced register tiles; the k loop streams from L1.
//! Checked: `tests` below, every tile size against a triple loop, on the detected instruction set.

use crate::lane::{Lane, Task};
use std::marker::PhantomData;

mod fixed;
mod tile;
mod transposed;
use tile::{Reduce, Sink, Store, bands};
use transposed::{Transposed, pays};

/// A lane matrix operand.
#[derive(Clone, Copy)]
pub struct Lanes<'a, V> {
    data: &'a [V],
    rows: usize,
    columns: usize,
}

/// A parameter matrix operand, broadcast over the samples of a lane.
#[derive(Clone, Copy)]
pub struct Params<'a, S> {
    data: &'a [S],
    rows: usize,
    columns: usize,
}

/// `data` read with stride `rows` between rows and `columns` between columns.
#[inline(always)]
pub fn lanes<V>(data: &[V], rows: usize, columns: usize) -> Lanes<'_, V> {
    Lanes { data, rows, columns }
}

/// `data` read with stride `rows` between rows and `columns` between columns.
#[inline(always)]
pub fn params<S>(data: &[S], rows: usize, columns: usize) -> Params<'_, S> {
    Params { data, rows, columns }
}

/// Something a product reads.
pub trait Operand<V>: Copy {
    /// Largest index read for an (m, n) block, checked once a call.
    fn holds(&self, m: usize, n: usize) -> bool;
    /// # Safety
    /// (i, j) lies in a block for which `holds` was true.
    unsafe fn at(&self, i: usize, j: usize) -> V;
}

impl<V: Lane> Operand<V> for Lanes<'_, V> {
    #[inline(always)]
    fn holds(&self, m: usize, n: usize) -> bool {
        m * n == 0 || (m - 1) * self.rows + (n - 1) * self.columns < self.data.len()
    }
    #[inline(always)]
    unsafe fn at(&self, i: usize, j: usize) -> V {
        unsafe { *self.data.get_unchecked(i * self.rows + j * self.columns) }
    }
}

impl<V: Lane> Operand<V> for Params<'_, V::S> {
    #[inline(always)]
    fn holds(&self, m: usize, n: usize) -> bool {
        m * n == 0 || (m - 1) * self.rows + (n - 1) * self.columns < self.data.len()
    }
    #[inline(always)]
    unsafe fn at(&self, i: usize, j: usize) -> V {
        unsafe { V::splat(*self.data.get_unchecked(i * self.rows + j * self.columns)) }
    }
}

/// A whole product, compiled for the lane's instruction set.
struct Work<V, A, B, K> {
    sizes: (usize, usize, usize),
    a: A,
    b: B,
    sink: K,
    lane: PhantomData<V>,
}

impl<V: Lane, A: Operand<V>, B: Operand<V>, K: Sink<V>> Task for Work<V, A, B, K> {
    type Out = ();
    #[inline(always)]
    fn run(mut self) {
        unsafe { bands::<V>(self.sizes, self.a, self.b, &mut self.sink) }
    }
}

/// `out[i * stride + j] = alpha sum_p a(i, p) b(p, j)`, added to what is there when `add`.
///
/// # Panics
/// If an operand or `out` is too short for the (m, n, k) block.
#[inline(never)]
pub fn product<V: Lane>(
    sizes: (usize, usize, usize),
    a: impl Operand<V>,
    b: impl Operand<V>,
    alpha: f64,
    add: bool,
    out: &mut [V],
    stride: usize,
) {
    let sink = store(sizes, a, b, alpha, add, out, stride);
    V::vectorize(Work::<V, _, _, _> { sizes, a, b, sink, lane: PhantomData });
}

/// [`product`] for use inside a kernel, with the output size (M, N) known to the compiler; (0, 0) takes `sizes` instead.
///
/// # Panics
/// As [`product`], or if `sizes` does not begin with (M, N).
#[inline(always)]
pub fn product_sized<V: Lane, const M: usize, const N: usize>(
    sizes: (usize, usize, usize),
    a: impl Operand<V>,
    b: impl Operand<V>,
    alpha: f64,
    add: bool,
    out: &mut [V],
    stride: usize,
) {
    if M * N == 0 {
        return product(sizes, a, b, alpha, add, out, stride);
    }
    assert!((sizes.0, sizes.1) == (M, N), "product: another size");
    let mut sink = store(sizes, a, b, alpha, add, out, stride);
    unsafe { fixed::bands::<V, M, N>(sizes.2, a, b, &mut sink) }
}

#[inline(always)]
fn store<V: Lane>(
    (m, n, k): (usize, usize, usize),
    a: impl Operand<V>,
    b: impl Operand<V>,
    alpha: f64,
    add: bool,
    out: &mut [V],
    stride: usize,
) -> Store<V> {
    let last = m * n == 0 || (m - 1) * stride + n <= out.len();
    assert!(a.holds(m, k) && b.holds(k, n) && last, "product: short operand");
    Store { out: out.as_mut_ptr(), stride, add, adding: add, alpha }
}

/// `out[i * strides.0 + j * strides.1] += alpha sum over samples and p of a(i, p) b(p, j)`: gradients of parameters.
///
/// # Panics
/// If an operand or `out` is too short for the (m, n, k) block.
#[inline(never)]
pub fn reduce<V: Lane>(
    sizes: (usize, usize, usize),
    a: Lanes<'_, V>,
    b: Lanes<'_, V>,
    alpha: f64,
    out: &mut [V::S],
    strides: (usize, usize),
) {
    let (m, n, k) = sizes;
    let sink = sums::<V>(sizes, a, b, alpha, out, strides);
    if strides.1 == 1 && pays::<V>(m, n) {
        V::vectorize(Transposed { sizes, a, b, sink });
    } else if strides.0 == 1 && pays::<V>(n, m) {
        let sink = Reduce { strides: (strides.1, 1), ..sink };
        let (a, b) = (lanes(b.data, b.columns, b.rows), lanes(a.data, a.columns, a.rows));
        V::vectorize(Transposed { sizes: (n, m, k), a, b, sink });
    } else {
        V::vectorize(Work::<V, _, _, _> { sizes, a, b, sink, lane: PhantomData });
    }
}

/// [`reduce`] for use inside a kernel, with the output size (M, N) known to the compiler; (0, 0) takes `sizes` instead.
///
/// # Panics
/// As [`reduce`], or if `sizes` does not begin with (M, N).
#[inline(always)]
pub fn reduce_sized<V: Lane, const M: usize, const N: usize>(
    sizes: (usize, usize, usize),
    a: Lanes<'_, V>,
    b: Lanes<'_, V>,
    alpha: f64,
    out: &mut [V::S],
    strides: (usize, usize),
) {
    if M * N == 0 {
        return reduce(sizes, a, b, alpha, out, strides);
    }
    assert!((sizes.0, sizes.1) == (M, N), "reduce: another size");
    let mut sink = sums::<V>(sizes, a, b, alpha, out, strides);
    unsafe { fixed::bands::<V, M, N>(sizes.2, a, b, &mut sink) }
}

#[inline(always)]
fn sums<V: Lane>(
    (m, n, k): (usize, usize, usize),
    a: impl Operand<V>,
    b: impl Operand<V>,
    alpha: f64,
    out: &mut [V::S],
    strides: (usize, usize),
) -> Reduce<V::S> {
    let last = m * n == 0 || (m - 1) * strides.0 + (n - 1) * strides.1 < out.len();
    assert!(a.holds(m, k) && b.holds(k, n) && last, "reduce: short operand");
    Reduce { out: out.as_mut_ptr(), strides, alpha }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane::{Dual, Isa, Real, Scalar};
    use crate::rng::Seed;

    fn random<V: Lane>(name: &str, n: usize) -> Vec<V> {
        let mut g = Seed(3).stream(name).open();
        V::vectorize(|| (0..n).map(|_| V::from_fn(|_| V::S::new(g.normal(), g.normal()))).collect())
    }

    /// Equal to within 45,000 roundings of the type.
    fn close<S: Scalar>(a: S, b: S) -> bool {
        let unit = <S::Real as Real>::EPSILON.re() / f64::EPSILON;
        (a.re() - b.re()).abs() + (a.eps() - b.eps()).abs() < 1e-11 * unit
    }

    fn fixed<V: Lane, const M: usize, const N: usize>() {
        let k = 7;
        let (a, b, s) = (random::<V>("a", M * k), random::<V>("b", k * N), random::<V::S>("s", k * N));
        let (mut x, mut y) = (vec![V::c(0.5); M * N], vec![V::c(0.5); M * N]);
        let (mut g, mut h) = (vec![V::S::c(0.5); M * N], vec![V::S::c(0.5); M * N]);
        product((M, N, k), lanes(&a, k, 1), params(&s, 1, k), 0.7, true, &mut x, N);
        reduce((M, N, k), lanes(&a, 1, M), lanes(&b, 1, k), 0.7, &mut g, (N, 1));
        V::vectorize(|| {
            product_sized::<V, M, N>((M, N, k), lanes(&a, k, 1), params(&s, 1, k), 0.7, true, &mut y, N);
            reduce_sized::<V, M, N>((M, N, k), lanes(&a, 1, M), lanes(&b, 1, k), 0.7, &mut h, (N, 1));
        });
        let bits = |x: V::S| (x.re().to_bits(), x.eps().to_bits());
        for i in 0..M * N {
            assert!((0..V::W).all(|w| bits(x[i].get(w)) == bits(y[i].get(w))), "{M} {N} product");
            assert_eq!(bits(g[i]), bits(h[i]), "{M} {N} reduce");
        }
    }

    fn against_triple_loop<V: Lane>() {
        fixed::<V, 1, 1>();
        fixed::<V, 5, 8>();
        fixed::<V, 5, 5>();
        fixed::<V, 8, 8>();
        fixed::<V, 7, 11>();
        fixed::<V, 13, 3>();
        let small = [(1, 1, 1), (5, 8, 8), (7, 3, 5), (13, 9, 1), (6, 4, 17), (2, 5, 0)];
        let large = [(3, 90, 81), (37, 61, 100), (45, 16, 33), (8, 5, 1500), (13, 4, 700)]; // the last two are cut along k
        for (m, n, k) in small.into_iter().chain(large) {
            let (a, b) = (random::<V>("a", m * k), random::<V>("b", k * n));
            let scalars = random::<V::S>("s", k * n);
            let mut out = vec![V::c(1.0); m * n];
            product((m, n, k), lanes(&a, k, 1), params(&scalars, 1, k), 0.5, true, &mut out, n);
            let mut fresh = vec![V::c(7.0); m * n];
            product((m, n, k), lanes(&a, k, 1), lanes(&b, n, 1), -2.0, false, &mut fresh, n);
            let mut sums = vec![V::S::c(2.0); m * n];
            reduce((m, n, k), lanes(&a, k, 1), lanes(&b, n, 1), -1.0, &mut sums, (1, m));
            let mut rows = vec![V::S::c(2.0); m * n];
            reduce((m, n, k), lanes(&a, k, 1), lanes(&b, n, 1), -1.0, &mut rows, (n, 1));
            for (i, j, w) in (0..m * n).map(|x| (x / n, x % n, (x * 7) % V::W)) {
                let dot = (0..k).fold(V::S::zero(), |s, p| s + a[i * k + p].get(w) * scalars[j * k + p]);
                assert!(close(out[i * n + j].get(w), V::S::c(1.0) + V::S::c(0.5) * dot), "({m}, {n}, {k})");
                let each = |w: usize| (0..k).fold(V::S::zero(), |s, p| s + a[i * k + p].get(w) * b[p * n + j].get(w));
                assert!(close(fresh[i * n + j].get(w), V::S::c(-2.0) * each(w)), "({m}, {n}, {k}) lanes");
                let total = (0..V::W).fold(V::S::zero(), |s, w| s + each(w));
                assert!(close(sums[i + j * m], V::S::c(2.0) - total), "({m}, {n}, {k})");
                assert!(close(rows[i * n + j], V::S::c(2.0) - total), "({m}, {n}, {k}) by rows");
            }
        }
    }

    fn on_every_instruction_set<S: Scalar>() {
        against_triple_loop::<S>();
        against_triple_loop::<S::Portable>();
        if Isa::detect() != Isa::Portable {
            against_triple_loop::<S::Avx2>();
        }
        if Isa::detect() == Isa::Avx512 {
            against_triple_loop::<S::Avx512>();
        }
    }

    #[test]
    fn products_match_a_triple_loop() {
        on_every_instruction_set::<f64>();
        on_every_instruction_set::<f32>();
        on_every_instruction_set::<Dual<f64>>();
        on_every_instruction_set::<Dual<f32>>();
    }

    #[test]
    #[should_panic(expected = "short operand")]
    fn short_operands_are_refused() {
        product((2, 2, 2), lanes(&[1.0f64; 4], 2, 1), lanes(&[1.0f64; 3], 2, 1), 1.0, false, &mut [0.0; 4], 2);
    }
}
