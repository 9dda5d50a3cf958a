//! The limit that finite networks are compared with, read back from its run directory.
//!
//! Maths: the error of a curve is the sum of its parts, see `mckean_dynamics::limit::Series`.
//! Shapes: curves over the times of `[limit]`.
//! Cost: that of `mckean limit`, once.
//! Checked: `tests/rates.rs`.

use super::gaps::Gaps;
use crate::config::Config;
use crate::error::Error;
use crate::limit;
use mckean_dynamics::limit::{Band, Series};
use mckean_num::par::Par;
use mckean_report::RunDir;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The limit with its error in the measures of the gaps.
#[derive(Clone, Debug, Serialize)]
pub struct Reference {
    /// Its run directory.
    pub dir: PathBuf,
    /// How it ended.
    pub outcome: String,
    /// Largest known error of each quantity, 95 %.
    pub error: Gaps,
    /// The same as a standard error.
    pub deviation: Gaps,
    /// Curves.
    #[serde(skip)]
    pub series: Series,
    /// Samples whose outputs they hold.
    #[serde(skip)]
    pub samples: usize,
}

impl Reference {
    /// Curves, largest known errors and standard errors of the bands of risk, objective, moment and outputs.
    pub fn curves(bands: [&Band; 4], samples: usize) -> (Series, [Gaps; 2]) {
        let series = |pick: &dyn Fn(&Band) -> Vec<f64>| {
            let [risk, objective, moment, outputs] = bands.map(pick);
            Series { risk, objective, moment, outputs }
        };
        let parts = |of: fn(&Band, usize) -> f64| {
            let errors = series(&|b: &Band| (0..b.value.len()).map(|i| of(b, i)).collect());
            Gaps::size(&errors, samples)
        };
        (series(&|b| b.value.clone()), [parts(Band::total), parts(Band::deviation)])
    }
}

/// Solves for the limit of `config`, or finds it, and reads it.
///
/// # Errors
/// As [`limit::run`]; a limit whose flow ends early.
pub fn find(
    config: &Config,
    par: &Par,
    (out, stop): (&Path, &Arc<AtomicBool>),
    (command, source): (&str, &str),
    say: &mut dyn FnMut(&str),
) -> Result<Reference, Error> {
    let record = limit::run(config, par, out, (command, source), stop, say)?;
    if let Some(tau) = record.ended {
        let page = RunDir::open(&record.dir)?.report();
        return Err(Error::LimitEnded { outcome: record.outcome.replace('_', " "), tau, page });
    }
    let (outputs, shape) = limit::outputs(&RunDir::open(&record.dir)?)?;
    let samples = shape[1];
    let (series, [error, deviation]) =
        Reference::curves([&record.risk, &record.objective, &record.moment, &outputs], samples);
    Ok(Reference { dir: record.dir, outcome: record.outcome, error, deviation, series, samples })
}

/// The limit beside the directory of networks that were compared with it.
///
/// # Errors
/// It is not there any more.
pub fn found(config: &Config, dir: &RunDir) -> Result<Reference, Error> {
    let out = dir.path().parent().unwrap_or(Path::new("."));
    let there = RunDir::open(limit::directory(config, out))?;
    find(config, &Par::serial(), (out, &Arc::default()), (&there.manifest()?.command, ""), &mut |_| {})
}
