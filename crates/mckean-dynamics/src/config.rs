//! The `[dynamics]` section of a configuration.
//!
//! Maths: tau is training time; lambda is the weight decay of eq. 2.6 of Gao et al. 2024.
//! Shapes: plain values.
//! Cost: none.
//! Checked: tests below.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Continuous or discrete training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Gradient flow in training time tau.
    #[default]
    Flow,
    /// Gradient descent and its relatives, counted in epochs.
    Descent,
}

/// How a step of the flow is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Explicit Euler, order 1.
    Euler,
    /// Heun's method, order 2.
    #[default]
    Heun,
    /// The classical Runge-Kutta method, order 4.
    Rk4,
    /// Dormand-Prince 5(4) with PI step control.
    Adaptive,
}

/// Update rule of descent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Full-batch gradient descent (ignores `batch`).
    Gd,
    /// Mini-batch gradient descent.
    Sgd,
    /// Mini-batch gradient descent with heavy-ball momentum.
    Momentum,
    /// Steps of the sign of the gradient.
    Sign,
    /// Adam; weight decay is added to the gradient.
    #[default]
    Adam,
    /// AdamW; weight decay acts on the parameters directly.
    Adamw,
}

/// Learning rate over training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// The same at every step (after warm-up).
    #[default]
    Constant,
    /// Half a cosine from the rate to zero (after warm-up).
    Cosine,
}

/// Number type of the parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// Single precision.
    F32,
    /// Double precision.
    #[default]
    F64,
}

/// `[dynamics]`: how the parameters move.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DynamicsConfig {
    /// "flow" or "descent".
    pub kind: Kind,
    /// Number type of parameters and gradients.
    pub precision: Precision,
    /// Weight decay lambda.
    pub weight_decay: f64,
    /// Flow: final training time tau.
    pub until: f64,
    /// Flow: how a step is made.
    pub integrator: Scheme,
    /// Flow: step in tau (the first one if adaptive).
    pub step: f64,
    /// Flow, adaptive: relative tolerance per step.
    pub rtol: f64,
    /// Flow, adaptive: absolute tolerance per step.
    pub atol: f64,
    /// Flow: steps after which the run is ended with outcome "max_steps".
    pub max_steps: u64,
    /// Descent: update rule.
    pub optimizer: Rule,
    /// Descent: learning rate; in mean-field scaling it multiplies M L times the gradient, so it does not depend on width.
    pub learning_rate: f64,
    /// Descent: schedule of the learning rate.
    pub schedule: Schedule,
    /// Descent: epochs of linear warm-up.
    pub warmup: f64,
    /// Descent: passes over the training data.
    pub epochs: f64,
    /// Descent: samples per step; 0 takes all.
    pub batch: usize,
    /// Descent: momentum coefficient.
    pub momentum: f64,
    /// Descent: Adam's decay of the first moment.
    pub beta1: f64,
    /// Descent: Adam's decay of the second moment.
    pub beta2: f64,
    /// Descent: Adam's epsilon, relative to M L times the gradient in mean-field scaling.
    pub epsilon: f64,
}

impl Default for DynamicsConfig {
    fn default() -> Self {
        DynamicsConfig {
            kind: Kind::Flow,
            precision: Precision::F64,
            weight_decay: 0.0,
            until: 10.0,
            integrator: Scheme::Heun,
            step: 0.1,
            rtol: 1e-5,
            atol: 1e-8,
            max_steps: 10_000_000,
            optimizer: Rule::Adam,
            learning_rate: 1e-3,
            schedule: Schedule::Constant,
            warmup: 0.0,
            epochs: 10.0,
            batch: 64,
            momentum: 0.9,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
        }
    }
}

/// What can be wrong with the dynamics.
#[derive(Debug, thiserror::Error)]
pub enum DynamicsError {
    /// A value outside its range.
    #[error("dynamics.{key} = {value}: {problem}")]
    Value {
        /// Key below `[dynamics]`.
        key: &'static str,
        /// Value as written.
        value: String,
        /// What is needed.
        problem: &'static str,
    },
    /// A checkpoint that does not belong to this run.
    #[error("the checkpoint does not fit this run: {problem}. Resume with the config it was written with.")]
    Checkpoint {
        /// What differs.
        problem: String,
    },
    /// The model is wrong.
    #[error(transparent)]
    Model(#[from] mckean_model::ModelError),
}

impl DynamicsConfig {
    /// Where training ends: tau for a flow, epochs for descent.
    pub fn end(&self) -> f64 {
        if self.kind == Kind::Flow { self.until } else { self.epochs }
    }

    /// Checks every range.
    ///
    /// # Errors
    /// The first value outside its range.
    pub fn check(&self) -> Result<(), DynamicsError> {
        let positive = [("until", self.until), ("step", self.step), ("rtol", self.rtol), ("atol", self.atol)];
        let more = [("learning_rate", self.learning_rate), ("epochs", self.epochs), ("epsilon", self.epsilon)];
        for (key, x) in positive.into_iter().chain(more) {
            require(key, x, x.is_finite() && x > 0.0, "a finite number > 0 is needed")?;
        }
        for (key, x) in [("weight_decay", self.weight_decay), ("warmup", self.warmup)] {
            require(key, x, x.is_finite() && x >= 0.0, "a finite number >= 0 is needed")?;
        }
        for (key, x) in [("momentum", self.momentum), ("beta1", self.beta1), ("beta2", self.beta2)] {
            require(key, x, (0.0..1.0).contains(&x), "a number in [0, 1) is needed")?;
        }
        require("warmup", self.warmup, self.warmup <= self.epochs, "warm-up cannot be longer than training")
    }
}

fn require(key: &'static str, x: f64, ok: bool, problem: &'static str) -> Result<(), DynamicsError> {
    if ok { Ok(()) } else { Err(DynamicsError::Value { key, value: x.to_string(), problem }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_checked_and_named() {
        assert!(DynamicsConfig::default().check().is_ok());
        let bad = DynamicsConfig { step: f64::NAN, ..Default::default() };
        assert!(bad.check().unwrap_err().to_string().starts_with("dynamics.step = NaN"));
        assert!(DynamicsConfig { beta1: 1.0, ..Default::default() }.check().is_err());
        assert!(DynamicsConfig { weight_decay: -1.0, ..Default::default() }.check().is_err());
    }
}
