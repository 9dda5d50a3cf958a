//! `[stationary]`: which weight decays, widths, depths and seeds are followed until they rest, and when a flow counts as resting.
//!
//! Maths: residual D/(lambda Q), the share of Q that the dissipation takes in a time 1/lambda; D of eq. (2.8) of Gao et al. 2024 summed.
//! Shapes: lambdas times widths times depths times seeds.
//! Cost: none.
//! Checked: `tests/stationary.rs`.

use crate::error::Error;
use mckean_model::ModelConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[stationary]`: the risk at stationarity against the weight decay (`mckean stationary`); dynamics.weight_decay and
/// dynamics.until do not enter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StationaryConfig {
    /// Weight decays lambda, each smaller than the one before.
    pub lambdas: Vec<f64>,
    /// Widths M (heads and neurons a block); empty keeps those of `[model]`.
    pub widths: Vec<usize>,
    /// Depths L; empty keeps that of `[model]`.
    pub depths: Vec<usize>,
    /// Seeds of each network: seed, seed + 1, ...; the same ones for every lambda and size.
    pub seeds: usize,
    /// A flow rests when its dissipation lowers Q by less than this share in a time 1/lambda (looked at from tau = 1/lambda on).
    pub residual: f64,
    /// Training time after which a flow ends even if it does not rest, in units of 1/lambda.
    pub horizon: f64,
    /// Tolerance of a step in training time.
    pub tolerance: f64,
    /// Laws of atoms: depth steps (Runge-Kutta of order 4) of the limit of infinite depth; twice as many measure their error.
    pub depth_steps: usize,
    /// Seconds after which flows stop where they are; the same command goes on.
    pub budget: f64,
}

impl Default for StationaryConfig {
    fn default() -> Self {
        StationaryConfig {
            lambdas: vec![1e-2, 3e-3, 1e-3, 3e-4],
            widths: vec![],
            depths: vec![],
            seeds: 3,
            residual: 1e-3,
            horizon: 100.0,
            tolerance: 1e-5,
            depth_steps: 8,
            budget: 600.0,
        }
    }
}

/// Most networks.
const NETWORKS: usize = 100_000;

fn refuse<T>(key: &str, value: impl std::fmt::Debug, problem: &str) -> Result<T, Error> {
    Err(Error::Value { key: format!("stationary.{key}"), value: format!("{value:?}"), problem: problem.into() })
}

impl StationaryConfig {
    /// The same with empty lists filled in.
    pub fn filled(&self, model: &ModelConfig) -> StationaryConfig {
        let or = |own: &[usize], model: usize| if own.is_empty() { vec![model] } else { own.to_vec() };
        StationaryConfig {
            widths: or(&self.widths, model.heads.max(model.neurons)),
            depths: or(&self.depths, model.depth),
            ..self.clone()
        }
    }

    /// The same without what a grid may grow by: what the numbers of one network depend on.
    pub fn rules(&self) -> StationaryConfig {
        let d = StationaryConfig::default();
        StationaryConfig {
            lambdas: d.lambdas,
            widths: vec![],
            depths: vec![],
            seeds: d.seeds,
            budget: d.budget,
            ..self.clone()
        }
    }

    /// Refuses what cannot be computed, before anything is.
    ///
    /// # Errors
    /// The first value outside its range.
    pub fn check(&self) -> Result<(), Error> {
        if let Some(x) = self.lambdas.iter().find(|x| !(x.is_finite() && **x > 0.0 && **x <= 1e3)) {
            let problem = "numbers > 0 and at most 1000 are needed: without weight decay a flow has no time 1/lambda to rest in \
                           (`mckean run` and `mckean certify` follow and judge it).";
            return refuse("lambdas", x, problem);
        }
        if self.lambdas.is_empty() || self.lambdas.windows(2).any(|w| w[0] <= w[1]) {
            return refuse("lambdas", &self.lambdas, "one or more are needed, each smaller than the one before.");
        }
        for (key, list) in [("widths", &self.widths), ("depths", &self.depths)] {
            if list.contains(&0) || list.windows(2).any(|w| w[0] >= w[1]) {
                return refuse(key, list, "whole numbers > 0 in ascending order are needed.");
            }
        }
        let sizes = self.widths.len().max(1) * self.depths.len().max(1) * self.lambdas.len();
        if self.seeds == 0 || sizes.saturating_mul(self.seeds) > NETWORKS {
            return refuse("seeds", self.seeds, "1 or more are needed, and at most 100,000 networks in all.");
        }
        let ranges = [
            ("residual", self.residual, 1e-13, 1e-1),
            ("horizon", self.horizon, 1.0, 1e6),
            ("tolerance", self.tolerance, 1e-12, 1e-2),
        ];
        for (key, x, low, high) in ranges {
            if !(low..=high).contains(&x) {
                return refuse(key, x, &format!("{low:e} to {high:e} is possible."));
            }
        }
        if !(1..=10_000).contains(&self.depth_steps) {
            return refuse("depth_steps", self.depth_steps, "1 to 10,000 are possible.");
        }
        let sound = self.budget.is_finite() && self.budget > 0.0;
        if sound { Ok(()) } else { refuse("budget", self.budget, "a finite number > 0 is needed.") }
    }
}
