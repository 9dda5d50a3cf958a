//! The network of a config on data of a given shape: sizes, layout, scales, cost.
//!
//! Maths: eqs 2.1-2.4 of Gao et al. 2024: attention then feed-forward in each block, each Z += step * sum_j weight_j encoder.
//! Shapes: one flat vector; stem, then per block attention, feed-forward, then read-out.
//! Cost: building is linear in the number of tensors; `multiply_adds` counts the forward pass.
//! Checked: `tests/derivatives.rs`, unit tests below.

mod fit;

use crate::encoder::{self, Encoder};
use crate::kernel::embedding::Stem;
use crate::kernel::readout::Reader;
use fit::{check_fit, check_size};
use mckean_model::config::{Embedding, Norm};
use mckean_model::depth::Stages;
use mckean_model::layout::Start;
use mckean_model::{Layout, ModelConfig, ModelError, ParticleWeights, Readout, Role, parametrisation};
use std::ops::Range;

/// Shape of the data a network is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataShape {
    /// Tokens per sample.
    pub tokens: usize,
    /// Numbers per token.
    pub dim: usize,
    /// Outputs or classes.
    pub outputs: usize,
    /// Largest integer token plus one (token embeddings only).
    pub vocabulary: usize,
}

/// Gain and bias of a normalisation.
#[derive(Clone, Debug)]
pub struct NormRanges {
    /// Gain (D).
    pub gain: Range<usize>,
    /// Bias (D).
    pub bias: Range<usize>,
}

/// One residual branch.
#[derive(Clone, Debug)]
pub struct Sublayer {
    /// Slice of particles (block).
    pub slice: usize,
    /// Head or neuron.
    pub role: Role,
    /// Particles.
    pub particles: usize,
    /// All particle tensors of this sublayer.
    pub theta: Range<usize>,
    /// Output bias (D).
    pub bias: Option<Range<usize>>,
    /// Normalisation in front.
    pub norm: Option<NormRanges>,
}

/// Everything about a network except its parameters.
#[derive(Clone, Debug)]
pub struct Network {
    /// The config it came from.
    pub config: ModelConfig,
    /// The data it fits.
    pub data: DataShape,
    /// Tokens of a state (with class token).
    pub tokens: usize,
    /// Dimension of a state.
    pub dim: usize,
    /// Named ranges of the parameter vector.
    pub layout: Layout,
    /// Stem.
    pub stem: Stem,
    /// Residual branches in order of depth.
    pub sublayers: Vec<Sublayer>,
    /// Normalisation in front of the read-out.
    pub norm: Option<NormRanges>,
    /// Read-out.
    pub reader: Reader,
    /// Weights of the particles of every slice.
    pub weights: ParticleWeights,
    /// Stages of a step, unless depth is split as in the paper.
    pub stages: Option<Stages>,
    /// Residual step times weight of each particle.
    scales: ParticleWeights,
    multiply_adds: usize,
}

impl Network {
    /// Builds the network.
    ///
    /// # Errors
    /// Anything `ModelConfig::check` refuses, unknown encoders, a read-out or loss that does not fit the data, absurd sizes.
    pub fn new(config: &ModelConfig, data: DataShape) -> Result<Network, ModelError> {
        config.check()?;
        Network::weighted(config, data, ParticleWeights::of(config))
    }

    /// As [`Network::new`], with weights of the particles that may differ from slice to slice.
    ///
    /// # Errors
    /// As [`Network::new`]. Panics if there are too few weights.
    pub fn weighted(config: &ModelConfig, data: DataShape, weights: ParticleWeights) -> Result<Network, ModelError> {
        config.check()?;
        let config = &config.with_readout_for(data.outputs);
        let dim = if config.embedding == Embedding::None { data.dim } else { config.embedding_dim };
        let tokens = data.tokens + usize::from(config.class_token);
        check_fit(config, data, tokens, dim)?;
        let attention = encoder::attention::<f64>(config, dim)?;
        let feed_forward = encoder::feed_forward::<f64>(config, dim)?;
        check_size(config, dim, tokens, &attention, &feed_forward)?;
        let mut layout = Layout::default();
        let stem = stem(config, data, tokens, dim, &mut layout);
        let mut sublayers = Vec::new();
        let mut multiply_adds = 0;
        let stages = config.depth_method.stages();
        let visits = |b: usize| stages.as_ref().map_or(1, |s| visits(s, config.depth, b));
        for block in 0..config.slices() {
            let both = [
                ("attention", Role::Head, config.heads, &attention),
                ("feed_forward", Role::Neuron, config.neurons, &feed_forward),
            ];
            for (name, role, particles, encoder) in both {
                if let Some(encoder) = encoder {
                    sublayers.push(sublayer(config, &mut layout, (block, name), role, particles, &**encoder, dim));
                    multiply_adds += visits(block) * particles * encoder.multiply_adds(tokens, dim);
                }
            }
        }
        let norm = norm(config, &mut layout, None, "norm", dim);
        let reader = reader(config, data, tokens, dim, &mut layout);
        let scales = weights.times(config.step());
        let config = config.clone();
        Ok(Network {
            config,
            data,
            tokens,
            dim,
            layout,
            stem,
            sublayers,
            norm,
            reader,
            weights,
            stages,
            scales,
            multiply_adds,
        })
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.layout.len
    }

