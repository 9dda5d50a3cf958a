//! Every way in which a request can be refused, one short paragraph each.
//!
//! Maths: none.
//! Shapes: none.
//! Cost: none.
//! Checked: `tests/bad_input.rs`.

use std::path::{Path, PathBuf};

/// An error a user can act on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The config file cannot be read.
    #[error("cannot read the config {path}: {problem}. `mckean new` prints one to start from.")]
    ReadConfig {
        /// File.
        path: PathBuf,
        /// What the system says.
        problem: String,
    },
    /// The config is not TOML, or a value has the wrong type.
    #[error("{source_name}: {problem}")]
    Syntax {
        /// File or "--set".
        source_name: String,
        /// What is wrong and where.
        problem: String,
    },
    /// A key nobody knows.
    #[error("{source_name}: unknown key \"{key}\"; did you mean \"{nearest}\"? docs/config.md lists every key.")]
    UnknownKey {
        /// File or "--set".
        source_name: String,
        /// Key as written.
        key: String,
        /// Nearest known key.
        nearest: String,
    },
    /// A value outside its range.
    #[error("{key} = {value}: {problem}")]
    Value {
        /// Full key.
        key: String,
        /// Value as written.
        value: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The files that a config names hold other numbers than when the directory was made.
    #[error(
        "{path} was made of other numbers in its data or particle files, which have changed since. Delete the folder, or choose another --out."
    )]
    OtherContent {
        /// Run directory.
        path: PathBuf,
    },
    /// The run directory holds an unfinished run.
    #[error(
        "{path} holds an unfinished run of this config. Continue it with --resume, or delete the folder to start again."
    )]
    Unfinished {
        /// Run directory.
        path: PathBuf,
    },
    /// Certificates of a run that has not ended.
    #[error(
        "{path} holds an unfinished run: certificates are for the end of a run. Continue it with `mckean run --resume`."
    )]
    NotFinished {
        /// Run directory.
        path: PathBuf,
    },
    /// Certificates of a run that left the finite numbers.
    #[error("the run in {path} ended as \"{outcome}\" with parameters that are not finite: nothing can be certified.")]
    NotFinite {
        /// Run directory.
        path: PathBuf,
        /// How it ended.
        outcome: String,
    },
    /// Analysis.
    #[error(transparent)]
    Analysis(#[from] mckean_analysis::AnalysisError),
    /// A network whose flow ended early where a gap was asked for.
    #[error(transparent)]
    Ended(#[from] crate::rates::Ended),
    /// The limit that networks would be compared with is not there at their last training time.
    #[error(
        "the limit itself ends as \"{outcome}\" at tau = {tau}, so that there is nothing to compare networks with; its page is {}. Shorten \
         dynamics.until (or limit.taus), or lower init.scale or data.token_scale.", page.display()
    )]
    LimitEnded {
        /// How its flow ended.
        outcome: String,
        /// When.
        tau: f64,
        /// Its page.
        page: PathBuf,
    },
    /// One cell of a sweep is wrong.
    #[error("cell {label} of the sweep: {problem}")]
    Cell {
        /// Its grid values.
        label: String,
        /// What is wrong with it.
        problem: Box<Error>,
    },
    /// A cell of a sweep that has no finished run.
    #[error("not run to its end yet; `mckean sweep` with the same config goes on")]
    NotRun,
    /// Data.
    #[error(transparent)]
    Data(#[from] mckean_data::DataError),
    /// Model.
    #[error(transparent)]
    Model(#[from] mckean_model::ModelError),
    /// Dynamics.
    #[error(transparent)]
    Dynamics(#[from] mckean_dynamics::DynamicsError),
    /// The mean-field limit.
    #[error(transparent)]
    Limit(#[from] mckean_dynamics::LimitError),
    /// Run directory and report.
    #[error(transparent)]
    Report(#[from] mckean_report::ReportError),
}

impl Error {
    /// A config or claim that cannot be read as text.
    pub(crate) fn unreadable(path: &Path, e: &std::io::Error) -> Error {
        let problem = match e.kind() {
            std::io::ErrorKind::InvalidData => "it is no text file (TOML in UTF-8 is needed)".into(),
            _ => e.to_string(),
        };
        Error::ReadConfig { path: path.into(), problem }
    }
}
