//! Metrics: one JSON object per observation while a run goes on, one Parquet file when it has ended.
//!
//! Maths: none.
//! Shapes: `append` takes key-value pairs; [`Table`] has one column per key, as long as there are observations.
//! Cost: one `write` call per observation; reading is linear in the file.
//! Checked: `tests/metrics.rs` (torn line, truncation, resume, non-finite numbers, Parquet round trip).

mod log;
mod parquet;
mod table;

pub use log::{MetricsLog, Value};
pub use parquet::{compact, read_parquet};
pub use table::{Column, Kind, Table, read};
