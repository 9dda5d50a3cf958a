//! A metric over training, averaged over seeds.
//!
//! Maths: mean and range over runs at common observation times.
//! Shapes: one entry an observation, cut to the shortest run.
//! Cost: linear in the observations.
//! Checked: `tests/sweeps.rs`.

use crate::error::Error;
use mckean_report::Table;
use serde::Serialize;
use std::path::PathBuf;

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
