//! Sections of a config that no other module defines: what is observed, swept, and solved for.
//!
//! Maths: none.
//! Shapes: plain values.
//! Cost: none.
//! Checked: tests of `config`.

use mckean_dynamics::limit::{Settings, Source, Whiten};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `[observe]`: what is written down, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ObserveConfig {
    /// Training time (flow) or epochs (descent) between observations; 0 makes 100 of a flow and one an epoch of descent.
    /// Adaptive steps land on these times; fixed steps and descent are seen at their first step at or after them.
    pub every: f64,
    /// Log the exact checks of a flow (energy, kinetic, balance, second moment, forward certificate).
    pub checks: bool,
    /// Evaluate the test set at every observation, if there is one.
    pub test: bool,
    /// Least seconds between checkpoints, which are written at observations; 0 writes one at every observation.
    pub checkpoint_seconds: f64,
    /// Keep the training samples in the run directory (only up to 64 MB).
    pub keep_samples: bool,
}

impl Default for ObserveConfig {
    fn default() -> Self {
        ObserveConfig { every: 0.0, checks: true, test: true, checkpoint_seconds: 10.0, keep_samples: true }
    }
}

/// `[sweep]`: a grid of runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SweepConfig {
    /// Number of seeds per cell: seed, seed + 1, ...
    pub seeds: u64,
    /// Values by full key, such as "model.heads" = [1, 2, 4]; the grid is their product.
    pub grid: BTreeMap<String, Vec<serde_json::Value>>,
}

impl Default for SweepConfig {
    fn default() -> Self {
        SweepConfig { seeds: 1, grid: BTreeMap::new() }
    }
}

/// `[limit]`: the mean-field limit with an error bar (`mckean limit`). Widths and depth of `[model]` do not enter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitConfig {
    /// Training times, ascending; empty makes 0 and ten equal steps to dynamics.until.
    pub taus: Vec<f64>,
    /// Error of the risk, relative to max(R, floor), that is asked for on all times (1e-9 to 1).
    pub rtol: f64,
    /// See `rtol`.
    pub floor: f64,
    /// Seconds that may be spent; what would take longer is not begun, and the error bar says what was reached.
    pub budget: f64,
    /// "atoms" (a law of init.atoms, exactly), "rqmc" (scrambled quasi-random particles), "grid" (cells, tokens of
    /// dimension 1), "auto" picks one of the first two.
    pub method: Source,
    /// "rqmc": whether the particles of a slice get the exact mean and covariance of the law, tensor by tensor: "on" (refused where a tensor
    /// has more than 128 numbers), "off", "auto" (the tensors that are small enough; none for loose tolerances).
    pub whiten: Whiten,
    /// Times of `taus` at which the particle law is kept; empty keeps the first and the last.
    pub snapshots: Vec<f64>,
    /// Depths t in [0, 1] at which it is kept (multiples of one fraction 1/n, n up to 32); empty keeps quarters of it, or more where the solver takes more depth steps.
    pub depths: Vec<f64>,
}

impl Default for LimitConfig {
    fn default() -> Self {
        let Settings { taus, rtol, floor, budget, source: method, whiten, snapshots, depths, .. } = Settings::default();
        LimitConfig { taus, rtol, floor, budget, method, whiten, snapshots, depths }
    }
}
