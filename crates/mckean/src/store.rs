//! What a run keeps besides its metrics: particles and samples at the start and the end, checkpoints.
//!
//! Maths: none.
//! Shapes: one tensor per entry of the layout; `inputs` (N, n, D), `targets` (N, C) or (N).
//! Cost: linear in parameters and samples.
//! Checked: `tests/runs.rs`, `examples/recompute.py`.

use crate::error::Error;
use crate::problem::Problem;
use mckean_data::{Dataset, Targets};
use mckean_dynamics::Saved;
use mckean_dynamics::observe::Violation;
use mckean_report::tensors::{self, NamedTensor, TensorData, Tensors};
use mckean_report::{ReportError, RunDir, RunOutcome, atomic_write};
use serde::Serialize;
use std::path::Path;

/// Writes a record as readable JSON, whole or not at all.
///
/// # Errors
/// A folder that cannot be written, a record that JSON cannot hold.
pub fn write_json<T: Serialize + ?Sized>(path: &Path, record: &T) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(record)
        .map_err(|e| Error::Syntax { source_name: path.display().to_string(), problem: e.to_string() })?;
    Ok(atomic_write(path, format!("{text}\n").as_bytes())?)
}

/// A run at an observation.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// State of the evolution.
    pub saved: Saved,
    /// Bytes of `metrics.jsonl` written by then.
    pub position: u64,
    /// Lines of it.
    pub observations: u64,
    /// Violations found by then.
    pub violations: Vec<Violation>,
    /// How training ended, in the last checkpoint.
    pub outcome: Option<RunOutcome>,
}

const LATEST: &str = "latest";
/// Samples are kept only up to this size.
const KEEP_BYTES: usize = 64 << 20;

/// Writes the initial particles and, if asked and small enough, the samples.
///
/// # Errors
/// The folder cannot be written.
pub fn write_start(dir: &RunDir, problem: &Problem) -> Result<(), Error> {
    if problem.config.observe.keep_samples && 8 * problem.train.inputs.len() <= KEEP_BYTES {
        tensors::save(
            dir.array("samples"),
            &samples(&problem.train),
            &[("set".into(), "train".into()), ("outputs".into(), crate::problem::outputs(&problem.train).to_string())],
        )?;
    }
    write_parameters(dir, "start", problem, &problem.start)
}

fn samples(data: &Dataset) -> Vec<NamedTensor> {
    let inputs = NamedTensor::f64("inputs", &[data.samples, data.tokens, data.dim], data.inputs.clone());
    let targets = match &data.targets {
        Targets::Values { data: y, outputs } => NamedTensor::f64("targets", &[data.samples, *outputs], y.clone()),
        Targets::Classes { labels, .. } => NamedTensor {
            name: "targets".into(),
            shape: vec![data.samples],
            data: TensorData::I64(labels.iter().map(|&l| i64::from(l)).collect()),
        },
    };
    vec![inputs, targets]
}

/// Writes every tensor of the layout to `arrays/<name>.safetensors`.
///
/// # Errors
/// The folder cannot be written.
pub fn write_parameters(dir: &RunDir, name: &str, problem: &Problem, beta: &[f64]) -> Result<(), Error> {
    let tensor = |t: &mckean_model::Tensor| NamedTensor::f64(&t.name, &t.shape, beta[t.range.clone()].to_vec());
    let all: Vec<NamedTensor> = problem.net.layout.tensors.iter().map(tensor).collect();
    Ok(tensors::save(dir.array(name), &all, &[("config_hash".into(), problem.config.hash())])?)
}

/// Replaces the latest checkpoint.
///
/// # Errors
/// The folder cannot be written.
pub fn write_checkpoint(dir: &RunDir, c: &Checkpoint) -> Result<(), Error> {
    let metadata = [
        ("position".to_string(), c.position.to_string()),
        ("observations".to_string(), c.observations.to_string()),
        ("violations".to_string(), json(&c.violations)),
        ("outcome".to_string(), json(&c.outcome)),
    ];
    write_saved(&dir.checkpoint(LATEST), &c.saved, &metadata)
}

/// Writes the state of an evolution, whole or not at all.
///
/// # Errors
/// The folder cannot be written.
pub fn write_saved(path: &Path, saved: &Saved, metadata: &[(String, String)]) -> Result<(), Error> {
    let vector = |(n, x): &(String, Vec<f64>)| NamedTensor::f64(n, &[x.len()], x.clone());
    let mut all = vec![NamedTensor::f64("parameters", &[saved.parameters.len()], saved.parameters.clone())];
    all.extend(saved.arrays.iter().map(vector));
    let (names, numbers): (Vec<String>, Vec<f64>) = saved.numbers.iter().cloned().unzip();
    all.push(NamedTensor::f64("numbers", &[numbers.len()], numbers));
    Ok(tensors::save(path, &all, &[&[("numbers".to_string(), json(&names))], metadata].concat())?)
}

/// JSON text.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".into())
}

/// The latest checkpoint, if there is one.
///
/// # Errors
/// A damaged file.
pub fn read_checkpoint(dir: &RunDir) -> Result<Option<Checkpoint>, Error> {
    let path = dir.checkpoint(LATEST);
    let Some((saved, file)) = read_saved(&path)? else { return Ok(None) };
    let missing = |name: &str| missing(&path, name);
    let text = |name: &str| file.metadata.get(name).ok_or_else(|| missing(name));
    let count = |name: &str| text(name).and_then(|t| t.parse::<u64>().map_err(|_| missing(name)));
    let (position, observations) = (count("position")?, count("observations")?);
    let outcome = text("outcome").and_then(|t| serde_json::from_str(t).map_err(|_| missing("outcome")))?;
    let violations = text("violations").and_then(|t| serde_json::from_str(t).map_err(|_| missing("violations")))?;
    Ok(Some(Checkpoint { saved, position, observations, violations, outcome }))
}

/// The state of an evolution and the file it is in, if there is one.
///
/// # Errors
/// A damaged file.
pub fn read_saved(path: &Path) -> Result<Option<(Saved, Tensors)>, Error> {
    if !path.exists() {
        return Ok(None);
    }
    let file = tensors::load(path)?;
    let values = |t: &NamedTensor| match &t.data {
        TensorData::F64(x) => Ok(x.clone()),
        _ => Err(missing(path, &t.name)),
    };
    let names = file.metadata.get("numbers").and_then(|t| serde_json::from_str::<Vec<String>>(t).ok());
    let names = names.ok_or_else(|| missing(path, "numbers"))?;
    let mut saved = Saved { parameters: values(file.get("parameters")?)?, ..Saved::default() };
    saved.numbers = names.into_iter().zip(values(file.get("numbers")?)?).collect();
    for t in file.entries.iter().filter(|t| t.name != "parameters" && t.name != "numbers") {
        saved.arrays.push((t.name.clone(), values(t)?));
    }
    Ok(Some((saved, file)))
}

fn missing(path: &Path, name: &str) -> Error {
    let (path, name) = (path.into(), name.to_string());
    Error::Report(ReportError::NoTensor { path, name, available: "those of a checkpoint".into() })
}

/// The processor's own name, if the system tells.
pub fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|l| l.strip_prefix("model name")).and_then(|l| l.split_once(':'));
    name.map_or_else(|| std::env::consts::ARCH.to_string(), |(_, n)| n.trim().to_string())
}
