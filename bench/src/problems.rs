//! What is timed: random data of the sizes quoted in the documentation.
//!
//! Maths: the mean-field model of Gao et al. 2024, and the practical vision Transformer with GELU, layer norm and biases.
//! Shapes: see `MEAN_FIELD` and `VIT`.
//! Cost: milliseconds.
//! Checked: sizes are validated by `Network::new`.

use mckean_data::{Dataset, Targets};
use mckean_engine::{DataShape, Network};
use mckean_model::config::{Embedding, Norm};
use mckean_model::{Activation, Loss, ModelConfig, Parametrisation, Readout};
use mckean_num::rng::Seed;
use std::sync::Arc;

/// A named problem.
pub type Problem = (String, Arc<Network>, Arc<Dataset>);

/// (D, n, L, M, B)
pub const MEAN_FIELD: [(usize, usize, usize, usize, usize); 3] =
    [(8, 5, 16, 64, 256), (4, 5, 16, 256, 64), (8, 8, 32, 1024, 64)];

/// (E, H, B); heads of width 16, 4 E hidden neurons, 6 blocks, 64 patches and a class token.
pub const VIT: [(usize, usize, usize); 3] = [(64, 4, 64), (192, 10, 64), (640, 40, 64)];

fn random(name: &str, n: usize, scale: f64) -> Vec<f64> {
    let mut g = Seed(0).stream(name).open();
    (0..n).map(|_| scale * g.normal()).collect()
}

/// Parameters at which the time is taken.
pub fn start(net: &Network) -> Vec<f64> {
    random("theta", net.parameters(), 0.1)
}

/// The mean-field model on one size.
pub fn mean_field((d, n, l, m, b): (usize, usize, usize, usize, usize)) -> Problem {
    let config = ModelConfig { depth: l, heads: m, neurons: m, ..Default::default() };
    let targets = Targets::Values { data: random("y", b, 1.0), outputs: 1 };
    let data =
        Dataset { name: "random".into(), samples: b, tokens: n, dim: d, inputs: random("x", b * n * d, 1.0), targets };
    let net = Network::new(&config, DataShape { tokens: n, dim: d, outputs: 1, vocabulary: 0 }).expect("valid sizes");
    (format!("D{d} n{n} L{l} M{m} B{b}"), Arc::new(net), Arc::new(data))
}

/// The vision Transformer on one size.
pub fn vit((e, h, b): (usize, usize, usize)) -> Problem {
    let config = ModelConfig {
        depth: 6,
        heads: h,
        neurons: 4 * e,
        attention: "qkvo".into(),
        head_dim: 16,
        activation: Activation::Gelu,
        parametrisation: Parametrisation::Sp,
        embedding: Embedding::Patch,
        embedding_dim: e,
        positions: true,
        class_token: true,
        norm: Norm::Layer,
        bias: true,
        readout: Readout::ClassToken,
        loss: Loss::CrossEntropy,
        ..Default::default()
    };
    let (n, d, classes) = (64, 48, 10);
    let targets = Targets::Classes { labels: (0..b).map(|i| (i % classes) as u32).collect(), classes };
    let data =
        Dataset { name: "random".into(), samples: b, tokens: n, dim: d, inputs: random("x", b * n * d, 1.0), targets };
    let shape = DataShape { tokens: n, dim: d, outputs: classes, vocabulary: 0 };
    let net = Network::new(&config, shape).expect("valid sizes");
    (format!("ViT E{e} H{h} B{b}"), Arc::new(net), Arc::new(data))
}
