//! Element-wise parts of tiled attention, and the change between lanes of tokens and plain rows.
//!
//! Maths: row maps of `Tiled` and their derivatives; a lane entry is its own query row, so nothing is summed across a lane.
//! Shapes: scores (rows, keys) lanes of one block; `bias` one number a key, `r` one lane a query row.
//! Cost: one exponential an entry; the rest is a few operations.
//! Checked: `tests/tokens.rs`.

use mckean_num::kernel;
use mckean_num::lane::{Lane, Scalar};

/// Stands for minus infinity: differences of it stay finite.
pub const LOW: f64 = -1e30;

/// Where a block of scores lies.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// First lane row of queries.
    pub row: usize,
    /// Lane rows.
    pub rows: usize,
    /// First key.
    pub key: usize,
    /// Keys.
    pub keys: usize,
    /// Whether a causal mask hides some of it.
    pub diagonal: bool,
}

kernel! {
    /// Overwrites entries whose key comes after their query with `with`.
    pub fn hide<'a, V>(at: Block, with: V, s: &'a mut [V]) {
        for (i, s) in s.chunks_mut(at.keys).enumerate() {
            let query = V::from_fn(|w| V::S::new(((at.row + i) * V::W + w) as f64, 0.0));
            for (j, s) in s.iter_mut().enumerate() {
                *s = V::select_gt(V::c((at.key + j) as f64), query, with, *s);
            }
        }
    }
}

kernel! {
    /// One more block of keys in a softmax: exponentials against the new maximum, older sums and values rescaled.
    pub fn softmax<'a, V>(
        at: Block,
        bias: &'a [V::S],
        s: &'a mut [V],
        largest: &'a mut [V],
        sum: &'a mut [V],
        u: &'a mut [V],
    ) {
        let d = u.len() / at.rows;
        for (i, s) in s.chunks_mut(at.keys).enumerate() {
            let query = V::from_fn(|w| V::S::new(((at.row + i) * V::W + w) as f64, 0.0));
            let mut top = largest[i];
            for (j, s) in s.iter_mut().enumerate() {
                let e = *s + V::splat(bias[j]);
                let hidden = V::select_gt(V::c((at.key + j) as f64), query, V::c(LOW), e);
                *s = if at.diagonal { hidden } else { e };
                top = top.max_detached(*s);
            }
            let factor = (largest[i] - top).exp();
            largest[i] = top;
            for u in u[i * d..(i + 1) * d].iter_mut() { *u = *u * factor; }
            let mut total = sum[i] * factor;
            for s in s.iter_mut() {
                *s = (*s - top).exp();
                total += *s;
            }
            sum[i] = total;
        }
    }
}

kernel! {
    /// Divides by the sums; `r` becomes minus the log-sum-exp.
    pub fn normalise<'a, V>(largest: &'a [V], sum: &'a [V], r: &'a mut [V], u: &'a mut [V]) {
        let d = u.len() / r.len();
        for (i, r) in r.iter_mut().enumerate() {
            let share = V::c(1.0) / sum[i];
            for u in u[i * d..(i + 1) * d].iter_mut() { *u = *u * share; }
            *r = -(largest[i] + sum[i].ln());
        }
    }
}

kernel! {
    /// `s = exp(s + r + bias)`.
    pub fn gaussian<'a, V>(bias: &'a [V::S], r: &'a [V], s: &'a mut [V]) {
        for (s, &r) in s.chunks_mut(bias.len()).zip(r) {
            for (s, &b) in s.iter_mut().zip(bias) { *s = (*s + (r + V::splat(b))).exp(); }
        }
    }
}

kernel! {
    /// `s = max(s, 0)`.
    pub fn relu<'a, V>(s: &'a mut [V]) {
        for s in s.iter_mut() { *s = V::select_gt(*s, V::zero(), *s, V::zero()); }
    }
}

kernel! {
    /// `s = max(s, 0)`, and the cotangent passes where that is positive.
    pub fn relu_vjp<'a, V>(s: &'a mut [V], t: &'a mut [V]) {
        for (s, t) in s.iter_mut().zip(t) {
            *t = V::select_gt(*s, V::zero(), *t, V::zero());
            *s = V::select_gt(*s, V::zero(), *s, V::zero());
        }
    }
}

kernel! {
    /// `s = exp(s + r + bias)`, `t = (t - delta) s`.
    pub fn exponential_vjp<'a, V>(bias: &'a [V::S], r: &'a [V], delta: &'a [V], s: &'a mut [V], t: &'a mut [V]) {
        let b = bias.len();
        for (i, (s, t)) in s.chunks_mut(b).zip(t.chunks_mut(b)).enumerate() {
            let (r, delta) = (r[i], delta[i]);
            for ((s, t), &b) in s.iter_mut().zip(t).zip(bias) {
                *s = (*s + (r + V::splat(b))).exp();
                *t = (*t - delta) * *s;
            }
        }
    }
}

