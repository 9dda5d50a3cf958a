//! Everything that can go wrong with the files of a run, in one enum, each with its remedy.
//!
//! Maths: none.
//! Shapes: messages about tensors name the tensor and both shapes.
//! Cost: built only on failure.
//! Checked: the refusals in `tests/run_dir.rs`; each reader's own tests.

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
    /// `manifest.json` cannot be understood.
    #[error(
        "{path}: not a manifest of this program ({reason}). Restore the file from a copy, or start the run anew in another --out."
    )]
    BadManifest {
        /// The manifest.
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
    #[error("{path}: not a readable tensor file ({reason}). Use an earlier checkpoint, or write the file again.")]
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
            _ => Self::Io { doing, path, source },
        }
    }
}
