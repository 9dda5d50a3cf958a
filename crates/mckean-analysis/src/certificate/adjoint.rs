//! Two-sided bound of the adjoint: a risk cannot be positive with a vanishing adjoint.
//!
//! Maths: appendix F.7 of Gao et al. 2024 bounds E|p(t)|_F^2 between 2 R e^(-2 Lam) and 2 R e^(2 Lam) in the limit. For the finite network
//! (derived, corrected): with x_s the largest operator norm over samples of the Jacobian of sublayer s,
//! P prod (1 - x_s)_+^2 <= E|p|_F^2 <= P prod (1 + x_s)^2, products over the later sublayers, P = E|p(1)|_F^2 (2 R for a single entry).
//! The paper's lower form e^(-2 sum x_s) is false for a finite network.
//! Shapes: one row a state, from t = 0 to 1.
//! Cost: n D vector-Jacobian products a sublayer, and a singular value decomposition of (n D, n D) a sample.
//! Checked: tests below (Jacobians by differences, bounds hold, the counterexample to the exponential form).

use super::{View, operator_norm};
use crate::error::AnalysisError;
use crate::verdict::larger;
use nalgebra::DMatrix;
use serde::Serialize;

/// Adjoint and its bounds at one depth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bound {
    /// Depth t of the state.
    pub depth: f64,
    /// Lower bound of E|p|^2.
    pub low: f64,
    /// E|p|^2.
    pub value: f64,
    /// Upper bound.
    pub high: f64,
}

impl Bound {
    /// At most 1 when both bounds hold: the worse of low/value and value/high, NaN when one of the three is.
    pub fn ratio(&self) -> f64 {
        let share = |part: f64, whole: f64| if part == 0.0 && !whole.is_nan() { 0.0 } else { part / whole };
        larger(share(self.low, self.value), share(self.value, self.high))
    }
}

/// Largest state (n D) whose Jacobians are formed.
pub const LARGEST: usize = 256;

/// Bounds at every depth.
///
/// # Errors
/// States of more than [`LARGEST`] numbers, or not finite.
pub fn bounds(view: &View) -> Result<Vec<Bound>, AnalysisError> {
    view.check()?;
    let trace = &view.trace;
    let mean = |p: &[f64]| p.iter().map(|x| x * x).sum::<f64>() / view.data.samples as f64;
    let last = trace.adjoints.len() - 1;
    let end = mean(&trace.adjoints[last]);
    let (mut low, mut high) = (end, end);
    let mut all = vec![Bound { depth: 1.0, low, value: end, high }];
    for k in (0..last).rev() {
        let x = largest_norm(view, k)?;
        low *= larger(1.0 - x, 0.0).powi(2);
        high *= (1.0 + x).powi(2);
        all.push(Bound { depth: view.depth(k), low, value: mean(&trace.adjoints[k]), high });
    }
    all.reverse();
    Ok(all)
}

/// sup over samples of the operator norm of the (scaled) Jacobian of sublayer `k`.
///
/// # Errors
/// States of more than [`LARGEST`] numbers, or not finite.
pub fn largest_norm(view: &View, k: usize) -> Result<f64, AnalysisError> {
    view.check()?;
    let jacobians = jacobians(view, k)?;
    Ok(jacobians.iter().map(operator_norm).fold(0.0, larger))
}

