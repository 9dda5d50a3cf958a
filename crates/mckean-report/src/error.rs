//! Everything that can go wrong with the files of a run, in one enum, each with its remedy.
//!
//! Maths: none.
//! Shapes: messages about tensors name the tensor and both shapes.
//! Cost: built only on failure.
//! Checked: the refusals in `tests/run_dir.rs`; each reader's own tests.

use crate::run_dir::FOLDERS;
use std::io;
use std::path::{Path, PathBuf};

/// The result of every fallible call of this crate.
pub type Result<T> = std::result::Result<T, ReportError>;

/// A failure of the boundary between a run and its files; every message names the file and says what to try.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The folder or the file system refuses writing.
    #[error(
        "{path}: no permission to write here ({source}). Choose a folder of your own with --out, or change its permissions."
    )]
    NotWritable {
        /// The file or folder that could not be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A parent of the path is a regular file.
    #[error("{path}: cannot be created, because a part of this path is a file and not a folder. Choose another --out.")]
    BlockedByFile {
        /// The path asked for.
        path: PathBuf,
    },
    /// No space is left.
    #[error(
        "{path}: the disk (or your quota on it) is full. Nothing half-written was left; free some space, then continue the run with --resume."
    )]
    DiskFull {
        /// The file being written.
        path: PathBuf,
    },
    /// Any other failure of the operating system.
    #[error("{path}: could not {doing}: {source}. Check that the path is right and its disk is attached.")]
    Io {
        /// The verb that failed, such as "read".
        doing: &'static str,
        /// The file or folder concerned.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder holds something, but no run.
    #[error("{path}: not a run directory; it has no manifest.json but holds {found}. {remedy}")]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// The first few names in it.
        found: String,
        /// What to do, which depends on whether one wanted to read or to write.
        remedy: &'static str,
    },
    /// The folder is part of a run directory; its creation was cut short.
    #[error(
        "{path}: a half-written run directory; {missing} is missing. It is not repaired: delete the folder and run again."
    )]
    HalfWritten {
        /// The folder.
        path: PathBuf,
        /// The file that should be there.
        missing: &'static str,
    },
    /// A file where a run directory is wanted.
    #[error(
        "{path}: a file, not a run directory. Give the folder that `mckean run` printed, the one with manifest.json in it."
    )]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// There is no such folder.
    #[error(
        "{path}: no run directory here (the folder does not exist or is empty). Give the folder that `mckean run` printed, the one with manifest.json in it."
    )]
    NoRun {
        /// The path asked for.
        path: PathBuf,
    },
    /// The run there has another configuration.
    #[error(
        "{path}: already holds a run of another configuration (there {there}, here {here}). Use another --out, or delete that folder if it is not needed."
    )]
    OtherConfig {
        /// The folder.
        path: PathBuf,
        /// Hash of the configuration in the folder.
        there: String,
        /// Hash of the configuration asked for.
        here: String,
    },
    /// Another live process works in the directory.
    #[error(
        "{path}: in use by another process ({holder}). Wait for it to end, stop it, or use another --out; two processes must not write one run."
    )]
    Locked {
        /// The run directory.
        path: PathBuf,
        /// Who holds it, as "pid 12 on host h".
        holder: String,
    },
    /// A file of a run directory is missing, empty, no text, or not what its name says.
    #[error("{path} {what}. {}.", again(path))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, after its name: "is damaged: it is no text".
        what: String,
    },
    /// `manifest.json`, or a record in `analysis/`, cannot be understood.
    #[error("{path} {}.", misread(path, reason))]
    BadManifest {
        /// The manifest or record.
        path: PathBuf,
        /// What the parser met.
        reason: String,
    },
    /// A line of the metrics is not an observation.
    #[error(
        "{path}, line {line}: not an observation ({reason}). Only a torn last line is forgiven; delete this line, or restore the file from a copy."
    )]
    BadMetrics {
        /// The metrics file.
        path: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// What was found.
        reason: String,
    },
    /// One observation names a key twice.
    #[error("{path}: the observation names the key `{key}` twice. Give every observer its own prefix.")]
    DuplicateKey {
        /// The metrics file.
        path: PathBuf,
        /// The key.
        key: String,
    },
    /// The metrics cannot be cut at the position a checkpoint recorded.
    #[error(
        "{path}: cannot continue at byte {position} ({reason}; the file has {length} bytes). The checkpoint and the metrics are not of one run: resume from an older checkpoint, or start the run anew."
    )]
    BadPosition {
        /// The metrics file.
        path: PathBuf,
        /// The byte position recorded in the checkpoint.
        position: u64,
        /// The bytes there are.
        length: u64,
        /// Why it does not fit.
        reason: &'static str,
    },
    /// The Parquet file cannot be written or read.
    #[error("{path}: {reason}. The file is made from metrics.jsonl: delete it and compact again.")]
    BadParquet {
        /// The Parquet file.
        path: PathBuf,
        /// What the library said.
        reason: String,
    },
    /// The tensor file as a whole cannot be written or read.
    #[error("{path} is damaged: it is no tensor file ({reason}). {}.", again(path))]
    BadTensorFile {
        /// The tensor file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A tensor's name cannot be written.
    #[error("{path}: the tensor name `{name}` is {reason}. Give every tensor one name of its own.")]
    BadTensorName {
        /// The tensor file.
        path: PathBuf,
        /// The name.
        name: String,
        /// "used twice" or "reserved".
        reason: &'static str,
    },
    /// The number of values does not fill the shape.
    #[error(
        "{path}: tensor `{name}` of shape {shape:?} needs {needs} values but has {has}. Correct the shape or the data."
    )]
    TensorLength {
        /// The tensor file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Product of the shape (saturating).
        needs: usize,
        /// Values given.
        has: usize,
    },
    /// The tensor is there with another shape or type than the model asks for.
    #[error(
        "{path}: tensor `{name}` is {found} but the model asks for {expected}. The checkpoint belongs to another configuration: compare the two resolved.toml files."
    )]
    TensorMismatch {
        /// The tensor file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Type and shape in the file.
        found: String,
        /// Type or shape asked for.
        expected: String,
    },
    /// The tensor is not in the file.
    #[error(
        "{path}: holds no tensor `{name}`; it holds {available}. The file belongs to another configuration or version."
    )]
    NoTensor {
        /// The tensor file.
        path: PathBuf,
        /// The name asked for.
        name: String,
        /// The names there are.
        available: String,
    },
}

