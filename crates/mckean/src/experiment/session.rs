//! A run under way: observed, checkpointed, finished.
//!
//! Maths: observation times are k * every (descent: the first step at or after them).
//! Shapes: the run directory of `docs/formats.md`.
//! Cost: that of the evolution, plus one test evaluation an observation.
//! Checked: `tests/runs.rs`, `tests/kill.rs` (same bits after `kill -9`).

use super::{Progress, STOPPED};
use crate::error::Error;
use crate::problem::Problem;
use crate::store::{self, Checkpoint};
use mckean_data::Dataset;
use mckean_dynamics::config::Precision;
use mckean_dynamics::observe::{self, Log, Observer, Violation};
use mckean_dynamics::{Evolution, Outcome, State};
use mckean_engine::{Batch, Risk};
use mckean_num::lane::Real;
use mckean_num::par::Par;
use mckean_report::metrics::{MetricsLog, Value};
use mckean_report::{Manifest, RunDir, RunOutcome};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Risk and accuracy on the test set.
type Test = Box<dyn FnMut(&[f64]) -> (f64, f64)>;

fn test(problem: &Problem, data: &Arc<Dataset>, par: &Par) -> Result<Test, Error> {
    match problem.config.dynamics.precision {
        Precision::F32 => typed_test::<f32>(problem, data, par),
        Precision::F64 => typed_test::<f64>(problem, data, par),
    }
}

fn typed_test<T: Real>(problem: &Problem, data: &Arc<Dataset>, par: &Par) -> Result<Test, Error> {
    let mut risk = Risk::<T>::new(problem.net.clone(), data.clone(), par.clone())?;
    let (batch, samples) = (Batch::first(data.samples), data.samples as f64);
    Ok(Box::new(move |beta| {
        let beta: Vec<T> = beta.iter().map(|&b| T::new(b, 0.0)).collect();
        let sums = risk.value(&beta, &batch);
        (sums.risk, sums.correct as f64 / samples)
    }))
}

/// A run under way.
pub(super) struct Session<'a> {
    problem: &'a Problem,
    dir: &'a RunDir,
    evolution: Box<dyn Evolution>,
    observers: Vec<Box<dyn Observer>>,
    test: Option<Test>,
    speeds: Vec<f64>,
    data_norm: f64,
    log: MetricsLog,
    /// Observations already written.
    written: u64,
    violations: Vec<Violation>,
    /// Set when the checkpoint says that training had already ended.
    pub ended: Option<RunOutcome>,
}

/// The next observation after `tau`: a multiple of `every`, or the end if that is (nearly) as close.
fn next_observation(tau: f64, every: f64, end: f64) -> f64 {
    let due = ((tau / every + 1e-6).floor() + 1.0) * every;
    if due > end - 1e-6 * every { end } else { due }
}

impl<'a> Session<'a> {
    pub fn new(problem: &'a Problem, par: &Par, dir: &'a RunDir) -> Result<Self, Error> {
        let config = &problem.config;
        let flow = config.dynamics.kind == mckean_dynamics::config::Kind::Flow;
        let lambda = config.dynamics.weight_decay;
        let observers = if flow && config.observe.checks { observe::all(&problem.net, lambda) } else { vec![] };
        let tested = problem.test.as_ref().filter(|_| config.observe.test);
        let test = tested.map(|t| test(problem, t, par)).transpose()?;
        let checkpoint = store::read_checkpoint(dir)?;
        let log = match &checkpoint {
            Some(c) => MetricsLog::open_at(dir.metrics(), c.position)?,
            None => MetricsLog::create(dir.metrics())?,
        };
        let mut session = Session {
            evolution: problem.evolution(par)?,
            speeds: problem.net.speeds(),
            data_norm: problem.data_norm(),
            written: 0,
            violations: vec![],
            ended: None,
            problem,
            dir,
            observers,
            test,
            log,
        };
        match checkpoint {
            Some(c) => session.restore(c)?,
            None => store::write_start(dir, problem)?,
        }
        Ok(session)
    }

    /// Continues from a checkpoint: observers first see the initial state, then the saved one.
    pub fn restore(&mut self, checkpoint: Checkpoint) -> Result<(), Error> {
        let (initial, start) = (self.evolution.measure(), self.evolution.parameters());
        self.evolution.restore(&checkpoint.saved)?;
        let (last, now) = (self.evolution.measure(), self.evolution.parameters());
        self.evolution.restore(&checkpoint.saved)?; // measuring may count work
        let mut observers = std::mem::take(&mut self.observers);
        for o in &mut observers {
            o.resume(self.state(&start, initial), self.state(&now, last));
        }
        self.observers = observers;
        (self.written, self.violations) = (checkpoint.observations, checkpoint.violations);
        self.ended = checkpoint.outcome.filter(|o| o.kind != STOPPED);
        Ok(())
    }

