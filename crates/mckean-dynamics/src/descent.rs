//! Descent in discrete steps over mini-batches.
//!
//! Maths: the gradient an optimiser sees is speed grad R, so learning rates do not depend on width in mean-field scaling
//! (notes on optimisers beside eq. 2.8 of Gao et al. 2024); order of samples from (seed, epoch), dropout from (seed, step).
//! Shapes: flat vectors; moments like the parameters.
//! Cost: one gradient over a batch a step.
//! Checked: `tests/descent.rs`, `tests/resume.rs`.

use crate::config::{DynamicsConfig, DynamicsError, Rule, Schedule};
use crate::evolution::{Evolution, Measurement, Outcome, Saved, Work};
use crate::flow::accuracy;
use crate::objective::Objective;
use mckean_engine::{Batch, Risk};
use mckean_num::lane::Real;
use mckean_num::par::Par;
use mckean_num::rng::Seed;

mod rule;

/// Descent under way.
pub struct Descent<T: Real> {
    config: DynamicsConfig,
    field: Objective<T>,
    seed: Seed,
    par: Par,
    dropout: f64,
    step: u64,
    order: (u64, Vec<usize>),
    batch: Batch,
    beta: Vec<T>,
    grad: Vec<T>,
    moments: [Vec<T>; 2],
    failed: bool,
    gradients: u64,
    samples: u64,
}

impl<T: Real> Descent<T> {
    /// Starts at `start`, epoch 0.
    pub fn new(config: &DynamicsConfig, risk: Risk<T>, start: Vec<T>, seed: Seed, par: Par) -> Self {
        let (zeros, dropout) = (vec![T::zero(); start.len()], risk.network().config.dropout);
        let moments = rule::moments(config.optimizer).map(|used| if used { zeros.clone() } else { vec![] });
        Descent {
            config: config.clone(),
            field: Objective::new(risk, config.weight_decay),
            seed,
            par,
            dropout,
            step: 0,
            order: (u64::MAX, vec![]),
            batch: Batch::default(),
            beta: start,
            grad: zeros,
            moments,
            failed: false,
            gradients: 0,
            samples: 0,
        }
    }

    fn batch_size(&self) -> usize {
        let all = self.field.risk.data().samples;
        if self.config.optimizer == Rule::Gd || self.config.batch == 0 { all } else { self.config.batch.min(all) }
    }

    fn steps_per_epoch(&self) -> u64 {
        self.field.risk.data().samples.div_ceil(self.batch_size()) as u64
    }

    /// Learning rate of the next step.
    fn rate(&self) -> f64 {
        let epoch = self.step as f64 / self.steps_per_epoch() as f64;
        schedule(&self.config, epoch, 1.0 / self.steps_per_epoch() as f64)
    }

    fn choose_batch(&mut self) {
        let (per_epoch, size, all) = (self.steps_per_epoch(), self.batch_size(), self.field.risk.data().samples);
        let (epoch, place) = (self.step / per_epoch, (self.step % per_epoch) as usize);
        if self.order.0 != epoch {
            let shuffled = || self.seed.stream("batches").at(epoch).open().permutation(all);
            self.order = (epoch, if size == all { (0..all).collect() } else { shuffled() });
        }
        let items = &self.order.1[place * size..((place + 1) * size).min(all)];
        self.batch.items.clear();
        self.batch.items.extend(items.iter().map(|&i| i as u32));
        let key = self.seed.stream("dropout").at(self.step).word();
        self.batch.dropout = (self.dropout > 0.0).then_some((self.dropout, key));
    }

    fn one_step(&mut self) {
        self.choose_batch();
        let sums = self.field.risk.value_and_grad(&self.beta, &self.batch, &mut self.grad);
        self.failed = !sums.risk.is_finite();
        let rate = self.rate();
        self.step += 1;
        self.gradients += 1;
        self.samples += self.batch.items.len() as u64;
        let (moments, beta) = (&mut self.moments, &mut self.beta);
        rule::update(&self.config, rate, self.step, &self.field.speeds, &self.grad, moments, beta, &self.par);
    }
}

/// Learning rate at `epoch`; `half` a step is added so that the first step of a warm-up is not zero.
fn schedule(c: &DynamicsConfig, epoch: f64, step: f64) -> f64 {
    let warm = if c.warmup > 0.0 { ((epoch + step) / c.warmup).min(1.0) } else { 1.0 };
    let progress = ((epoch - c.warmup) / (c.epochs - c.warmup).max(1e-12)).clamp(0.0, 1.0);
    let decay = match c.schedule {
        Schedule::Constant => 1.0,
        Schedule::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()),
    };
    c.learning_rate * warm * decay
}

impl<T: Real> Evolution for Descent<T> {
    fn tau(&self) -> f64 {
        self.step as f64 / self.steps_per_epoch() as f64
    }

    fn advance(&mut self, until: f64) -> Outcome {
        while self.tau() < until - 1e-9 {
            self.one_step();
            if self.failed {
                return Outcome::Diverged { tau: self.tau() };
            }
        }
        let finite = self.beta.iter().all(|b| b.re().is_finite()); // the last step's damage shows in no gradient yet
        if finite { Outcome::Finished } else { Outcome::Diverged { tau: self.tau() } }
    }

    fn measure(&mut self) -> Measurement {
        let e = self.field.value(&self.beta);
        Measurement {
            tau: self.tau(),
            risk: e.sums.risk,
            objective: e.objective(),
            accuracy: accuracy(&self.field.risk, e.sums.correct),
            dissipation: f64::NAN,
            dissipated: f64::NAN,
            token_norm: e.sums.token_norm,
            step: self.rate(),
        }
    }

    fn parameters(&self) -> Vec<f64> {
        self.beta.iter().map(|b| b.re()).collect()
    }

    fn save(&self) -> Saved {
        let named = |(i, m): (usize, &Vec<T>)| (format!("moment{}", i + 1), m.iter().map(|x| x.re()).collect());
        let arrays = self.moments.iter().enumerate().filter(|(_, m)| !m.is_empty()).map(named).collect();
        let counters = [("step", self.step), ("gradients", self.gradients), ("samples", self.samples)];
        let numbers = counters.map(|(n, x)| (n.to_string(), x as f64)).to_vec();
        Saved { parameters: self.parameters(), arrays, numbers }
    }

    fn restore(&mut self, saved: &Saved) -> Result<(), DynamicsError> {
        self.beta = saved.array("parameters", self.beta.len())?;
        for (i, m) in self.moments.iter_mut().enumerate().filter(|(_, m)| !m.is_empty()) {
            *m = saved.array(&format!("moment{}", i + 1), self.beta.len())?;
        }
        self.step = saved.number("step")? as u64;
        self.gradients = saved.number("gradients")? as u64;
        self.samples = saved.number("samples")? as u64;
        Ok(())
    }

    fn work(&self) -> Work {
        Work { steps: self.step, rejected: 0, gradients: self.gradients, samples: self.samples }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_start_warm_and_end_at_zero() {
        let c = DynamicsConfig {
            learning_rate: 2.0,
            epochs: 10.0,
            warmup: 2.0,
            schedule: Schedule::Cosine,
            ..Default::default()
        };
        assert_eq!(schedule(&c, 0.0, 0.5), 0.5);
        assert_eq!(schedule(&c, 2.0, 0.5), 2.0);
        assert!((schedule(&c, 6.0, 0.5) - 1.0).abs() < 1e-12);
        assert!(schedule(&c, 10.0, 0.5).abs() < 1e-12);
    }
}
