//! A config made concrete: data loaded, network built, start drawn; and what it will cost.
//!
//! Maths: the empirical law mu of the samples; a network of Gao et al. 2024, section 2, on it.
//! Shapes: see `mckean-engine`.
//! Cost: loading and drawing; `cost` times a few gradients.
//! Checked: `tests/runs.rs`.

use crate::config::Config;
use crate::error::Error;
use crate::initial::initial;
use mckean_data::{Dataset, Targets};
use mckean_dynamics::config::{Kind, Precision, Rule, Scheme};
use mckean_dynamics::{DynamicsConfig, Evolution, stability};
use mckean_engine::{Batch, DataShape, Network, Risk};
use mckean_model::config::Embedding;
use mckean_model::{InitConfig, init};
use mckean_num::lane::Isa;
use mckean_num::par::Par;
use mckean_num::rng::Seed;
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;

/// Everything a run needs before its first step.
pub struct Problem {
    /// The config.
    pub config: Config,
    /// Its initial law, files read.
    pub init: InitConfig,
    /// Training samples.
    pub train: Arc<Dataset>,
    /// Test samples, if any.
    pub test: Option<Arc<Dataset>>,
    /// Network.
    pub net: Arc<Network>,
    /// Parameters at tau = 0.
    pub start: Vec<f64>,
}

impl Problem {
    /// Loads, builds and draws.
    ///
    /// # Errors
    /// Anything wrong with data, model or dynamics.
    pub fn new(config: &Config) -> Result<Problem, Error> {
        let split = mckean_data::load(&config.data)?;
        Problem::on(config, Arc::new(split.train), split.test.map(Arc::new))
    }

    /// As [`Problem::new`] on samples that are already there.
    ///
    /// # Errors
    /// Anything wrong with model or dynamics.
    pub fn on(config: &Config, train: Arc<Dataset>, test: Option<Arc<Dataset>>) -> Result<Problem, Error> {
        let net = Arc::new(Problem::network(config, &train, test.as_deref())?);
        let init = initial(&config.init, &net.layout)?;
        let start = init::draw(&config.model, &init, &net.layout, Seed(config.seed));
        Ok(Problem { config: config.clone(), init, train, test, net, start })
    }

    /// The network of a config on its data, everything checked and nothing drawn.
    ///
    /// # Errors
    /// Anything wrong with model or dynamics.
    pub fn network(config: &Config, train: &Dataset, test: Option<&Dataset>) -> Result<Network, Error> {
        config.dynamics.check()?;
        config.check()?;
        let vocabulary = vocabulary(config, train, test)?;
        let shape = DataShape { tokens: train.tokens, dim: train.dim, outputs: outputs(train), vocabulary };
        let net = Network::new(&config.model, shape)?;
        initial(&config.init, &net.layout)?;
        Ok(net)
    }

    /// The evolution of the config, at tau = 0.
    ///
    /// # Errors
    /// Values out of range.
    pub fn evolution(&self, par: &Par) -> Result<Box<dyn Evolution>, Error> {
        let seed = Seed(self.config.seed);
        Ok(mckean_dynamics::build(&self.config.dynamics, &self.net, &self.train, &self.start, seed, par)?)
    }

    /// Largest token norm of the training data.
    pub fn data_norm(&self) -> f64 {
        let norm = |t: &[f64]| t.iter().map(|x| x * x).sum::<f64>().sqrt();
        self.train.inputs.chunks(self.train.dim).map(norm).fold(0.0, f64::max)
    }

    /// Measures what the run will cost on this machine, and the largest stable step near the start.
    ///
    /// # Errors
    /// Unknown encoders.
    pub fn cost(&self, par: &Par) -> Result<Cost, Error> {
        let (seconds, lanes) = match self.config.dynamics.precision {
            Precision::F32 => self.time_gradient::<f32>(par)?,
            Precision::F64 => self.time_gradient::<f64>(par)?,
        };
        let few = self.few(256);
        let lambda = self.config.dynamics.weight_decay;
        let rate = stability::largest_rate(&self.net, &few, &self.start, lambda, 12, par)?;
        let (gradients, gradient_flops) = gradients_and_flops(&self.config, &self.net, &self.train);
        let bytes = if self.config.dynamics.precision == Precision::F32 { 4 } else { 8 };
        Ok(Cost {
            parameters: self.net.parameters(),
            train_samples: self.train.samples,
            test_samples: self.test.as_ref().map_or(0, |t| t.samples),
            tokens: self.net.tokens,
            dim: self.net.dim,
            gradient_flops,
            gradients,
            gradient_seconds: seconds,
            run_seconds: gradients * seconds,
            parameter_bytes: bytes * self.net.parameters(),
            data_bytes: 8 * self.train.inputs.len(),
            stable_step: 2.0 / rate,
            isa: Isa::detect().name(),
            lanes,
            threads: par.threads(),
        })
    }

    fn time_gradient<T: mckean_num::lane::Real>(&self, par: &Par) -> Result<(f64, String), Error> {
        let mut risk = Risk::<T>::new(self.net.clone(), self.train.clone(), par.clone())?;
        let theta: Vec<T> = self.start.iter().map(|&x| T::new(x, 0.0)).collect();
        let items = batch(&self.config, self.train.samples);
        let (batch, mut grad) = (Batch::first(items), vec![T::zero(); theta.len()]);
        risk.value_and_grad(&theta, &batch, &mut grad);
        let begun = Instant::now();
        let mut done = 0;
        while done < 3 || (begun.elapsed().as_secs_f64() < 0.2 && done < 100) {
            risk.value_and_grad(&theta, &batch, &mut grad);
            done += 1;
        }
        Ok((begun.elapsed().as_secs_f64() / f64::from(done), risk.plan().why.clone()))
    }

