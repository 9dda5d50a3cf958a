//! The run directory: one folder per run, created whole, opened only when it is one of ours.
//!
//! Maths: none.
//! Shapes: config.toml, resolved.toml, manifest.json, metrics.jsonl, metrics.parquet, arrays/, checkpoints/, analysis/,
//! report.html, and `.lock` while a process writes.
//! Cost: creation is a handful of `fsync` calls.
//! Checked: `tests/run_dir.rs` (creation, every refusal, locks, killed processes).

mod atomic;
mod clock;
mod lock;
mod manifest;

pub use atomic::atomic_write;
pub(crate) use atomic::atomic_write_with;
pub use clock::{now, rfc3339};
pub use lock::Lock;
pub use manifest::{Count, Manifest, RunOutcome, config_hash};

use crate::error::{ReportError, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Folders inside a run directory.
pub(crate) const FOLDERS: [&str; 3] = ["arrays", "checkpoints", "analysis"];

/// The folder of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
    fresh: bool,
}

impl RunDir {
    /// Creates the folder (parents too) with its configuration and manifest. A missing or empty folder becomes a run
    /// directory; one that already holds a run of the same resolved configuration is opened with its files untouched
    /// (see [`RunDir::is_fresh`]).
    ///
    /// # Errors
    /// Another resolved configuration there; a foreign or half-written folder; no permission; a full disk. Nothing
    /// half-written stays behind.
    pub fn create(
        path: impl AsRef<Path>,
        config_toml: &str,
        resolved_toml: &str,
        manifest: &Manifest,
    ) -> Result<RunDir> {
        let path = path.as_ref();
        let files = [("config.toml", config_toml), ("resolved.toml", resolved_toml)];
        match entries(path)? {
            Some(names) if names.is_empty() => populate(path, &files, manifest)?,
            Some(_) => return Self::open(path).map_err(to_write)?.same_config(resolved_toml, manifest),
            None => create_whole(path, &files, manifest)?,
        }
        Ok(RunDir { path: path.to_path_buf(), fresh: true })
    }

    /// Opens an existing run.
    ///
    /// # Errors
    /// Says whether the folder is missing, foreign or half-written, or its manifest unreadable.
    pub fn open(path: impl AsRef<Path>) -> Result<RunDir> {
        let path = path.as_ref().to_path_buf();
        if path.is_file() {
            return Err(ReportError::NotAFolder { path });
        }
        let names = entries(&path)?.unwrap_or_default();
        let has = |name: &str| names.iter().any(|there| there == name);
        match (has("manifest.json"), has("resolved.toml"), has("config.toml")) {
            _ if names.is_empty() => Err(ReportError::NoRun { path }),
            (false, false, false) => Err(foreign(path, &names)),
            (false, ..) => Err(ReportError::HalfWritten { path, missing: "manifest.json" }),
            (true, false, _) => {
                read_manifest(&path)?; // a manifest of something else is the better explanation
                Err(ReportError::HalfWritten { path, missing: "resolved.toml" })
            }
            _ => read_manifest(&path).map(|_| RunDir { path, fresh: false }),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether [`RunDir::create`] made this directory just now; false when a run was already there.
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// The resolved configuration, as TOML.
    ///
    /// # Errors
    /// The file cannot be read, or is empty.
    pub fn resolved(&self) -> Result<String> {
        self.text("resolved.toml")
    }

    /// The text of a file that every run of its kind has.
    ///
    /// # Errors
    /// The file is missing, no text, or empty.
    pub fn text(&self, name: &str) -> Result<String> {
        let path = self.path.join(name);
        let text = read_text(&path)?;
        if text.trim().is_empty() { Err(ReportError::damaged(path, "it is empty")) } else { Ok(text) }
    }

    /// The configuration as the user wrote it, as TOML.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn config(&self) -> Result<String> {
        read_text(&self.path.join("config.toml"))
    }

    /// The manifest as last written.
    ///
    /// # Errors
    /// The file cannot be read or is not a manifest.
    pub fn manifest(&self) -> Result<Manifest> {
        read_manifest(&self.path)
    }

    /// Replaces the manifest in one step.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<()> {
        write_manifest(&self.path, manifest)
    }

    /// The right to write in this directory, until dropped. A holder that died, by `kill -9` too, is taken over.
    ///
    /// # Errors
    /// Another live process (or another part of this one) holds it.
    pub fn lock(&self) -> Result<Lock> {
        let lock = Lock::take(&self.path)?;
        self.remove_temporaries();
        Ok(lock)
    }

