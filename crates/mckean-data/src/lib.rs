//! Data sets, generated tasks and checked readers: everything a network is trained on comes through [`load`].
//!
//! Maths: the in-context and teacher-student tasks of Gao et al. 2024 (sections 2.1, 2.2); see `task`.
//! Shapes: inputs are `[N][n][d]`, samples of n tokens (rows) of dimension d; targets are `[N][outputs]` or N class labels.
//! Cost: one pass over the file and one over the selected samples; the digits load in about 20 ms.
//! Checked: unit tests per module, `tests/` (counts of the digits, foreign files, known optima).
//!
//! ```
//! use mckean_data::{DataConfig, load};
//! let split = load(&DataConfig { train: 100, ..DataConfig::default() })?;
//! assert_eq!((split.train.samples, split.train.tokens, split.train.dim), (100, 4, 16)); // four 4 x 4 patches
//! # Ok::<(), mckean_data::DataError>(())
//! ```

mod applies;
mod assemble;
mod catalogue;
mod config;
mod cut;
mod dataset;
mod digits;
mod error;
pub mod format;
mod load;
mod raw;
pub mod task;

pub use catalogue::{CatalogueEntry, DataKind, catalogue};
pub use config::{CsvTask, DataConfig, Layout};
pub use dataset::{Dataset, Split, Targets};
pub use error::DataError;
pub use load::load;
pub use task::teacher::{Teacher, teacher};
