//! `mckean gap` as a library call: how far are the networks of a config from their limit, what of it is width and what depth, and what would
//! larger ones do?
//!
//! Maths: Theorem 3.1 of Gao et al. 2024, at one (M, L): gap <= C (1/L + sqrt((delta + log(L + 1))/M)); parts and forecasts in `gap/parts.rs`.
//! Shapes: a run directory with `cells.jsonl` (as of `rates`), `analysis/gap.json` and a page; the limit lies beside it.
//! Cost: one flow a network, and what `rates` needs for one depth; finished networks are not followed again.
//! Checked: `tests/gap.rs`, `mckean-cli/tests/gap.rs`.

mod parts;
mod settings;

pub(crate) use parts::predict;
pub use parts::{Forecast, Part, Predicted, Size};
pub use settings::GapConfig;

use crate::config::Config;
use crate::error::Error;
use crate::rates::{self, Ended, Entry, Options, Profile, Progress, Reference, Shared};
use crate::{content, experiment, gap_report, limit, store};
use mckean_dynamics::limit::Band;
use mckean_num::par::Par;
use mckean_report::RunDir;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// `analysis/gap.json`.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// Run directory.
    pub dir: PathBuf,
    /// Heads and neurons a block, M.
    pub width: usize,
    /// Blocks, L.
    pub depth: usize,
    /// Seed of the first network; the others follow it one by one.
    pub seed: u64,
    /// Networks asked for, the infinitely wide one among them.
    pub asked: usize,
    /// Those that are there.
    pub there: usize,
    /// Seconds after which no further one was begun.
    pub budget: f64,
    /// Known errors of the limit.
    pub reference: Reference,
    /// Training times.
    pub taus: Vec<f64>,
    /// Gap, noise and bias of each quantity.
    pub parts: Vec<Part>,
    /// What larger networks would do.
    pub forecasts: Vec<Forecast>,
    /// Risk of the limit with its error.
    pub limit: Band,
    /// Risk of the infinitely wide network of depth L.
    pub wide: Vec<f64>,
    /// Risk of the networks.
    pub networks: Vec<Vec<f64>>,
    /// Particles and clouds of the networks, and of the infinitely wide one (`width` 0).
    pub profiles: Vec<Profile>,
    /// Networks whose flow ended early.
    pub ended: Vec<Ended>,
}

/// Where the networks of a config are compared with their limit: more seeds find the ones that are there.
pub fn directory(config: &Config, out: &Path) -> PathBuf {
    out.join(format!("{}-gap-{}", config.name, config.without_sweep().hash()))
}

/// The grid of one size, checked; errors name the keys of the config.
fn grid(config: &Config, problem: &mckean_dynamics::limit::Problem) -> Result<rates::RatesConfig, Error> {
    config.model.check()?;
    let grid = config.gap.grid(&config.model, problem.init.atoms > 0)?;
    let own = |key: String| match key.as_str() {
        "rates.widths" => "model.heads".into(),
        _ => key.replacen("rates.", "gap.", 1),
    };
    grid.check_sizes(problem).map_err(|e| match e {
        Error::Value { key, value, problem } => Error::Value { key: own(key), value, problem },
        other => other,
    })?;
    Ok(grid)
}

/// Follows the networks that are missing, compares them with the limit, and writes the page.
///
/// # Errors
/// Anything wrong with config or data, before anything is computed; a limit that ends early; folders that cannot be written.
pub fn run(config: &Config, options: &Options<'_>) -> Result<Record, Error> {
    let (problem, settings) = (limit::problem(config)?, limit::settings(config));
    settings.check()?;
    let grid = grid(config, &problem)?;
    let (plain, par) = (config.without_sweep(), Par::new(options.jobs.max(1)));
    let mut say = |what: &str| (options.progress)(Progress::Say(what));
    let reference =
        rates::find(&plain, &par, (options.out, options.stop), (options.command, options.source), &mut say)?;
    let content = content::fingerprint(&problem.data, None, &problem.init);
    let (path, asked) = (directory(config, options.out), (gap_report::CONFIG, config));
    let (dir, _lock, manifest) = experiment::open(path, (&plain, content), asked, (&par, options))?;
    let shared = Shared { like_runs: true, par: par.clone(), ..Shared::new(&problem, &settings, &grid) };
    let key = rates::key(&plain, &grid, problem.init.atoms > 0);
    let entries = rates::follow(&dir, &shared, &grid, (&key, &reference.series), options)?;
    let record = record(&dir, config, &grid, reference, entries)?;
    store::write_json(&dir.analysis("gap"), &record)?;
    experiment::close(&dir, manifest, (record.there, record.asked))?;
    gap_report::write(&dir, config, &record)?;
    Ok(record)
}

/// What a directory holds, analysed again; nothing is followed.
///
/// # Errors
/// A limit that is not beside the directory.
pub fn collect(config: &Config, dir: &RunDir) -> Result<Record, Error> {
    let plain = config.without_sweep();
    let reference = rates::found(&plain, dir)?;
    let atoms = config.init.is_atomic();
    let grid = config.gap.grid(&config.model, atoms)?;
    let entries = rates::Log::read(dir.path(), &rates::key(&plain, &grid, atoms))?;
    record(dir, config, &grid, reference, entries)
}

fn record(
    dir: &RunDir,
    config: &Config,
    grid: &rates::RatesConfig,
    reference: Reference,
    entries: Vec<Entry>,
) -> Result<Record, Error> {
    let (width, depth) = (grid.widths[0], grid.depths[0]);
    let own: Vec<Entry> = entries.into_iter().filter(|e| e.width == 0 || e.seed < grid.seeds).collect();
    let parts = parts::parts(&own, grid, &reference);
    let finite = own.iter().filter(|e| e.width > 0 && e.ended.is_none());
    Ok(Record {
        dir: dir.path().into(),
        seed: config.seed,
        asked: grid.seeds + 1,
        there: own.len(),
        budget: grid.budget,
        taus: limit::settings(config).taus,
        forecasts: parts::forecasts(&parts, (width, depth)),
        parts,
        limit: crate::limit_report::read(&RunDir::open(&reference.dir)?)?.risk,
        wide: own.iter().find(|e| e.width == 0).map(|e| e.risk.clone()).unwrap_or_default(),
        networks: finite.map(|e| e.risk.clone()).collect(),
        profiles: rates::profiles(&own),
        ended: own.iter().filter_map(|e| e.ended.clone()).collect(),
        width,
        depth,
        reference,
    })
}
