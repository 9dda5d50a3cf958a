//! Conclusions drawn from particles, never writing to them: fits, transport distances, certificates, checks of assumptions.
//!
//! Maths: Gao et al. 2024, section 4 and appendices; corrected and derived forms are marked where they are used.
//! Shapes: plain f64 slices, states (samples, n, D), particles as in the layout.
//! Cost: stated by each module; meant for analysis, not for every step of training.
//! Checked: unit tests of each module, `tests/failures.rs`.

pub mod assumption;
pub mod certificate;
pub mod error;
pub mod fit;
pub mod transport;
pub mod verdict;

pub use certificate::View;
pub use error::AnalysisError;
pub use verdict::{Condition, Verdict};
