//! One run: from config to a finished run directory, killed and resumed at any moment.
//!
//! Maths: none of its own; observation times are k * every (descent: the first step at or after them).
//! Shapes: the run directory of `docs/formats.md`.
//! Cost: that of the evolution, plus one test evaluation an observation.
//! Checked: `tests/runs.rs`, `tests/kill.rs` (same bits after `kill -9`).

use crate::config::Config;
use crate::error::Error;
use crate::problem::Problem;
use crate::store::{self, Checkpoint};
use crate::{cite, report};
use mckean_data::Dataset;
use mckean_dynamics::config::Precision;
use mckean_dynamics::observe::{self, Log, Observer, Violation};
use mckean_dynamics::{Evolution, Outcome, State};
use mckean_engine::{Batch, Risk};
use mckean_num::lane::{Isa, Real};
use mckean_num::par::Par;
use mckean_report::metrics::{MetricsLog, Value};
use mckean_report::{Manifest, RunDir, RunOutcome};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Where a run stands, for progress bars.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Training time or epochs so far.
    pub tau: f64,
    /// Where it ends.
    pub end: f64,
    /// Training risk.
    pub risk: f64,
    /// Training accuracy (NaN for regression).
    pub accuracy: f64,
}

/// How a run ended.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Run directory.
    pub dir: PathBuf,
    /// `finished`, `diverged`, ...
    pub outcome: String,
    /// One sentence.
    pub advice: String,
    /// Last training time or epoch.
    pub tau: f64,
    /// Training risk there.
    pub risk: f64,
    /// Regularised risk there.
    pub objective: f64,
    /// Risk at the start.
    pub initial_risk: f64,
    /// Training accuracy, for classes.
    pub accuracy: Option<f64>,
    /// Test risk, if there is a test set.
    pub test_risk: Option<f64>,
    /// Test accuracy, for classes.
    pub test_accuracy: Option<f64>,
    /// Parameters.
    pub parameters: usize,
    /// Seconds of this call.
    pub seconds: f64,
    /// Violated checks.
    pub warnings: Vec<String>,
    /// Whether the run was already there, finished.
    pub already_finished: bool,
}

/// How to run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Folder of the run directory; its name is `<name>-<hash>`.
    pub out: PathBuf,
    /// Continue an unfinished run.
    pub resume: bool,
    /// Command line, for the manifest.
    pub command: String,
    /// What the user wrote, kept as `config.toml`; the resolved config if empty.
    pub source: String,
    /// Skip the HTML page (cells of a sweep).
    pub no_page: bool,
    /// Set from elsewhere to stop at the next observation, with a checkpoint to resume from.
    pub stop: Arc<AtomicBool>,
}

/// Outcome of a run that was interrupted and can go on.
const STOPPED: &str = "stopped";

/// The folder a config runs in.
pub fn directory(config: &Config, out: &Path) -> PathBuf {
    out.join(format!("{}-{}", config.name, config.hash()))
}

