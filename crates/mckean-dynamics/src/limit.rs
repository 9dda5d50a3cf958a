//! The mean-field limit itself, with an error bar: the flow of the law of the particles as width and depth go to infinity.
//!
//! Maths: eqs 3.1-3.5 of Gao et al. 2024. DERIVED: Runge-Kutta in depth (slices carry quadrature weights), particles of a slice from
//! randomised Sobol points (or the atoms of a finite law, exactly), an adaptive 5(4) pair in training time; errors of particles,
//! depth and time are measured one by one and refined, the largest first. For particles of two numbers also the PDE itself, on cells.
//! Shapes: curves over a grid of training times; outputs (times, samples, outputs).
//! Cost: particles times slices visited times velocity calls; `Limit::work` counts them.
//! Checked: `tests/limit.rs`, `tests/limit_finite.rs`, `tests/limit_driven.rs`, `tests/limit_grid.rs`.

mod assemble;
mod coarse;
mod dimensions;
mod driven;
mod finite;
mod grid;
mod ladder;
mod member;
mod pilot;
mod plan;
mod points;
mod refine;
mod sample;
mod series;
mod snapshot;
mod statistics;
mod whiten;

pub use driven::{Driven, accompanied, driven, joint};
pub use finite::{Finite, blocks, coupled, exact, infinite};
pub use grid::{Cells, Grid, Part};
pub use member::{Particles, Trace, trace};
pub use points::sobol_particles;
pub use refine::solve;
pub use series::{Band, Series};
pub use snapshot::Snapshot;
pub use statistics::student;
pub use whiten::{Whiten, most as most_whitened, whiten};

use mckean_data::Dataset;
use mckean_engine::DataShape;
use mckean_model::config::{Embedding, Norm};
use mckean_model::{InitConfig, Law, Layout, ModelConfig, ModelError, Parametrisation, Readout};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// What the limit is taken of: data, encoders, initial law and weight decay (widths and depth of `model` do not matter).
#[derive(Clone)]
pub struct Problem {
    /// Encoders, read-out and loss.
    pub model: ModelConfig,
    /// Shape of the data.
    pub shape: DataShape,
    /// Samples.
    pub data: Arc<Dataset>,
    /// Initial law.
    pub init: InitConfig,
    /// Weight decay.
    pub lambda: f64,
}

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
const PATIENCE: (f64, f64) = (1.5, 3.0);

/// The limit, as far as it was reached.
#[derive(Clone, Debug)]
pub struct Limit {
    /// Training times that were reached.
    pub taus: Vec<f64>,
    /// Risk R.
    pub risk: Band,
    /// Regularised risk Q.
    pub objective: Band,
    /// Mean of |beta|^2 over particles and depth.
    pub moment: Band,
    /// Outputs, (times, samples, outputs).
    pub outputs: Band,
    /// The asked tolerance.
    pub rtol: f64,
    /// Largest total error of R relative to max(R, floor).
    pub error: f64,
    /// Whether it is within the tolerance on all times asked for.
    pub reached: bool,
    /// Whether it was told to stop before it was there.
    pub stopped: bool,
    /// Why the flow ended early, and when.
    pub outcome: crate::Outcome,
    /// One depth step is not enough, or more of them help less than they should: particles separate quickly.
    pub strong: bool,
    /// Relative mismatch of the energy identity Q(0) - Q(tau) = int dissipation on the particles or cells of the last two.
    pub energy: f64,
    /// Difference of Runge-Kutta and Gauss depth on the same particles or cells, relative to max(R, floor).
    pub witness: f64,
    /// Particles (or cells) a slice, independent replicates, depth steps.
    pub size: (usize, usize, usize),
    /// Tolerance of the steps in training time; 0 on a grid, where steps shrink with the cells.
    pub tolerance: f64,
    /// Velocity calls times particles times slices visited.
    pub work: f64,
    /// Seconds used.
    pub seconds: f64,
    /// Seconds that the asked tolerance would take in all, if it was not reached.
    pub predicted: Option<f64>,
    /// Particle law at the snapshot times and depths.
    pub snapshots: Vec<Snapshot>,
}

