//! What `mckean bench` can time: presets of fixed size, or any config.
//!
//! Maths: mean-field gradients of Gao et al. 2024; the one-layer model of Song et al. 2024; byte-text encoders and
//! Vision Transformers as people train them. The same work in PyTorch and JAX lies in `bench/peers`.
//! Shapes: random samples of each preset's size.
//! Cost: drawing the samples.
//! Checked: `mckean-cli/tests/bench.rs`.

use crate::config::Config;
use crate::error::Error;
use crate::problem::Problem;
use mckean_data::{Dataset, Targets};
use mckean_dynamics::DynamicsConfig;
use mckean_dynamics::config::{Kind, Precision, Rule};
use mckean_engine::{DataShape, Network};
use mckean_model::config::{Embedding, Norm};
use mckean_model::{
    Activation, AttentionKernel, InitConfig, InitialLaw, Loss, ModelConfig, Parametrisation, Readout, init,
};
use mckean_num::rng::Seed;
use std::sync::Arc;

use super::What;

/// Name, what is timed by default, and what it is.
pub const PRESETS: [(&str, What, &str); 10] = [
    ("mf-small", What::Gradient, "mean field, f64: D 8, n 5, L 16, 64 heads and neurons, 256 samples"),
    ("mf-large", What::Gradient, "mean field, f64: D 8, n 8, L 32, 1024 heads and neurons, 64 samples"),
    ("toy", What::Step, "one softmax head and a ReLU layer on every token, f64: D 64, n 16, 100 samples, gd"),
    ("text-gaussian-2048", What::Step, "byte-text encoder, Gaussian attention, f32: 8 x 2048, Adam"),
    ("text-gaussian-4000", What::Step, "byte-text encoder, Gaussian attention, f32: 4 x 4000, Adam"),
    ("text-softmax-2048", What::Step, "byte-text encoder, softmax attention, f32: 8 x 2048, Adam"),
    ("vit-e64", What::Step, "Vision Transformer, f32: E 64, 4 heads, 64 images of 64 patches, Adam"),
    ("vit-e160", What::Step, "the same with E 160, 10 heads"),
    ("vit-e192", What::Step, "the same with E 192, 10 heads"),
    ("vit-e640", What::Step, "the same with E 640, 40 heads"),
];

/// Something to time.
pub struct Workload {
    /// Preset or config.
    pub name: String,
    /// Network.
    pub net: Arc<Network>,
    /// Samples.
    pub data: Arc<Dataset>,
    /// Parameters.
    pub start: Vec<f64>,
    /// Precision and optimiser.
    pub dynamics: DynamicsConfig,
    /// Samples of one gradient.
    pub batch: usize,
}

impl Workload {
    /// Model FLOPs of one gradient: three forward passes, two FLOPs a multiply-add; encoders, patch embedding, read-out.
    pub fn gradient_flops(&self) -> f64 {
        let n = &self.net;
        let patches = if n.config.embedding == Embedding::Patch { n.data.tokens * n.data.dim * n.dim } else { 0 };
        6.0 * (n.multiply_adds() + patches + n.reader.weight.len()) as f64 * self.batch as f64
    }
}

/// A preset and what is timed by default.
///
/// # Errors
/// An unknown name, answered with the nearest; sizes that do not fit into memory.
pub fn find(name: &str) -> Result<(Workload, What), Error> {
    if let Some((kernel, length)) = text_of_any_length(name) {
        return Ok((text(name, (TEXT_TOKENS / length).max(1), length, kernel)?, What::Step));
    }
    let known = PRESETS.iter().find(|p| p.0 == name);
    let nearest = || PRESETS.iter().min_by_key(|p| strsim::damerau_levenshtein(p.0, name)).map_or("", |p| p.0);
    let unknown = || Error::Value {
        key: "preset".into(),
        value: format!("\"{name}\""),
        problem: format!(
            "neither a preset nor a config file. Did you mean \"{}\"? Known: {}; any length in place of 2048",
            nearest(),
            PRESETS.map(|p| p.0).join(", ")
        ),
    };
    let &(name, what, _) = known.ok_or_else(unknown)?;
    let work = match name {
        "mf-small" => mean_field(name, (8, 5, 16, 64, 256)),
        "mf-large" => mean_field(name, (8, 8, 32, 1024, 64)),
        "toy" => toy(name),
        "vit-e64" => vit(name, 64, 4),
        "vit-e160" => vit(name, 160, 10),
        "vit-e192" => vit(name, 192, 10),
        _ => vit(name, 640, 40),
    };
    Ok((work?, what))
}

/// A config's own network, data and dynamics.
///
/// # Errors
/// Those of the config.
pub fn of_config(config: &Config) -> Result<Workload, Error> {
    let p = Problem::new(config)?;
    let batch = crate::problem::batch(config, p.train.samples);
    let dynamics = config.dynamics.clone();
    Ok(Workload { name: config.name.clone(), net: p.net, data: p.train, start: p.start, dynamics, batch })
}

/// Tokens of a batch of text, about.
const TEXT_TOKENS: usize = 16_384;