kernel! {
    /// The part of a distance's derivative that moves each point by itself: column sums, and (if asked) `dq -= rate rowsum q`.
    pub fn centre<'a, V>(
        at: Block,
        d: usize,
        how: (f64, bool),
        t: &'a [V],
        q: &'a [V],
        dq: &'a mut [V],
        columns: &'a mut [V],
    ) {
        let (rate, queries) = how;
        for (i, t) in t.chunks(at.keys).enumerate() {
            let mut sum = V::zero();
            for (c, &t) in columns.iter_mut().zip(t) {
                *c = t.fma(V::c(-rate), *c);
                sum += t;
            }
            let sum = sum * V::c(-rate);
            if queries {
                for (g, &q) in dq[i * d..(i + 1) * d].iter_mut().zip(&q[i * d..]) { *g = sum.fma(q, *g); }
            }
        }
    }
}

kernel! {
    /// Multiplies each key by the sum over the lane of its column.
    pub fn centre_keys<'a, V>(d: usize, columns: &'a [V], k: &'a mut [V::S]) {
        for (k, c) in k.chunks_mut(d).zip(columns) {
            let c = c.hsum();
            for k in k.iter_mut() { *k = c * *k; }
        }
    }
}

kernel! {
    /// `out = sum over each lane`.
    pub fn sums<'a, V>(x: &'a [V], out: &'a mut [V::S]) {
        for (o, x) in out.iter_mut().zip(x) { *o = x.hsum(); }
    }
}

kernel! {
    /// `out += sum over each lane`.
    pub fn add_sums<'a, V>(x: &'a [V], out: &'a mut [V::S]) {
        for (o, x) in out.iter_mut().zip(x) { *o += x.hsum(); }
    }
}

kernel! {
    /// `out[i] = sum over the row of a b`.
    pub fn row_dots<'a, V>(d: usize, a: &'a [V], b: &'a [V], out: &'a mut [V]) {
        for (i, out) in out.iter_mut().enumerate() {
            let (a, b) = (&a[i * d..(i + 1) * d], &b[i * d..(i + 1) * d]);
            *out = V::zero();
            for (&a, &b) in a.iter().zip(b) {
                *out = a.fma(b, *out);
            }
        }
    }
}

kernel! {
    /// `out += scale x`.
    pub fn axpy<'a, V>(scale: f64, x: &'a [V], out: &'a mut [V]) {
        for (o, &x) in out.iter_mut().zip(x) { *o = x.fma(V::c(scale), *o); }
    }
}

kernel! {
    /// Lanes of tokens to plain rows (n, d); padded tokens are dropped.
    pub fn to_rows<'a, V>(d: usize, x: &'a [V], out: &'a mut [V::S]) {
        for (x, out) in x.chunks(d).zip(out.chunks_mut(d * V::W)) {
            for (w, out) in out.chunks_mut(d).enumerate() {
                for (o, x) in out.iter_mut().zip(x) { *o = x.get(w); }
            }
        }
    }
}

kernel! {
    /// Plain rows (n, d) to lanes of tokens; padded tokens are zero.
    pub fn to_lanes<'a, V>(d: usize, x: &'a [V::S], out: &'a mut [V]) {
        for (out, x) in out.chunks_mut(d).zip(x.chunks(d * V::W)) {
            for (i, out) in out.iter_mut().enumerate() {
                *out = V::from_fn(|w| x.get(w * d + i).copied().unwrap_or(<V::S as Lane>::zero()));
            }
        }
    }
}

kernel! {
    /// Centres queries and keys on the mean key and fills the exponents of single points, `factor` times their squares.
    pub fn square<'a, V>(
        d: usize,
        factor: f64,
        centre: &'a mut [V::S],
        keys: &'a mut [V::S],
        bias: &'a mut [V::S],
        q: &'a mut [V],
        r: &'a mut [V],
    ) {
        let share = 1.0 / bias.len() as f64;
        for (i, c) in centre.iter_mut().enumerate() {
            let mut mean = 0.0;
            for k in keys.chunks(d) {
                mean += k[i].re() * share;
            }
            *c = V::S::new(mean, 0.0); // a constant: distances do not depend on it
        }
        let factor_s = <V::S as Lane>::c(factor);
        for (k, b) in keys.chunks_mut(d).zip(bias) {
            for (k, &c) in k.iter_mut().zip(&*centre) { *k = *k - c; }
            let mut sum = <V::S as Lane>::zero();
            for &k in &*k {
                sum = k.fma(k, sum);
            }
            *b = factor_s * sum;
        }
        for (q, r) in q.chunks_mut(d).zip(r) {
            for (q, &c) in q.iter_mut().zip(&*centre) { *q = *q - V::splat(c); }
            let mut sum = V::zero();
            for &q in &*q {
                sum = q.fma(q, sum);
            }
            *r = V::c(factor) * sum;
        }
    }
}
