//! The regularised risk and the velocity it gives the particles.
//!
//! Maths: Q = R + lambda/2 sum beta^2/speed; velocity -(speed grad R + lambda beta); dissipation sum velocity^2/speed = -dQ/dtau.
//! Shapes: flat vectors; speed = L/pi for particles in mean-field scaling (eq 2.8 of Gao et al.), 1 otherwise.
//! Cost: one gradient.
//! Checked: `tests/flow.rs` (velocity against differences of Q, energy identity).

use mckean_engine::{Batch, Risk, Sums};
use mckean_num::lane::Real;

/// The regularised risk on all training samples.
pub struct Objective<T: Real> {
    /// The risk.
    pub risk: Risk<T>,
    /// Speed of every parameter.
    pub speeds: Vec<f64>,
    /// Weight decay lambda.
    pub lambda: f64,
    /// Samples of an evaluation.
    pub batch: Batch,
    /// Gradients taken so far.
    pub gradients: u64,
}

/// Everything known at a point after one gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Sums over the samples.
    pub sums: Sums,
    /// lambda/2 sum beta^2 / speed.
    pub penalty: f64,
    /// -dQ/dtau along the flow.
    pub dissipation: f64,
}

impl Evaluation {
    /// Q = R + penalty.
    pub fn objective(&self) -> f64 {
        self.sums.risk + self.penalty
    }
}

impl<T: Real> Objective<T> {
    /// All samples of the risk's data, weight decay `lambda`.
    pub fn new(risk: Risk<T>, lambda: f64) -> Self {
        let (speeds, batch) = (risk.network().speeds(), Batch::first(risk.data().samples));
        Objective { risk, speeds, lambda, batch, gradients: 0 }
    }

    /// lambda/2 sum beta^2 / speed.
    pub fn penalty(&self, beta: &[T]) -> f64 {
        0.5 * self.lambda * second_moment(beta, &self.speeds)
    }

    /// Velocity of the flow at `beta`.
    pub fn velocity(&mut self, beta: &[T], velocity: &mut [T]) -> Evaluation {
        let sums = self.risk.value_and_grad(beta, &self.batch, velocity);
        self.gradients += 1;
        let mut dissipation = 0.0;
        for ((v, &b), &s) in velocity.iter_mut().zip(beta).zip(&self.speeds) {
            let g = s * v.re() + self.lambda * b.re();
            dissipation += g * g / s;
            *v = T::new(-g, 0.0);
        }
        Evaluation { sums, penalty: self.penalty(beta), dissipation }
    }

    /// Risk and penalty without derivatives.
    pub fn value(&mut self, beta: &[T]) -> Evaluation {
        let sums = self.risk.value(beta, &self.batch);
        Evaluation { sums, penalty: self.penalty(beta), dissipation: f64::NAN }
    }
}

/// sum beta^2 / speed: the mean of |beta|^2 over particles and depth in mean-field scaling.
pub fn second_moment<T: Real>(beta: &[T], speeds: &[f64]) -> f64 {
    beta.iter().zip(speeds).map(|(b, s)| b.re() * b.re() / s).sum()
}
