//! What a run directory holds: one run, the limit, a gap to it, rates, or flows at rest.
//!
//! Maths: none.
//! Shapes: told by any file that only one kind has, so that a directory which lost one of them is not taken for another kind.
//! Cost: a few looks at the file system; of a limit its arrays are read, for they are part of its page.
//! Checked: `mckean-cli/tests/damaged.rs`.

use crate::error::Error;
use mckean_report::{RunDir, tensors};

/// Kinds of directories.
pub(super) enum Holds {
    Run,
    Limit,
    Gap,
    Rates,
    Stationary,
}

/// The kind of `dir`.
///
/// # Errors
/// Arrays of a limit that are damaged or gone.
pub(super) fn of(dir: &RunDir) -> Result<Holds, Error> {
    let has = |name: &str| dir.path().join(name).exists();
    if has(crate::gap_report::CONFIG) || dir.analysis("gap").exists() {
        return Ok(Holds::Gap);
    }
    if has(crate::rates_report::CONFIG) || has("cells.jsonl") || dir.analysis("rates").exists() {
        return Ok(Holds::Rates);
    }
    if has(crate::stationary_report::CONFIG) || has("ends.csv") || dir.analysis("stationary").exists() {
        return Ok(Holds::Stationary);
    }
    let solved = || dir.manifest().is_ok_and(|m| m.work.contains_key("particle_evaluations"));
    if dir.analysis("limit").exists() || dir.array("curves").exists() || solved() {
        for name in ["curves", "law"] {
            tensors::load(dir.array(name))?;
        }
        return Ok(Holds::Limit);
    }
    Ok(Holds::Run)
}
