//! The append-only log of observations, `metrics.jsonl`.
//!
//! Maths: none; NaN and the infinities, which JSON lacks, are the strings "NaN", "Infinity", "-Infinity".
//! Shapes: one line per observation; positions are byte lengths and always fall between lines.
//! Cost: one `write` call per observation, so a killed process loses at most the line it was writing.
//! Checked: unit tests below; `tests/metrics.rs` (truncation and resume).

use crate::error::{ReportError, Result};
use serde_json::{Map, Value as Json};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// One number of an observation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A measure; any f64, NaN and infinities included.
    Float(f64),
    /// A count.
    Int(i64),
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<f32> for Value {
    fn from(value: f32) -> Self {
        Self::Float(f64::from(value))
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u64> for Value {
    /// Counts beyond 2^63 become measures.
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Self::Float(value as f64), Self::Int)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::from(value as u64)
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        match value {
            Value::Int(count) => count.into(),
            Value::Float(x) if x.is_finite() => x.into(),
            Value::Float(x) if x.is_nan() => "NaN".into(),
            Value::Float(x) if x > 0.0 => "Infinity".into(),
            Value::Float(_) => "-Infinity".into(),
        }
    }
}

/// An open `metrics.jsonl`, written at its end.
#[derive(Debug)]
pub struct MetricsLog {
    path: PathBuf,
    file: File,
    position: u64,
}

impl MetricsLog {
    /// Opens an empty log, discarding what was there.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn create(path: impl AsRef<Path>) -> Result<MetricsLog> {
        Self::open_at(path, 0)
    }

    /// Opens a log and cuts it at `position` bytes: the state of the log when a checkpoint was taken.
    ///
    /// # Errors
    /// The file is shorter than that, or the position falls inside a line: then it is left untouched.
    pub fn open_at(path: impl AsRef<Path>, position: u64) -> Result<MetricsLog> {
        let path = path.as_ref().to_path_buf();
        let mut options = OpenOptions::new();
        let opened = options.read(true).write(true).create(position == 0).truncate(false).open(&path);
        let mut file = opened.map_err(|source| ReportError::io("open", &path, source))?;
        let check = misfit(&mut file, position).map_err(|source| ReportError::io("read", &path, source))?;
        if let Some((reason, length)) = check {
            return Err(ReportError::BadPosition { path, position, length, reason });
        }
        cut(&mut file, position).map_err(|source| ReportError::io("truncate", &path, source))?;
        Ok(MetricsLog { path, file, position })
    }

    /// Writes one observation as one line and hands it to the operating system.
    ///
    /// # Errors
    /// A key occurs twice, or the write fails (full disk): then the log ends where it ended before.
    pub fn append(&mut self, observation: &[(&str, Value)]) -> Result<()> {
        let line = self.line(observation)?;
        if let Err(source) = self.file.write_all(line.as_bytes()) {
            let _ = cut(&mut self.file, self.position);
            return Err(ReportError::io("write", &self.path, source));
        }
        self.position += line.len() as u64;
        Ok(())
    }

    /// Bytes written so far; a checkpoint stores this number for [`MetricsLog::open_at`].
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Waits until all observations are on the disk; call it before a checkpoint stores the position.
    ///
    /// # Errors
    /// The disk reports a failure.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|source| ReportError::io("sync", &self.path, source))
    }

    fn line(&self, observation: &[(&str, Value)]) -> Result<String> {
        let mut object = Map::new();
        for &(key, value) in observation {
            if object.insert(key.to_string(), value.into()).is_some() {
                return Err(ReportError::DuplicateKey { path: self.path.clone(), key: key.to_string() });
            }
        }
        Ok(format!("{}\n", Json::Object(object)))
    }
}

/// Why a file cannot be cut at `position`, with its length; `None` when it can.
fn misfit(file: &mut File, position: u64) -> io::Result<Option<(&'static str, u64)>> {
    let length = file.metadata()?.len();
    if position > length {
        return Ok(Some(("the file is shorter", length)));
    }
    let mut last = [b'\n'];
    if position > 0 {
        file.seek(SeekFrom::Start(position - 1))?;
        file.read_exact(&mut last)?;
    }
    Ok((last != *b"\n").then_some(("it falls inside a line", length)))
}

/// Shortens the file to `position` bytes and goes on writing there.
fn cut(file: &mut File, position: u64) -> io::Result<()> {
    file.set_len(position)?;
    file.seek(SeekFrom::Start(position)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_per_observation_with_numbers_json_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.jsonl");
        let mut log = MetricsLog::create(&path).unwrap();
        log.append(&[("step", 1u64.into()), ("risk", 1.0.into())]).unwrap();
        log.append(&[("a", f64::NAN.into()), ("b", f64::INFINITY.into()), ("c", f64::NEG_INFINITY.into())]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let second = r#"{"a":"NaN","b":"Infinity","c":"-Infinity"}"#;
        assert_eq!(text, format!("{{\"step\":1,\"risk\":1.0}}\n{second}\n"));
        assert_eq!(log.position(), text.len() as u64);
    }

    #[test]
    fn a_key_given_twice_is_refused_and_nothing_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = MetricsLog::create(folder.path().join("m.jsonl")).unwrap();
        let twice = log.append(&[("risk", 1.0.into()), ("risk", 2.0.into())]);
        assert!(twice.unwrap_err().to_string().contains("`risk` twice"));
        assert_eq!(log.position(), 0);
    }

    #[test]
    fn huge_counts_become_measures() {
        assert_eq!(Value::from(u64::MAX), Value::Float(u64::MAX as f64));
        assert_eq!(Value::from(7usize), Value::Int(7));
    }
}