/// Why there is no limit.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    /// A setting outside its range.
    #[error("limit.{key} = {value}: {problem}")]
    Setting {
        /// Key below `[limit]`.
        key: &'static str,
        /// Value as written.
        value: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The solver was told to stop before it had a curve.
    #[error("the limit was stopped before it had a curve with an error bar; nothing is kept. Solve it again.")]
    Stopped,
    /// The first flows take longer than the budget.
    #[error(
        "limit.budget = {budget}: the first flows take longer than that{reached}, and without them there is no curve. Raise --budget, ask for \
             earlier times (limit.taus, dynamics.until), or lower init.scale or data.token_scale: fast particles make short steps."
    )]
    Budget {
        /// Seconds.
        budget: f64,
        /// How far they came.
        reached: String,
    },
    /// A model without a mean-field limit, or a law without an inverse.
    #[error(transparent)]
    Model(#[from] ModelError),
}

fn setting(key: &'static str, value: impl ToString, problem: impl ToString) -> LimitError {
    LimitError::Setting { key, value: value.to_string(), problem: problem.to_string() }
}

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
    fn is_loose(&self) -> bool {
        self.rtol >= 2e-2
    }

    /// Whether it was told to stop.
    fn is_told(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether it was told to stop, or has overrun its budget.
    fn is_stopped(&self) -> bool {
        self.is_told() || self.deadline.is_some_and(|d| Instant::now() > d)
    }

    /// Why there is no curve; `tau` is how far flows came.
    fn early(&self, tau: Option<f64>) -> LimitError {
        let last = self.taus.last().copied().unwrap_or(0.0);
        let reached = tau.map_or(String::new(), |t| format!(" (they came to tau = {t:.2e} of {last})"));
        if self.is_told() { LimitError::Stopped } else { LimitError::Budget { budget: self.budget, reached } }
    }

    /// Seconds that may still be spent; less than any once stopped.
    fn left(&self, begun: Instant) -> f64 {
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

impl Problem {
    /// Refuses what has no mean-field limit.
    ///
    /// # Errors
    /// Another parametrisation, norms, biases, dropout, trained shared tensors, own weights, a law that depends on the width.
    pub fn check(&self) -> Result<(), LimitError> {
        let m = &self.model;
        let trained = m.embedding != Embedding::None || m.positions || m.class_token;
        let wrong = [
            ("parametrisation", m.parametrisation != Parametrisation::MeanField),
            ("norm", m.norm != Norm::None),
            ("bias", m.bias),
            ("dropout", m.dropout > 0.0),
            ("residual_step", m.residual_step != 0.0),
            ("embedding", trained),
            ("readout", matches!(m.readout, Readout::Linear | Readout::ClassToken)),
            ("head_weights", !m.head_weights.is_empty() || !m.neuron_weights.is_empty()),
        ];
        if let Some((key, _)) = wrong.iter().find(|w| w.1) {
            let problem = "the limit exists for the mean_field parametrisation of particles alone, without norms, biases, dropout, \
                           shared trained tensors or weights of one's own";
            return Err(ModelError::value(key, "as given", problem, "Leave it out, or train with `mckean run`.").into());
        }
        self.init.check()?;
        self.law()?.check_limit()?;
        Ok(())
    }

    /// The law of the particles.
    ///
    /// # Errors
    /// Unknown encoders, read-outs that do not fit.
    pub fn law(&self) -> Result<Law, ModelError> {
        Ok(mckean_model::init::law(&self.init, &self.layout()?))
    }

    /// The layout of one head and one neuron.
    ///
    /// # Errors
    /// As [`Problem::law`].
    pub fn layout(&self) -> Result<Layout, ModelError> {
        let one = ModelConfig { heads: 1, neurons: 1, depth: 1, ..self.model.clone() };
        Ok(mckean_engine::Network::new(&one, self.shape)?.layout)
    }
}
