//! Why there is no limit.
//!
//! Maths: none.
//! Shapes: none.
//! Cost: none.
//! Checked: `tests/limit.rs`.

use mckean_model::ModelError;

/// Why there is no limit.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    /// A setting outside its range.
    #[error("limit.{key} = {value}: {problem}")]
    Setting {
        /// Key below `[limit]`.
        key: &'static str,
        /// Value as written.
        value: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The solver was told to stop before it had a curve.
    #[error("the limit was stopped before it had a curve with an error bar; nothing is kept. Solve it again.")]
    Stopped,
    /// The first flows take longer than the budget.
    #[error(
        "limit.budget = {budget}: the first flows take longer than that{reached}, and without them there is no curve. Raise limit.budget (--budget of `mckean limit`), ask for \
             earlier times (limit.taus, dynamics.until), or lower init.scale or data.token_scale: fast particles make short steps."
    )]
    Budget {
        /// Seconds.
        budget: f64,
        /// How far they came.
        reached: String,
    },
    /// A model without a mean-field limit, or a law without an inverse.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// A setting that is refused.
pub(super) fn setting(key: &'static str, value: impl ToString, problem: impl ToString) -> LimitError {
    LimitError::Setting { key, value: value.to_string(), problem: problem.to_string() }
}
