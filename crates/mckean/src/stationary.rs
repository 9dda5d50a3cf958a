//! `mckean stationary` as a library call: networks followed until they rest at several weight decays, certified there, and how R depends on lambda.
//!
//! Maths: Theorem 4.1 and Corollary 4.1 of Gao et al. 2024; see `stationary/analyse.rs`, `stationary/plateau.rs`.
//! Shapes: a run directory with one file a network, `analysis/stationary.json`, `ends.csv` and a page.
//! Cost: one flow a network, until tau = horizon/lambda at the latest; finished ones are not followed again.
//! Checked: `tests/stationary.rs`, `mckean-cli/tests/stationary.rs`.

mod analyse;
mod cells;
mod ends;
mod plateau;
mod settings;
pub(crate) mod settle;

pub use analyse::Found;
pub(crate) use cells::law;
pub use cells::{Cell, Size};
pub use ends::End;
pub use plateau::{Level, Plateaus, plateaus};
pub use settings::StationaryConfig;
pub use settle::Seen;

use crate::config::Config;
use crate::error::Error;
use crate::rates::Options;
use crate::{content, experiment, rates, stationary_report, store};
use mckean_num::par::Par;
use mckean_report::RunDir;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;

/// `analysis/stationary.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Run directory.
    pub dir: PathBuf,
    /// The grid, with empty lists filled in.
    pub grid: StationaryConfig,
    /// Networks of the grid.
    pub asked: usize,
    /// Those whose flow ended.
    pub ends: Vec<End>,
    /// Powers of lambda, one entry a size.
    pub found: Vec<Found>,
    /// R = floor + C_1 E at each weight decay, one entry an E, best first; empty with fewer than three widths and three depths.
    pub plateaus: Vec<Plateaus>,
}

/// Where the ends of a config are kept: the grid leaves no trace in the name, so that it can grow.
pub fn directory(config: &Config, out: &Path) -> PathBuf {
    out.join(format!("{}-stationary-{}", config.name, plain(config).hash()))
}

/// What all networks share: no weight decay of its own, no grid.
fn plain(config: &Config) -> Config {
    let mut plain = Config { stationary: config.stationary.rules(), ..config.without_sweep() };
    plain.dynamics.weight_decay = 0.0;
    plain
}

/// Follows what is missing of the grid, certifies and analyses it, and writes the page.
///
/// # Errors
/// Anything wrong with config or data, before anything is followed; folders that cannot be written.
pub fn run(config: &Config, options: &Options<'_>) -> Result<Record, Error> {
    config.stationary.check()?;
    let law = law(config)?;
    let grid = config.stationary.filled(&config.model);
    let cells = Cell::grid(&grid, law.init.atoms > 0);
    if let Some(largest) = cells.iter().rev().find(|c| matches!(c.size, Size::Finite(..))) {
        largest.problem(config, &law, &grid)?;
    }
    let (plain, par) = (plain(config), Par::new(options.jobs.max(1)));
    let content = content::fingerprint(&law.data, None, &law.init);
    let (path, asked) = (directory(config, options.out), (stationary_report::CONFIG, config));
    let (dir, _lock, mut manifest) = experiment::open(path, (&plain, content), asked, (&par, options))?;
    let mut missing: Vec<(Cell, Option<Error>)> =
        cells.iter().filter(|c| read(&dir, c).is_none()).map(|c| (*c, None)).collect();
    (options.progress)(rates::Progress::Begin(missing.len()));
    let begun = Instant::now();
    let may_go = || !options.stop.load(Ordering::Relaxed) && begun.elapsed().as_secs_f64() < grid.budget;
    par.each(&mut missing, |_, (cell, failed)| {
        let one = || -> Result<(), Error> {
            let problem = cell.problem(config, &law, &grid)?;
            let Some(settled) = settle::settle(&problem, &grid, Some(&dir.checkpoint(&cell.name())), &may_go)? else {
                return Ok(());
            };
            store::write_json(&dir.analysis(&cell.name()), &End::new(*cell, &problem, settled)?)?;
            (options.progress)(rates::Progress::Done(&format!("lambda = {:e}, {}", cell.lambda, cell.size.words())));
            Ok(())
        };
        *failed = may_go().then(one).and_then(Result::err);
    });
    if let Some(failed) = missing.into_iter().find_map(|m| m.1) {
        return Err(failed);
    }
    let record = collect(config, &dir);
    store::write_json(&dir.analysis("stationary"), &record)?;
    manifest.work.insert("gradients".into(), record.ends.iter().map(|e| e.gradients).sum::<u64>().into());
    experiment::close(&dir, manifest, (record.ends.len(), record.asked))?;
    stationary_report::write(&dir, config, &record)?;
    Ok(record)
}

/// The end of a network, if its file is there and whole.
fn read(dir: &RunDir, cell: &Cell) -> Option<End> {
    let end: Option<End> = serde_json::from_str(&std::fs::read_to_string(dir.analysis(&cell.name())).ok()?).ok();
    end.map(End::judged)
}

/// What a directory holds of the grid of `config`; nothing is followed.
pub fn collect(config: &Config, dir: &RunDir) -> Record {
    let grid = config.stationary.filled(&config.model);
    let cells = Cell::grid(&grid, config.init.is_atomic());
    let mut ends: Vec<End> = cells.iter().filter_map(|c| read(dir, c)).collect();
    ends.sort_by(|a, b| a.cell.size.cmp(&b.cell.size).then(b.cell.lambda.total_cmp(&a.cell.lambda)));
    let (found, plateaus) = (analyse::analyse(&ends), plateaus(&ends));
    Record { dir: dir.path().into(), asked: cells.len(), found, plateaus, grid, ends }
}
