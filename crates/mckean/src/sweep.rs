//! Many runs: the grid of a config, on all cores, resumable; and curves averaged over seeds.
//!
//! Maths: mean and range over seeds at common observation times.
//! Shapes: one run directory a cell; finished cells are recognised by their config hash.
//! Cost: one thread a run, so that results and speed do not depend on how runs are spread.
//! Checked: `tests/sweeps.rs`.

use crate::config::Config;
use crate::error::Error;
use crate::experiment::{self, Options, Summary};
use crate::problem::Problem;
use mckean_data::{DataConfig, Dataset};
use mckean_num::par::Par;
use mckean_report::Table;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

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
    let mut plain = config.clone();
    plain.sweep = Default::default();
    let mut cells = vec![Cell { values: vec![], config: plain }];
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

/// Training and test samples, loaded once for each distinct `[data]` section.
type Loaded = (DataConfig, Arc<Dataset>, Option<Arc<Dataset>>);

fn load(config: &Config, cache: &Mutex<Vec<Loaded>>) -> Result<Problem, Error> {
    let mut cache = cache.lock().unwrap_or_else(|e| e.into_inner());
    let known = cache.iter().find(|(c, ..)| *c == config.data).cloned();
    let (_, train, test) = match known {
        Some(loaded) => loaded,
        None => {
            let split = mckean_data::load(&config.data)?;
            cache.push((config.data.clone(), Arc::new(split.train), split.test.map(Arc::new)));
            cache[cache.len() - 1].clone()
        }
    };
    drop(cache);
    Problem::on(config, train, test)
}

/// Runs configs on `jobs` threads, each run on one; `done` is called after each with its index.
///
/// The order of results is that of the configs. Unfinished runs continue, finished ones are not repeated.
pub fn run_all(
    configs: &[Config],
    out: &Path,
    jobs: usize,
    command: &str,
    done: &(dyn Fn(usize, &Result<Summary, Error>) + Sync),
) -> Vec<Result<Summary, Error>> {
    let (next, cache) = (AtomicUsize::new(0), Mutex::new(vec![]));
    let results: Vec<Mutex<Option<Result<Summary, Error>>>> = configs.iter().map(|_| Mutex::new(None)).collect();
    let options =
        Options { out: out.into(), resume: true, command: command.into(), no_page: true, ..Options::default() };
    let worker = || {
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(config) = configs.get(i) else { return };
            let run = |p: Problem| experiment::run_problem(&p, &Par::serial(), &options, &mut |_| {});
            let result = load(config, &cache).and_then(run);
            done(i, &result);
            *results[i].lock().unwrap_or_else(|e| e.into_inner()) = Some(result);
        }
    };
    std::thread::scope(|s| (0..jobs.clamp(1, configs.len().max(1))).for_each(|_| drop(s.spawn(worker))));
    let taken = |m: Mutex<Option<Result<Summary, Error>>>| m.into_inner().unwrap_or_else(|e| e.into_inner());
    results.into_iter().filter_map(taken).collect()
}

/// A metric over training, averaged over runs.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Curve {
    /// Training time or epoch.
    pub tau: Vec<f64>,
    /// Mean over runs.
    pub mean: Vec<f64>,
    /// Smallest over runs.
    pub low: Vec<f64>,
    /// Largest over runs.
    pub high: Vec<f64>,
    /// Number of runs.
    pub runs: usize,
}

impl Curve {
    /// Averages `column` of several runs at their common observation times.
    pub fn over(tables: &[Table], column: &str) -> Curve {
        let columns: Vec<&[f64]> = tables.iter().filter_map(|t| t.column(column)).collect();
        let rows = columns.iter().map(|c| c.len()).min().unwrap_or(0);
        let tau = tables.first().and_then(|t| t.column("tau")).map(|t| t[..rows].to_vec()).unwrap_or_default();
        let fold = |f: &dyn Fn(f64, f64) -> f64, start: f64| -> Vec<f64> {
            (0..rows).map(|i| columns.iter().fold(start, |s, c| f(s, c[i]))).collect()
        };
        let n = columns.len().max(1) as f64;
        let mean = fold(&|s, x| s + x, 0.0).into_iter().map(|s| s / n).collect();
        let (low, high) = (fold(&f64::min, f64::INFINITY), fold(&f64::max, f64::NEG_INFINITY));
        Curve { tau, mean, low, high, runs: columns.len() }
    }

    /// Last mean.
    pub fn last(&self) -> f64 {
        self.mean.last().copied().unwrap_or(f64::NAN)
    }
}

/// Metrics of several run directories.
///
/// # Errors
/// Unreadable metrics.
pub fn tables(dirs: &[PathBuf]) -> Result<Vec<Table>, Error> {
    let read = |d: &PathBuf| Ok(mckean_report::metrics::read(d.join("metrics.jsonl"))?);
    dirs.iter().map(read).collect()
}
