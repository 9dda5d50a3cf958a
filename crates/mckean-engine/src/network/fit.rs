//! Whether a network fits its data and the memory there is, asked before anything is allocated.
//!
//! Maths: none.
//! Shapes: those of config and data.
//! Cost: none.
//! Checked: `tests/misfits.rs`, `tests/padding.rs` and the messages in `mckean/tests/bad_input.rs`.

use super::DataShape;
use crate::encoder::{Encoder, Tile};
use crate::pass::most_kept;
use crate::plan::{self, LaneAxis};
use mckean_model::config::{Embedding, Lanes};
use mckean_model::{Loss, ModelConfig, ModelError, Readout};

/// Copies of the parameters while training: point, gradients of the shards, stages or moments.
const COPIES: f64 = 10.0;
/// Bytes of the widest lane.
const LANE_BYTES: usize = 64;
/// Bytes of the name, shape and place of one tensor.
const TENSOR_BYTES: f64 = 256.0;

/// Refuses what does not fit the data.
pub(super) fn check_fit(m: &ModelConfig, data: DataShape, tokens: usize, dim: usize) -> Result<(), ModelError> {
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

pub(super) type Maybe = Option<Box<dyn Encoder<f64>>>;

/// Refuses what cannot fit before anything is allocated.
pub(super) fn check_size(
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
