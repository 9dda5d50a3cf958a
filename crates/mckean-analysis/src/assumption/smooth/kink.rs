//! Particles at which an encoder with a kink has no derivative at a sample.
//!
//! Maths: orthogonal projections, derived: W_1 such that a pre-activation vanishes at a token, W (or W_Q) such that a logit does.
//! Shapes: a particle tensor after tensor, the state (n, D) of one sample.
//! Cost: D^2.
//! Checked: tests below, `smooth.rs` (what has a kink is seen).

use crate::certificate::View;
use mckean_model::Role;

/// Makes the first hidden unit's pre-activation vanish at the first token of `x`.
pub(super) fn of_unit(view: &View, alpha: &mut [f64], x: &[f64]) {
    let dim = view.net().dim;
    vanish(&mut alpha[..dim], &x[..dim]);
}

/// Makes <w, x> vanish by the least change of `w`.
fn vanish(w: &mut [f64], x: &[f64]) {
    let square: f64 = x.iter().map(|x| x * x).sum();
    let along: f64 = w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() / square.max(1e-300);
    w.iter_mut().zip(x).for_each(|(w, x)| *w -= along * x);
}

/// Makes the logit <W_K z_j, W_Q z_i> (<z_j, W z_i> for heads (V, W)) of one token `i` and one before it, or itself, vanish.
pub(super) fn of_logit(view: &View, alpha: &mut [f64], x: &[f64], probe: usize) {
    let (n, d) = (view.net().tokens, view.net().dim);
    let i = n - 1 - probe % n;
    let (query, key) = (&x[i * d..][..d], &x[probe / n % (i + 1) * d..][..d]);
    let place = |name| {
        let tensors = view.maps.tensors(Role::Head);
        let k = tensors.iter().position(|t| t.name == name)?;
        let first: usize = tensors[..k].iter().map(|t| t.len()).sum();
        Some(first..first + tensors[k].len())
    };
    let key: Vec<f64> = match place("k") {
        Some(at) => alpha[at].chunks(d).map(|row| row.iter().zip(key).map(|(w, z)| w * z).sum()).collect(),
        None => key.to_vec(),
    };
    let outer: Vec<f64> = key.iter().flat_map(|k| query.iter().map(move |q| k * q)).collect();
    if let Some(at) = place("q").or(place("w")) {
        vanish(&mut alpha[at], &outer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assumption::draws;
    use crate::certificate::tests::{small, view};
    use mckean_model::ModelConfig;
    use mckean_num::rng::Seed;

    #[test]
    fn particles_are_put_where_a_logit_vanishes() {
        for attention in ["vw", "qkvo"] {
            let v = view(&ModelConfig { attention: attention.into(), head_dim: 2, ..small() }, 1, 0.5, 0.0);
            let (x, mut draws) = (&v.trace.states[0], Seed(5).stream("smooth.test").open());
            let alpha = draws::particle(&v, Role::Head, &mut draws, 2.0);
            for probe in 0..9 {
                let mut own = alpha.clone();
                of_logit(&v, &mut own, x, probe);
                let (i, map) = (2 - probe % 3, |w: &[f64], z: &[f64]| -> Vec<f64> {
                    w.chunks(3).map(|row| row.iter().zip(z).map(|(w, z)| w * z).sum()).collect()
                });
                let (query, key) = (&x[3 * i..][..3], &x[probe / 3 % (i + 1) * 3..][..3]);
                let logit = |a: &[f64]| -> f64 {
                    let (q, k) = match attention {
                        "vw" => (map(&a[9..], query), key.to_vec()),
                        _ => (map(&a[..6], query), map(&a[6..12], key)),
                    };
                    q.iter().zip(&k).map(|(q, k)| q * k).sum()
                };
                assert!(
                    logit(&own).abs() < 1e-12 * logit(&alpha).abs(),
                    "{attention} {probe}: {} {}",
                    logit(&alpha),
                    logit(&own)
                );
            }
        }
    }
}
