//! The boundary between numerics and everything above: an evolution advances, is measured, saved and restored.
//!
//! Maths: none.
//! Shapes: plain f64 vectors and numbers, whatever the precision inside.
//! Cost: that of the evolution.
//! Checked: `tests/resume.rs`.

use crate::config::{DynamicsConfig, DynamicsError, Kind, Precision};
use crate::descent::Descent;
use crate::flow::Flow;
use mckean_data::Dataset;
use mckean_engine::{Network, Risk};
use mckean_num::lane::Real;
use mckean_num::par::Par;
use mckean_num::rng::Seed;
use std::sync::Arc;

/// How a stretch of training ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// Reached the requested time.
    Finished,
    /// The objective stopped being finite.
    Diverged {
        /// When.
        tau: f64,
    },
    /// The step control could not meet its tolerance.
    StepTooSmall {
        /// When.
        tau: f64,
    },
    /// The allowed number of steps was used up.
    MaxSteps {
        /// When.
        tau: f64,
    },
    /// The user asked to stop.
    Stopped {
        /// When.
        tau: f64,
    },
}

impl Outcome {
    /// Whether it was told to stop.
    pub fn is_stopped(&self) -> bool {
        matches!(self, Outcome::Stopped { .. })
    }

    /// Name for manifests.
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Finished => "finished",
            Outcome::Diverged { .. } => "diverged",
            Outcome::StepTooSmall { .. } => "step_too_small",
            Outcome::MaxSteps { .. } => "max_steps",
            Outcome::Stopped { .. } => "stopped",
        }
    }

    /// When it ended, if before the requested time.
    pub fn tau(&self) -> Option<f64> {
        match *self {
            Outcome::Finished => None,
            Outcome::Diverged { tau } | Outcome::StepTooSmall { tau } => Some(tau),
            Outcome::MaxSteps { tau } | Outcome::Stopped { tau } => Some(tau),
        }
    }

    /// A sentence of advice.
    pub fn advice(&self) -> &'static str {
        match self {
            Outcome::Finished => "Reached the end of training.",
            Outcome::Diverged { .. } => {
                "Halve dynamics.step or dynamics.learning_rate; `mckean check` prints a stable step."
            }
            Outcome::StepTooSmall { .. } => "Raise dynamics.rtol, or look for a kink: ReLU velocities jump.",
            Outcome::MaxSteps { .. } => "Raise dynamics.max_steps or the step.",
            Outcome::Stopped { .. } => "Continue with `mckean run --resume`.",
        }
    }
}

/// What is known at one moment of training.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measurement {
    /// Training time (flow) or epoch (descent).
    pub tau: f64,
    /// Mean loss.
    pub risk: f64,
    /// Risk plus weight decay term.
    pub objective: f64,
    /// Share of correctly classified samples (NaN for regression).
    pub accuracy: f64,
    /// -dQ/dtau (flows; NaN for descent).
    pub dissipation: f64,
    /// Its integral since the start (flows).
    pub dissipated: f64,
    /// Largest token norm at depth 1.
    pub token_norm: f64,
    /// Step in tau, or learning rate.
    pub step: f64,
}

/// Counters of the work done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Accepted steps.
    pub steps: u64,
    /// Rejected steps.
    pub rejected: u64,
    /// Gradients over a batch.
    pub gradients: u64,
    /// Samples over which gradients were taken.
    pub samples: u64,
}

/// Everything needed to continue to the same bits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Saved {
    /// Parameters.
    pub parameters: Vec<f64>,
    /// Optimiser state, by name.
    pub arrays: Vec<(String, Vec<f64>)>,
    /// Time, controller state and counters, by name.
    pub numbers: Vec<(String, f64)>,
}

impl Saved {
    /// A number by name.
    ///
    /// # Errors
    /// When the checkpoint has none of that name.
    pub fn number(&self, name: &str) -> Result<f64, DynamicsError> {
        let found = self.numbers.iter().find(|(n, _)| n == name).map(|(_, x)| *x);
        found.ok_or_else(|| DynamicsError::Checkpoint { problem: format!("it has no number \"{name}\"") })
    }

    /// An array by name and length, converted.
    ///
    /// # Errors
    /// When it is missing or has another length.
    pub fn array<T: Real>(&self, name: &str, len: usize) -> Result<Vec<T>, DynamicsError> {
        let found = if name == "parameters" {
            Some(&self.parameters)
        } else {
            self.arrays.iter().find(|(n, _)| n == name).map(|(_, x)| x)
        };
        match found {
            Some(x) if x.len() == len => Ok(x.iter().map(|&x| T::new(x, 0.0)).collect()),
            Some(x) => {
                Err(DynamicsError::Checkpoint { problem: format!("\"{name}\" has {} numbers, not {len}", x.len()) })
            }
            None => Err(DynamicsError::Checkpoint { problem: format!("it has no array \"{name}\"") }),
        }
    }
}

/// A training dynamics under way.
pub trait Evolution: Send {
    /// Training time (flow) or epochs (descent).
    fn tau(&self) -> f64;
    /// Goes on to `until`.
    fn advance(&mut self, until: f64) -> Outcome;
    /// Measures the training set at the current point.
    fn measure(&mut self) -> Measurement;
    /// Current parameters.
    fn parameters(&self) -> Vec<f64>;
    /// Everything needed to continue.
    fn save(&self) -> Saved;
    /// Continues from a saved state.
    ///
    /// # Errors
    /// A state of another model or optimiser.
    fn restore(&mut self, saved: &Saved) -> Result<(), DynamicsError>;
    /// Counters.
    fn work(&self) -> Work;
}

/// The evolution a config asks for, starting at `start`.
///
/// # Errors
/// Values out of range, unknown encoders.
pub fn build(
    config: &DynamicsConfig,
    net: &Arc<Network>,
    data: &Arc<Dataset>,
    start: &[f64],
    seed: Seed,
    par: &Par,
) -> Result<Box<dyn Evolution>, DynamicsError> {
    config.check()?;
    match config.precision {
        Precision::F32 => typed::<f32>(config, net, data, start, seed, par),
        Precision::F64 => typed::<f64>(config, net, data, start, seed, par),
    }
}

fn typed<T: Real>(
    config: &DynamicsConfig,
    net: &Arc<Network>,
    data: &Arc<Dataset>,
    start: &[f64],
    seed: Seed,
    par: &Par,
) -> Result<Box<dyn Evolution>, DynamicsError> {
    let risk = Risk::<T>::new(net.clone(), data.clone(), par.clone())?;
    let start: Vec<T> = start.iter().map(|&x| T::new(x, 0.0)).collect();
    Ok(match config.kind {
        Kind::Flow => Box::new(Flow::new(config, risk, start)),
        Kind::Descent => Box::new(Descent::new(config, risk, start, seed, par.clone())),
    })
}
