//! Biases: a vector added to every token.
//!
//! Maths: x += scale b; g_b += scale sum over samples and tokens of g.
//! Shapes: x (rows, d), b (d).
//! Cost: one addition an entry.
//! Checked: `tests/derivatives.rs`.

use mckean_num::lane::Lane;

/// `x[r] += scale * b` for every row.
pub fn add<V: Lane>(b: &[V::S], scale: f64, x: &mut [V]) {
    V::vectorize(|| {
        for row in x.chunks_mut(b.len()) {
            row.iter_mut().zip(b).for_each(|(x, &b)| *x = V::c(scale).fma(V::splat(b), *x));
        }
    });
}

/// `g_b += scale * sum of g over rows and samples`.
pub fn vjp<V: Lane>(g: &[V], scale: f64, g_b: &mut [V::S]) {
    let d = g_b.len();
    V::vectorize(|| {
        for (i, g_b) in g_b.iter_mut().enumerate() {
            let sum = g[i..].iter().step_by(d).fold(V::zero(), |s, &x| s + x);
            *g_b += <V::S as Lane>::c(scale) * sum.hsum();
        }
    });
}