/// The Jacobian of the branch of sublayer `k` at every sample.
fn jacobians(view: &View, k: usize) -> Result<Vec<DMatrix<f64>>, AnalysisError> {
    let size = view.net().tokens * view.net().dim;
    if size > LARGEST {
        return Err(AnalysisError::NotTestable(format!(
            "states have {size} numbers, Jacobians are formed up to {LARGEST}"
        )));
    }
    let (cloud, x) = (view.maps.cloud(&view.theta, k), &view.trace.states[k]);
    let mut all = vec![DMatrix::zeros(size, size); view.data.samples];
    for row in 0..size {
        let mut unit = vec![0.0; x.len()];
        unit.iter_mut().skip(row).step_by(size).for_each(|u| *u = 1.0);
        let pulled = view.maps.pull(cloud, x, &unit).0;
        for (j, g) in all.iter_mut().zip(pulled.chunks(size)) {
            g.iter().enumerate().for_each(|(column, g)| j[(row, column)] = *g);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{small, view};
    use super::*;
    use mckean_data::{Dataset, Targets};
    use mckean_engine::{DataShape, Network};
    use mckean_model::{Activation, ModelConfig};
    use std::sync::Arc;

    #[test]
    fn jacobians_are_differences_of_the_branch() {
        let v = view(&small(), 3, 0.8, 0.0);
        for k in [0, 1] {
            let (cloud, x) = (v.maps.cloud(&v.theta, k), &v.trace.states[k]);
            let exact = jacobians(&v, k).unwrap();
            for column in 0..9 {
                let at = |h: f64| {
                    let mut y = x.clone();
                    y.iter_mut().skip(column).step_by(9).for_each(|y| *y += h);
                    v.maps.forward(cloud, &y)
                };
                let difference: Vec<f64> = at(1e-6).iter().zip(at(-1e-6)).map(|(a, b)| (a - b) / 2e-6).collect();
                for (i, d) in difference.iter().enumerate() {
                    assert!((exact[i / 9][(i % 9, column)] - d).abs() < 1e-7, "sublayer {k}");
                }
            }
        }
    }

    #[test]
    fn both_bounds_hold_at_every_depth_and_start_from_twice_the_risk() {
        for scale in [0.3, 1.0, 2.0] {
            for activation in [Activation::HubRelu, Activation::Tanh] {
                let v = view(&ModelConfig { activation, depth: 4, ..small() }, 6, scale, 0.0);
                let all = bounds(&v).unwrap();
                assert!((all[8].value - 2.0 * v.trace.risk()).abs() < 1e-12 && all.len() == 9);
                assert!(all.iter().all(|b| b.ratio() <= 1.0 + 1e-12), "{all:#?}");
                assert!(all[0].high / all[0].value < 1e12 && all[0].low < all[0].high);
            }
        }
    }

    #[test]
    fn numbers_that_are_missing_never_count_as_bounded() {
        let bound = |low, value, high| Bound { depth: 0.0, low, value, high }.ratio();
        assert_eq!((bound(0.0, 0.0, 0.0), bound(1.0, 2.0, 4.0), bound(0.0, 3.0, 2.0)), (0.0, 0.5, 1.5));
        assert_eq!((bound(0.0, 1.0, f64::INFINITY), bound(0.0, 0.0, f64::INFINITY)), (0.0, 0.0));
        assert!(bound(1.0, 0.0, 2.0) > 1.0 && bound(0.0, 1.0, 0.0) > 1.0);
        for at in 0..3 {
            let x = |i| if i == at { f64::NAN } else { f64::from(i) };
            assert!(bound(x(0), x(1), x(2)).is_nan(), "{at}");
        }
        let huge = view(&small(), 2, 1e20, 0.0);
        assert!(bounds(&huge).unwrap_err().to_string().contains("not finite"));
        assert!(largest_norm(&huge, 1).is_err());
    }

    #[test]
    fn the_exponential_lower_bound_is_false_and_the_product_is_not() {
        let m = ModelConfig { depth: 1, heads: 1, feed_forward: "none".into(), ..small() };
        let targets = Targets::Values { data: vec![1.0], outputs: 1 };
        let data = Dataset { name: "one".into(), samples: 1, tokens: 1, dim: 2, inputs: vec![1.0, 2.0], targets };
        let net = Arc::new(Network::new(&m, DataShape { tokens: 1, dim: 2, outputs: 1, vocabulary: 0 }).unwrap());
        let theta = vec![-2.0, 0.0, 0.0, -2.0, 0.0, 0.0, 0.0, 0.0]; // V = -2 I, W = 0, step 1/2: the state vanishes
        let v = View::new(net, Arc::new(data), theta, 0.0).unwrap();
        let first = bounds(&v).unwrap()[0];
        assert!(v.trace.risk() > 0.4 && first.value == 0.0 && first.low == 0.0);
        let x = largest_norm(&v, 0).unwrap();
        assert!((x - 1.0).abs() < 1e-12 && 2.0 * v.trace.risk() * (-2.0 * x).exp() > 0.1);
    }
}
