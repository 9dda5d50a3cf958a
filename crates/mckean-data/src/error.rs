//! The one error of this crate: what is wrong, where, and what to do about it.
//!
//! Maths: none.
//! Shapes: none.
//! Cost: none on the good path.
//! Checked: every test of bad input in this crate reads these messages.

use std::path::{Path, PathBuf};

/// Everything that can be wrong with data or with the `[data]` section; each message is one short paragraph.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// `data.name` is not in the catalogue.
    #[error(
        "data.name = \"{name}\" is not a data set of the catalogue; did you mean \"{nearest}\"? Known names: {known}."
    )]
    UnknownName {
        /// What was asked for.
        name: String,
        /// The most similar name that exists.
        nearest: &'static str,
        /// All names, comma-separated.
        known: String,
    },
    /// A key that this data set needs is empty.
    #[error("data.{key} is empty, but data.name = \"{name}\" needs it. {remedy}")]
    MissingKey {
        /// The key in `[data]`.
        key: &'static str,
        /// The data set that needs it.
        name: String,
        /// What to write.
        remedy: String,
    },
    /// A key that the data set does not read.
    #[error(
        "data.{key} has no meaning for data.name = \"{name}\"; it belongs to {readers}. Leave it out, or choose another data.name."
    )]
    UnusedKey {
        /// The key in `[data]`.
        key: &'static str,
        /// The data set.
        name: String,
        /// Data sets that read it.
        readers: String,
    },
    /// A key has a value that cannot be used.
    #[error("data.{key} = {value} {problem}. {remedy}")]
    BadValue {
        /// The key in `[data]`.
        key: &'static str,
        /// Its value.
        value: String,
        /// Why it cannot be used.
        problem: String,
        /// What to try.
        remedy: String,
    },
    /// More samples were asked for than exist.
    #[error(
        "data.{key} = {asked} samples, but {file} has only {exist} to give. Ask for at most {exist}, or 0 for all."
    )]
    TooFewSamples {
        /// `train` or `test`.
        key: &'static str,
        /// Number asked for.
        asked: usize,
        /// Number that exist.
        exist: usize,
        /// Where they are.
        file: String,
    },
    /// The operating system refused a file or folder.
    #[error("{}: cannot be read ({source}). Check data.{key}; a relative path starts at the current folder.", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The key in `[data]` that named it.
        key: &'static str,
        /// The system's words.
        source: std::io::Error,
    },
    /// Bytes that do not follow the format.
    #[error("{file}: {problem}. {remedy}")]
    Format {
        /// The file (and the member, for an archive).
        file: String,
        /// What was found, where, and what was expected.
        problem: String,
        /// What to try.
        remedy: &'static str,
    },
    /// A cell or row of a table that cannot be used (1-based line and column).
    #[error("{file}, line {line}, column {column}: {problem}. {remedy}")]
    Cell {
        /// The file.
        file: String,
        /// Line of the file, from 1.
        line: u64,
        /// Column of the row, from 1.
        column: usize,
        /// What was found and what was expected.
        problem: String,
        /// What to try.
        remedy: String,
    },
    /// A size over the limit, refused before memory is taken.
    #[error("{what} needs {size}, over the limit of {limit}. {remedy}")]
    TooLarge {
        /// What would be this large.
        what: String,
        /// How large.
        size: String,
        /// The limit.
        limit: String,
        /// What to try.
        remedy: &'static str,
    },
    /// A data set that contradicts itself ([`crate::Dataset::check`]).
    #[error("data set \"{name}\", {place}: {problem}. Repair the data or leave this sample out.")]
    Dataset {
        /// Name of the data set.
        name: String,
        /// "sample i", or the whole.
        place: String,
        /// What is wrong.
        problem: String,
    },
}

/// A [`DataError::BadValue`].
pub(crate) fn bad_value(
    key: &'static str,
    value: impl ToString,
    problem: impl Into<String>,
    remedy: impl Into<String>,
) -> DataError {
    DataError::BadValue { key, value: value.to_string(), problem: problem.into(), remedy: remedy.into() }
}

/// A [`DataError::Format`].
pub(crate) fn bad_format(file: &str, problem: impl Into<String>, remedy: &'static str) -> DataError {
    DataError::Format { file: file.to_string(), problem: problem.into(), remedy }
}

/// A [`DataError::File`], for `map_err`.
pub(crate) fn bad_file(path: &Path, key: &'static str) -> impl FnOnce(std::io::Error) -> DataError {
    let path = path.to_path_buf();
    move |source| DataError::File { path, key, source }
}

/// The candidate most similar to `word` (Damerau-Levenshtein distance); empty if there are none.
pub(crate) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> &'a str {
    candidates.min_by_key(|c| strsim::damerau_levenshtein(word, c)).unwrap_or("")
}
