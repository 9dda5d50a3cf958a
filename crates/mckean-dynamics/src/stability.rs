//! The largest explicit-Euler step that is stable near a point, by power iteration on exact second derivatives.
//!
//! Maths: the flow's Jacobian is -(speed Hessian R + lambda); similar to a symmetric matrix by sqrt(speed); stable if h < 2/mu_max.
//! Shapes: flat vectors; Hessian-vector products on dual numbers.
//! Cost: about 20 Hessian-vector products (2.5 gradients each).
//! Checked: `tests/flow.rs` (a step just below it decreases Q, one well above oscillates).

use mckean_data::Dataset;
use mckean_engine::{Batch, Network, Risk};
use mckean_model::ModelError;
use mckean_num::lane::{Dual, Scalar};
use mckean_num::par::Par;
use mckean_num::rng::Seed;
use std::sync::Arc;

/// Largest eigenvalue (in absolute value) of the flow's Jacobian at `beta`, estimated by `iterations` products.
///
/// # Errors
/// Unknown encoders.
pub fn largest_rate(
    net: &Arc<Network>,
    data: &Arc<Dataset>,
    beta: &[f64],
    lambda: f64,
    iterations: usize,
    par: &Par,
) -> Result<f64, ModelError> {
    let mut risk = Risk::<Dual<f64>>::new(net.clone(), data.clone(), par.clone())?;
    let (batch, roots) = (Batch::first(data.samples), net.speeds().iter().map(|s| s.sqrt()).collect::<Vec<_>>());
    let mut draws = Seed(0).stream("power").open();
    let mut v: Vec<f64> = beta.iter().map(|_| draws.normal()).collect();
    let (mut point, mut grad, mut rate) = (vec![Dual::default(); v.len()], vec![Dual::default(); v.len()], 0.0);
    for _ in 0..iterations {
        let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
        v.iter_mut().for_each(|x| *x /= norm);
        for i in 0..v.len() {
            point[i] = Dual::new(beta[i], roots[i] * v[i]);
        }
        risk.value_and_grad(&point, &batch, &mut grad);
        rate = 0.0;
        for i in 0..v.len() {
            let next = roots[i] * grad[i].eps() + lambda * v[i];
            rate += next * v[i];
            v[i] = next;
        }
    }
    Ok(rate.abs())
}