    fn state<'b>(&'b self, beta: &'b [f64], now: mckean_dynamics::Measurement) -> State<'b> {
        let (net, lambda) = (&*self.problem.net, self.problem.config.dynamics.weight_decay);
        State { net, beta, speeds: &self.speeds, lambda, now, data_norm: self.data_norm }
    }

    /// Advances from observation to observation.
    pub fn go(
        &mut self,
        checkpoint_seconds: f64,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<RunOutcome, Error> {
        let config = &self.problem.config;
        let (every, end) = (config.observe_every(), config.dynamics.end());
        let mut saved = Instant::now();
        loop {
            let first = self.written == 0;
            let due = if first { 0.0 } else { next_observation(self.evolution.tau(), every, end) };
            let mut outcome = if first { Outcome::Finished } else { self.evolution.advance(due) };
            let seen = self.observe()?;
            progress(&Progress { end, ..seen });
            if outcome == Outcome::Finished && !seen.risk.is_finite() {
                outcome = Outcome::Diverged { tau: seen.tau };
            }
            let more = outcome == Outcome::Finished && due < end && seen.tau < end;
            if more && stop.load(Ordering::Relaxed) {
                outcome = Outcome::Stopped { tau: seen.tau };
            }
            if outcome != Outcome::Finished || !more {
                let (kind, advice) = (outcome.name().into(), outcome.advice().into());
                return Ok(RunOutcome { kind, tau: outcome.tau(), advice });
            }
            if saved.elapsed().as_secs_f64() >= checkpoint_seconds {
                self.checkpoint(None)?;
                saved = Instant::now();
            }
        }
    }

    /// Measures and appends one line of metrics.
    fn observe(&mut self) -> Result<Progress, Error> {
        let (now, beta) = (self.evolution.measure(), self.evolution.parameters());
        let mut row: Vec<(String, f64)> =
            vec![("tau".into(), now.tau), ("risk".into(), now.risk), ("objective".into(), now.objective)];
        let optional = [("accuracy", now.accuracy), ("dissipation", now.dissipation), ("dissipated", now.dissipated)];
        row.extend(optional.into_iter().filter(|(_, x)| !x.is_nan()).map(|(n, x)| (n.into(), x)));
        row.push(("step".into(), now.step));
        if let Some(test) = &mut self.test {
            let (risk, accuracy) = test(&beta);
            row.push(("test_risk".into(), risk));
            if !now.accuracy.is_nan() {
                row.push(("test_accuracy".into(), accuracy));
            }
        }
        let mut log = Log::default();
        let mut observers = std::mem::take(&mut self.observers);
        for o in &mut observers {
            o.observe(self.state(&beta, now), &mut log);
        }
        self.observers = observers;
        row.append(&mut log.values);
        log.violations.into_iter().for_each(|v| Violation::merge(&mut self.violations, v));
        let mut values: Vec<(&str, Value)> = row.iter().map(|(n, x)| (n.as_str(), Value::from(*x))).collect();
        values.push(("gradients", Value::from(self.evolution.work().gradients)));
        self.log.append(&values)?;
        self.written += 1;
        Ok(Progress { tau: now.tau, end: now.tau, risk: now.risk, accuracy: now.accuracy })
    }

    fn checkpoint(&mut self, outcome: Option<&RunOutcome>) -> Result<(), Error> {
        self.log.sync()?;
        let checkpoint = Checkpoint {
            saved: self.evolution.save(),
            position: self.log.position(),
            observations: self.written,
            violations: self.violations.clone(),
            outcome: outcome.cloned(),
        };
        store::write_checkpoint(self.dir, &checkpoint)
    }

    /// Writes the end state, the compacted metrics and last the manifest that declares the run ended.
    pub fn finish(&mut self, manifest: &mut Manifest, outcome: &RunOutcome) -> Result<(), Error> {
        self.checkpoint(Some(outcome))?;
        store::write_parameters(self.dir, "end", self.problem, &self.evolution.parameters())?;
        mckean_report::metrics::compact(self.dir.metrics(), self.dir.metrics_parquet())?;
        let work = self.evolution.work();
        let counters = [
            ("parameters", self.problem.net.parameters() as u64),
            ("steps", work.steps),
            ("rejected", work.rejected),
            ("gradients", work.gradients),
            ("samples", work.samples),
        ];
        manifest.work = counters.into_iter().map(|(n, x)| (n.to_string(), x.into())).collect();
        manifest.ended = Some(mckean_report::run_dir::now());
        manifest.warnings = self.violations.iter().map(Violation::text).collect();
        manifest.outcome = Some(outcome.clone());
        Ok(self.dir.write_manifest(manifest)?)
    }
}
