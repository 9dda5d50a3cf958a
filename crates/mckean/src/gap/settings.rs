//! `[gap]`: how one network is compared with its limit.
//!
//! Maths: none.
//! Shapes: a grid of rates with one width and one depth, those of `[model]`.
//! Cost: none.
//! Checked: `tests/gap.rs`.

use crate::error::Error;
use crate::rates::RatesConfig;
use mckean_model::ModelConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[gap]`: the network of `[model]` against its limit (`mckean gap`). Times are those of `[limit]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GapConfig {
    /// Networks: those that `mckean run` trains from seed, seed + 1, ...; more of them later find the ones that are there.
    pub seeds: usize,
    /// Tolerance of a step in training time; 0 makes 1e-7 for laws of atoms, else 1e-5.
    pub tolerance: f64,
    /// Laws without atoms: quasi-random particles a block that stand for infinitely many; 0 makes four times the width, from 64 to 256, or an
    /// eighth of very wide networks.
    pub wide: usize,
    /// Seconds after which no further network is begun.
    pub budget: f64,
}

impl Default for GapConfig {
    fn default() -> Self {
        let RatesConfig { tolerance, budget, .. } = RatesConfig::default();
        GapConfig { seeds: 8, tolerance, wide: 0, budget }
    }
}

/// Heads and neurons a block, which are equally many in the theory.
///
/// # Errors
/// Different numbers of them.
pub(super) fn width(model: &ModelConfig) -> Result<usize, Error> {
    match (model.attention.as_str(), model.feed_forward.as_str()) {
        (_, "none") => Ok(model.heads),
        ("none", _) => Ok(model.neurons),
        _ if model.heads == model.neurons => Ok(model.heads),
        _ => Err(Error::Value {
            key: "model.neurons".into(),
            value: model.neurons.to_string(),
            problem: format!(
                "model.heads = {}: a particle of the limit is a head and a neuron, so both must be equally many. --width sets both.",
                model.heads
            ),
        }),
    }
}

impl GapConfig {
    /// The grid of one size.
    pub(super) fn grid(&self, model: &ModelConfig, atoms: bool) -> Result<RatesConfig, Error> {
        let (width, depths) = (width(model)?, vec![model.depth]);
        let GapConfig { seeds, tolerance, budget, .. } = *self;
        let own = width.saturating_mul(4).clamp(64, 256).max(width / 8).next_multiple_of(2);
        let (widths, wide) = (vec![width], if self.wide > 0 { self.wide } else { own });
        Ok(RatesConfig { widths, depths, seeds, tolerance, wide, budget, ..RatesConfig::default() }.filled(atoms))
    }
}
