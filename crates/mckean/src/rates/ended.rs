//! A network without a gap: its flow ended before the last training time. That is recorded, and does not stop the others.
//!
//! Maths: none.
//! Shapes: none.
//! Cost: none.
//! Checked: `tests/rates.rs` (networks that leave the finite numbers).

use mckean_dynamics::Outcome;
use mckean_dynamics::limit::Trace;
use serde::{Deserialize, Serialize};

/// A flow that ended early.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error(
    "{what}: the flow ends as {outcome} at tau = {tau}: there is no gap. Lower init.scale, or the last of limit.taus."
)]
pub struct Ended {
    /// Which network.
    pub what: String,
    /// How, as in the outcome of a run.
    pub outcome: String,
    /// When.
    pub tau: f64,
}

impl Ended {
    /// Refuses a flow that did not reach its last time.
    pub(super) fn check(trace: &Trace, what: &str) -> Result<(), Ended> {
        if trace.outcome == Outcome::Finished {
            return Ok(());
        }
        let (outcome, tau) = (trace.outcome.name().to_string(), trace.outcome.tau().unwrap_or(0.0));
        Err(Ended { what: what.into(), outcome, tau })
    }
}
