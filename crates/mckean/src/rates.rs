//! `mckean rates` as a library call: finite networks against the limit over a grid of widths, depths and seeds, and the exponents of the gap.
//!
//! Maths: Theorem 3.1 of Gao et al. 2024 (gaps of outputs, R and Q, largest over training time); see `rates/analyse.rs`.
//! Shapes: a run directory with `cells.jsonl`, `analysis/rates.json` and a page; the limit lies beside it.
//! Cost: one flow a network; finished networks are not followed again, whatever else is asked.
//! Checked: `tests/rates.rs`, `mckean-cli/tests/rates.rs`.

pub mod analyse;
mod cells;
mod clouds;
mod compute;
mod ended;
mod gaps;
mod ghosts;
pub mod ladder;
mod log;
mod paired;
mod profile;
mod reference;
mod richardson;
mod settings;
mod target;

pub use analyse::{Exponent, Found, Summary};
pub(crate) use analyse::{bias, cells as grid_cells, noise, summary};
pub(crate) use cells::seed;
pub use cells::{Followed, Shared, Wide};
pub use clouds::{Clouds, DEPTHS, Distances, Side, compare};
pub use compute::Progress;
pub use ended::Ended;
pub use gaps::{Gaps, Quantity};
pub use ghosts::Ghosts;
pub use ladder::Rung;
pub use log::{Entry, Log};
pub use paired::{Bias, Paired};
pub use profile::Profile;
pub(crate) use profile::profiles;
pub use reference::Reference;
pub(crate) use reference::{find, found};
pub use richardson::Richardson;
pub use settings::RatesConfig;
pub use target::{Measured, Target};

use crate::config::Config;
use crate::error::Error;
use crate::{content, experiment, limit, rates_report};
use mckean_dynamics::limit::Series;
use mckean_num::par::Par;
use mckean_report::RunDir;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// `analysis/rates.json`.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// Run directory.
    pub dir: PathBuf,
    /// The grid, with empty lists filled in.
    pub grid: RatesConfig,
    /// The limit.
    pub reference: Reference,
    /// Training times.
    pub taus: Vec<f64>,
    /// Networks of the grid, and how many of them were followed.
    pub asked: usize,
    /// See `asked`.
    pub there: usize,
    /// What was found, one entry a quantity.
    pub found: Vec<Found>,
    /// Particles and clouds by cell.
    pub profiles: Vec<Profile>,
    /// Networks whose flow ended early: they are there, but have no gaps.
    pub ended: Vec<Ended>,
    /// What was not computed.
    pub not_computed: Vec<String>,
}

/// How to compute.
pub struct Options<'a> {
    /// Folder that receives the run directories.
    pub out: &'a Path,
    /// Networks at a time.
    pub jobs: usize,
    /// Command line.
    pub command: &'a str,
    /// Text of the config as the user wrote it.
    pub source: &'a str,
    /// Once set, no further network is begun.
    pub stop: &'a Arc<AtomicBool>,
    /// Hears of every finished network.
    pub progress: &'a (dyn Fn(Progress<'_>) + Sync),
}

/// Format of the entries; part of their key.
const FORMAT: u32 = 4;

/// Where the rates of a config are kept: the grid and `[sweep]` leave no trace in the name, so that grids and seeds can grow.
pub fn directory(config: &Config, out: &Path) -> PathBuf {
    out.join(format!("{}-rates-{}", config.name, config.without_sweep().hash()))
}

/// Computes what is missing of the grid, analyses it and writes the page.
///
/// # Errors
/// Anything wrong with config or data, before anything is computed; flows that end early; folders that cannot be written.
pub fn run(config: &Config, options: &Options<'_>) -> Result<Record, Error> {
    let (problem, settings) = (limit::problem(config)?, limit::settings(config));
    settings.check()?;
    let grid = config.rates.filled(problem.init.atoms > 0);
    grid.check(&problem)?;
    let (plain, par) = (config.without_sweep(), Par::new(options.jobs.max(1)));
    let mut say = |what: &str| (options.progress)(Progress::Say(what));
    let text = (options.command, options.source);
    let reference = find(&plain, &par, (options.out, options.stop), text, &mut say)?;
    let content = content::fingerprint(&problem.data, None, &problem.init);
    let (path, asked) = (directory(config, options.out), (rates_report::CONFIG, config));
    let (dir, _lock, manifest) = experiment::open(path, (&plain, content), asked, (&par, options))?;
    let key = key(&plain, &grid, problem.init.atoms > 0);
    let shared = Shared::new(&problem, &settings, &grid);
    let entries = follow(&dir, &shared, &grid, (&key, &reference.series), options)?;
    let record = record(&dir, config, grid, reference, &entries);
    crate::store::write_json(&dir.analysis("rates"), &record)?;
    experiment::close(&dir, manifest, (record.there, record.asked))?;
    rates_report::write(&dir, config, &record)?;
    Ok(record)
}

/// Follows the networks of `grid` that the log of `dir` does not have under `key`; returns all of them.
pub(crate) fn follow(
    dir: &RunDir,
    shared: &Shared<'_>,
    grid: &RatesConfig,
    (key, limit): (&str, &Series),
    options: &Options<'_>,
) -> Result<Vec<Entry>, Error> {
    let (log, before) = Log::open(dir.path(), key)?;
    let new = compute::missing(shared, grid, limit, (&log, key, &before), options)?;
    log.settle([before, new].concat())
}

/// Hash of everything that the numbers of a network depend on, sizes and number of the seed apart.
pub(crate) fn key(plain: &Config, grid: &RatesConfig, atoms: bool) -> String {
    let wide = if atoms { 0 } else { grid.wide };
    mckean_report::run_dir::config_hash(&format!("{FORMAT} {} {:e} {wide}", plain.resolved(), grid.tolerance))
}

/// What a directory holds of the grid of `config`, analysed again; nothing is followed.
///
/// # Errors
/// A limit that is not beside the directory (it is solved again only by [`run`]).
pub fn collect(config: &Config, dir: &RunDir) -> Result<Record, Error> {
    let plain = config.without_sweep();
    let reference = reference::found(&plain, dir)?;
    let grid = config.rates.filled(config.init.is_atomic());
    let entries = Log::read(dir.path(), &key(&plain, &grid, config.init.is_atomic()))?;
    Ok(record(dir, config, grid, reference, &entries))
}

fn record(dir: &RunDir, config: &Config, grid: RatesConfig, reference: Reference, entries: &[Entry]) -> Record {
    let atoms = config.init.is_atomic();
    let inside = |e: &&Entry| {
        let finite = grid.depths.contains(&e.depth) && grid.widths.contains(&e.width) && e.seed < grid.seeds;
        finite || (e.width == 0 && grid.ladder.contains(&e.depth))
    };
    let asked = grid.widths.len() * grid.depths.len() * grid.seeds + grid.ladder.len();
    let own: Vec<Entry> = entries.iter().filter(inside).cloned().collect();
    let found = analyse::analyse(&own, &grid, &reference, atoms);
    let not_computed = if atoms { vec![] } else { vec![NOT_COMPUTED.to_string()] };
    let ended = own.iter().filter_map(|e| e.ended.clone()).collect();
    let profiles = profiles(&own);
    let taus = limit::settings(config).taus;
    Record {
        dir: dir.path().into(),
        taus,
        asked,
        there: own.len(),
        grid,
        reference,
        found,
        profiles,
        ended,
        not_computed,
    }
}

const NOT_COMPUTED: &str = "the exponent of the cloud W2 itself: without atoms the law is finitely many points, whose own distance to it is not smaller (init.atoms)";
