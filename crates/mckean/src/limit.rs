//! `mckean limit` as a library call: solves for the mean-field limit of a config and keeps it in a run directory.
//!
//! Maths: `mckean_dynamics::limit` (DERIVED from eqs 3.1-3.5 of Gao et al. 2024).
//! Shapes: metrics.jsonl has a line a time; arrays/curves and arrays/law; analysis/limit.json has everything but outputs.
//! Cost: that of the solver, at most about the budget.
//! Checked: `tests/limits.rs`, `mckean-cli/tests/limit.rs`.

mod write;

pub(crate) use write::outputs;

use crate::config::Config;
use crate::error::Error;
use crate::initial::initial;
use crate::limit_report;
use crate::{content, experiment};
use mckean_dynamics::config::{Kind, Precision};
use mckean_dynamics::limit::{self, Band, Limit, Settings};
use mckean_engine::DataShape;
use mckean_num::par::Par;
use mckean_report::{Manifest, RunDir, RunOutcome};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use write::write;

/// Where a limit is kept: beside the runs of the same config, never in them; one for networks of all sizes.
pub fn directory(config: &Config, out: &Path) -> PathBuf {
    out.join(format!("{}-limit-{}", config.name, config.without_sizes().hash()))
}

/// `analysis/limit.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Run directory.
    pub dir: PathBuf,
    /// `reached`, `not_reached` (budget or precision), `stopped`, or how the flow ended early.
    pub outcome: String,
    /// One sentence.
    pub advice: String,
    /// When the flow ended, if early.
    pub ended: Option<f64>,
    /// Training times.
    pub taus: Vec<f64>,
    /// Risk R with the parts of its error.
    pub risk: Band,
    /// Regularised risk Q.
    pub objective: Band,
    /// Mean of |beta|^2 over particles and depth.
    pub moment: Band,
    /// Asked tolerance.
    pub rtol: f64,
    /// Largest total error of R relative to max(R, floor).
    pub error: Option<f64>,
    /// Runge-Kutta against Gauss depth on the same particles, same measure.
    pub witness: Option<f64>,
    /// Relative mismatch of the energy identity on the particles or cells that depth and time were settled with.
    #[serde(default)]
    pub energy: Option<f64>,
    /// One depth step errs by more than 3e-4 (or differs so from Gauss collocation), or errors did not fall when steps were halved.
    pub strong: bool,
    /// Particles a slice.
    pub particles: usize,
    /// Independent replicates.
    pub replicates: usize,
    /// Depth steps.
    pub depth_steps: usize,
    /// Tolerance of the steps in training time.
    pub tolerance: f64,
    /// Velocity calls times particles times evaluations of the field.
    pub work: f64,
    /// Seconds.
    pub seconds: f64,
    /// Whether it was solved before and only read.
    #[serde(skip)]
    pub found: bool,
    /// Seconds the tolerance would take in all, if it was not reached and more particles would help.
    pub predicted: Option<f64>,
}

/// What the limit of a config is taken of.
///
/// # Errors
/// Bad data, single precision, descent.
pub fn problem(config: &Config) -> Result<limit::Problem, Error> {
    config.dynamics.check()?;
    config.check()?;
    let refuse = |key: &str, value: &str, problem: &str| {
        Err(Error::Value { key: key.into(), value: value.into(), problem: problem.into() })
    };
    if config.dynamics.precision == Precision::F32 {
        return refuse("dynamics.precision", "\"f32\"", "error bars need double precision. Use \"f64\".");
    }
    if config.dynamics.kind == Kind::Descent {
        return refuse("dynamics.kind", "\"descent\"", "the limit is that of the gradient flow. Use \"flow\".");
    }
    let data = Arc::new(mckean_data::load(&config.data)?.train);
    let outputs = crate::problem::outputs(&data);
    let shape = DataShape { tokens: data.tokens, dim: data.dim, outputs, vocabulary: 0 };
    let (model, init, lambda) = (config.model.clone(), config.init.clone(), config.dynamics.weight_decay);
    let mut problem = limit::Problem { model, shape, data, init, lambda };
    problem.check()?;
    problem.init = initial(&problem.init, &problem.layout()?)?;
    Ok(problem)
}

