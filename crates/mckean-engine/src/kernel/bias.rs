//! Biases: a vector added to every token.
//!
//! Maths: x += scale b; g_b += scale sum over samples and tokens of g.
//! Shapes: x (rows, d), b (d).
//! Cost: one addition an entry.
//! Checked: `tests/derivatives.rs`.

use mckean_num::kernel;
use mckean_num::lane::Lane;

kernel! {
    /// `x[r] += scale * b` for every row.
    pub fn add<'a, V>(b: &'a [V::S], scale: f64, x: &'a mut [V]) {
        for row in x.chunks_mut(b.len()) {
            for (x, &b) in row.iter_mut().zip(b) { *x = V::c(scale).fma(V::splat(b), *x); }
        }
    }
}

kernel! {
    /// `g_b += scale * sum of g over rows and samples`.
    pub fn vjp<'a, V>(g: &'a [V], scale: f64, g_b: &'a mut [V::S]) {
        let d = g_b.len();
        for (i, g_b) in g_b.iter_mut().enumerate() {
            let mut sum = V::zero();
            for row in g.chunks(d) {
                sum += row[i];
            }
            *g_b += <V::S as Lane>::c(scale) * sum.hsum();
        }
    }
}
