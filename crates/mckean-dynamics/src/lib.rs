//! How parameters move: gradient flow, gradient descent and its relatives, and what is measured on the way.
//!
//! Maths: d beta / d tau = -(L/pi) grad Q (Gao et al. 2024, eqs 2.7-2.8); explicit Runge-Kutta; first-order optimisers.
//! Shapes: flat parameter vectors; plain f64 above the `Evolution` trait.
//! Cost: one gradient a stage or a step.
//! Checked: unit tests of each module, `tests/`.

pub mod config;
pub mod control;
pub mod descent;
pub mod ensemble;
pub mod evolution;
pub mod flow;
pub mod integrator;
pub mod limit;
pub mod objective;
pub mod observe;
pub mod stability;

pub use config::{DynamicsConfig, DynamicsError};
pub use ensemble::Ensemble;
pub use evolution::{Evolution, Measurement, Outcome, Saved, Work, build};
pub use limit::{Limit, LimitError};
pub use observe::{Observer, State};
