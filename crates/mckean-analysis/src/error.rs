//! Why a question cannot be answered from the data at hand.
//!
//! Maths: none.
//! Shapes: none.
//! Cost: none.
//! Checked: tests of the modules that refuse.

/// A refusal a user can act on.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// Too few or unusable numbers.
    #[error("{what} needs {needed}, but there are {found}")]
    Data {
        /// What was asked.
        what: &'static str,
        /// What it needs.
        needed: String,
        /// What there is.
        found: String,
    },
    /// The error of the reference is as large as what is measured against it.
    #[error(
        "the error of the reference ({reference:.2e}) is {share:.0} % of the measured gap {gap:.2e} at {cell}: refine the reference"
    )]
    Reference {
        /// Error of the reference.
        reference: f64,
        /// Measured gap.
        gap: f64,
        /// Their ratio in per cent.
        share: f64,
        /// Where.
        cell: String,
    },
    /// A quantity that this network does not have.
    #[error("not testable: {0}")]
    NotTestable(String),
    /// Model.
    #[error(transparent)]
    Model(#[from] mckean_model::ModelError),
}

impl AnalysisError {
    /// Data that do not suffice.
    pub fn data(what: &'static str, needed: impl ToString, found: impl ToString) -> Self {
        AnalysisError::Data { what, needed: needed.to_string(), found: found.to_string() }
    }
}
