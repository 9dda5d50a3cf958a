//! The engine: a Transformer's risk and its exact derivatives. Has no notion of training time.
//!
//! Maths: Gao et al. 2024, eqs 2.1-2.8; adjoint interleaved sublayer by sublayer; kernels of Song et al. 2024.
//! Shapes: flat parameter vectors outside, lanes over samples inside (a register holds one number of 8 or 16 samples).
//! Cost: see `Network::multiply_adds`; the gradient costs about 3.5 forward passes.
//! Checked: `tests/` of this crate: differences, inner products, a plain reference, dual numbers, threads.

pub mod encoder;
pub mod job;
pub mod kernel;
pub mod network;
pub mod noise;
pub mod pass;
pub mod plan;
pub mod reference;
pub mod risk;
pub mod trace;

pub use job::Sums;
pub use network::{DataShape, Network};
pub use plan::{LaneAxis, Plan};
pub use risk::{Batch, Risk};
pub use trace::{Cloud, Maps, Trace};