    /// Removes temporary files that a killed process left; nobody else writes while we hold the lock.
    fn remove_temporaries(&self) {
        let folders = FOLDERS.iter().map(|name| self.path.join(name)).chain([self.path.clone()]);
        for entry in folders.filter_map(|f| fs::read_dir(f).ok()).flatten().flatten() {
            if is_temporary(&entry.file_name().to_string_lossy()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// `metrics.jsonl`, one observation a line.
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// `metrics.parquet`, made when the run ends.
    pub fn metrics_parquet(&self) -> PathBuf {
        self.path.join("metrics.parquet")
    }

    /// `arrays/NAME.safetensors`.
    pub fn array(&self, name: &str) -> PathBuf {
        self.path.join("arrays").join(format!("{name}.safetensors"))
    }

    /// `checkpoints/NAME.safetensors`.
    pub fn checkpoint(&self, name: &str) -> PathBuf {
        self.path.join("checkpoints").join(format!("{name}.safetensors"))
    }

    /// `analysis/NAME.json`.
    pub fn analysis(&self, name: &str) -> PathBuf {
        self.path.join("analysis").join(format!("{name}.json"))
    }

    /// `report.html`.
    pub fn report(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// All checkpoints, by file name in ascending order (write step numbers with leading zeros).
    ///
    /// # Errors
    /// The folder cannot be listed; a missing one counts as empty.
    pub fn checkpoints(&self) -> Result<Vec<PathBuf>> {
        let folder = self.path.join("checkpoints");
        let mut names = entries(&folder)?.unwrap_or_default();
        names.retain(|name| name.ends_with(".safetensors"));
        Ok(names.iter().map(|name| folder.join(name)).collect())
    }

    /// This directory again, if its resolved configuration is the one asked for.
    fn same_config(self, resolved_toml: &str, manifest: &Manifest) -> Result<RunDir> {
        if self.resolved()? == resolved_toml {
            return Ok(self);
        }
        let (there, here) = (self.manifest()?.config_hash, manifest.config_hash.clone());
        Err(ReportError::OtherConfig { path: self.path, there, here })
    }
}

/// Whether a file is one of ours that was never renamed into place.
fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(".tmp")
}

/// Names in a folder, sorted, without our own temporaries; `None` when there is no folder.
fn entries(folder: &Path) -> Result<Option<Vec<String>>> {
    let failed = |source| ReportError::io("read", folder, source);
    let listing = match fs::read_dir(folder) {
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        listing => listing.map_err(failed)?,
    };
    let mut names = Vec::new();
    for entry in listing {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.retain(|name| !is_temporary(name));
    names.sort();
    Ok(Some(names))
}

/// Builds the directory under a temporary name beside its place, then renames it: a crash leaves no half.
fn create_whole(path: &Path, files: &[(&str, &str)], manifest: &Manifest) -> Result<()> {
    let failed = |source| ReportError::io("create", path, source);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let staged = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    fs::create_dir_all(&staged).map_err(failed)?;
    let done = populate(&staged, files, manifest).and_then(|()| fs::rename(&staged, path).map_err(failed));
    if done.is_err() {
        let _ = fs::remove_dir_all(&staged);
    }
    done
}

/// Fills an empty folder; the manifest comes last, so a folder with a manifest is complete. Undone on error.
fn populate(folder: &Path, files: &[(&str, &str)], manifest: &Manifest) -> Result<()> {
    let done = fill(folder, files, manifest);
    if done.is_err() {
        FOLDERS.iter().for_each(|name| drop(fs::remove_dir(folder.join(name))));
        files.iter().for_each(|(name, _)| drop(fs::remove_file(folder.join(name))));
    }
    done
}

fn fill(folder: &Path, files: &[(&str, &str)], manifest: &Manifest) -> Result<()> {
    for name in FOLDERS {
        fs::create_dir(folder.join(name)).map_err(|source| ReportError::io("create", folder, source))?;
    }
    for (name, text) in files {
        atomic_write(folder.join(name), text.as_bytes())?;
    }
    write_manifest(folder, manifest)
}

fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<()> {
    let path = folder.join("manifest.json");
    let json = serde_json::to_string_pretty(manifest)
        .map_err(|error| ReportError::BadManifest { path: path.clone(), reason: error.to_string() })?;
    atomic_write(&path, format!("{json}\n").as_bytes())
}

fn read_manifest(folder: &Path) -> Result<Manifest> {
    let path = folder.join("manifest.json");
    serde_json::from_str(&read_text(&path)?)
        .map_err(|error| ReportError::BadManifest { path, reason: error.to_string() })
}

fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|source| ReportError::io("read", path, source))
}

/// The same refusal for one who wanted to write there.
fn to_write(error: ReportError) -> ReportError {
    match error {
        ReportError::Foreign { path, found, .. } => {
            ReportError::Foreign { path, found, remedy: "It is left untouched: choose another --out." }
        }
        other => other,
    }
}

fn foreign(path: PathBuf, names: &[String]) -> ReportError {
    let more = if names.len() > 3 { ", ..." } else { "" };
    let found = names.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", ") + more;
    ReportError::Foreign {
        path,
        found,
        remedy: "Give the folder that `mckean run` printed, the one with manifest.json in it.",
    }
}
