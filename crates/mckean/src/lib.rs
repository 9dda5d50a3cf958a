//! mckean: a laboratory for the training dynamics of Transformers.
//!
//! Maths: Gao et al. 2024 (mean-field limit, global convergence) and Song et al. 2024 (attention kernels).
//! Shapes: configs in, run directories out; see `docs/formats.md`.
//! Cost: stated by `check`.
//! Checked: `tests/`, `verify`.

pub mod bench;
pub mod certify;
pub mod cite;
pub mod claim;
pub mod config;
pub mod content;
pub mod error;
pub mod experiment;
pub mod gap;
pub mod gap_report;
mod initial;
pub mod keys;
pub mod limit;
pub mod limit_report;
pub mod particle_law;
pub mod problem;
pub mod rates;
pub mod rates_report;
pub mod report;
pub mod reproduce;
pub mod stationary;
pub mod stationary_report;
pub mod store;
pub mod sweep;
pub mod sweep_report;
pub mod templates;
pub mod verify;

pub use config::Config;
pub use error::Error;
pub use experiment::{Progress, Summary, run};
pub use mckean_dynamics as dynamics;
pub use problem::Problem;
