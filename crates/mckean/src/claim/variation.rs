//! The functional derivative of the objective with respect to the law of the particles.
//!
//! Maths: Proposition 3.1 of Gao et al. 2024: Q(rho + eta (nu - rho)) = Q(rho) + eta <dQ/drho, nu - rho> + o(eta). Encoders are
//! 1-homogeneous in their output map, so E tr(f(T, theta)^T p) is a scalar product of output map and gradient.
//! Shapes: rho and nu are two clouds of M particles in one network of 2 M weighted particles, mixed evenly at eta = 0.
//! Cost: a gradient and a few risks a seed.
//! Checked: `tests/claims.rs`.

use super::{Context, Found, sample};
use crate::config::Config;
use crate::error::Error;
use crate::problem::Problem;
use mckean_dynamics::objective::Objective;
use mckean_engine::Risk;
use mckean_model::Role;

/// Order in eta of the remainder |Q(eta) - Q(0) - eta <dQ/drho, nu - rho>|, predicted 2.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let steps = c.positives("steps", 2)?;
    let (mut orders, mut last) = (vec![], 0.0f64);
    for config in c.seeds()? {
        let wide = widened(&config);
        let p = Problem::new(&mixed(&wide, 0.0))?;
        let derivative = derivative(&p, c)?;
        let base = objective(&p, &p.start, c)?;
        let mut remainders = vec![];
        for &eta in &steps {
            let here = Problem::on(&mixed(&wide, eta), p.train.clone(), None)?;
            remainders.push((objective(&here, &p.start, c)? - base - eta * derivative).abs());
        }
        last = sample::largest(last, remainders.last().map(|r| r / (steps[steps.len() - 1] * derivative.abs())));
        orders.push(sample::slope(&steps, &remainders));
    }
    let (value, interval) = sample::mean(&orders);
    let words = format!("remainder at the smallest eta at most {last:.1e} of the linear term, {} seeds", orders.len());
    Ok(Found { value, interval, words, ..Default::default() })
}

/// Twice as many particles.
fn widened(config: &Config) -> Config {
    let mut wide = config.clone();
    (wide.model.heads, wide.model.neurons) = (2 * config.model.heads, 2 * config.model.neurons);
    wide
}

/// Weights (1/2 - eta) on the first half, (1/2 + eta) on the second.
fn mixed(wide: &Config, eta: f64) -> Config {
    let mut config = wide.clone();
    let weights = |n: usize| (0..n).map(|j| if j < n / 2 { 0.5 - eta } else { 0.5 + eta }).collect();
    config.model.head_weights = weights(config.model.heads);
    config.model.neuron_weights = weights(config.model.neurons);
    config
}

fn objective(p: &Problem, beta: &[f64], c: &Context<'_>) -> Result<f64, Error> {
    let risk = Risk::<f64>::new(p.net.clone(), p.train.clone(), c.par.clone())?;
    Ok(Objective::new(risk, p.config.dynamics.weight_decay).value(beta).objective())
}

/// <dQ/drho, nu - rho> from the gradient at eta = 0: particle j of weight pi_j contributes (d pi_j / d eta) / pi_j times
/// (<output map, its gradient> + lambda/2 |beta_j|^2 pi_j / L).
fn derivative(p: &Problem, c: &Context<'_>) -> Result<f64, Error> {
    let mut risk = Risk::<f64>::new(p.net.clone(), p.train.clone(), c.par.clone())?;
    let batch = mckean_engine::Batch::first(p.train.samples);
    let mut grad = vec![0.0; p.start.len()];
    risk.value_and_grad(&p.start, &batch, &mut grad);
    let (speeds, lambda) = (p.net.speeds(), p.config.dynamics.weight_decay);
    let mut sum = 0.0;
    for t in p.net.layout.tensors.iter().filter(|t| t.role != Role::Shared) {
        let particles = t.shape[0];
        for j in 0..particles {
            let sign = if j < particles / 2 { -2.0 } else { 2.0 }; // (d pi / d eta) / pi: pi = (1/2 -+ eta) / M
            for i in t.particle(j) {
                let output = if t.sums_particles { grad[i] * p.start[i] } else { 0.0 };
                sum += sign * (output + 0.5 * lambda * p.start[i] * p.start[i] / speeds[i]);
            }
        }
    }
    Ok(sum)
}
