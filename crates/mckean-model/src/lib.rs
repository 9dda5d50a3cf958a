//! What a model is: its configuration, the layout of its parameters, their scales and initial law. Multiplies nothing.
//!
//! Maths: Gao et al. 2024, section 2 (particles, averages, residual step); the practical Transformer is another setting.
//! Shapes: one flat parameter vector; tensors are named ranges with the particle index first.
//! Cost: linear in the number of parameters.
//! Checked: unit tests of each module.

pub mod atoms;
pub mod config;
pub mod depth;
pub mod init;
pub mod law;
pub mod layout;
pub mod parametrisation;

pub use config::{
    Activation, AttentionKernel, Component, InitConfig, InitialLaw, Loss, ModelConfig, ModelError, Parametrisation,
    Readout,
};
pub use depth::DepthMethod;
pub use law::{Law, LawAt};
pub use layout::{Layout, Role, Tensor, TensorSpec};
pub use parametrisation::ParticleWeights;
