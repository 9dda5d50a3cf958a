//! Layer normalisation of every token, with gain and bias.
//!
//! Maths: y = g (z - mean) / sqrt(var + 1e-5) + b.
//! Shapes: z, y (rows, d); gain, bias (d).
//! Cost: about 8 multiply-adds an entry forward, 12 backward.
//! Checked: `tests/derivatives.rs`.

use mckean_num::kernel;
use mckean_num::lane::Lane;

const EPSILON: f64 = 1e-5;

#[inline(always)]
fn moments<V: Lane>(z: &[V]) -> (V, V) {
    let r = V::c(1.0 / z.len() as f64);
    let (mut sum, mut squares) = (V::zero(), V::zero());
    for &x in z {
        sum += x;
    }
    let mean = sum * r;
    for &x in z {
        squares = (x - mean).fma(x - mean, squares);
    }
    (mean, V::c(1.0) / (squares * r + V::c(EPSILON)).sqrt())
}

kernel! {
    /// `y = gain * normalised(z) + bias`, row by row.
    pub fn forward<'a, V>(gain: &'a [V::S], bias: &'a [V::S], z: &'a [V], y: &'a mut [V]) {
        let d = gain.len();
        for (z, y) in z.chunks(d).zip(y.chunks_mut(d)) {
            let (mean, rate) = moments(z);
            for i in 0..d {
                y[i] = ((z[i] - mean) * rate).fma(V::splat(gain[i]), V::splat(bias[i]));
            }
        }
    }
}

kernel! {
    /// From the cotangent `g` of `y`: `g_z += ...`, `g_gain += ...`, `g_bias += ...`; `sums` is scratch of 2 d lanes.
    pub fn vjp<'a, V>(
        gain: &'a [V::S],
        z: &'a [V],
        g: &'a [V],
        g_z: &'a mut [V],
        g_gain: &'a mut [V::S],
        g_bias: &'a mut [V::S],
        sums: &'a mut [V],
    ) {
        let d = gain.len();
        let (gains, biases) = sums[..2 * d].split_at_mut(d);
        gains.fill(V::zero());
        biases.fill(V::zero());
        for ((z, g), g_z) in z.chunks(d).zip(g.chunks(d)).zip(g_z.chunks_mut(d)) {
            let (mean, rate) = moments(z);
            let (mut a, mut b) = (V::zero(), V::zero());
            for i in 0..d {
                let (h, x) = (g[i] * V::splat(gain[i]), (z[i] - mean) * rate);
                a += h;
                b = h.fma(x, b);
                gains[i] = g[i].fma(x, gains[i]);
                biases[i] += g[i];
            }
            let r = V::c(1.0 / d as f64);
            let (a, b) = (a * r, b * r);
            for i in 0..d {
                let (h, x) = (g[i] * V::splat(gain[i]), (z[i] - mean) * rate);
                g_z[i] += (h - a - x * b) * rate;
            }
        }
        for i in 0..d {
            g_gain[i] += gains[i].hsum();
            g_bias[i] += biases[i].hsum();
        }
    }
}
