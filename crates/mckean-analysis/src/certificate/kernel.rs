//! The tangent kernel of the finite network and the rates it promises.
//!
//! Maths: K(H, H') = M L <grad u(H), grad u(H')> (derived; its least eigenvalue is what the neural tangent kernel papers ask for), u the outputs;
//! without weight decay dR/dtau = -r^T K r / n^2 <= -(2 lambda_min/n) R, and explicit Euler is stable near R = 0 below 2 n / lambda_max.
//! With it, dR/dtau = -r^T K r / n^2 - lambda <grad R, beta>.
//! Shapes: (n C, n C) for n samples of C outputs, sample first.
//! Cost: one gradient an output and sample, and an eigenvalue decomposition.
//! Checked: tests below (the dissipation, differences of outputs).

use crate::error::AnalysisError;
use crate::verdict::larger;
use mckean_data::{Dataset, Targets};
use mckean_engine::{Batch, Network, Risk};
use mckean_model::Loss;
use mckean_num::par::Par;
use nalgebra::{DMatrix, DVector};
use serde::Serialize;
use std::sync::Arc;

/// Largest kernel that is formed.
pub const LARGEST: usize = 400;
/// Numbers that all gradients together may take.
const ROOM: usize = 100_000_000;

/// Kernel and what follows from it.
#[derive(Clone, Debug, Serialize)]
pub struct Kernel {
    /// Samples.
    pub samples: usize,
    /// Least eigenvalue.
    pub least: f64,
    /// Largest eigenvalue.
    pub largest: f64,
    /// r^T K r / n^2.
    pub decay: f64,
    /// lambda <grad R, beta>: what weight decay adds to -dR/dtau.
    pub pull: f64,
    /// Risk.
    pub risk: f64,
    /// The kernel.
    #[serde(skip)]
    pub matrix: DMatrix<f64>,
}

impl Kernel {
    /// Least rate of decay of R without weight decay: 2 lambda_min / n.
    pub fn promised(&self) -> f64 {
        2.0 * self.least.max(0.0) / self.samples as f64
    }

    /// -dR/dtau / R now.
    pub fn now(&self) -> f64 {
        (self.decay + self.pull) / self.risk
    }

    /// Longest stable step of explicit Euler near R = 0.
    pub fn stable_step(&self) -> f64 {
        2.0 * self.samples as f64 / self.largest
    }
}

/// The kernel of `net` at `theta` on all samples.
///
/// # Errors
/// Cross-entropy, more than [`LARGEST`] outputs over all samples, numbers that are not finite.
pub fn kernel(
    net: &Arc<Network>,
    data: &Arc<Dataset>,
    theta: &[f64],
    lambda: f64,
    par: &Par,
) -> Result<Kernel, AnalysisError> {
    let (samples, c) = (data.samples, net.reader.outputs);
    let size = samples * c;
    if net.config.loss != Loss::Squared {
        return Err(AnalysisError::NotTestable("the kernel's identity is for the squared loss".into()));
    }
    if size > LARGEST || size * theta.len() > ROOM {
        let what = format!("{samples} samples of {c} outputs and {} parameters are too many for a kernel", theta.len());
        return Err(AnalysisError::NotTestable(what));
    }
    let all = Batch::first(samples);
    let mut risk = Risk::<f64>::new(net.clone(), data.clone(), par.clone())?;
    let (mut outputs, mut grad) = (vec![0.0; size], vec![0.0; theta.len()]);
    let value = risk.outputs(theta, &all, &mut outputs).risk;
    risk.value_and_grad(theta, &all, &mut grad);
    let pull = lambda * grad.iter().zip(theta).map(|(g, b)| g * b).sum::<f64>();
    let matrix = gram(net, data, theta, &outputs, par)?;
    if !value.is_finite() || !matrix.iter().all(|x| x.is_finite()) {
        return Err(AnalysisError::NotTestable("the risk or the tangent kernel is not finite".into()));
    }
    let residual = residuals(data, &outputs);
    let decay = (residual.transpose() * &matrix * &residual)[(0, 0)] / (samples * samples) as f64;
    let values = matrix.clone().symmetric_eigenvalues();
    Ok(Kernel { samples, least: values.min(), largest: values.max(), decay, pull, risk: value, matrix })
}

/// Products of speed-weighted gradients of the outputs.
fn gram(
    net: &Arc<Network>,
    data: &Dataset,
    theta: &[f64],
    outputs: &[f64],
    par: &Par,
) -> Result<DMatrix<f64>, AnalysisError> {
    let (c, roots) = (net.reader.outputs, net.speeds().into_iter().map(f64::sqrt).collect::<Vec<_>>());
    let mut rows = DMatrix::zeros(theta.len(), outputs.len());
    let steps: Vec<f64> = outputs.iter().map(|u| larger(u.abs(), 1.0).log2().ceil().exp2()).collect();
    for k in 0..c {
        // targets one step below output k: the gradient of a single sample's loss is the step times that of the output itself
        let below = |(i, u): (usize, &f64)| if i % c == k { u - steps[i] } else { *u };
        let shifted = outputs.iter().enumerate().map(below).collect();
        let targets = Targets::Values { data: shifted, outputs: c };
        let one = Arc::new(Dataset { targets, ..data.clone() });
        let mut risk = Risk::<f64>::new(net.clone(), one, par.clone())?;
        let mut grad = vec![0.0; theta.len()];
        for i in 0..data.samples {
            risk.value_and_grad(theta, &Batch { items: vec![i as u32], dropout: None }, &mut grad);
            grad.iter_mut().zip(&roots).for_each(|(g, r)| *g *= r / steps[i * c + k]);
            rows.set_column(i * c + k, &DVector::from_column_slice(&grad));
        }
    }
    Ok(rows.tr_mul(&rows))
}

