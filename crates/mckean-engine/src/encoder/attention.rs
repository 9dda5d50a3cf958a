//! The attention matrix of one head: kernels, their row maps and derivatives, shared by all attention encoders.
//!
//! Maths: S_ij from queries q_i and keys k_j: softmax(q.k/tau), exp(-|q-k|^2/(2 tau)) raw or normalised, q.k/tau, max(q.k/tau, 0).
//! Shapes: queries (n, d), keys (n, d), S (n, n), row i = output token i; masked entries are exactly zero.
//! Cost: n^2 d multiply-adds, n^2 exponentials; distances by differences (no cancellation), twice that.
//! Checked: through both attention encoders in `tests/derivatives.rs`.

use mckean_model::{AttentionKernel, ModelConfig};
use mckean_num::kernel;
use mckean_num::lane::Lane;
use mckean_num::product::{lanes, product};

/// Kernel, temperature and mask.
#[derive(Clone, Copy, Debug)]
pub struct Attention {
    pub(super) kernel: AttentionKernel,
    pub(super) tau: f64,
    pub(super) causal: bool,
}

impl Attention {
    /// Kernel of a config for queries of width `width`; `plain` heads use no 1/sqrt(width) on dot products.
    pub fn new(m: &ModelConfig, width: usize, plain: bool) -> Self {
        let root = (width as f64).sqrt();
        let default = if plain && !m.kernel.is_distance() { 1.0 } else { root };
        let tau = if m.kernel_tau > 0.0 { m.kernel_tau } else { default };
        Attention { kernel: m.kernel, tau, causal: m.causal }
    }

    /// Whether all tokens see each other through a function of dot products: `plain_map` applies.
    pub fn is_plain(&self) -> bool {
        !self.causal && !self.kernel.is_distance()
    }

    /// 1 / tau.
    #[inline(always)]
    pub fn rate(&self) -> f64 {
        1.0 / self.tau
    }

    /// Turns dot products already divided by tau into the attention matrix, inside a kernel; needs `is_plain`.
    #[inline(always)]
    pub fn plain_map<V: Lane>(&self, n: usize, a: &mut [V]) {
        match self.kernel {
            AttentionKernel::Softmax => softmax_rows(n, a),
            _ => {
                for row in a.chunks_exact_mut(n) {
                    self.row_map(n, row);
                }
            }
        }
    }

    /// `a` holds S and `t` its cotangent; `a` becomes the cotangent of the dot products and `t` becomes S.
    #[inline(always)]
    pub fn plain_map_vjp<V: Lane>(&self, n: usize, a: &mut [V], t: &mut [V]) {
        for (s, t) in a.chunks_exact_mut(n).zip(t.chunks_exact_mut(n)) {
            let mut mean = V::zero();
            for j in 0..n {
                mean = t[j].fma(s[j], mean);
            }
            for j in 0..n {
                let (weight, g) = (s[j], t[j]);
                s[j] = match self.kernel {
                    AttentionKernel::Softmax => (g - mean) * weight,
                    AttentionKernel::Relu => V::select_gt(weight, V::zero(), g, V::zero()),
                    _ => g,
                };
                t[j] = weight;
            }
        }
    }

    /// Keys that token `i` sees.
    #[inline(always)]
    fn seen(&self, i: usize, n: usize) -> usize {
        if self.causal { i + 1 } else { n }
    }

    /// Fills `s` with the attention matrix of one chunk; queries and keys are (n, d), their rows `stride` lanes apart.
    pub fn scores<V: Lane>(&self, n: usize, (d, stride): (usize, usize), q: &[V], k: &[V], s: &mut [V]) {
        if self.kernel.is_distance() {
            distances(-0.5 / self.tau, n, (d, stride), q, k, s);
        } else {
            product((n, n, d), lanes(q, stride, 1), lanes(k, 1, stride), 1.0 / self.tau, false, s, n);
        }
        row_maps(*self, n, s);
    }

    #[inline(always)]
    fn row_map<V: Lane>(&self, seen: usize, row: &mut [V]) {
        let (row, masked) = row.split_at_mut(seen);
        match self.kernel {
            AttentionKernel::Softmax | AttentionKernel::NormalisedGaussian => softmax(row),
            AttentionKernel::Gaussian => {
                for x in row.iter_mut() {
                    *x = x.exp();
                }
            }
            AttentionKernel::Linear => {}
            AttentionKernel::Relu => {
                for x in row.iter_mut() {
                    *x = V::select_gt(*x, V::zero(), *x, V::zero());
                }
            }
        }
        masked.fill(V::zero());
    }

