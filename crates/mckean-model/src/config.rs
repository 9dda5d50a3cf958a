//! The `[model]` and `[init]` sections of a configuration.
//!
//! Maths: names follow Gao et al. 2024 (depth L, width M, residual step) and Song et al. 2024 (attention kernels).
//! Shapes: plain values; sizes that depend on the data are fixed by `mckean-engine`'s `Network`.
//! Cost: none.
//! Checked: tests below and the golden configs in `examples/`.

use crate::depth::DepthMethod;
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

/// Law from which particles are drawn, independently, at every depth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InitialLaw {
    /// Every tensor of a particle is Gaussian with root-mean-square Frobenius norm `scale`.
    #[default]
    Gaussian,
    /// (theta, w) jointly uniform on the ball of radius `scale` (the paper's suggestion).
    Ball,
    /// Gaussian with variance scale^2 / fan-in, fan-in counted over all particles of a sublayer (usual for sp).
    FanIn,
    /// Every number is Gaussian with standard deviation `scale`.
    Normal,
    /// As normal, cut off at `cut` standard deviations: bounded support.
    Truncated,
    /// Every number is uniform on [-scale, scale].
    Box,
}

/// `[init]`: the initial law of the particles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InitConfig {
    /// Which law.
    pub law: InitialLaw,
    /// Its scale (see the law).
    pub scale: f64,
    /// "truncated": where the law is cut, in standard deviations.
    pub cut: f64,
    /// Particles come in mirrored pairs, (V, W) with (-V, W) and (W1, W2) with (W1, -W2): the start computes T = H.
    pub symmetric: bool,
    /// K > 0: the law is the K equally likely atoms drawn once from `law`, and particles are drawn from these; 0 is the law itself.
    pub atoms: usize,
    /// Seed of the atoms (particles are drawn from them by the top-level seed).
    pub seed: u64,
}

impl Default for InitConfig {
    fn default() -> Self {
        InitConfig { law: InitialLaw::Gaussian, scale: 1.0, cut: 3.0, symmetric: false, atoms: 0, seed: 1 }
    }
}

impl InitConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// The first value outside its range.
    pub fn check(&self) -> Result<(), ModelError> {
        for (key, x, ok) in [("scale", self.scale, self.scale >= 0.0), ("cut", self.cut, self.cut > 0.0)] {
            if !(x.is_finite() && ok) {
                return Err(ModelError::init(key, x, "a finite positive number is needed", "Use the default, 1 or 3."));
            }
        }
        if self.atoms > 1 << 20 || (self.symmetric && !self.atoms.is_multiple_of(2)) {
            let problem = "at most 1,048,576 atoms, and an even number of them for a symmetric law";
            return Err(ModelError::init("atoms", self.atoms, problem, "Use 0 for the law itself."));
        }
        Ok(())
    }
}