    /// Multiply-adds of one forward pass on one sample (encoders only).
    pub fn multiply_adds(&self) -> usize {
        self.multiply_adds
    }

    /// Scales of the particles of a sublayer.
    pub fn scales(&self, role: Role, slice: usize) -> &[f64] {
        self.scales.at(role, slice)
    }

    /// Sublayers of a slice.
    pub fn of_slice(&self, slice: usize) -> &[Sublayer] {
        let each = self.sublayers.len() / self.config.slices();
        &self.sublayers[slice * each..(slice + 1) * each]
    }

    /// Speed of every parameter (see `mckean_model::parametrisation`).
    pub fn speeds(&self) -> Vec<f64> {
        parametrisation::speeds(&self.config, &self.layout, &self.weights)
    }
}

/// How often a pass evaluates a slice.
fn visits(stages: &Stages, steps: usize, slice: usize) -> usize {
    let one = |step: usize| stages.stages.iter().filter(|s| step * stages.stride + s.slice == slice).count();
    (0..steps).map(one).sum()
}

fn stem(m: &ModelConfig, data: DataShape, tokens: usize, dim: usize, layout: &mut Layout) -> Stem {
    let root = |n: usize| Start::Gaussian(1.0 / (n as f64).sqrt());
    let weight = match m.embedding {
        Embedding::None => 0..0,
        Embedding::Patch => layout.push_shared(None, "embedding.weight", &[dim, data.dim], root(data.dim)),
        Embedding::Token => {
            let vocabulary = m.vocabulary.max(data.vocabulary);
            layout.push_shared(None, "embedding.weight", &[vocabulary, dim], Start::Gaussian(1.0))
        }
    };
    let linear = m.embedding == Embedding::Patch && m.bias;
    let bias = linear.then(|| layout.push_shared(None, "embedding.bias", &[dim], Start::Zero));
    let small = Start::Gaussian(0.02);
    let positions = m.positions.then(|| layout.push_shared(None, "positions", &[tokens, dim], small));
    let class_token = m.class_token.then(|| layout.push_shared(None, "class_token", &[dim], small));
    Stem { embedding: m.embedding, weight, bias, positions, class_token, input: (data.tokens, data.dim) }
}

fn norm(m: &ModelConfig, layout: &mut Layout, block: Option<usize>, name: &str, dim: usize) -> Option<NormRanges> {
    (m.norm == Norm::Layer).then(|| NormRanges {
        gain: layout.push_shared(block, &format!("{name}.gain"), &[dim], Start::One),
        bias: layout.push_shared(block, &format!("{name}.bias"), &[dim], Start::Zero),
    })
}

fn sublayer(
    m: &ModelConfig,
    layout: &mut Layout,
    (block, name): (usize, &str),
    role: Role,
    particles: usize,
    encoder: &dyn Encoder<f64>,
    dim: usize,
) -> Sublayer {
    let norm = norm(m, layout, Some(block), &format!("{name}.norm"), dim);
    let start = layout.len;
    layout.push_particles(block, name, role, particles, encoder.tensors());
    let theta = start..layout.len;
    let bias = m.bias.then(|| layout.push_shared(Some(block), &format!("{name}.bias"), &[dim], Start::Zero));
    Sublayer { slice: block, role, particles, theta, bias, norm }
}

fn reader(m: &ModelConfig, data: DataShape, tokens: usize, dim: usize, layout: &mut Layout) -> Reader {
    let last = |i: i64, n: usize| if i < 0 { n - 1 } else { i as usize };
    let entry = (last(m.readout_token, tokens), last(m.readout_row, dim));
    let trained = matches!(m.readout, Readout::Linear | Readout::ClassToken);
    let outputs = data.outputs;
    let (weight, bias) = if trained {
        let start = Start::Gaussian(1.0 / (dim as f64).sqrt());
        let weight = layout.push_shared(None, "readout.weight", &[outputs, dim], start);
        (weight, layout.push_shared(None, "readout.bias", &[outputs], Start::Zero))
    } else {
        (0..0, 0..0)
    };
    Reader { kind: m.readout, entry, outputs, weight, bias }
}