/// The settings of a config.
pub fn settings(config: &Config) -> Settings {
    let l = &config.limit;
    let grid = || (0..=10).map(|i| config.dynamics.until * f64::from(i) / 10.0).collect();
    let taus: Vec<f64> = if l.taus.is_empty() { grid() } else { l.taus.clone() };
    let last = || taus.last().copied().into_iter().collect();
    let snapshots = if l.snapshots.is_empty() { last() } else { l.snapshots.clone() };
    let (rtol, floor, budget, source, whiten) = (l.rtol, l.floor, l.budget, l.method, l.whiten);
    let (seed, depths, stop, deadline) = (config.seed, l.depths.clone(), Arc::default(), None);
    Settings { taus, rtol, floor, budget, source, whiten, seed, snapshots, depths, stop, deadline }
}

/// Outcome of a limit that was stopped; it is solved again when it is asked for again.
pub const STOPPED: &str = "stopped";

/// Solves and writes the run directory, or finds that it is there. Once `stop` is raised, the best curve so far is written.
///
/// # Errors
/// Anything wrong with config, data or run directory; stopped before there is a curve (nothing is written then).
pub fn run(
    config: &Config,
    par: &Par,
    out: &Path,
    (command, source): (&str, &str),
    stop: &Arc<AtomicBool>,
    say: &mut dyn FnMut(&str),
) -> Result<Record, Error> {
    let (path, problem, config) = (directory(config, out), problem(config)?, &config.without_sizes());
    let content = content::fingerprint(&problem.data, None, &problem.init);
    if path.exists() {
        let dir = RunDir::open(&path)?;
        if dir.manifest()?.outcome.is_some_and(|o| o.kind != STOPPED) {
            content::check(&dir, &content)?;
            return Ok(Record { found: true, ..limit_report::read(&dir)? });
        }
    }
    let mut manifest = Manifest { content, ..experiment::manifest(config, par, command) };
    let mut settings = Settings { stop: stop.clone(), ..settings(config) };
    if config.limit.snapshots.is_empty() && settings.taus.len() > 1 {
        settings.snapshots.insert(0, settings.taus[0]);
    }
    let found = limit::solve(&problem, &settings, par, say)?;
    let dir = RunDir::create(path, source, &config.resolved(), &manifest)?;
    let _lock = dir.lock()?;
    let record = record(&dir, &found, settings.budget);
    write(&dir, &found, &record, problem.data.samples)?;
    manifest.ended = Some(mckean_report::run_dir::now());
    manifest.work.insert("particle_evaluations".into(), (found.work as u64).into());
    manifest.outcome =
        Some(RunOutcome { kind: record.outcome.clone(), tau: record.ended, advice: record.advice.clone() });
    dir.write_manifest(&manifest)?;
    limit_report::write(&dir)?;
    Ok(record)
}

/// Seconds over the budget that are worth a word.
const OVER: f64 = 1.2;

fn record(dir: &RunDir, l: &Limit, budget: f64) -> Record {
    let finite = |x: f64| x.is_finite().then_some(x);
    let early = l.outcome != mckean_dynamics::Outcome::Finished;
    let (outcome, advice) = match (early, l.reached) {
        _ if l.stopped => {
            (STOPPED, "The curve is the best so far, and its interval is honest; the same command solves it again.")
        }
        (true, _) => {
            (l.outcome.name(), "The flow of the limit ends here; lower the scale of the data or of the initial law.")
        }
        (_, true) => ("reached", "The error is within the tolerance at every time."),
        _ if l.seconds > OVER * budget => (
            "not_reached",
            "The least work that gives an error bar took longer than the budget, and was done all the same; its interval is honest.",
        ),
        _ => (
            "not_reached",
            "The curve is the best within the budget, and its interval is honest; raise --budget or --rtol.",
        ),
    };
    Record {
        dir: dir.path().into(),
        outcome: outcome.into(),
        advice: advice.into(),
        ended: l.outcome.tau(),
        taus: l.taus.clone(),
        risk: l.risk.clone(),
        objective: l.objective.clone(),
        moment: l.moment.clone(),
        rtol: l.rtol,
        error: finite(l.error).filter(|_| !l.taus.is_empty()),
        witness: finite(l.witness).filter(|_| !l.taus.is_empty()),
        energy: finite(l.energy).filter(|_| !l.taus.is_empty()),
        strong: l.strong,
        particles: l.size.0,
        replicates: l.size.1,
        depth_steps: l.size.2,
        tolerance: l.tolerance,
        work: l.work,
        seconds: l.seconds,
        found: false,
        predicted: l.predicted.and_then(finite),
    }
}
