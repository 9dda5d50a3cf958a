//! The `[model]` and `[init]` sections of a configuration.
//!
//! Maths: names follow Gao et al. 2024 (depth L, width M, residual step) and Song et al. 2024 (attention kernels).
//! Shapes: plain values; sizes that depend on the data are fixed by `mckean-engine`'s `Network`.
//! Cost: none.
//! Checked: tests below and the golden configs in `examples/`.

mod check;
mod choices;
mod component;
mod error;
mod init;

pub use choices::{Activation, AttentionKernel, Embedding, Lanes, Loss, Norm, Parametrisation, Readout};
pub use component::Component;
pub use error::ModelError;
pub use init::{InitConfig, InitialLaw};

use crate::depth::DepthMethod;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[model]`: the Transformer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Number of blocks L; the depth step is 1/L.
    pub depth: usize,
    /// How blocks follow each other; all but "splitting" solve the depth ODE of the limit (mean_field without norms, biases, dropout).
    pub depth_method: DepthMethod,
    /// Attention particles (heads) per block.
    pub heads: usize,
    /// Feed-forward particles (neurons) per block.
    pub neurons: usize,
    /// Hidden units per feed-forward particle (m).
    pub hidden: usize,
    /// Attention encoder: "vw" (V Z sigma(Z^T W Z)), "qkvo" (factored), "qkv" (no output map), or "none".
    pub attention: String,
    /// Query, key and value width of a factored head; for "qkv" it must be the dimension of the states.
    pub head_dim: usize,
    /// Attention kernel.
    pub kernel: AttentionKernel,
    /// Temperature tau of the kernel; 0 picks 1 for "vw" with a dot-product kernel, sqrt(query width) otherwise.
    pub kernel_tau: f64,
    /// Each token attends to itself and earlier tokens only.
    pub causal: bool,
    /// Feed-forward encoder: "mlp" (W2 sigma(W1 Z)) or "none".
    pub feed_forward: String,
    /// Activation of the feed-forward encoder.
    pub activation: Activation,
    /// Scales with width and depth.
    pub parametrisation: Parametrisation,
    /// Branch scale of a sublayer; 0 picks 1/(2L) for mean_field and 1 for sp.
    pub residual_step: f64,
    /// Unequal weights of the heads of every block (normalised to sum 1); empty means equal.
    pub head_weights: Vec<f64>,
    /// Unequal weights of the neurons of every block (normalised to sum 1); empty means equal.
    pub neuron_weights: Vec<f64>,
    /// How raw tokens become states.
    pub embedding: Embedding,
    /// Dimension of the states when an embedding is used.
    pub embedding_dim: usize,
    /// Number of different tokens of a token embedding; 0 reads it off the training data.
    pub vocabulary: usize,
    /// Token that fills up the end of short samples (token embeddings): trailing ones are no part of a sample, are neither
    /// attended to nor averaged, and cost nothing; -1 if there is none.
    pub padding_token: i64,
    /// Add a trained vector per position.
    pub positions: bool,
    /// Put a trained token in front.
    pub class_token: bool,
    /// Normalisation.
    pub norm: Norm,
    /// Biases in attention, feed-forward and their outputs.
    pub bias: bool,
    /// Probability of dropping attention weights, hidden units and branch outputs while training.
    pub dropout: f64,
    /// What the output is.
    pub readout: Readout,
    /// 0-based row of the read-out entry; -1 is the last row.
    pub readout_row: i64,
    /// 0-based token of the read-out entry; -1 is the last token.
    pub readout_token: i64,
    /// Loss per sample.
    pub loss: Loss,
    /// What a register holds (speed and memory; results agree up to rounding).
    pub lanes: Lanes,
}

impl Default for ModelConfig {
    fn default() -> Self {
        ModelConfig {
            depth: 6,
            depth_method: DepthMethod::Splitting,
            heads: 16,
            neurons: 16,
            hidden: 1,
            attention: "vw".into(),
            head_dim: 8,
            kernel: AttentionKernel::Softmax,
            kernel_tau: 0.0,
            causal: false,
            feed_forward: "mlp".into(),
            activation: Activation::HubRelu,
            parametrisation: Parametrisation::MeanField,
            residual_step: 0.0,
            head_weights: vec![],
            neuron_weights: vec![],
            embedding: Embedding::None,
            embedding_dim: 32,
            vocabulary: 0,
            padding_token: -1,
            positions: false,
            class_token: false,
            norm: Norm::None,
            bias: false,
            dropout: 0.0,
            readout: Readout::Auto,
            readout_row: -1,
            readout_token: -1,
            loss: Loss::Squared,
            lanes: Lanes::Auto,
        }
    }
}

impl ModelConfig {
    /// Depth step 1/L.
    pub fn dt(&self) -> f64 {
        1.0 / self.depth as f64
    }

    /// Branch scale of a sublayer.
    pub fn step(&self) -> f64 {
        match self.parametrisation {
            _ if self.residual_step != 0.0 => self.residual_step,
            Parametrisation::MeanField if self.depth_method != DepthMethod::Splitting => 0.5, // the stages carry 1/L
            Parametrisation::MeanField => 0.5 * self.dt(),
            Parametrisation::Sp => 1.0,
        }
    }

    /// Slices of particles over depth: L blocks, or as many as the depth method reads.
    pub fn slices(&self) -> usize {
        self.depth_method.slices(self.depth)
    }

    /// Speed of a slice's particles of weight one: one over the slice's share of depth.
    pub fn inverse_slice_weight(&self, slice: usize) -> f64 {
        self.depth_method.inverse_weight(self.depth, slice)
    }

    /// This config with the read-out that "auto" picks for data with `outputs` outputs.
    pub fn with_readout_for(&self, outputs: usize) -> ModelConfig {
        let readout = match self.readout {
            Readout::Auto if outputs == 1 => Readout::Entry,
            Readout::Auto => Readout::Rows,
            given => given,
        };
        ModelConfig { readout, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_step_is_half_a_depth_step() {
        let m = ModelConfig { depth: 10, ..Default::default() };
        assert_eq!(m.step(), 0.05);
        assert_eq!(ModelConfig { parametrisation: Parametrisation::Sp, ..m }.step(), 1.0);
    }
}
