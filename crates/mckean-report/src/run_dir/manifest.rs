//! The manifest: who ran what, when, on which machine, how it ended, and what it cost.
//!
//! Maths: none.
//! Shapes: one flat record; counters by name.
//! Cost: a few kilobytes of JSON.
//! Checked: unit tests below (round trip, NaN counters, foreign JSON refused); `tests/run_dir.rs`.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What `manifest.json` says about a run. `version`, `command` and `config_hash` are required in the file; all else may
/// be missing, so that manifests of older versions stay readable.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the program, such as "0.1.0".
    pub version: String,
    /// The exact command line.
    pub command: String,
    /// [`config_hash`] of the resolved configuration, 8 hexadecimal digits.
    pub config_hash: String,
    /// Commit of the source, when known.
    #[serde(default)]
    pub commit: Option<String>,
    /// Start, RFC 3339 in UTC.
    #[serde(default)]
    pub started: String,
    /// End, RFC 3339 in UTC; `None` while the run is going on or after a crash.
    #[serde(default)]
    pub ended: Option<String>,
    /// Name of the processor.
    #[serde(default)]
    pub cpu: String,
    /// Instruction set chosen at run time, such as "avx2+fma".
    #[serde(default)]
    pub isa: String,
    /// Threads per process.
    #[serde(default)]
    pub threads: usize,
    /// Processes.
    #[serde(default)]
    pub ranks: usize,
    /// The seed of the run.
    #[serde(default)]
    pub seed: u64,
    /// "f32" or "f64".
    #[serde(default)]
    pub precision: String,
    /// Fingerprint of the numbers in the files that the config names, sixteen hexadecimal digits; empty where none was taken.
    #[serde(default)]
    pub content: String,
    /// How the run ended; `None` while it is going on.
    #[serde(default)]
    pub outcome: Option<RunOutcome>,
    /// Work counters, such as steps, evaluations, FLOPs, seconds.
    #[serde(default)]
    pub work: BTreeMap<String, Count>,
    /// Warnings, in the order in which they came.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Keys of the works to cite.
    #[serde(default)]
    pub citations: Vec<String>,
}

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunOutcome {
    /// The word, such as "finished" or "diverged".
    pub kind: String,
    /// Training time at the end, when it has one (a NaN is stored as missing).
    #[serde(default)]
    pub tau: Option<f64>,
    /// One sentence of advice; may be empty.
    #[serde(default)]
    pub advice: String,
}

/// A work counter: a whole number, a measure, or unknown (a non-finite measure is stored as unknown).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Count {
    /// Exact count.
    Int(u64),
    /// Measure, such as seconds.
    Float(f64),
    /// Not known.
    Unknown(()),
}

impl From<u64> for Count {
    fn from(count: u64) -> Self {
        Self::Int(count)
    }
}

impl From<usize> for Count {
    fn from(count: usize) -> Self {
        Self::Int(count as u64)
    }
}

impl From<f64> for Count {
    fn from(measure: f64) -> Self {
        if measure.is_finite() { Self::Float(measure) } else { Self::Unknown(()) }
    }
}

impl Count {
    /// The counter as a number; NaN when unknown.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Int(count) => count as f64,
            Self::Float(measure) => measure,
            Self::Unknown(()) => f64::NAN,
        }
    }
}

/// The first 8 hexadecimal digits of the SHA-256 of a resolved configuration; part of the run directory's name.
pub fn config_hash(resolved_toml: &str) -> String {
    Sha256::digest(resolved_toml.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_that_of_the_standard() {
        assert_eq!(config_hash("abc"), "ba7816bf"); // FIPS 180-4, first example
    }

    #[test]
    fn round_trip_with_exact_counters() {
        let work = [("steps", u64::MAX.into()), ("seconds", 0.1.into()), ("lost", f64::NAN.into())];
        let outcome = RunOutcome { kind: "diverged".into(), tau: Some(0.1 + 0.2), advice: "halve eta".into() };
        let manifest = Manifest {
            version: "0.1.0".into(),
            work: work.map(|(key, count): (&str, Count)| (key.to_string(), count)).into(),
            outcome: Some(outcome),
            ..Manifest::default()
        };
        let text = serde_json::to_string(&manifest).unwrap();
        assert_eq!(serde_json::from_str::<Manifest>(&text).unwrap(), manifest);
    }

    #[test]
    fn someone_elses_manifest_is_refused() {
        assert!(serde_json::from_str::<Manifest>(r#"{"name": "a web app"}"#).is_err());
    }
}
