//! One run: from config to a finished run directory, killed and resumed at any moment.
//!
//! Maths: none of its own; observation times are k * every (descent: the first step at or after them).
//! Shapes: the run directory of `docs/formats.md`.
//! Cost: that of the evolution, plus one test evaluation an observation.
//! Checked: `tests/runs.rs`, `tests/kill.rs` (same bits after `kill -9`).

mod session;

use crate::config::Config;
use crate::error::Error;
use crate::problem::Problem;
use crate::store;
use crate::{cite, content, report};
use mckean_num::lane::Isa;
use mckean_num::par::Par;
use mckean_report::run_dir::Lock;
use mckean_report::{Manifest, RunDir, RunOutcome, atomic_write};
use serde::Serialize;
use session::Session;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
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
    let content = content::fingerprint(&problem.train, problem.test.as_deref(), &problem.init);
    let mut manifest = Manifest { content, ..manifest(config, par, &options.command) };
    let text = config.resolved();
    let source = if options.source.is_empty() { &text } else { &options.source };
    let dir = RunDir::create(directory(config, &options.out), source, &text, &manifest)?;
    let _lock = dir.lock()?;
    content::check(&dir, &manifest.content)?;
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

/// Opens the directory of networks that are followed one by one: `plain` names it, `asked` is the file of the config with what is asked now,
/// and `content` the fingerprint of its numbers, which are refused if they are others than before.
///
/// # Errors
/// A folder that cannot be written or is in use; other numbers.
pub(crate) fn open(
    path: PathBuf,
    (plain, content): (&Config, String),
    (asked, config): (&str, &Config),
    (par, options): (&Par, &crate::rates::Options<'_>),
) -> Result<(RunDir, Lock, Manifest), Error> {
    let mut manifest = Manifest { content, ..manifest(plain, par, options.command) };
    let dir = RunDir::create(path, options.source, &plain.resolved(), &manifest)?;
    let lock = dir.lock()?;
    content::check(&dir, &manifest.content)?;
    manifest.started = dir.manifest()?.started;
    atomic_write(dir.path().join(asked), config.resolved().as_bytes())?;
    Ok((dir, lock, manifest))
}

/// Declares the networks of `dir`, which are followed one by one, finished, or stopped while some are missing.
pub(crate) fn close(dir: &RunDir, mut manifest: Manifest, (there, asked): (usize, usize)) -> Result<(), Error> {
    manifest.ended = Some(mckean_report::run_dir::now());
    manifest.work.insert("networks".into(), (there as u64).into());
    let (kind, advice) = match there == asked {
        true => ("finished", "Every network was followed to its end."),
        false => (STOPPED, "Networks are missing: the same command goes on."),
    };
    manifest.outcome = Some(RunOutcome { kind: kind.into(), tau: None, advice: advice.into() });
    Ok(dir.write_manifest(&manifest)?)
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
