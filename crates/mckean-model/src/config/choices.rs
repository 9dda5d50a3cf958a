//! What can be chosen by name in `[model]`.
//!
//! Maths: kernels of Song et al. 2024; parametrisation, activation and read-out of Gao et al. 2024.
//! Shapes: plain values.
//! Cost: none.
//! Checked: the golden configs in `examples/`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which function of queries and keys fills the attention matrix (tau is `kernel_tau`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttentionKernel {
    /// Row-softmax of q.k / tau.
    #[default]
    Softmax,
    /// exp(-|q - k|^2 / (2 tau)), not normalised over the row.
    Gaussian,
    /// Row-softmax of -|q - k|^2 / (2 tau).
    NormalisedGaussian,
    /// q.k / tau.
    Linear,
    /// max(q.k / tau, 0).
    Relu,
}

impl AttentionKernel {
    /// Whether the kernel sees queries and keys through their distance.
    pub fn is_distance(self) -> bool {
        matches!(self, Self::Gaussian | Self::NormalisedGaussian)
    }

    /// Whether each row of the attention matrix sums to one.
    pub fn is_normalised(self) -> bool {
        matches!(self, Self::Softmax | Self::NormalisedGaussian)
    }
}

/// Non-linearity of the feed-forward sublayer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// max(x, 0), with slope 0 at 0.
    Relu,
    /// 0 below 0, x^2/2 on [0, 1], x - 1/2 above (Gao et al., appendix G).
    #[default]
    HubRelu,
    /// x Phi(x) with the exact normal distribution function.
    Gelu,
    /// Hyperbolic tangent.
    Tanh,
}

/// How scales and learning rates depend on width and depth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Parametrisation {
    /// Averages over particles, residual step 1/(2L), gradients times M L (Gao et al., eqs 2.1-2.8).
    #[default]
    MeanField,
    /// Sums over particles, residual step 1, plain gradients (the usual Transformer).
    Sp,
}

/// What the network's output is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Readout {
    /// "entry" for a single output, "rows" for several.
    #[default]
    Auto,
    /// One entry of one token (`readout_row`, `readout_token`), as in the paper's Read[.].
    Entry,
    /// The last rows of the mean token, one per output: a fixed linear map.
    Rows,
    /// A trained linear map of the mean token.
    Linear,
    /// A trained linear map of the class token (needs `class_token`).
    ClassToken,
    /// Every entry of every token: as many outputs as a state has numbers, token after token (Song et al.'s one-layer model).
    All,
}

/// Loss per sample; the risk is its mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Half the squared distance (classes become one-hot targets).
    #[default]
    Squared,
    /// Minus the log-probability of the class.
    CrossEntropy,
}

/// How raw tokens become states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Embedding {
    /// Tokens are states (theory models).
    #[default]
    None,
    /// A trained linear map of each token (patches).
    Patch,
    /// A trained table indexed by integer tokens.
    Token,
}

/// Normalisation in front of each sublayer and of the read-out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// None, as in the theorems.
    #[default]
    None,
    /// Layer normalisation with trained gain and bias (pre-norm).
    Layer,
}

/// What a register holds. Results agree up to rounding; speed and memory differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lanes {
    /// Chosen by size; `mckean check` says which and why.
    #[default]
    Auto,
    /// The same entry of several samples: best for short samples, memory quadratic in the tokens.
    Samples,
    /// The same entry of several tokens of one sample: best for long samples and few of them, memory linear in the tokens.
    Tokens,
}
