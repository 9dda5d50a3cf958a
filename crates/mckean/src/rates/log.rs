//! Finished networks, one line each, appended as they finish: a killed computation goes on from them.
//!
//! Maths: none.
//! Shapes: `cells.jsonl`, see `docs/formats.md`.
//! Cost: one write and one flush to disk a network.
//! Checked: `tests/rates.rs` (torn lines, foreign keys, same bytes after a resume).

use super::clouds::Clouds;
use super::ended::Ended;
use super::gaps::Gaps;
use super::paired::Bias;
use crate::error::Error;
use mckean_report::{ReportError, atomic_write};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// One network. `width` 0 stands for infinity: `wide` is then the error of the network itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Hash of everything that its numbers depend on, sizes and seed apart.
    pub key: String,
    /// Depth L.
    pub depth: usize,
    /// Width M.
    pub width: usize,
    /// Number of the seed.
    pub seed: usize,
    /// Gaps to the limit.
    pub limit: Gaps,
    /// Gaps to the infinitely wide network of the same depth.
    pub wide: Gaps,
    /// Of infinitely wide networks: errors of what their particles were compared with.
    #[serde(default)]
    pub error: Gaps,
    /// Of infinitely wide networks: gaps to the limit with the same particles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<Bias>,
    /// Particles and clouds against those that the limit drives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clouds: Option<Clouds>,
    /// Risk at every training time.
    #[serde(default)]
    pub risk: Vec<f64>,
    /// How its flow ended, if early: there are no gaps then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// Its name.
const FILE: &str = "cells.jsonl";

/// The file.
pub struct Log {
    path: PathBuf,
    file: Mutex<File>,
    others: Vec<Entry>,
}

impl Log {
    /// Opens or creates the file; returns what is there under `key`. A torn last line is cut off, damaged lines are left out.
    ///
    /// # Errors
    /// No permission, a full disk.
    pub fn open(folder: &Path, key: &str) -> Result<(Log, Vec<Entry>), Error> {
        let path = folder.join(FILE);
        let failed = |source| Error::from(ReportError::io("open", &folder.join(FILE), source));
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        let text = std::fs::read_to_string(&path).map_err(failed)?;
        let kept = text.rfind('\n').map_or(0, |i| i + 1);
        file.set_len(kept as u64).map_err(failed)?;
        let (own, others) = entries(&text[..kept]).into_iter().partition(|e| e.key == key);
        Ok((Log { path, file: Mutex::new(file), others }, own))
    }

    /// What a folder holds under `key`, without touching it.
    ///
    /// # Errors
    /// No such file, or one that is no text.
    pub fn read(folder: &Path, key: &str) -> Result<Vec<Entry>, Error> {
        let path = folder.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|e| ReportError::io("read", &path, e))?;
        let mut all = entries(&text[..text.rfind('\n').map_or(0, |i| i + 1)]);
        all.retain(|e| e.key == key);
        Ok(all)
    }

    /// Adds one network.
    ///
    /// # Errors
    /// A full disk.
    pub fn append(&self, entry: &Entry) -> Result<(), Error> {
        let line = serde_json::to_string(entry).unwrap_or_default() + "\n";
        let mut file = self.file.lock().unwrap_or_else(|e| e.into_inner());
        let written = file.write_all(line.as_bytes()).and_then(|()| file.sync_data());
        Ok(written.map_err(|source| ReportError::io("write", &self.path, source))?)
    }

    /// Writes all entries in order of key, depth, width and seed: the same bytes however often the computation was interrupted. Returns
    /// `own`, in order.
    ///
    /// # Errors
    /// A full disk.
    pub fn settle(self, mut own: Vec<Entry>) -> Result<Vec<Entry>, Error> {
        drop(self.file);
        own.sort_by(|a, b| order(a).cmp(&order(b)));
        let mut all = [&own[..], &self.others[..]].concat();
        all.sort_by(|a, b| order(a).cmp(&order(b)));
        let text: String = all.iter().map(|e| serde_json::to_string(e).unwrap_or_default() + "\n").collect();
        atomic_write(&self.path, text.as_bytes())?;
        Ok(own)
    }
}

fn order(e: &Entry) -> (&str, usize, usize, usize) {
    (&e.key, e.depth, e.width, e.seed)
}

fn entries(text: &str) -> Vec<Entry> {
    let mut all: Vec<Entry> = text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect();
    all.sort_by(|a, b| order(a).cmp(&order(b)));
    all.dedup_by(|a, b| order(a) == order(b));
    all
}