/// Kernel and length of `text-gaussian-N` or `text-softmax-N`.
fn text_of_any_length(name: &str) -> Option<(AttentionKernel, usize)> {
    let (kernel, length) = name.strip_prefix("text-")?.split_once('-')?;
    let kernel = match kernel {
        "gaussian" => AttentionKernel::Gaussian,
        "softmax" => AttentionKernel::Softmax,
        _ => return None,
    };
    length.parse().ok().filter(|n| (1..=1 << 20).contains(n)).map(|n| (kernel, n))
}

fn normal(name: &str, n: usize) -> Vec<f64> {
    let mut draws = Seed(0).stream(name).open();
    (0..n).map(|_| draws.normal()).collect()
}

fn below(name: &str, n: usize, most: usize) -> Vec<usize> {
    let mut draws = Seed(0).stream(name).open();
    (0..n).map(|_| draws.below(most)).collect()
}

fn classes(samples: usize, classes: usize) -> Targets {
    Targets::Classes { labels: below("labels", samples, classes).into_iter().map(|l| l as u32).collect(), classes }
}

/// Builds the network of `model` on `data` and draws its parameters.
fn build(
    name: &str,
    model: ModelConfig,
    law: InitialLaw,
    data: Dataset,
    dynamics: DynamicsConfig,
) -> Result<Workload, Error> {
    let outputs = crate::problem::outputs(&data);
    let shape = DataShape { tokens: data.tokens, dim: data.dim, outputs, vocabulary: model.vocabulary };
    let net = Arc::new(Network::new(&model, shape)?);
    let start = init::draw(&model, &InitConfig { law, scale: 1.0, ..Default::default() }, &net.layout, Seed(1));
    Ok(Workload { name: name.into(), net, batch: data.samples, data: Arc::new(data), start, dynamics })
}

fn mean_field(name: &str, (d, n, l, m, b): (usize, usize, usize, usize, usize)) -> Result<Workload, Error> {
    let model = ModelConfig { depth: l, heads: m, neurons: m, ..Default::default() };
    let targets = Targets::Values { data: normal("targets", b), outputs: 1 };
    let inputs = normal("inputs", b * n * d);
    let data = Dataset { name: "random".into(), samples: b, tokens: n, dim: d, inputs, targets };
    build(name, model, InitialLaw::Gaussian, data, DynamicsConfig::default())
}

fn toy(name: &str) -> Result<Workload, Error> {
    let (b, n, d) = (100, 16, 64);
    let model = ModelConfig {
        depth: 1,
        heads: 1,
        neurons: d,
        attention: "qkv".into(),
        head_dim: d,
        activation: Activation::Relu,
        parametrisation: Parametrisation::Sp,
        readout: Readout::All,
        ..Default::default()
    };
    let targets = Targets::Values { data: normal("targets", b * n * d), outputs: n * d };
    let inputs = normal("inputs", b * n * d);
    let data = Dataset { name: "random".into(), samples: b, tokens: n, dim: d, inputs, targets };
    let gd = DynamicsConfig { kind: Kind::Descent, optimizer: Rule::Gd, learning_rate: 1e-6, ..Default::default() };
    build(name, model, InitialLaw::FanIn, data, gd)
}

/// Pre-norm, biases, GELU, cross-entropy, Adam in f32.
fn practical(name: &str, model: ModelConfig, head_dim: usize, hidden: usize, data: Dataset) -> Result<Workload, Error> {
    let model = ModelConfig {
        parametrisation: Parametrisation::Sp,
        attention: "qkvo".into(),
        head_dim,
        neurons: hidden,
        activation: Activation::Gelu,
        norm: Norm::Layer,
        bias: true,
        loss: Loss::CrossEntropy,
        ..model
    };
    let adam =
        DynamicsConfig { kind: Kind::Descent, precision: Precision::F32, batch: data.samples, ..Default::default() };
    build(name, model, InitialLaw::FanIn, data, adam)
}

fn text(name: &str, b: usize, n: usize, kernel: AttentionKernel) -> Result<Workload, Error> {
    let model = ModelConfig {
        depth: 2,
        heads: 2,
        kernel,
        embedding: Embedding::Token,
        embedding_dim: 64,
        vocabulary: 256,
        readout: Readout::Linear,
        ..Default::default()
    };
    let inputs = below("bytes", b * n, 256).into_iter().map(|x| x as f64).collect();
    let data = Dataset { name: "random".into(), samples: b, tokens: n, dim: 1, inputs, targets: classes(b, 2) };
    practical(name, model, 32, 128, data)
}

fn vit(name: &str, dim: usize, heads: usize) -> Result<Workload, Error> {
    let (b, n, patch) = (64, 64, 48);
    let model = ModelConfig {
        depth: 6,
        heads,
        embedding: Embedding::Patch,
        embedding_dim: dim,
        positions: true,
        class_token: true,
        readout: Readout::ClassToken,
        ..Default::default()
    };
    let inputs = normal("inputs", b * n * patch);
    let data = Dataset { name: "random".into(), samples: b, tokens: n, dim: patch, inputs, targets: classes(b, 10) };
    practical(name, model, 16, 4 * dim, data)
}