impl ReportError {
    /// Sorts an operating-system failure into the variant with the right remedy.
    pub fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem if doing != "read" => {
                Self::NotWritable { path, source }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            io::ErrorKind::NotADirectory => Self::BlockedByFile { path },
            io::ErrorKind::InvalidData => Self::damaged(path, NO_TEXT),
            io::ErrorKind::NotFound if doing == "read" => Self::Damaged { path, what: "is missing".into() },
            _ => Self::Io { doing, path, source },
        }
    }

    /// A file that is there and holds something else than it should: "it is empty".
    pub fn damaged(path: impl Into<PathBuf>, why: &str) -> Self {
        Self::Damaged { path: path.into(), what: format!("is damaged: {why}") }
    }
}

/// What is wrong with bytes that are no UTF-8.
pub(crate) const NO_TEXT: &str = "it is no text";

/// The remedy for a file of a run directory that is of no use.
fn again(path: &Path) -> String {
    let own = |d: &&Path| !FOLDERS.iter().any(|name| d.ends_with(name));
    match path.ancestors().skip(1).find(own).filter(|d| !d.as_os_str().is_empty()) {
        Some(dir) => format!("Delete {} and run the command again", dir.display()),
        None => "Delete its folder and run the command again".into(),
    }
}

/// What is wrong with a JSON file that could not be understood, and what to do; the parser says "EOF ..." of an empty one. The folder of a
/// manifest that is not ours may be somebody else's: it is not to be deleted.
fn misread(path: &Path, reason: &str) -> String {
    let again = again(path);
    match (path.file_name().is_some_and(|n| n == "manifest.json"), reason.starts_with("EOF")) {
        (_, true) => format!("is damaged: it is empty or cut off ({reason}). {again}"),
        (true, _) => format!(
            "is not a manifest of this program ({reason}). Restore the file from a copy, or start the run anew in another --out"
        ),
        _ => format!("is damaged: it is not what this program writes there ({reason}). {again}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_files_name_themselves_and_the_folder_to_delete() {
        let io = |kind: io::ErrorKind| ReportError::io("read", Path::new("runs/a/analysis/limit.json"), kind.into());
        let text = io(io::ErrorKind::InvalidData).to_string();
        assert_eq!(
            text,
            "runs/a/analysis/limit.json is damaged: it is no text. Delete runs/a and run the command again."
        );
        assert!(io(io::ErrorKind::NotFound).to_string().contains("limit.json is missing. Delete runs/a and"));
        let bad = |name: &str| ReportError::BadManifest { path: name.into(), reason: "missing field `risk`".into() };
        assert!(!bad("runs/a/analysis/limit.json").to_string().contains("manifest"));
        assert!(bad("runs/a/manifest.json").to_string().contains("not a manifest of this program"));
        let empty = serde_json::from_str::<u8>("").unwrap_err().to_string();
        let empty = ReportError::BadManifest { path: "a/manifest.json".into(), reason: empty }.to_string();
        assert!(empty.contains("is damaged: it is empty"), "{empty}");
    }
}
