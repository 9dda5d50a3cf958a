//! The kinds of measurement a claim can ask for.
//!
//! Maths: see each module.
//! Shapes: a name in a claim's file to a function (registry: one line each).
//! Cost: none of its own.
//! Checked: `tests/claims.rs`.

use super::{
    Context, Found, adjoint, assumptions, chaos, continuity, dissipation, failure, field, growth, infimum, lambda,
    landscape, moment, path, rate, sampled, variation, velocity, width,
};
use crate::error::Error;

/// Measures a claim.
pub type Kind = fn(&Context<'_>) -> Result<Found, Error>;

const KINDS: &[(&str, Kind)] = &[
    ("velocity", velocity::measure),
    ("variation", variation::measure),
    ("dissipation", dissipation::measure),
    ("moment", moment::measure),
    ("lambda", lambda::measure),
    ("adjoint", adjoint::measure),
    ("assumptions", assumptions::measure),
    ("width", width::measure),
    ("sampled_moment", sampled::measure),
    ("rate_width", rate::width),
    ("rate_depth", rate::depth),
    ("chaos", chaos::width),
    ("chaos_depth", chaos::depth),
    ("path", path::measure),
    ("field", field::measure),
    ("continuity", continuity::measure),
    ("failure", failure::measure),
    ("growth", growth::measure),
    ("landscape", landscape::measure),
    ("infimum", infimum::measure),
];

/// The kind of this name.
///
/// # Errors
/// A sentence with the nearest known name.
pub fn find(name: &str) -> Result<Kind, String> {
    if let Some((_, kind)) = KINDS.iter().find(|(n, _)| *n == name) {
        return Ok(*kind);
    }
    let nearest = KINDS.iter().map(|k| k.0).min_by_key(|k| strsim::damerau_levenshtein(k, name)).unwrap_or_default();
    let known = KINDS.iter().map(|k| k.0).collect::<Vec<_>>().join(", ");
    Err(format!("kind = \"{name}\" is not known; did you mean \"{nearest}\"? Known: {known}"))
}