    fn few(&self, n: usize) -> Arc<Dataset> {
        if self.train.samples <= n { self.train.clone() } else { Arc::new(self.train.take(0..n)) }
    }
}

/// Samples of one gradient.
pub fn batch(config: &Config, samples: usize) -> usize {
    let d = &config.dynamics;
    let full = d.kind == Kind::Flow || d.batch == 0 || d.optimizer == Rule::Gd;
    if full { samples } else { d.batch.min(samples) }
}

/// Gradients that a run will take, and the model FLOPs of each (3 forward passes over its batch).
pub fn gradients_and_flops(config: &Config, net: &Network, train: &Dataset) -> (f64, f64) {
    let (d, batch) = (&config.dynamics, batch(config, train.samples));
    let stages = match d.integrator {
        Scheme::Euler => 1.0,
        Scheme::Heun => 2.0,
        Scheme::Rk4 => 4.0,
        Scheme::Adaptive => 6.0,
    };
    let gradients = match d.kind {
        Kind::Flow => (d.until / d.step).ceil() * stages,
        Kind::Descent => d.epochs * train.samples.div_ceil(batch) as f64,
    };
    (gradients, 6.0 * net.multiply_adds() as f64 * batch as f64)
}

/// What `mckean check` reports.
#[derive(Clone, Debug, Serialize)]
pub struct Cost {
    /// Parameters.
    pub parameters: usize,
    /// Training samples.
    pub train_samples: usize,
    /// Test samples.
    pub test_samples: usize,
    /// Tokens of a state.
    pub tokens: usize,
    /// Dimension of a state.
    pub dim: usize,
    /// Model FLOPs of one gradient over one batch (3 forward passes).
    pub gradient_flops: f64,
    /// Gradients of the run.
    pub gradients: f64,
    /// Measured seconds of one gradient.
    pub gradient_seconds: f64,
    /// Expected seconds of the run.
    pub run_seconds: f64,
    /// Bytes of the parameters.
    pub parameter_bytes: usize,
    /// Bytes of the training inputs.
    pub data_bytes: usize,
    /// Largest stable step of explicit Euler (learning rate of gradient descent) at the start, by power iteration.
    pub stable_step: f64,
    /// Instruction set in use.
    pub isa: &'static str,
    /// What a register holds, and why.
    pub lanes: String,
    /// Threads in use.
    pub threads: usize,
}

impl Cost {
    /// A sentence when the asked step or learning rate exceeds what is stable at the start.
    ///
    /// Steps h times the largest rate mu stay below 2 for Euler, Heun and gradient descent, below 2.785 for the classical
    /// Runge-Kutta method, below 2 (1 + momentum) for heavy-ball momentum. Sign steps, Adam and adaptive flows adapt.
    pub fn warning(&self, d: &DynamicsConfig) -> Option<String> {
        let (key, asked, factor) = match (d.kind, d.integrator, d.optimizer) {
            (Kind::Flow, Scheme::Adaptive, _) => return None,
            (Kind::Flow, Scheme::Rk4, _) => ("step", d.step, 1.3925),
            (Kind::Flow, ..) => ("step", d.step, 1.0),
            (Kind::Descent, _, Rule::Gd | Rule::Sgd) => ("learning_rate", d.learning_rate, 1.0),
            (Kind::Descent, _, Rule::Momentum) => ("learning_rate", d.learning_rate, 1.0 + d.momentum),
            (Kind::Descent, ..) => return None,
        };
        let limit = factor * self.stable_step;
        (asked > limit)
            .then(|| format!("dynamics.{key} = {asked} exceeds {limit:.3}, up to which it is stable at the start"))
    }
}

/// Outputs or classes of a data set.
pub fn outputs(data: &Dataset) -> usize {
    match &data.targets {
        Targets::Values { outputs, .. } => *outputs,
        Targets::Classes { classes, .. } => *classes,
    }
}

/// Number of different integer tokens, when tokens are embedded by a table.
fn vocabulary(config: &Config, train: &Dataset, test: Option<&Dataset>) -> Result<usize, Error> {
    if config.model.embedding != Embedding::Token {
        return Ok(0);
    }
    let largest = |d: &Dataset| d.inputs.iter().copied().fold(0.0, f64::max);
    let integers = |d: &Dataset| d.dim == 1 && d.inputs.iter().all(|x| *x >= 0.0 && x.fract() == 0.0 && *x < 1e9);
    let sets = || std::iter::once(train).chain(test);
    if !sets().all(integers) {
        let problem = format!(
            "tokens of \"{}\" are not integers; set data.layout = \"pixels\" or use embedding = \"patch\".",
            train.name
        );
        return Err(Error::Value { key: "model.embedding".into(), value: "\"token\"".into(), problem });
    }
    let needed = sets().map(largest).fold(0.0, f64::max) as usize + 1;
    match config.model.vocabulary {
        0 => Ok(needed),
        given if given >= needed => Ok(given),
        given => {
            let problem = format!("the data use {needed} different tokens. Use 0 to read the number off the data.");
            Err(Error::Value { key: "model.vocabulary".into(), value: given.to_string(), problem })
        }
    }
}
