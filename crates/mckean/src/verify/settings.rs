//! The networks that are checked: every encoder, kernel, activation and option at least once.
//!
//! Maths: the theory model is that of Gao et al. 2024, section 2; the practical one has what their experiments use.
//! Shapes: sizes are small and unequal, so that a mix-up of two of them shows.
//! Cost: none.
//! Checked: by every check that uses them.

use mckean_model::config::{Embedding, Norm};
use mckean_model::{Activation, AttentionKernel, Loss, ModelConfig, Parametrisation, Readout};

/// Every attention kernel and its name in configs.
const KERNELS: [(AttentionKernel, &str); 5] = [
    (AttentionKernel::Softmax, "softmax"),
    (AttentionKernel::Gaussian, "gaussian"),
    (AttentionKernel::NormalisedGaussian, "normalised_gaussian"),
    (AttentionKernel::Linear, "linear"),
    (AttentionKernel::Relu, "relu"),
];

const ACTIVATIONS: [(Activation, &str); 4] = [
    (Activation::Relu, "relu"),
    (Activation::HubRelu, "hub_relu"),
    (Activation::Gelu, "gelu"),
    (Activation::Tanh, "tanh"),
];

/// A theory model: mean-field scaling, no norm, no bias.
pub fn theory() -> ModelConfig {
    ModelConfig { depth: 3, heads: 3, neurons: 5, head_dim: 2, activation: Activation::Gelu, ..Default::default() }
}

/// A practical model: patches, class token, layer norm, biases, cross-entropy.
pub fn practical() -> ModelConfig {
    ModelConfig {
        depth: 2,
        heads: 2,
        neurons: 37,
        attention: "qkvo".into(),
        head_dim: 3,
        activation: Activation::Gelu,
        parametrisation: Parametrisation::Sp,
        embedding: Embedding::Patch,
        embedding_dim: 7,
        positions: true,
        class_token: true,
        norm: Norm::Layer,
        bias: true,
        readout: Readout::ClassToken,
        loss: Loss::CrossEntropy,
        ..Default::default()
    }
}

/// All attention encoders with every kernel, causal or not.
pub fn attentions() -> Vec<(String, ModelConfig)> {
    let mut all = vec![];
    for (attention, head_dim) in [("vw", 2), ("qkvo", 2), ("qkv", 5)] {
        for (kernel, name) in KERNELS {
            for (causal, suffix) in [(false, ""), (true, ", causal")] {
                let m = ModelConfig { attention: attention.into(), head_dim, kernel, causal, ..theory() };
                all.push((format!("{attention} {name}{suffix}"), m));
            }
        }
    }
    all
}

/// Every activation, without attention.
pub fn activations() -> Vec<(String, ModelConfig)> {
    let one = |(activation, name): (Activation, &str)| {
        let m = ModelConfig { activation, hidden: 3, attention: "none".into(), ..theory() };
        (format!("feed-forward {name}"), m)
    };
    ACTIVATIONS.into_iter().map(one).collect()
}

/// Unequal weights, other read-outs and practical models.
pub fn options() -> Vec<(String, ModelConfig)> {
    let weights = vec![3.0, 1.0, 1.0, 2.0, 0.5];
    let unequal = ModelConfig { head_weights: vec![1.0, 2.0, 4.0], neuron_weights: weights, ..theory() };
    let linear = ModelConfig { readout: Readout::Linear, class_token: false, ..practical() };
    let tokens = ModelConfig { embedding: Embedding::Token, ..practical() };
    let all = [
        ("unequal weights", unequal),
        ("read-out of mean rows", ModelConfig { readout: Readout::Rows, ..theory() }),
        ("practical model", practical()),
        ("practical model, linear read-out", linear),
        ("practical model, token embedding", tokens),
    ];
    all.map(|(name, m)| (name.to_string(), m)).to_vec()
}

/// Settings without kinks.
pub fn smooth() -> Vec<(String, ModelConfig)> {
    let tanh = ModelConfig { activation: Activation::Tanh, attention: "none".into(), ..theory() };
    let kernels = attentions().into_iter().filter(|(_, m)| !m.causal && m.kernel != AttentionKernel::Relu);
    let others = [("feed-forward tanh".to_string(), tanh), ("practical model".to_string(), practical())];
    kernels.chain(others).collect()
}
