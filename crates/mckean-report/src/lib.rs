//! What a run leaves behind: its directory, its numbers, its figures, its one-page report.
//!
//! Maths: none; plain data in, files out.
//! Shapes: columns and tensors carry their own lengths and shapes; nothing is inferred.
//! Cost: negligible beside training; one `fsync` per replaced file, none per observation.
//! Checked: unit tests beside the code, `tests/` for crashes, locks and odd figures.
//!
//! Three promises. A file is either the old one or the new one, never a half ([`atomic_write`]). A directory that is not
//! ours is refused, never repaired ([`RunDir`]). A report is one HTML file that needs no network ([`Page`]).

mod error;
pub mod figure;
pub mod metrics;
pub mod page;
pub mod run_dir;
pub mod tensors;

pub use error::{ReportError, Result};
pub use figure::{Axis, Colour, Figure, Mark, Orientation, Series, Style};
pub use metrics::{MetricsLog, Table, Value};
pub use page::{Block, Headline, Page, Row, Section, Status};
pub use run_dir::{Count, Lock, Manifest, RunDir, RunOutcome, atomic_write};
pub use tensors::{NamedTensor, TensorData, Tensors};
