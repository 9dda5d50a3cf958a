//! Gradient flow: the particles follow their velocity in continuous training time.
//!
//! Maths: d beta/d tau = -(speed grad R + lambda beta) (eqs 2.7-2.8 of Gao et al. 2024); int dissipation by the trapezoidal rule.
//! Shapes: flat vectors. Fixed steps lie on the grid k h whenever they are observed; adaptive ones land on the asked times.
//! Cost: one gradient a Runge-Kutta stage.
//! Checked: `tests/flow.rs`, `tests/resume.rs`.

use crate::config::{DynamicsConfig, DynamicsError, Scheme};
use crate::control::Control;
use crate::evolution::{Evolution, Measurement, Outcome, Saved, Work};
use crate::integrator::{RungeKutta, VectorField};
use crate::objective::{Evaluation, Objective};
use mckean_engine::Risk;
use mckean_num::lane::Real;

/// A flow under way.
pub struct Flow<T: Real> {
    field: Objective<T>,
    method: RungeKutta<T>,
    control: Control,
    tolerance: (f64, f64),
    max_steps: u64,
    /// Where the flow ends: the one place that cuts a fixed step.
    end: f64,
    tau: f64,
    beta: Vec<T>,
    new: Vec<T>,
    /// Evaluation at `beta`; its velocity is in the method's first stage.
    here: Option<Evaluation>,
    dissipated: f64,
    work: Work,
}

/// Relative rise of Q that rounding in f32 may cause.
const RISE: f64 = 1e-6;

impl<T: Real> VectorField<T> for Objective<T> {
    fn eval(&mut self, y: &[T], dy: &mut [T]) -> Evaluation {
        self.velocity(y, dy)
    }
}

impl<T: Real> Flow<T> {
    /// Starts at `start`, tau = 0.
    pub fn new(config: &DynamicsConfig, risk: Risk<T>, start: Vec<T>) -> Self {
        let method = RungeKutta::new(config.integrator, start.len());
        let control = Control::new(config.step, method.order(), config.integrator == Scheme::Adaptive);
        Flow {
            field: Objective::new(risk, config.weight_decay),
            method,
            control,
            tolerance: (config.rtol, config.atol),
            max_steps: config.max_steps,
            end: config.until,
            tau: 0.0,
            new: start.clone(),
            beta: start,
            here: None,
            dissipated: 0.0,
            work: Work::default(),
        }
    }

    /// Evaluation at the current point, taken once.
    fn here(&mut self) -> Evaluation {
        if let Some(e) = self.here {
            return e;
        }
        let e = self.field.velocity(&self.beta, self.method.first());
        *self.here.insert(e)
    }

    /// Tries one step towards `until`, which an adaptive step does not pass.
    fn step(&mut self, until: f64) -> Result<(), Outcome> {
        let before = self.here();
        if !before.objective().is_finite() {
            return Err(Outcome::Diverged { tau: self.tau });
        }
        let target = if self.control.is_adaptive() { until } else { self.end.max(until) };
        let h = self.control.propose(self.tau, target);
        let last = self.method.step(&mut self.field, h, &self.beta, &mut self.new);
        let (rtol, atol) = self.tolerance;
        let error = self.method.error(h, &self.beta, &self.new, rtol, atol);
        // The exact flow never raises Q; a step that does has left its stability region, however small its mean error.
        let rises = self.method.first_same_as_last() && last.objective() > before.objective() * (1.0 + RISE);
        let error = if rises { Some(f64::NAN) } else { error };
        if self.control.judge(h, error) {
            self.accept(h, target, before, last);
            return Ok(());
        }
        self.work.rejected += 1;
        let too_small = self.control.step < 1e-12 * self.tau.max(1e-3);
        if too_small { Err(Outcome::StepTooSmall { tau: self.tau }) } else { Ok(()) }
    }

    /// Advances to `until`, or as far as it comes before `stop` says so, which is asked before every step.
    pub fn advance_unless(&mut self, until: f64, stop: &dyn Fn() -> bool) -> Outcome {
        while self.tau < until - self.control.crumb() {
            if stop() {
                return Outcome::Stopped { tau: self.tau };
            }
            if self.work.steps >= self.max_steps {
                return Outcome::MaxSteps { tau: self.tau };
            }
            if let Err(outcome) = self.step(until) {
                return outcome;
            }
        }
        if self.here().objective().is_finite() { Outcome::Finished } else { Outcome::Diverged { tau: self.tau } }
    }

    fn accept(&mut self, h: f64, target: f64, before: Evaluation, last: Evaluation) {
        std::mem::swap(&mut self.beta, &mut self.new);
        self.work.steps += 1;
        self.tau = if h == target - self.tau { target } else { self.control.after(self.tau, h) };
        self.here = None;
        if self.method.first_same_as_last() {
            self.method.recycle();
            self.here = Some(last);
        }
        self.dissipated += 0.5 * h * (before.dissipation + self.here().dissipation);
    }
}

impl<T: Real> Evolution for Flow<T> {
    fn tau(&self) -> f64 {
        self.tau
    }

    fn advance(&mut self, until: f64) -> Outcome {
        self.advance_unless(until, &|| false)
    }

    fn measure(&mut self) -> Measurement {
        let e = self.here();
        Measurement {
            tau: self.tau,
            risk: e.sums.risk,
            objective: e.objective(),
            accuracy: accuracy(&self.field.risk, e.sums.correct),
            dissipation: e.dissipation,
            dissipated: self.dissipated,
            token_norm: e.sums.token_norm,
            step: self.control.step,
        }
    }

    fn parameters(&self) -> Vec<f64> {
        self.beta.iter().map(|b| b.re()).collect()
    }

    fn save(&self) -> Saved {
        let w = self.work();
        let numbers = [
            ("tau", self.tau),
            ("step", self.control.step),
            ("previous_error", self.control.previous),
            ("dissipated", self.dissipated),
            ("steps", w.steps as f64),
            ("rejected", w.rejected as f64),
            ("gradients", w.gradients as f64),
        ];
        let numbers = numbers.map(|(n, x)| (n.to_string(), x)).to_vec();
        Saved { parameters: self.parameters(), arrays: vec![], numbers }
    }

    fn restore(&mut self, saved: &Saved) -> Result<(), DynamicsError> {
        self.beta = saved.array("parameters", self.beta.len())?;
        self.tau = saved.number("tau")?;
        self.control.step = saved.number("step")?;
        self.control.previous = saved.number("previous_error")?;
        self.dissipated = saved.number("dissipated")?;
        self.work.steps = saved.number("steps")? as u64;
        self.work.rejected = saved.number("rejected")? as u64;
        self.here = None;
        self.here();
        self.field.gradients = saved.number("gradients")? as u64;
        Ok(())
    }

    fn work(&self) -> Work {
        let gradients = self.field.gradients;
        Work { gradients, samples: gradients * self.field.batch.items.len() as u64, ..self.work }
    }
}

/// Share of correct samples, NaN when the data have no classes.
pub(crate) fn accuracy<T: Real>(risk: &Risk<T>, correct: usize) -> f64 {
    match &risk.data().targets {
        mckean_data::Targets::Classes { .. } => correct as f64 / risk.data().samples as f64,
        mckean_data::Targets::Values { .. } => f64::NAN,
    }
}
