//! The embedded digits: 8 x 8 images of the UCI repository (E. Alpaydin and C. Kaynak, CC BY 4.0).
//!
//! Maths: none.
//! Shapes: 3823 training and 1797 test rows of 64 integers 0..=16 and a class 0..=9.
//! Cost: about 20 ms to parse.
//! Checked: `tests/digits.rs` against the published counts.

use crate::cut::ImageShape;
use crate::format::table::{self, TableOptions};
use crate::raw::{Numbers, Raw};
use crate::{DataError, Targets};

const TRAIN: &str = include_str!("../assets/optdigits.tra");
const TEST: &str = include_str!("../assets/optdigits.tes");

/// Sides of an image.
pub(crate) const SHAPE: ImageShape = ImageShape { channels: 1, height: 8, width: 8 };

/// Training and test images.
pub(crate) fn read() -> Result<(Raw, Raw), DataError> {
    Ok((raw(TRAIN, "optdigits.tra")?, raw(TEST, "optdigits.tes")?))
}

fn raw(text: &str, file: &str) -> Result<Raw, DataError> {
    let table = table::parse(text.as_bytes(), file, &TableOptions::default())?;
    let (labels, _) = table::class_labels(&table, None)?;
    let targets = Targets::Classes { labels: labels.train, classes: 10 };
    let numbers = Numbers::Floats(table.values);
    Ok(Raw { file: file.into(), features: table.features, group: table.features, full: 16.0, numbers, targets })
}
