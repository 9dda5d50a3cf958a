//! The network of a config on data of a given shape: sizes, layout, scales, cost.
//!
//! Maths: eqs 2.1-2.4 of Gao et al. 2024: attention then feed-forward in each block, each Z += step * sum_j weight_j encoder.
//! Shapes: one flat vector; stem, then per block attention, feed-forward, then read-out.
//! Cost: building is linear in the number of tensors; `multiply_adds` counts the forward pass.
//! Checked: `tests/derivatives.rs`, unit tests below.

use crate::encoder::{self, Encoder, Tile};
use crate::kernel::embedding::Stem;
use crate::kernel::readout::Reader;
use crate::pass::most_kept;
use crate::plan::{self, LaneAxis};
use mckean_model::config::{Embedding, Lanes, Norm};
use mckean_model::depth::Stages;
use mckean_model::layout::Start;
use mckean_model::{Layout, Loss, ModelConfig, ModelError, ParticleWeights, Readout, Role, parametrisation};
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

/// Copies of the parameters while training: point, gradients of the shards, stages or moments.
const COPIES: f64 = 10.0;
/// Bytes of the widest lane.
const LANE_BYTES: usize = 64;
/// Bytes of the name, shape and place of one tensor.
const TENSOR_BYTES: f64 = 256.0;

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

fn check_fit(m: &ModelConfig, data: DataShape, tokens: usize, dim: usize) -> Result<(), ModelError> {
    if m.attention == "qkv" && m.head_dim != dim {
        let problem = format!("\"qkv\" heads have no output map, so their width is the dimension {dim} of the states");
        return Err(ModelError::value("head_dim", m.head_dim, problem, format!("Set model.head_dim = {dim}.")));
    }
    check_padding(m, data)?;
    let inside = |i: i64, n: usize| (-1..n as i64).contains(&i);
    let refuse =
        |key, value: String, problem: String, remedy: &str| Err(ModelError::value(key, value, problem, remedy));
    match m.readout {
        Readout::Entry if data.outputs != 1 => {
            let problem = format!("one entry is read but the data have {} outputs", data.outputs);
            refuse("readout", "\"entry\"".into(), problem, "Use \"rows\", \"linear\" or \"class_token\".")
        }
        Readout::Entry if !inside(m.readout_row, dim) => refuse(
            "readout_row",
            m.readout_row.to_string(),
            format!("tokens have {dim} rows"),
            "Use -1 for the last row.",
        ),
        Readout::Entry if !inside(m.readout_token, tokens) => refuse(
            "readout_token",
            m.readout_token.to_string(),
            format!("there are {tokens} tokens"),
            "Use -1 for the last.",
        ),
        kind if kind != Readout::Entry && (m.readout_row, m.readout_token) != (-1, -1) => {
            let given = format!("{} and readout_token = {}", m.readout_row, m.readout_token);
            let problem = format!("a single row of a single token is read only by \"entry\", not by {kind:?}");
            refuse("readout_row", given, problem, "Set model.readout = \"entry\" or leave them out.")
        }
        Readout::Rows if dim < data.outputs => {
            let problem = format!("{} outputs do not fit into tokens of dimension {dim}", data.outputs);
            refuse("readout", "\"rows\"".into(), problem, "Set data.readout_rows to the number of outputs.")
        }
        Readout::All if m.loss == Loss::CrossEntropy => {
            let problem = "every entry of every token is an output, and numbers are no classes".into();
            refuse("loss", "\"cross_entropy\"".into(), problem, "Use loss = \"squared\".")
        }
        Readout::All if tokens.checked_mul(dim) != Some(data.outputs) => {
            let problem = format!(
                "{tokens} tokens of dimension {dim} give {} outputs, but the data have {}",
                tokens as f64 * dim as f64,
                data.outputs
            );
            refuse("readout", "\"all\"".into(), problem, "Use data with one target number per entry of a state.")
        }
        _ if m.loss == Loss::CrossEntropy && data.outputs < 2 => {
            refuse("loss", "\"cross_entropy\"".into(), "the data have no classes".into(), "Use loss = \"squared\".")
        }
        _ => Ok(()),
    }
}

