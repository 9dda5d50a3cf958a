//! What a config names by files: a fingerprint of the numbers, so that a directory made of other ones is not taken for its own.
//!
//! Maths: none.
//! Shapes: sixteen hexadecimal digits, kept in the manifest.
//! Cost: one pass over inputs, targets and given particles.
//! Checked: `tests/content.rs`.

use crate::error::Error;
use mckean_data::Dataset;
use mckean_model::InitConfig;
use mckean_num::rng::mix64;
use mckean_report::RunDir;

/// Fingerprint of samples and given particles.
pub fn fingerprint(train: &Dataset, test: Option<&Dataset>, init: &InitConfig) -> String {
    let mut hash = 1u64;
    let mut see = |x: &f64| hash = mix64(hash ^ mix64(x.to_bits().wrapping_add(hash)));
    for data in [Some(train), test].into_iter().flatten() {
        data.inputs.iter().for_each(&mut see);
        data.one_hot_values().iter().for_each(&mut see);
    }
    init.read.iter().flat_map(|rows| rows.iter().flatten()).for_each(&mut see);
    format!("{hash:016x}")
}

/// Refuses a directory whose manifest has another fingerprint; older ones have none.
///
/// # Errors
/// Other numbers; a manifest that cannot be read.
pub fn check(dir: &RunDir, content: &str) -> Result<(), Error> {
    let before = dir.manifest()?.content;
    if before.is_empty() || before == content { Ok(()) } else { Err(Error::OtherContent { path: dir.path().into() }) }
}