/// Runs a config to its end, or finds that it already ran.
///
/// # Errors
/// Anything wrong with config, data or run directory; divergence is an outcome instead.
pub fn run(
    config: &Config,
    par: &Par,
    options: &Options,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Summary, Error> {
    let problem = Problem::new(config)?;
    run_problem(&problem, par, options, progress)
}

/// As [`run`] on a problem that is already loaded.
///
/// # Errors
/// As [`run`].
pub fn run_problem(
    problem: &Problem,
    par: &Par,
    options: &Options,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Summary, Error> {
    let begun = Instant::now();
    let config = &problem.config;
    let mut manifest = manifest(config, par, &options.command);
    let text = config.resolved();
    let source = if options.source.is_empty() { &text } else { &options.source };
    let dir = RunDir::create(directory(config, &options.out), source, &text, &manifest)?;
    let _lock = dir.lock()?;
    let old = dir.manifest()?;
    if let Some(outcome) = old.outcome.as_ref().filter(|o| o.kind != STOPPED) {
        if !options.no_page && !dir.report().exists() {
            report::write_run(&dir)?; // a sweep wrote none, or the process was killed before it
        }
        return summary(&dir, outcome.clone(), &old, begun, true);
    }
    if !dir.is_fresh() && !options.resume {
        return Err(Error::Unfinished { path: dir.path().into() });
    }
    manifest.started = old.started;
    let mut session = Session::new(problem, par, &dir)?;
    let outcome = match session.ended.take() {
        Some(outcome) => outcome, // killed between its last observation and its manifest
        None => session.go(config.observe.checkpoint_seconds, &options.stop, progress)?,
    };
    session.finish(&mut manifest, &outcome)?;
    if !options.no_page {
        report::write_run(&dir)?;
    }
    summary(&dir, outcome, &manifest, begun, false)
}

/// The summary of a config that ran to its end before.
///
/// # Errors
/// It did not, or its directory is damaged.
pub fn finished(config: &Config, out: &Path) -> Result<Summary, Error> {
    let path = directory(config, out);
    if !path.exists() {
        return Err(Error::NotRun);
    }
    let dir = RunDir::open(path)?;
    let manifest = dir.manifest()?;
    let outcome = manifest.outcome.clone().filter(|o| o.kind != STOPPED).ok_or(Error::NotRun)?;
    summary(&dir, outcome, &manifest, Instant::now(), true)
}

/// What is known of a run before it begins.
pub(crate) fn manifest(config: &Config, par: &Par, command: &str) -> Manifest {
    Manifest {
        version: env!("CARGO_PKG_VERSION").into(),
        command: command.into(),
        config_hash: config.hash(),
        started: mckean_report::run_dir::now(),
        cpu: store::cpu(),
        isa: Isa::detect().name().into(),
        threads: par.threads(),
        ranks: 1,
        commit: option_env!("MCKEAN_COMMIT").map(String::from),
        seed: config.seed,
        precision: format!("{:?}", config.dynamics.precision).to_lowercase(),
        citations: cite::for_run(&config.data.name, &config.model, &config.dynamics)
            .into_iter()
            .map(String::from)
            .collect(),
        ..Manifest::default()
    }
}

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
struct Session<'a> {
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
    ended: Option<RunOutcome>,
}

/// The next observation after `tau`: a multiple of `every`, or the end if that is (nearly) as close.
fn next_observation(tau: f64, every: f64, end: f64) -> f64 {
    let due = ((tau / every + 1e-6).floor() + 1.0) * every;
    if due > end - 1e-6 * every { end } else { due }
}

impl<'a> Session<'a> {
    fn new(problem: &'a Problem, par: &Par, dir: &'a RunDir) -> Result<Self, Error> {
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
    fn restore(&mut self, checkpoint: Checkpoint) -> Result<(), Error> {
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
    fn go(
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
    fn finish(&mut self, manifest: &mut Manifest, outcome: &RunOutcome) -> Result<(), Error> {
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

fn summary(
    dir: &RunDir,
    outcome: RunOutcome,
    manifest: &Manifest,
    begun: Instant,
    already_finished: bool,
) -> Result<Summary, Error> {
    let table = mckean_report::metrics::read(dir.metrics())?;
    let last = |name: &str| table.column(name).and_then(|c| c.last().copied());
    let first = |name: &str| table.column(name).and_then(|c| c.first().copied());
    Ok(Summary {
        dir: dir.path().into(),
        outcome: outcome.kind,
        advice: outcome.advice,
        tau: last("tau").unwrap_or(f64::NAN),
        risk: last("risk").unwrap_or(f64::NAN),
        objective: last("objective").unwrap_or(f64::NAN),
        initial_risk: first("risk").unwrap_or(f64::NAN),
        accuracy: last("accuracy"),
        test_risk: last("test_risk"),
        test_accuracy: last("test_accuracy"),
        parameters: manifest.work.get("parameters").map_or(0, |c| c.as_f64() as usize),
        seconds: begun.elapsed().as_secs_f64(),
        warnings: manifest.warnings.clone(),
        already_finished,
    })
}