/// What can be wrong with a model section; every message names the key and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A value outside its range, or two values that contradict each other.
    #[error("model.{key} = {value}: {problem}. {remedy}")]
    Value {
        /// Key below `[model]`.
        key: &'static str,
        /// Value as written.
        value: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// A value of `[init]` outside its range.
    #[error("init.{key} = {value}: {problem}. {remedy}")]
    Init {
        /// Key below `[init]`.
        key: &'static str,
        /// Value as written.
        value: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// A name that is in no registry.
    #[error("model.{key} = \"{value}\" is not known; did you mean \"{nearest}\"? Known: {known}")]
    Unknown {
        /// Key below `[model]`.
        key: &'static str,
        /// Name as written.
        value: String,
        /// Nearest known name.
        nearest: String,
        /// All known names.
        known: String,
    },
}

impl ModelError {
    /// A bad value.
    pub fn value(key: &'static str, value: impl ToString, problem: impl ToString, remedy: impl ToString) -> Self {
        let (value, problem, remedy) = (value.to_string(), problem.to_string(), remedy.to_string());
        ModelError::Value { key, value, problem, remedy }
    }

    /// A bad value of `[init]`.
    pub fn init(key: &'static str, value: impl ToString, problem: impl ToString, remedy: impl ToString) -> Self {
        let (value, problem, remedy) = (value.to_string(), problem.to_string(), remedy.to_string());
        ModelError::Init { key, value, problem, remedy }
    }

    /// An unknown name, with the nearest of `known`.
    pub fn unknown(key: &'static str, value: &str, known: &[&str]) -> Self {
        let distance = |k: &&&str| strsim::damerau_levenshtein(value, k);
        let nearest = known.iter().min_by_key(distance).unwrap_or(&"none").to_string();
        ModelError::Unknown { key, value: value.into(), nearest, known: known.join(", ") }
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

    /// Checks everything that does not need the data.
    ///
    /// # Errors
    /// Sizes of zero, weights of the wrong number or sign, probabilities outside [0, 1), negative temperature.
    pub fn check(&self) -> Result<(), ModelError> {
        let sizes = [("depth", self.depth), ("heads", self.heads), ("neurons", self.neurons), ("hidden", self.hidden)];
        let more = [("head_dim", self.head_dim), ("embedding_dim", self.embedding_dim)];
        for (key, size) in sizes.into_iter().chain(more) {
            if size == 0 || size > 1 << 24 {
                return Err(ModelError::value(
                    key,
                    size,
                    "sizes lie between 1 and 16,777,216",
                    "Choose a positive size.",
                ));
            }
        }
        check_weights("head_weights", &self.head_weights, self.heads)?;
        check_weights("neuron_weights", &self.neuron_weights, self.neurons)?;
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(ModelError::value(
                "dropout",
                self.dropout,
                "a probability in [0, 1) is needed",
                "Use 0 for none.",
            ));
        }
        for (key, x) in [("kernel_tau", self.kernel_tau), ("residual_step", self.residual_step)] {
            if !(x.is_finite() && x >= 0.0) {
                return Err(ModelError::value(key, x, "a finite number >= 0 is needed", "Use 0 for the default."));
            }
        }
        self.check_depth_method()?;
        if self.readout == Readout::ClassToken && !self.class_token {
            let problem = "there is no class token to read";
            return Err(ModelError::value("readout", "class_token", problem, "Set model.class_token = true."));
        }
        Ok(())
    }
}

impl ModelConfig {
    /// Depth methods other than the paper's splitting discretise the depth ODE, which has no norms, biases or masks.
    fn check_depth_method(&self) -> Result<(), ModelError> {
        let wrong = [
            (self.parametrisation != Parametrisation::MeanField, "parametrisation other than mean_field"),
            (self.residual_step != 0.0, "residual_step of its own"),
            (self.norm != Norm::None, "norm"),
            (self.bias, "bias"),
            (self.dropout > 0.0, "dropout"),
        ];
        match wrong.iter().find(|(bad, _)| *bad && self.depth_method != DepthMethod::Splitting) {
            None => Ok(()),
            Some((_, what)) => {
                let value = format!("{:?}", self.depth_method).to_lowercase();
                let problem = format!("the depth ODE it solves knows no {what}");
                Err(ModelError::value("depth_method", value, problem, "Leave that out, or use \"splitting\"."))
            }
        }
    }
}

fn check_weights(key: &'static str, weights: &[f64], particles: usize) -> Result<(), ModelError> {
    if weights.is_empty() {
        return Ok(());
    }
    if weights.len() != particles {
        let problem = format!("{} weights for {particles} particles", weights.len());
        return Err(ModelError::value(key, format!("{weights:?}"), problem, "Give one weight per particle or none."));
    }
    if !weights.iter().all(|w| w.is_finite() && *w > 0.0) {
        let problem = "weights must be finite and positive";
        return Err(ModelError::value(
            key,
            format!("{weights:?}"),
            problem,
            "Leave particles out instead of weight 0.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_key_and_remedy() {
        let zero = ModelConfig { heads: 0, ..Default::default() };
        assert!(zero.check().unwrap_err().to_string().contains("model.heads = 0"));
        let weights = ModelConfig { head_weights: vec![1.0; 3], ..Default::default() };
        assert!(weights.check().unwrap_err().to_string().contains("3 weights for 16 particles"));
        let unknown = ModelError::unknown("attention", "qkwo", &["vw", "qkvo", "none"]);
        assert!(unknown.to_string().contains("did you mean \"qkvo\""));
    }

    #[test]
    fn default_step_is_half_a_depth_step() {
        let m = ModelConfig { depth: 10, ..Default::default() };
        assert_eq!(m.step(), 0.05);
        assert_eq!(ModelConfig { parametrisation: Parametrisation::Sp, ..m }.step(), 1.0);
    }
}
