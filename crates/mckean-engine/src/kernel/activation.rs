//! Activations of the feed-forward encoder with their slopes.
//!
//! Maths: ReLU (slope 0 at 0), HuberizedReLU (Gao et al., appendix G), GELU x Phi(x) with the exact Phi, tanh.
//! Shapes: element-wise on (rows, units); unit u belongs to particle u / m and is multiplied by that particle's scale.
//! Cost: GELU and tanh about 40 multiply-adds an entry, the others 3.
//! Checked: `tests/derivatives.rs`.

use mckean_model::Activation;
use mckean_num::kernel;
use mckean_num::lane::Lane;

/// Value and slope at `x`.
#[inline(always)]
pub fn value_slope<V: Lane>(activation: Activation, x: V) -> (V, V) {
    let (zero, one) = (V::zero(), V::c(1.0));
    match activation {
        Activation::Relu => (V::select_gt(x, zero, x, zero), V::select_gt(x, zero, one, zero)),
        Activation::HubRelu => {
            let c = V::select_gt(x, zero, V::select_gt(one, x, x, one), zero);
            (c * (x - c * V::c(0.5)), c)
        }
        Activation::Gelu => {
            let (cdf, pdf) = x.normal_law();
            (x * cdf, x.fma(pdf, cdf))
        }
        Activation::Tanh => {
            let t = x.tanh();
            (t, one - t * t)
        }
    }
}

kernel! {
    /// `x = scale * sigma(x)` in rows of `units`.
    pub fn apply<'a, V>(activation: Activation, hidden: usize, scales: &'a [f64], units: usize, x: &'a mut [V]) {
        for row in x.chunks_mut(units) {
            for (u, x) in row.iter_mut().enumerate() {
                *x = value_slope(activation, *x).0 * V::c(scales[u / hidden]);
            }
        }
    }
}

kernel! {
    /// As [`apply`], and `slope = scale * sigma'(x)`.
    pub fn apply_with_slope<'a, V>(
        activation: Activation,
        hidden: usize,
        scales: &'a [f64],
        units: usize,
        x: &'a mut [V],
        slope: &'a mut [V],
    ) {
        for (row, slopes) in x.chunks_mut(units).zip(slope.chunks_mut(units)) {
            for (u, (x, s)) in row.iter_mut().zip(slopes).enumerate() {
                let (value, rate) = value_slope(activation, *x);
                let scale = V::c(scales[u / hidden]);
                (*x, *s) = (value * scale, rate * scale);
            }
        }
    }
}
