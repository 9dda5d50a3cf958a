//! What can be wrong with `[model]` and `[init]`.
//!
//! Maths: none.
//! Shapes: none.
//! Cost: none.
//! Checked: tests of `config.rs` and `config/init.rs`.

/// What can be wrong with a model section; every message names the key and the remedy.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ModelError {
    /// A value outside its range, or two values that contradict each other.
    #[error("model.{key} = {value}: {problem}. {remedy}")]
    Value {
        /// Key below `[model]`.
        key: &'static str,
        /// Value as written.
        value: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// A value of `[init]` outside its range.
    #[error("init.{key} = {value}: {problem}. {remedy}")]
    Init {
        /// Key below `[init]`.
        key: &'static str,
        /// Value as written.
        value: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// A name that is in no registry.
    #[error("model.{key} = \"{value}\" is not known; did you mean \"{nearest}\"? Known: {known}")]
    Unknown {
        /// Key below `[model]`.
        key: &'static str,
        /// Name as written.
        value: String,
        /// Nearest known name.
        nearest: String,
        /// All known names.
        known: String,
    },
}

impl ModelError {
    /// A bad value.
    pub fn value(key: &'static str, value: impl ToString, problem: impl ToString, remedy: impl ToString) -> Self {
        let (value, problem, remedy) = (value.to_string(), problem.to_string(), remedy.to_string());
        ModelError::Value { key, value, problem, remedy }
    }

    /// A bad value of `[init]`.
    pub fn init(key: &'static str, value: impl ToString, problem: impl ToString, remedy: impl ToString) -> Self {
        let (value, problem, remedy) = (value.to_string(), problem.to_string(), remedy.to_string());
        ModelError::Init { key, value, problem, remedy }
    }

    /// An unknown name, with the nearest of `known`.
    pub fn unknown(key: &'static str, value: &str, known: &[&str]) -> Self {
        let distance = |k: &&&str| strsim::damerau_levenshtein(value, k);
        let nearest = known.iter().min_by_key(distance).unwrap_or(&"none").to_string();
        ModelError::Unknown { key, value: value.into(), nearest, known: known.join(", ") }
    }
}