/// Outputs minus targets.
fn residuals(data: &Dataset, outputs: &[f64]) -> DVector<f64> {
    let c = outputs.len() / data.samples;
    let target = |i: usize| match &data.targets {
        Targets::Values { data, .. } => data[i],
        Targets::Classes { labels, .. } => f64::from(labels[i / c] as usize == i % c),
    };
    DVector::from_iterator(outputs.len(), outputs.iter().enumerate().map(|(i, u)| u - target(i)))
}

#[cfg(test)]
mod tests {
    use super::super::View;
    use super::super::tests::{small, view};
    use super::*;
    use mckean_dynamics::objective::Objective;
    use mckean_model::{ModelConfig, Readout};

    fn made(v: &View, lambda: f64) -> Kernel {
        kernel(v.maps.network(), &v.data, &v.theta, lambda, &Par::serial()).unwrap()
    }

    #[test]
    fn the_decay_is_the_dissipation_with_and_without_weight_decay() {
        let weights = ModelConfig { head_weights: vec![1.0, 2.0, 3.0], ..small() };
        for m in [small(), weights] {
            let v = view(&m, 5, 0.8, 0.0);
            let risk = Risk::<f64>::new(v.maps.network().clone(), v.data.clone(), Par::serial()).unwrap();
            let mut q = Objective::new(risk, 0.0);
            let mut velocity = vec![0.0; v.theta.len()];
            let k = made(&v, 0.0);
            let e = q.velocity(&v.theta, &mut velocity);
            assert!((k.decay / e.dissipation - 1.0).abs() < 1e-10 && (k.risk - e.sums.risk).abs() < 1e-14);
            assert!(k.promised() <= k.now() && k.least > -1e-12 && k.largest >= k.least);
            // with weight decay: the derivative of R along the flow, by differences
            q.lambda = 0.7;
            q.velocity(&v.theta, &mut velocity);
            let at = |h: f64| v.theta.iter().zip(&velocity).map(|(b, v)| b + h * v).collect::<Vec<_>>();
            let mut value = |h: f64| q.value(&at(h)).sums.risk;
            let rate = -(value(1e-6) - value(-1e-6)) / 2e-6 / k.risk;
            assert!((made(&v, 0.7).now() / rate - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn large_outputs_do_not_drown_the_kernel() {
        let v = view(&small(), 4, 1e5, 0.0);
        assert!(v.trace.outputs.iter().any(|u| u.abs() > 1e17));
        let risk = Risk::<f64>::new(v.maps.network().clone(), v.data.clone(), Par::serial()).unwrap();
        let e = Objective::new(risk, 0.0).velocity(&v.theta, &mut vec![0.0; v.theta.len()]);
        assert!((made(&v, 0.0).decay / e.dissipation - 1.0).abs() < 1e-10);
    }

    #[test]
    fn entries_are_differences_of_outputs_along_gradients() {
        let m = ModelConfig { readout: Readout::Rows, ..small() };
        let mut data = Dataset::clone(&super::super::tests::data(3));
        data.targets = Targets::Values { data: vec![0.3; 6], outputs: 2 };
        let shape = mckean_engine::DataShape { tokens: 3, dim: 3, outputs: 2, vocabulary: 0 };
        let net = Arc::new(Network::new(&m, shape).unwrap());
        let theta: Vec<f64> = (0..net.parameters()).map(|i| (i as f64 * 0.7).sin()).collect();
        let v = View::new(net.clone(), Arc::new(data), theta, 0.0).unwrap();
        let k = made(&v, 0.0);
        assert_eq!(k.matrix.shape(), (6, 6));
        // K r is the derivative of the outputs against the flow (times n): two ways
        let risk = Risk::<f64>::new(net, v.data.clone(), Par::serial()).unwrap();
        let mut q = Objective::new(risk, 0.0);
        let mut velocity = vec![0.0; v.theta.len()];
        q.velocity(&v.theta, &mut velocity);
        let at = |h: f64| {
            let moved: Vec<f64> = v.theta.iter().zip(&velocity).map(|(b, v)| b + h * v).collect();
            v.maps.states(&moved, &v.data).outputs
        };
        let (plus, minus) = (at(1e-6), at(-1e-6));
        let wanted = -(&k.matrix * residuals(&v.data, &v.trace.outputs)) / 3.0;
        for i in 0..6 {
            assert!((wanted[i] - (plus[i] - minus[i]) / 2e-6).abs() < 1e-7 * (1.0 + wanted[i].abs()));
        }
    }

    #[test]
    fn what_is_too_large_is_said() {
        let v = view(&small(), LARGEST + 1, 0.8, 0.0);
        let text = kernel(v.maps.network(), &v.data, &v.theta, 0.0, &Par::serial()).unwrap_err().to_string();
        assert!(text.contains("401 samples"), "{text}");
    }
}
