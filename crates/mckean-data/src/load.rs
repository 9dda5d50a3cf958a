//! The front door: one function from a `[data]` section to checked data.
//!
//! Maths: none.
//! Shapes: see [`crate::Dataset`].
//! Cost: that of the reader or task.
//! Checked: every test of this crate goes through it; `catalogue.rs` holds it to the list of names.

use crate::assemble::assemble;
use crate::cut::{Cut, ImageShape};
use crate::error::nearest;
use crate::raw::Raw;
use crate::{DataConfig, DataError, Split, applies, catalogue, digits, format, task};

/// Loads or generates what `config` asks for.
///
/// Errors: [`DataError`], for a key that cannot be used, a file that cannot be read or does not follow its format, and
/// numbers that are not finite.
pub fn load(config: &DataConfig) -> Result<Split, DataError> {
    if catalogue().iter().any(|entry| entry.name == config.name) {
        applies::check(config)?;
    }
    let split = match config.name.as_str() {
        "digits" => digits::read().and_then(|(train, test)| images(config, digits::SHAPE, train, Some(test)))?,
        "in_context" => task::in_context::generate(config)?,
        "teacher_student" => task::teacher_student::generate(config)?,
        "idx" => format::idx_files::read(config).and_then(|f| images(config, f.shape, f.train, f.test))?,
        "cifar10" => format::cifar::read(config).and_then(|f| images(config, f.shape, f.train, f.test))?,
        "csv" => table(config)?,
        other => return Err(unknown(other)),
    };
    split.train.check()?;
    split.test.as_ref().map_or(Ok(()), |test| test.check())?;
    Ok(split)
}

/// Images of one shape, with a test set where there is one.
pub(crate) struct ImageFiles {
    pub shape: ImageShape,
    pub train: Raw,
    pub test: Option<Raw>,
}

fn images(config: &DataConfig, shape: ImageShape, train: Raw, test: Option<Raw>) -> Result<Split, DataError> {
    assemble(config, &Cut::image(config, shape)?, &train, test.as_ref())
}

fn table(config: &DataConfig) -> Result<Split, DataError> {
    config.refuse_pixels()?;
    let (train, test) = format::table_files::read(config)?;
    let cut = Cut::rows(train.features, config.tokens.max(1))?;
    assemble(config, &cut, &train, test.as_ref())
}

fn unknown(name: &str) -> DataError {
    let names: Vec<&'static str> = catalogue().iter().map(|entry| entry.name).collect();
    let nearest = nearest(name, names.iter().copied());
    DataError::UnknownName { name: name.into(), nearest, known: names.join(", ") }
}
