//! A finished run, read back: config, particles at the start and the end, metrics.
//!
//! Maths: none.
//! Shapes: parameters in the order of the layout.
//! Cost: loading the data and two arrays.
//! Checked: `tests/certify.rs`.

use crate::config::Config;
use crate::error::Error;
use crate::problem::Problem;
use mckean_report::metrics::Table;
use mckean_report::{ReportError, RunDir, TensorData, tensors};

/// What a run left.
pub struct Run {
    /// Its problem; `start` is what the run started from.
    pub problem: Problem,
    /// Parameters at the end.
    pub end: Vec<f64>,
    /// Its metrics.
    pub table: Table,
}

impl Run {
    /// Training time at the end.
    pub fn tau(&self) -> f64 {
        self.table.column("tau").and_then(|t| t.last().copied()).unwrap_or(f64::NAN)
    }

    /// (training time, largest particle norm) at every observation, or at both ends when it was not observed.
    pub fn radii(&self) -> Vec<(f64, f64)> {
        let seen = self.table.observed("radius");
        if let (Some(tau), false) = (self.table.column("tau"), seen.is_empty()) {
            return seen.into_iter().map(|(row, radius)| (tau[row], radius)).collect();
        }
        let radius = |beta: &[f64]| mckean_dynamics::observe::radius(&self.problem.net, beta);
        vec![(0.0, radius(&self.problem.start)), (self.tau(), radius(&self.end))]
    }
}

/// Reads a run that ran to its end.
///
/// # Errors
/// An unfinished or diverged run, the folder of a limit, of rates or of `mckean stationary`, missing or damaged files.
pub fn read(dir: &RunDir) -> Result<Run, Error> {
    if let Some(what) = other(dir) {
        let problem =
            format!("holds {what} of a config, not one run. Give the folder of a `mckean run`, or the config itself.");
        return Err(Error::Value { key: "certify".into(), value: dir.path().display().to_string(), problem });
    }
    let outcome = dir.manifest()?.outcome;
    let kind = outcome.map_or("unfinished".to_string(), |o| o.kind);
    if kind == "unfinished" || kind == "stopped" {
        return Err(Error::NotFinished { path: dir.path().into() });
    }
    let config = Config::parse(&dir.resolved()?, "resolved.toml", &[])?;
    let mut problem = Problem::new(&config)?;
    problem.start = parameters(dir, "start", &problem)?;
    let end = parameters(dir, "end", &problem)?;
    if !end.iter().all(|x| x.is_finite()) {
        return Err(Error::NotFinite { path: dir.path().into(), outcome: kind });
    }
    Ok(Run { table: mckean_report::metrics::read(dir.metrics())?, problem, end })
}

/// What a directory holds instead of one run.
fn other(dir: &RunDir) -> Option<&'static str> {
    let has = |name: &str| dir.path().join(name).exists();
    let kinds = [
        ("a gap to the limit", has(crate::gap_report::CONFIG)),
        ("rates", has(crate::rates_report::CONFIG)),
        ("the ends of flows", has(crate::stationary_report::CONFIG)),
        ("the limit", dir.analysis("limit").exists()),
    ];
    kinds.into_iter().find(|k| k.1).map(|k| k.0)
}

/// `arrays/NAME.safetensors` as one flat vector.
fn parameters(dir: &RunDir, name: &str, problem: &Problem) -> Result<Vec<f64>, Error> {
    let path = dir.array(name);
    let file = tensors::load(&path)?;
    let mut beta = vec![0.0; problem.net.parameters()];
    for t in &problem.net.layout.tensors {
        match &file.get(&t.name)?.data {
            TensorData::F64(x) if x.len() == t.range.len() => beta[t.range.clone()].copy_from_slice(x),
            _ => {
                let available = "one of another size or type".into();
                return Err(Error::Report(ReportError::NoTensor { path, name: t.name.clone(), available }));
            }
        }
    }
    Ok(beta)
}
