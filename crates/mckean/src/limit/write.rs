//! The files of a limit.
//!
//! Maths: none.
//! Shapes: metrics.jsonl has a line a time; arrays/curves (times), outputs (times, samples, outputs); arrays/law as in `particle_law`.
//! Cost: linear in the curves.
//! Checked: `tests/limits.rs`.

use super::Record;
use crate::error::Error;
use crate::particle_law;
use mckean_dynamics::limit::{Band, Limit};
use mckean_report::RunDir;
use mckean_report::metrics::{MetricsLog, Value};
use mckean_report::tensors::{self, NamedTensor};

const PARTS: [&str; 5] = ["", "_particle", "_bias", "_depth", "_time"];

fn parts(b: &Band) -> [&Vec<f64>; 5] {
    [&b.value, &b.particle, &b.bias, &b.depth, &b.time]
}

/// The outputs of the limit in a directory, and their shape (times, samples, outputs).
///
/// # Errors
/// A directory without them.
pub(crate) fn outputs(dir: &RunDir) -> Result<(Band, Vec<usize>), Error> {
    let file = tensors::load(dir.array("curves"))?;
    let shape = file.get("outputs")?.shape.clone();
    let part = |name: &str| -> Result<Vec<f64>, Error> { Ok(file.f64(&format!("outputs{name}"), &shape)?.to_vec()) };
    let [value, particle, bias, depth, time] = PARTS.map(part);
    Ok((Band { value: value?, particle: particle?, bias: bias?, depth: depth?, time: time? }, shape))
}

/// Writes curves, arrays and record.
pub(super) fn write(dir: &RunDir, found: &Limit, record: &Record, samples: usize) -> Result<(), Error> {
    let curves = [("risk", &found.risk), ("objective", &found.objective), ("moment", &found.moment)];
    let mut log = MetricsLog::create(dir.metrics())?;
    for (i, &tau) in found.taus.iter().enumerate() {
        let mut row: Vec<(String, f64)> = vec![("tau".into(), tau)];
        for (name, band) in curves {
            row.extend(PARTS.iter().zip(parts(band)).map(|(part, x)| (format!("{name}{part}"), x[i])));
            row.push((format!("{name}_error"), band.total(i)));
        }
        log.append(&row.iter().map(|(n, x)| (n.as_str(), Value::from(*x))).collect::<Vec<_>>())?;
    }
    log.sync()?;
    mckean_report::metrics::compact(dir.metrics(), dir.metrics_parquet())?;
    let times = found.taus.len();
    let mut all = vec![NamedTensor::f64("tau", &[times], found.taus.clone())];
    for (name, band) in curves {
        all.extend(
            PARTS
                .iter()
                .zip(parts(band))
                .map(|(part, x)| NamedTensor::f64(format!("{name}{part}"), &[times], x[..times].to_vec())),
        );
    }
    if times > 0 {
        let each = found.outputs.value.len() / found.risk.value.len() / samples;
        let shape = [times, samples, each];
        let cut = |x: &[f64]| x[..times * samples * each].to_vec();
        all.extend(
            PARTS
                .iter()
                .zip(parts(&found.outputs))
                .map(|(part, x)| NamedTensor::f64(format!("outputs{part}"), &shape, cut(x))),
        );
    }
    tensors::save(dir.array("curves"), &all, &[])?;
    particle_law::save(dir, &found.snapshots)?;
    crate::store::write_json(&dir.analysis("limit"), record)
}
