//! How large an encoder and its derivatives are at one state and particle, and the bounds that were derived for them.
//!
//! Maths: r = |T|_{2-col}, operator norms, all derived (see `growth.rs`): |f| <= |V| r, |grad f_i|^2 <= r^2 + (|V| r^3)^2,
//! |J f| <= |V| (sqrt n + (sqrt n + 1) r^2 |W|); |h| <= |W_2||W_1| r, |grad h_i|^2 <= r^2 (|W_1|^2 + c^2 |W_2|^2), |J h| <= c |W_2||W_1|, c = sup |sigma'|.
//! Shapes: three numbers.
//! Cost: n D vector-Jacobian products and a singular value decomposition of (n D, n D).
//! Checked: tests of `growth.rs` (a value by its formula; bounds hold and are nearly met).

use super::draws::columns;
use crate::certificate::{View, operator_norm};
use crate::verdict::larger;
use mckean_engine::Cloud;
use mckean_model::{Activation, Role};
use nalgebra::DMatrix;

/// The sizes of a derivative at one state and particle.
pub(crate) struct Sizes {
    pub value: f64,
    pub gradient: f64,
    pub jacobian: f64,
}

/// |g|_{2-col}, the largest |grad g_i| over tokens i, |J_T g|.
pub(crate) fn sizes(view: &View, role: Role, x: &[f64], alpha: &[f64]) -> Sizes {
    let (n, d) = (view.net().tokens, view.net().dim);
    let cloud = Cloud { role, theta: alpha, scales: &[1.0] };
    let value = columns(&view.maps.forward(cloud, x), d);
    let (mut jacobian, mut gradient) = (DMatrix::zeros(n * d, n * d), 0.0f64);
    for token in 0..n {
        let mut rows = DMatrix::zeros(d, alpha.len());
        for row in 0..d {
            let mut unit = vec![0.0; n * d];
            unit[token * d + row] = 1.0;
            let (g_x, g) = view.maps.pull(cloud, x, &unit);
            g_x.iter().enumerate().for_each(|(j, v)| jacobian[(token * d + row, j)] = *v);
            g.iter().enumerate().for_each(|(j, v)| rows[(row, j)] = *v);
        }
        gradient = larger(gradient, operator_norm(&rows));
    }
    Sizes { value, gradient, jacobian: operator_norm(&jacobian) }
}

/// The derived bounds of the three sizes.
pub(crate) fn bounds(view: &View, role: Role, r: f64, alpha: &[f64]) -> [f64; 3] {
    let (m, n) = (&view.net().config, (view.net().tokens as f64).sqrt());
    let mut at = 0;
    let norms: Vec<f64> = view
        .maps
        .tensors(role)
        .iter()
        .map(|t| {
            at += t.len();
            let rows = t.shape[0];
            operator_norm(&DMatrix::from_row_slice(rows, t.len() / rows, &alpha[at - t.len()..at]))
        })
        .collect();
    if role == Role::Head {
        let (v, w) = (norms[0], norms[1]);
        return [v * r, r.hypot(v * r * r * r), v * (n + (n + 1.0) * r * r * w)];
    }
    let (w1, w2) = (norms[0], norms[1]);
    let slope = if m.activation == Activation::Gelu { 1.12904 } else { 1.0 };
    [w2 * w1 * r, r * w1.hypot(slope * w2), slope * w2 * w1]
}