fn check_padding(m: &ModelConfig, data: DataShape) -> Result<(), ModelError> {
    let refuse =
        |problem: &str, remedy: &str| Err(ModelError::value("padding_token", m.padding_token, problem, remedy));
    match m.padding_token {
        -1 => Ok(()),
        i64::MIN..=-2 => refuse("tokens are numbered from 0", "Use -1 for none."),
        _ if m.embedding != Embedding::Token || data.dim != 1 => {
            refuse("only token embeddings have a token that can mean nothing", "Set model.embedding = \"token\".")
        }
        _ if m.lanes == Lanes::Samples => refuse(
            "samples of different lengths do not fit into one lane",
            "Set model.lanes = \"auto\" or leave the padding out.",
        ),
        _ if !matches!(m.readout, Readout::Rows | Readout::Linear | Readout::ClassToken) => refuse(
            "the read-out names a token by its place, and samples have lengths of their own",
            "Use readout = \"rows\", \"linear\" or \"class_token\".",
        ),
        _ => Ok(()),
    }
}

type Maybe = Option<Box<dyn Encoder<f64>>>;

/// Refuses what cannot fit before anything is allocated.
fn check_size(
    m: &ModelConfig,
    dim: usize,
    tokens: usize,
    attention: &Maybe,
    feed_forward: &Maybe,
) -> Result<(), ModelError> {
    let one = |e: &Maybe| e.as_ref().map_or(0.0, |e| e.tensors().iter().map(|t| t.len() as f64).sum::<f64>());
    let names = |e: &Maybe| e.as_ref().map_or(0, |e| e.tensors().len() + 4) as f64;
    let slices = m.slices() as f64;
    let total = slices * (m.heads as f64 * one(attention) + m.neurons as f64 * one(feed_forward));
    let parameters = COPIES * 8.0 * total + slices * TENSOR_BYTES * (names(attention) + names(feed_forward));
    let axis = plan::axis_of(m, tokens, LANE_BYTES);
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get()) as f64;
    let working = threads * working_bytes(m, dim, tokens, axis, (attention, feed_forward));
    let have = memory();
    if parameters + working <= have {
        return Ok(());
    }
    let giga = |x: f64| format!("{:.1} GB", x * 1e-9);
    let problem = format!(
        "{total:.3e} parameters take {}, states and attention of {tokens} tokens {} on {threads} threads ({}): more than the {} there are",
        giga(parameters),
        giga(working),
        if axis == LaneAxis::Tokens { "tokens in lanes" } else { "samples in lanes" },
        giga(have)
    );
    if m.lanes == Lanes::Samples && working > parameters {
        return Err(ModelError::value("lanes", "\"samples\"", problem, "Use \"auto\": memory grows with n, not n^2."));
    }
    let sizes = format!("{} with {} heads and {} neurons", m.depth, m.heads, m.neurons);
    Err(ModelError::value("depth", sizes, problem, "Make the model smaller."))
}

/// Bytes of the working memory of one thread, in double precision on the widest lanes.
fn working_bytes(
    m: &ModelConfig,
    dim: usize,
    tokens: usize,
    axis: LaneAxis,
    (attention, feed_forward): (&Maybe, &Maybe),
) -> f64 {
    let lane = LANE_BYTES as f64;
    let long = axis == LaneAxis::Tokens;
    let rows = if long { tokens.div_ceil(LANE_BYTES / 8) } else { tokens };
    let tile = Tile { chunks: 1, tokens: rows, dim };
    let state = lane * rows as f64 * dim as f64;
    let (scratch, kept) = match attention {
        Some(e) if long => {
            let (lanes, scalars) = e.scratch_long(&tile, tokens);
            (lane * lanes as f64 + 8.0 * scalars as f64, lane * e.kept_long(&tile) as f64 * m.heads as f64)
        }
        Some(e) => (lane * e.scratch(&tile) as f64, lane * e.kept(&tile) as f64 * m.heads as f64),
        None => (0.0, 0.0),
    };
    let hidden = feed_forward.as_ref().map_or(0.0, |e| lane * e.scratch(&Tile { tokens: rows.min(64), ..tile }) as f64);
    let kept = (m.depth as f64 * kept).min(most_kept(axis, m.depth, state));
    let states = m.depth_method.stages().map_or(2, |s| s.b.len()) as f64;
    m.depth as f64 * states * state + kept + 8.0 * state + scratch + hidden
}

/// Memory that a run may take: what the system calls available, or 64 GB where it does not tell.
fn memory() -> f64 {
    let info = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = info.lines().find_map(|l| l.strip_prefix("MemAvailable:"));
    let kilobytes = line.and_then(|l| l.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
    kilobytes.map_or(64e9, |k| 1024.0 * k)
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
