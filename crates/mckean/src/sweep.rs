//! Many runs: the grid of a config, checked whole, then run on all cores, resumable.
//!
//! Maths: none.
//! Shapes: one run directory a cell; finished cells are recognised by their config hash, so grids and seeds can grow.
//! Cost: one thread a run, so that results and speed do not depend on how runs are spread.
//! Checked: `tests/sweeps.rs`.

use crate::config::Config;
use crate::error::Error;
use crate::experiment::{self, Options, Summary};
use crate::problem::Problem;
use mckean_data::{DataConfig, Dataset};
use mckean_num::par::Par;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

mod curve;

pub use curve::{Curve, tables};

/// One run of a grid.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Grid values by key.
    pub values: Vec<(String, serde_json::Value)>,
    /// Resolved config.
    pub config: Config,
}

impl Cell {
    /// Short name such as `heads=4`.
    pub fn label(&self) -> String {
        let text = |v: &serde_json::Value| v.as_str().map_or_else(|| v.to_string(), String::from);
        let one = |(k, v): &(String, serde_json::Value)| format!("{}={}", k.rsplit('.').next().unwrap_or(k), text(v));
        self.values.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

/// Largest number of runs of a sweep.
const MAX_RUNS: f64 = 1e6;

/// The cells of a config's grid times its seeds, seeds innermost.
///
/// # Errors
/// Unknown keys, wrong types, an empty list of values, no seeds, more than `MAX_RUNS`.
pub fn cells(config: &Config) -> Result<Vec<Cell>, Error> {
    let runs = config.sweep.grid.values().fold(config.sweep.seeds as f64, |n, v| n * v.len().max(1) as f64);
    if !(1.0..=MAX_RUNS).contains(&runs) {
        let problem =
            format!("the grid makes {runs} runs; 1 to {MAX_RUNS} are possible. Choose fewer values or seeds.");
        return Err(Error::Value { key: "sweep.seeds".into(), value: config.sweep.seeds.to_string(), problem });
    }
    let mut cells = vec![Cell { values: vec![], config: config.without_sweep() }];
    for (key, values) in &config.sweep.grid {
        if values.is_empty() || key.starts_with("sweep") {
            let problem = "a grid needs at least one value of a key outside [sweep]".to_string();
            return Err(Error::Value { key: format!("sweep.grid.\"{key}\""), value: format!("{values:?}"), problem });
        }
        let mut next = vec![];
        for cell in &cells {
            for value in values {
                let values = [&cell.values[..], &[(key.clone(), value.clone())]].concat();
                next.push(Cell { values, config: cell.config.with(key, value)? });
            }
        }
        cells = next;
    }
    let seeded = |c: &Cell| {
        (0..config.sweep.seeds.max(1))
            .map(|s| Cell { config: Config { seed: config.seed + s, ..c.config.clone() }, ..c.clone() })
            .collect::<Vec<_>>()
    };
    Ok(cells.iter().flat_map(seeded).collect())
}

/// The folder of a sweep. Its name leaves out the `[sweep]` section: more seeds or values find the old cells.
pub fn folder(config: &Config, out: &Path) -> PathBuf {
    out.join(format!("{}-sweep-{}", config.name, config.without_sweep().hash()))
}

/// Training and test samples, loaded once for each distinct `[data]` section.
type Loaded = (DataConfig, Arc<Dataset>, Option<Arc<Dataset>>);

/// Data of cells, shared between them.
#[derive(Default)]
struct Cache(Mutex<Vec<Loaded>>);

impl Cache {
    fn data(&self, config: &Config) -> Result<(Arc<Dataset>, Option<Arc<Dataset>>), Error> {
        let mut cache = self.0.lock().unwrap_or_else(|e| e.into_inner());
        if let Some((_, train, test)) = cache.iter().find(|(c, ..)| *c == config.data) {
            return Ok((train.clone(), test.clone()));
        }
        let split = mckean_data::load(&config.data)?;
        let (train, test) = (Arc::new(split.train), split.test.map(Arc::new));
        cache.push((config.data.clone(), train.clone(), test.clone()));
        Ok((train, test))
    }
}

/// Checks every cell without running or drawing anything; returns the model FLOPs of all gradients together.
///
/// # Errors
/// The first cell that could not run, named by its values.
pub fn validate(cells: &[Cell]) -> Result<f64, Error> {
    let (cache, mut flops) = (Cache::default(), 0.0);
    let mut last: Option<(&Vec<(String, serde_json::Value)>, f64)> = None;
    for cell in cells {
        let own = match last {
            Some((values, flops)) if *values == cell.values => flops, // another seed
            _ => {
                let whole = |(train, test): (Arc<Dataset>, Option<Arc<Dataset>>)| {
                    Problem::network(&cell.config, &train, test.as_deref())
                        .map(|net| crate::problem::gradients_and_flops(&cell.config, &net, &train))
                };
                let named = |e| match cell.values.is_empty() {
                    true => e,
                    false => Error::Cell { label: cell.label(), problem: Box::new(e) },
                };
                let (gradients, each) = cache.data(&cell.config).and_then(whole).map_err(named)?;
                gradients * each
            }
        };
        last = Some((&cell.values, own));
        flops += own;
    }
    Ok(flops)
}

/// Runs configs on `jobs` threads, each run on one; `done` is called after each with its index.
///
/// The order of results is that of the configs. Unfinished runs continue, finished ones are not repeated. Once `stop`
/// is set, runs end at their next observation and no further one begins.
pub fn run_all(
    configs: &[Config],
    out: &Path,
    jobs: usize,
    command: &str,
    stop: &Arc<AtomicBool>,
    done: &(dyn Fn(usize, &Result<Summary, Error>) + Sync),
) -> Vec<Result<Summary, Error>> {
    let (next, cache) = (AtomicUsize::new(0), Cache::default());
    let results: Vec<Mutex<Option<Result<Summary, Error>>>> = configs.iter().map(|_| Mutex::new(None)).collect();
    let options = Options {
        out: out.into(),
        resume: true,
        command: command.into(),
        no_page: true,
        stop: stop.clone(),
        ..Options::default()
    };
    let one = |config: &Config| {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::NotRun);
        }
        let (train, test) = cache.data(config)?;
        let problem = Problem::on(config, train, test)?;
        experiment::run_problem(&problem, &Par::serial(), &options, &mut |_| {})
    };
    let worker = || {
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(config) = configs.get(i) else { return };
            let result = one(config);
            done(i, &result);
            *results[i].lock().unwrap_or_else(|e| e.into_inner()) = Some(result);
        }
    };
    std::thread::scope(|s| (0..jobs.clamp(1, configs.len().max(1))).for_each(|_| drop(s.spawn(worker))));
    let taken = |m: Mutex<Option<Result<Summary, Error>>>| m.into_inner().unwrap_or_else(|e| e.into_inner());
    results.into_iter().filter_map(taken).collect()
}

/// What earlier calls left of each config, without running anything.
pub fn collect(configs: &[Config], out: &Path) -> Vec<Result<Summary, Error>> {
    configs.iter().map(|c| experiment::finished(c, out)).collect()
}
