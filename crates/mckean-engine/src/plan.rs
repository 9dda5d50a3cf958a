//! What a lane holds: the same entry of W samples, or of W consecutive tokens of one sample; chosen by size.
//!
//! Maths: none; both layouts compute the same numbers up to rounding.
//! Shapes: samples: attention matrices of n^2 lanes, batches padded to W; tokens: rows of ceil(n / W) lanes, memory linear in n.
//! Cost: none.
//! Checked: tests below, `tests/tokens.rs` (both layouts agree).

use crate::network::Network;
use mckean_model::ModelConfig;
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

/// Bytes of the attention matrices of one lane group (scores, cotangents) up to which samples in lanes are faster. Measured at D = 64,
/// two heads of 32, batch 64, f32 on AVX2: n = 96 (0.6 MB) 106 ms against 113 ms with tokens in lanes, n = 128 (1 MB) 166 against
/// 164, n = 256 477 against 374; Hessian-vector products of 65 tokens on AVX-512 (1.1 MB): 0.61 of the time.
const CACHE: f64 = 1200e3;
/// Tokens in lanes must save this factor of padding when the attention matrices are small (at n = 17 they take 2.1 times as long).
const SAVING: f64 = 2.0;

/// Share of lanes that hold something: `count` things, `width` in a lane.
fn waste(count: usize, width: usize) -> f64 {
    count.div_ceil(width) as f64 * width as f64 / count.max(1) as f64
}

/// Lanes of a matrix of scores and one of cotangents, in bytes.
pub(crate) fn matrices(m: &ModelConfig, tokens: usize, bytes: usize) -> f64 {
    if m.attention == "none" { 0.0 } else { 2.0 * (tokens as f64).powi(2) * bytes as f64 }
}

/// The layout a network takes on full lanes of `bytes` bytes, whatever the batch.
pub(crate) fn axis_of(m: &ModelConfig, tokens: usize, bytes: usize) -> LaneAxis {
    match m.lanes {
        Lanes::Tokens => LaneAxis::Tokens,
        Lanes::Auto if m.padding_token >= 0 => LaneAxis::Tokens,
        Lanes::Auto if matrices(m, tokens, bytes) > CACHE => LaneAxis::Tokens,
        _ => LaneAxis::Samples,
    }
}

/// The layout for `samples` samples on lanes of `width` entries and `bytes` bytes.
pub fn plan(net: &Network, samples: usize, width: usize, bytes: usize) -> Plan {
    let matrix = matrices(&net.config, net.tokens, bytes);
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
        Lanes::Auto if net.config.padding_token >= 0 => {
            said(LaneAxis::Tokens, "tokens in lanes, because samples have lengths of their own (model.padding_token)")
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::DataShape;

    fn chosen(tokens: usize, samples: usize, lanes: Lanes) -> Plan {
        let m = ModelConfig { lanes, ..Default::default() };
        let net = Network::new(&m, DataShape { tokens, dim: 5, outputs: 1, vocabulary: 0 }).unwrap();
        plan(&net, samples, 8, 32)
    }

    #[test]
    fn long_samples_and_few_samples_put_tokens_in_lanes() {
        assert_eq!(chosen(16, 64, Lanes::Auto).axis, LaneAxis::Samples);
        assert_eq!(chosen(2048, 64, Lanes::Auto).axis, LaneAxis::Tokens);
        assert_eq!(chosen(16, 1, Lanes::Auto).axis, LaneAxis::Tokens);
        assert_eq!(chosen(2, 1, Lanes::Auto).axis, LaneAxis::Samples);
        assert_eq!(chosen(2048, 64, Lanes::Samples).axis, LaneAxis::Samples);
        let why = chosen(2048, 64, Lanes::Auto).why;
        assert!(why.contains("would leave the cache") && why.contains("268.435 MB"), "{why}");
    }
}