    #[inline(always)]
    fn row_vjp<V: Lane>(&self, s: &[V], t: &mut [V]) {
        match self.kernel {
            AttentionKernel::Softmax | AttentionKernel::NormalisedGaussian => {
                let mut mean = V::zero();
                for (&t, &s) in t.iter().zip(s) {
                    mean = t.fma(s, mean);
                }
                for (t, &s) in t.iter_mut().zip(s) {
                    *t = (*t - mean) * s;
                }
            }
            AttentionKernel::Gaussian => {
                for (t, &s) in t.iter_mut().zip(s) {
                    *t = *t * s;
                }
            }
            AttentionKernel::Linear => {}
            AttentionKernel::Relu => {
                for (t, &s) in t.iter_mut().zip(s) {
                    *t = V::select_gt(s, V::zero(), *t, V::zero());
                }
            }
        }
    }

    /// From the cotangent `a` of exponents or dot products: `dq = ...` (overwrites), `dk += ...`; all (n, d) with rows
    /// `stride` lanes apart.
    pub fn queries_keys_vjp<V: Lane>(
        &self,
        n: usize,
        (d, stride): (usize, usize),
        (q, k): (&[V], &[V]),
        a: &[V],
        dq: &mut [V],
        dk: &mut [V],
    ) {
        let rate = 1.0 / self.tau;
        product((n, d, n), lanes(a, n, 1), lanes(k, stride, 1), rate, false, dq, stride);
        product((n, d, n), lanes(a, 1, n), lanes(q, stride, 1), rate, true, dk, stride);
        if self.kernel.is_distance() {
            centre(rate, n, (d, stride), q, k, a, dq, dk);
        }
    }
}

kernel! {
    fn distances<'a, V>(factor: f64, n: usize, d: (usize, usize), q: &'a [V], k: &'a [V], s: &'a mut [V]) {
        let (d, stride) = d;
        for i in 0..n {
            for j in 0..n {
                let mut sum = V::zero();
                for (&a, &b) in q[i * stride..i * stride + d].iter().zip(&k[j * stride..j * stride + d]) {
                    let e = a - b;
                    sum = e.fma(e, sum);
                }
                s[i * n + j] = sum * V::c(factor);
            }
        }
    }
}

kernel! {
    fn row_maps<'a, V>(attention: Attention, n: usize, s: &'a mut [V]) {
        for i in 0..n {
            attention.row_map(attention.seen(i, n), &mut s[i * n..(i + 1) * n]);
        }
    }
}

kernel! {
    /// Turns the cotangent `t` of the attention matrix `s` into that of the kernel's exponent or dot product.
    pub fn scores_vjp<'a, V>(attention: Attention, n: usize, s: &'a [V], t: &'a mut [V]) {
        for i in 0..n {
            let (row, masked) = t[i * n..(i + 1) * n].split_at_mut(attention.seen(i, n));
            attention.row_vjp(&s[i * n..], row);
            masked.fill(V::zero());
        }
    }
}

kernel! {
    /// The part of a distance kernel's derivative that moves each point by itself.
    fn centre<'a, V>(
        rate: f64,
        n: usize,
        d: (usize, usize),
        q: &'a [V],
        k: &'a [V],
        a: &'a [V],
        dq: &'a mut [V],
        dk: &'a mut [V],
    ) {
        for i in 0..n {
            let (mut row, mut column) = (V::zero(), V::zero());
            for j in 0..n {
                row += a[i * n + j];
                column += a[j * n + i];
            }
            let (row, column) = (row * V::c(-rate), column * V::c(-rate));
            for x in i * d.1..i * d.1 + d.0 {
                dq[x] = row.fma(q[x], dq[x]);
                dk[x] = column.fma(k[x], dk[x]);
            }
        }
    }
}

#[inline(always)]
fn softmax<V: Lane>(row: &mut [V]) {
    let mut largest = row[0].max_detached(row[0]);
    for &x in &row[1..] {
        largest = largest.max_detached(x);
    }
    let mut sum = V::zero();
    for x in row.iter_mut() {
        *x = (*x - largest).exp();
        sum += *x;
    }
    let r = V::c(1.0) / sum;
    for x in row.iter_mut() {
        *x = *x * r;
    }
}

/// `softmax` of all rows of a small matrix: shifts first, then all exponentials in one loop, then the sums.
#[inline(always)]
fn softmax_rows<V: Lane>(n: usize, a: &mut [V]) {
    for row in a.chunks_exact_mut(n) {
        let mut largest = row[0].max_detached(row[0]);
        for &x in &row[1..] {
            largest = largest.max_detached(x);
        }
        for x in row {
            *x = *x - largest;
        }
    }
    for x in a.iter_mut() {
        *x = x.exp();
    }
    for row in a.chunks_exact_mut(n) {
        let mut sum = V::zero();
        for &x in row.iter() {
            sum += x;
        }
        let r = V::c(1.0) / sum;
        for x in row {
            *x = *x * r;
        }
    }
}
