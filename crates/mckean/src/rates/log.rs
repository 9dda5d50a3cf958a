//! Finished networks, one line each, appended as they finish: a killed computation goes on from them.
//!
//! Maths: none.
//! Shapes: `cells.jsonl`, see `docs/formats.md`.
//! Cost: one write and one flush to disk a network.
//! Checked: `tests/rates.rs` (torn lines, foreign keys, same bytes after a resume).

use super::gaps::Gaps;
use crate::error::Error;
use mckean_report::{ReportError, atomic_write};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// One network. `width` 0 stands for infinity: `limit` is then the bias of depth and `wide` the error of the network itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
}

/// The file.
pub struct Log {
    path: PathBuf,
    file: Mutex<File>,
}

impl Log {
    /// Opens or creates the file; returns what is there under `key`. A torn last line is cut off, other keys and damaged lines are left out.
    ///
    /// # Errors
    /// No permission, a full disk.
    pub fn open(folder: &Path, key: &str) -> Result<(Log, Vec<Entry>), Error> {
        let path = folder.join("cells.jsonl");
        let failed = |source| Error::from(ReportError::io("open", &path, source));
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        let text = std::fs::read_to_string(&path).map_err(failed)?;
        let kept = text.rfind('\n').map_or(0, |i| i + 1);
        file.set_len(kept as u64).map_err(failed)?;
        Ok((Log { path: path.clone(), file: Mutex::new(file) }, entries(&text[..kept], key)))
    }

    /// What a folder holds under `key`, without touching it.
    pub fn read(folder: &Path, key: &str) -> Vec<Entry> {
        let text = std::fs::read_to_string(folder.join("cells.jsonl")).unwrap_or_default();
        entries(&text[..text.rfind('\n').map_or(0, |i| i + 1)], key)
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

    /// Writes all entries in order of depth, width and seed: the same bytes however often the computation was interrupted.
    ///
    /// # Errors
    /// A full disk.
    pub fn settle(self, mut all: Vec<Entry>) -> Result<Vec<Entry>, Error> {
        drop(self.file);
        all.sort_by_key(|e| (e.depth, e.width, e.seed));
        let text: String = all.iter().map(|e| serde_json::to_string(e).unwrap_or_default() + "\n").collect();
        atomic_write(&self.path, text.as_bytes())?;
        Ok(all)
    }
}

fn entries(text: &str, key: &str) -> Vec<Entry> {
    let mut all: Vec<Entry> = text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect();
    all.retain(|e| e.key == key);
    all.sort_by_key(|e| (e.depth, e.width, e.seed));
    all.dedup_by_key(|e| (e.depth, e.width, e.seed));
    all
}
