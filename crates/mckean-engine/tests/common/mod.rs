//! Settings shared by the engine's tests: every encoder, kernel, activation and practical option, at odd sizes.
#![allow(dead_code)]

use mckean_data::{Dataset, Targets};
use mckean_engine::{DataShape, Network};
use mckean_model::config::{Embedding, Norm};
use mckean_model::{Activation, AttentionKernel, Loss, ModelConfig, Parametrisation, Readout};
use mckean_num::rng::Seed;
use std::sync::Arc;

pub const KERNELS: [AttentionKernel; 5] = [
    AttentionKernel::Softmax,
    AttentionKernel::Gaussian,
    AttentionKernel::NormalisedGaussian,
    AttentionKernel::Linear,
    AttentionKernel::Relu,
];
pub const ACTIVATIONS: [Activation; 4] = [Activation::Relu, Activation::HubRelu, Activation::Gelu, Activation::Tanh];

/// A small theory model with odd sizes.
pub fn theory() -> ModelConfig {
    ModelConfig { depth: 3, heads: 3, neurons: 5, head_dim: 2, ..Default::default() }
}

/// A small practical model.
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

/// Named settings with the number of outputs of their data.
pub fn settings() -> Vec<(String, ModelConfig, usize)> {
    let mut all = vec![];
    for kernel in KERNELS {
        for attention in ["vw", "qkvo", "qkv"] {
            for causal in [false, true] {
                let head_dim = if attention == "qkv" { 5 } else { 2 };
                let m = ModelConfig { kernel, attention: attention.into(), head_dim, causal, ..theory() };
                all.push((format!("{attention} {kernel:?} causal={causal}"), m, 1));
            }
        }
    }
    for activation in ACTIVATIONS {
        for hidden in [1, 3] {
            let m = ModelConfig { activation, hidden, attention: "none".into(), ..theory() };
            all.push((format!("mlp {activation:?} m={hidden}"), m, 1));
        }
    }
    let unequal =
        ModelConfig { head_weights: vec![1.0, 2.0, 4.0], neuron_weights: vec![3.0, 1.0, 1.0, 2.0, 0.5], ..theory() };
    all.push(("unequal weights".into(), unequal, 1));
    all.push(("rows".into(), ModelConfig { readout: Readout::Rows, ..theory() }, 2));
    all.push(("entry".into(), ModelConfig { readout_row: 1, readout_token: 0, ..theory() }, 1));
    all.push(("practical".into(), practical(), 3));
    all.push((
        "practical linear".into(),
        ModelConfig { readout: Readout::Linear, class_token: false, ..practical() },
        3,
    ));
    all.push(("token embedding".into(), ModelConfig { embedding: Embedding::Token, ..practical() }, 3));
    let bias = ModelConfig { attention: "qkv".into(), head_dim: 7, ..practical() };
    all.push(("practical qkv".into(), bias, 3));
    let whole = ModelConfig { readout: Readout::All, feed_forward: "none".into(), depth: 1, heads: 5, ..theory() };
    let head = ModelConfig { attention: "qkv".into(), head_dim: 5, ..whole.clone() };
    all.push(("one layer, all entries".into(), head, 20));
    let class = ModelConfig { readout: Readout::All, loss: Loss::Squared, ..practical() };
    all.push(("practical, all entries".into(), class, 35));
    all.push(("attention only".into(), ModelConfig { feed_forward: "none".into(), ..theory() }, 1));
    all
}

/// Random data: `outputs > 1` gives classes, integer tokens when the model embeds tokens.
pub fn data(m: &ModelConfig, samples: usize, outputs: usize) -> Dataset {
    data_of_length(m, samples, outputs, if m.embedding == Embedding::Token { 6 } else { 4 })
}

/// As [`data`], with this many tokens.
pub fn data_of_length(m: &ModelConfig, samples: usize, outputs: usize, tokens: usize) -> Dataset {
    let mut g = Seed(11).stream("test.data").open();
    let token = m.embedding == Embedding::Token;
    let dim = if token { 1 } else { 5 };
    let inputs =
        (0..samples * tokens * dim).map(|_| if token { g.below(9) as f64 } else { 0.7 * g.normal() }).collect();
    let targets = if m.readout == Readout::All {
        Targets::Values { data: (0..samples * outputs).map(|_| g.normal()).collect(), outputs }
    } else if outputs > 1 {
        Targets::Classes { labels: (0..samples).map(|_| g.below(outputs) as u32).collect(), classes: outputs }
    } else {
        Targets::Values { data: (0..samples).map(|_| g.normal()).collect(), outputs: 1 }
    };
    Dataset { name: "random".into(), samples, tokens, dim, inputs, targets }
}

pub fn network(m: &ModelConfig, data: &Dataset) -> Arc<Network> {
    let outputs = match &data.targets {
        Targets::Values { outputs, .. } => *outputs,
        Targets::Classes { classes, .. } => *classes,
    };
    Arc::new(Network::new(m, DataShape { tokens: data.tokens, dim: data.dim, outputs, vocabulary: 9 }).unwrap())
}

/// Parameters of order one, biases and gains included.
pub fn parameters(net: &Network, name: &str) -> Vec<f64> {
    let mut g = Seed(5).stream(name).open();
    net.layout.tensors.iter().flat_map(|t| (0..t.range.len()).map(|_| 0.6 * g.normal()).collect::<Vec<_>>()).collect()
}

pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
