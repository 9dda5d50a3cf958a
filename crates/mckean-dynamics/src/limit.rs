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
mod error;
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
mod settings;
mod snapshot;
mod statistics;
mod whiten;

pub use driven::{Driven, Times, accompanied, driven, joint};
pub use error::LimitError;
pub use finite::{Finite, blocks, coupled, exact, infinite};
pub use grid::{Cells, Grid, Part};
pub use member::{Particles, Trace, trace, trace_unless};
pub use points::sobol_particles;
pub use refine::solve;
pub use series::{Band, Series};
pub use settings::{Settings, Source};
pub use snapshot::Snapshot;
pub use statistics::student;
pub use whiten::{Whiten, most as most_whitened, whiten};

use error::setting;
use mckean_data::Dataset;
use mckean_engine::DataShape;
use mckean_model::config::{Embedding, Norm};
use mckean_model::{InitConfig, Law, Layout, ModelConfig, ModelError, Parametrisation, Readout};
use settings::PATIENCE;
use std::sync::Arc;

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

impl Problem {
    /// Refuses what has no mean-field limit.
    ///
    /// # Errors
    /// Another parametrisation, norms, biases, dropout, trained shared tensors, own weights, a law that depends on the width.
    pub fn check(&self) -> Result<(), LimitError> {
        let m = &self.model;
        let written = |x: &dyn std::fmt::Debug| format!("{x:?}").to_lowercase();
        let wrong = [
            ("parametrisation", m.parametrisation != Parametrisation::MeanField, written(&m.parametrisation)),
            ("norm", m.norm != Norm::None, written(&m.norm)),
            ("bias", m.bias, written(&m.bias)),
            ("dropout", m.dropout > 0.0, written(&m.dropout)),
            ("residual_step", m.residual_step != 0.0, written(&m.residual_step)),
            ("embedding", m.embedding != Embedding::None, written(&m.embedding)),
            ("positions", m.positions, written(&m.positions)),
            ("class_token", m.class_token, written(&m.class_token)),
            ("readout", matches!(m.readout, Readout::Linear | Readout::ClassToken), written(&m.readout)),
            ("head_weights", !m.head_weights.is_empty(), written(&m.head_weights)),
            ("neuron_weights", !m.neuron_weights.is_empty(), written(&m.neuron_weights)),
        ];
        if let Some((key, _, value)) = wrong.iter().find(|w| w.1) {
            let problem = "the limit exists for the mean_field parametrisation of particles alone, without norms, biases, dropout, \
                           shared trained tensors or weights of one's own";
            return Err(ModelError::value(key, value, problem, "Leave it out, or train with `mckean run`.").into());
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
