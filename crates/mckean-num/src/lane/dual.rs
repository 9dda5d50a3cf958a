//! Dual numbers: a value and its derivative along one direction, carried through every kernel.
//!
//! Maths: (a + a' e)(b + b' e) = ab + (ab' + a'b) e with e^2 = 0; f(a + a' e) = f(a) + f'(a) a' e.
//! Shapes: `Dual<R>` is a scalar, `Dual<V>` a lane of them (two registers).
//! Cost: a product takes three multiply-adds instead of one.
//! Checked: `lane::tests::dual_tangents_match_differences`.

use super::{Lane, Real, RealLane, Scalar, Task};
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// Value `re` and tangent `eps`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub struct Dual<V> {
    /// Value.
    pub re: V,
    /// Tangent.
    pub eps: V,
}

#[inline(always)]
fn dual<V>(re: V, eps: V) -> Dual<V> {
    Dual { re, eps }
}

impl<V: RealLane> Add for Dual<V> {
    type Output = Self;
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        dual(self.re + o.re, self.eps + o.eps)
    }
}

impl<V: RealLane> Sub for Dual<V> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        dual(self.re - o.re, self.eps - o.eps)
    }
}

impl<V: RealLane> Mul for Dual<V> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, o: Self) -> Self {
        dual(self.re * o.re, self.re.mul_add(o.eps, self.eps * o.re))
    }
}

impl<V: RealLane> Div for Dual<V> {
    type Output = Self;
    #[inline(always)]
    fn div(self, o: Self) -> Self {
        let r = V::c(1.0) / o.re;
        let q = self.re * r;
        dual(q, (self.eps - q * o.eps) * r)
    }
}

impl<V: RealLane> Neg for Dual<V> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        dual(-self.re, -self.eps)
    }
}

impl<V: RealLane> AddAssign for Dual<V> {
    #[inline(always)]
    fn add_assign(&mut self, o: Self) {
        *self = *self + o;
    }
}

impl<V: RealLane> Lane for Dual<V> {
    type S = Dual<V::R>;
    const W: usize = V::WIDTH;
    const TILES: [(usize, usize); 2] = V::DUAL_TILES;
    const FIXED_SIZES: bool = <V as RealLane>::FIXED_SIZES;
    #[inline(always)]
    fn splat(s: Self::S) -> Self {
        dual(V::broadcast(s.re), V::broadcast(s.eps))
    }
    #[inline(always)]
    fn c(x: f64) -> Self {
        dual(V::c(x), V::c(0.0))
    }
    #[inline(always)]
    fn from_fn(mut f: impl FnMut(usize) -> Self::S) -> Self {
        dual(V::generate(|i| f(i).re), V::generate(|i| f(i).eps))
    }
    #[inline(always)]
    fn get(self, i: usize) -> Self::S {
        dual(self.re.entry(i), self.eps.entry(i))
    }
    #[inline(always)]
    fn fma(self, b: Self, c: Self) -> Self {
        let eps = self.re.mul_add(b.eps, self.eps.mul_add(b.re, c.eps));
        dual(self.re.mul_add(b.re, c.re), eps)
    }
    #[inline(always)]
    fn accumulate(self, b: Self, c: Self) -> Self {
        if !V::SHORT_CHAINS {
            return self.fma(b, c);
        }
        let eps = self.re.mul_add(b.eps, self.eps * b.re);
        dual(self.re.mul_add(b.re, c.re), c.eps + eps)
    }
    #[inline(always)]
    fn times(self, x: f64) -> Self {
        dual(self.re * V::c(x), self.eps * V::c(x))
    }
    #[inline(always)]
    fn times_add(self, x: f64, c: Self) -> Self {
        dual(self.re.mul_add(V::c(x), c.re), self.eps.mul_add(V::c(x), c.eps))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        let s = self.re.square_root();
        dual(s, self.eps * V::c(0.5) / s)
    }
    #[inline(always)]
    fn exp(self) -> Self {
        let e = Lane::exp(self.re);
        dual(e, e * self.eps)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        dual(Lane::ln(self.re), self.eps / self.re)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        let t = Lane::tanh(self.re);
        dual(t, (V::c(1.0) - t * t) * self.eps)
    }
    #[inline(always)]
    fn normal_law(self) -> (Self, Self) {
        let (cdf, pdf) = Lane::normal_law(self.re);
        let slope = pdf * self.eps;
        (dual(cdf, slope), dual(pdf, -self.re * slope))
    }
    #[inline(always)]
    fn max_detached(self, other: Self) -> Self {
        dual(self.re.larger(other.re), V::c(0.0))
    }
    #[inline(always)]
    fn select_gt(a: Self, b: Self, x: Self, y: Self) -> Self {
        dual(V::where_gt(a.re, b.re, x.re, y.re), V::where_gt(a.re, b.re, x.eps, y.eps))
    }
    #[inline(always)]
    fn hsum(self) -> Self::S {
        dual(self.re.sum(), self.eps.sum())
    }
    #[inline(always)]
    fn hsums(x: [Self; 4]) -> [Self::S; 4] {
        let [a, b, c, d] = x;
        let (re, eps) = (V::sums([a.re, b.re, c.re, d.re]), V::sums([a.eps, b.eps, c.eps, d.eps]));
        [dual(re[0], eps[0]), dual(re[1], eps[1]), dual(re[2], eps[2]), dual(re[3], eps[3])]
    }
    #[inline(always)]
    fn zip(self, other: Self) -> (Self, Self) {
        let ((a, b), (c, d)) = (RealLane::zip(self.re, other.re), RealLane::zip(self.eps, other.eps));
        (dual(a, c), dual(b, d))
    }
    #[inline(always)]
    unsafe fn spread(from: *const Self, i: usize) -> Self {
        unsafe { dual(V::spread(&raw const (*from).re, i), V::spread(&raw const (*from).eps, i)) }
    }
    #[inline(always)]
    fn vectorize<T: Task>(task: T) -> T::Out {
        V::compiled(task)
    }
}

impl<R: Real + Default + std::fmt::Debug> Scalar for Dual<R> {
    type Real = R;
    type Avx512 = Dual<R::Wide>;
    type Avx2 = Dual<R::Middle>;
    type Portable = Dual<R::Plain>;
    #[inline(always)]
    fn new(re: f64, eps: f64) -> Self {
        dual(<R as Scalar>::new(re, 0.0), <R as Scalar>::new(eps, 0.0))
    }
    #[inline(always)]
    fn re(self) -> f64 {
        Scalar::re(self.re)
    }
    #[inline(always)]
    fn eps(self) -> f64 {
        Scalar::re(self.eps)
    }
}
