//! What is asked of the limit's solver, and its ranges.
//!
//! Maths: none.
//! Shapes: plain values.
//! Cost: none.
//! Checked: `tests/limit.rs`, `tests/limit_snapshots.rs`.

use super::whiten::Whiten;
use super::{LimitError, setting, snapshot};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Where particles come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The atoms if the law has them, else randomised quasi-random points.
    #[default]
    Auto,
    /// The atoms of `init.atoms` or `init.particles`, exactly.
    Atoms,
    /// Scrambled Sobol points, several independent scramblings.
    Rqmc,
    /// The PDE of the law on cells, for particles of two numbers (tokens of dimension 1).
    Grid,
}

/// What is asked of the solver.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Training times, ascending.
    pub taus: Vec<f64>,
    /// Error of the risk relative to max(R, floor), on all times.
    pub rtol: f64,
    /// See `rtol`.
    pub floor: f64,
    /// Seconds that may be spent; what does not fit is not begun.
    pub budget: f64,
    /// Where particles come from.
    pub source: Source,
    /// Whether quasi-random particles of a slice get the exact mean and covariance of the law.
    pub whiten: Whiten,
    /// Seed of the scramblings.
    pub seed: u64,
    /// Times at which the particle law is kept.
    pub snapshots: Vec<f64>,
    /// Depths at which it is kept; empty: four quarters of it, or more where the solver takes more depth steps.
    pub depths: Vec<f64>,
    /// Once raised, the solver gives up the flows under way and returns the best curve that it has.
    pub stop: Arc<AtomicBool>,
    /// When it does so of its own accord; `solve` sets it, see `PATIENCE`.
    pub deadline: Option<Instant>,
}

/// Budgets, and seconds besides, after which flows under way are given up.
pub(super) const PATIENCE: (f64, f64) = (1.5, 3.0);

impl Default for Settings {
    fn default() -> Self {
        let (taus, snapshots, depths, stop) = (vec![], vec![], vec![], Arc::default());
        let (rtol, floor, budget, seed) = (1e-2, 1e-3, 60.0, 1);
        let (source, whiten) = (Source::Auto, Whiten::Auto);
        Settings { taus, rtol, floor, budget, source, whiten, seed, snapshots, depths, stop, deadline: None }
    }
}

impl Settings {
    /// Whether few particles settle the question.
    pub(super) fn is_loose(&self) -> bool {
        self.rtol >= 2e-2
    }

    /// Whether it was told to stop.
    pub(super) fn is_told(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether it was told to stop, or has overrun its budget.
    pub(super) fn is_stopped(&self) -> bool {
        self.is_told() || self.deadline.is_some_and(|d| Instant::now() > d)
    }

    /// Why there is no curve; `tau` is how far flows came.
    pub(super) fn early(&self, tau: Option<f64>) -> LimitError {
        let last = self.taus.last().copied().unwrap_or(0.0);
        let reached = tau.map_or(String::new(), |t| format!(" (they came to tau = {t:.2e} of {last})"));
        if self.is_told() { LimitError::Stopped } else { LimitError::Budget { budget: self.budget, reached } }
    }

    /// Seconds that may still be spent; less than any once stopped.
    pub(super) fn left(&self, begun: Instant) -> f64 {
        if self.is_stopped() { f64::NEG_INFINITY } else { self.budget - begun.elapsed().as_secs_f64() }
    }

    /// Checks every range.
    ///
    /// # Errors
    /// The first value outside its range.
    pub fn check(&self) -> Result<(), LimitError> {
        let ascending = self.taus.windows(2).all(|w| w[0] < w[1]);
        let times = self.taus.iter().all(|t| t.is_finite() && *t >= 0.0);
        if self.taus.is_empty() || !ascending || !times || self.taus.len() > 10_000 {
            let problem = "1 to 10,000 finite times >= 0 in ascending order are needed.";
            return Err(setting("taus", format!("{:?}", self.taus), problem));
        }
        if !(self.rtol.is_finite() && (1e-9..=1.0).contains(&self.rtol)) {
            let problem = "double precision allows 1e-9 to 1. Choose a tolerance in between.";
            return Err(setting("rtol", self.rtol, problem));
        }
        let sound = |x: &f64| x.is_finite() && *x > 0.0;
        for (key, x) in [("floor", self.floor), ("budget", self.budget)] {
            if !sound(&x) {
                return Err(setting(key, x, "a finite number > 0 is needed."));
            }
        }
        match self.snapshots.iter().find(|s| !self.taus.contains(s)) {
            Some(s) => Err(setting("snapshots", s, "snapshots are taken at times of limit.taus. Add it there.")),
            None => snapshot::check(self),
        }
    }
}
