//! Generated tasks, one file each, with what is known about their optimum.
//!
//! Maths: Gao et al. 2024, sections 2.1 (in-context layout) and 2.2 (the Transformer that serves as a teacher).
//! Shapes: see each task.
//! Cost: sample i depends on (seed, split, i) alone, so a longer data set begins with the shorter one.
//! Checked: unit tests per task, `tests/tasks.rs`.

pub mod in_context;
pub mod teacher;
pub mod teacher_student;

use crate::error::bad_value;
use crate::{DataConfig, DataError, Dataset, Split};

/// Training samples of a generated task when `data.train` is 0.
pub const DEFAULT_TRAIN: usize = 256;

/// Both parts of a generated task; `part(samples, split)` draws split 0 (train) or 1 (test).
fn split(config: &DataConfig, part: impl Fn(usize, u64) -> Result<Dataset, DataError>) -> Result<Split, DataError> {
    config.refuse_pixels()?;
    if config.standardise {
        let problem = format!("is for data from files; \"{}\" fixes the scale of its inputs", config.name);
        return Err(bad_value("standardise", true, problem, "Leave it out."));
    }
    let train = if config.train == 0 { DEFAULT_TRAIN } else { config.train };
    let test = (config.test > 0).then(|| part(config.test, 1)).transpose()?;
    Ok(Split { train: part(train, 0)?, test })
}

/// Refuses a size outside 1..=4096 (so that products of sizes stay countable).
fn check_size(key: &'static str, value: usize) -> Result<(), DataError> {
    match value {
        1..=4096 => Ok(()),
        _ => Err(bad_value(key, value, "is outside 1 to 4096", "Choose a number in this range.")),
    }
}

/// Refuses a scale that is negative or not finite.
fn check_scale(key: &'static str, value: f64) -> Result<(), DataError> {
    match value.is_finite() && value >= 0.0 {
        true => Ok(()),
        false => Err(bad_value(key, value, "is not a finite number from 0", "Choose 0 or a positive number.")),
    }
}
