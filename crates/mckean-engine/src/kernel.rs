//! Element-wise and per-token kernels, forward and VJP side by side.
//!
//! Maths: activations, biases, layer normalisation, embeddings, read-outs, losses.
//! Shapes: lanes over samples; see each module.
//! Cost: linear in the states.
//! Checked: `tests/derivatives.rs`.

pub mod activation;
pub mod bias;
pub mod embedding;
pub mod loss;
pub mod norm;
pub mod readout;
pub mod tokens;
