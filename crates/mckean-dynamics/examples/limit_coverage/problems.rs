//! The problems that are measured: those of the examples, and random ones.
//!
//! Maths: in-context regression; Gaussian, truncated, box and ball laws.
//! Shapes: see `Problem`.
//! Cost: microseconds.
//! Checked: by its use.

use mckean_data::DataConfig;
use mckean_dynamics::limit::Problem;
use mckean_engine::DataShape;
use mckean_model::{Activation, InitConfig, InitialLaw, ModelConfig, Readout};
use mckean_num::rng::{Draws, Seed};
use std::sync::Arc;

/// The problem of `examples/limit_*.toml` at a token scale.
pub fn example(token_scale: f64, atoms: usize) -> Problem {
    let data = DataConfig { x_dim: 2, context: 4, train: 32, seed: 7, token_scale, ..config() };
    let init = InitConfig { law: InitialLaw::Normal, scale: 0.5, atoms, ..Default::default() };
    of(&data, ModelConfig::default(), init, 1e-3)
}

fn config() -> DataConfig {
    DataConfig { name: "in_context".into(), constant: false, ..Default::default() }
}

fn of(data: &DataConfig, model: ModelConfig, init: InitConfig, lambda: f64) -> Problem {
    let row = data.x_dim as i64;
    let model = ModelConfig { readout: Readout::Entry, readout_row: row, readout_token: -1, ..model };
    let data = Arc::new(mckean_data::load(data).expect("generated data").train);
    let shape = DataShape { tokens: data.tokens, dim: data.dim, outputs: 1, vocabulary: 0 };
    Problem { model, shape, data, init, lambda }
}

/// Problem `i` of a seed: data, scales, law, activation and weight decay are drawn.
pub fn random(seed: u64, i: u64) -> Problem {
    let mut g = Seed(seed).stream("limit.coverage").at(i).open();
    let between = |g: &mut Draws, a: f64, b: f64| a + (b - a) * g.uniform();
    let data = DataConfig {
        x_dim: 1 + g.below(2),
        context: 2 + g.below(3),
        train: 8 + 8 * g.below(2),
        seed: seed.wrapping_mul(1000).wrapping_add(i),
        token_scale: between(&mut g, 0.4, 1.0),
        ..config()
    };
    let law = [InitialLaw::Normal, InitialLaw::Truncated, InitialLaw::Box, InitialLaw::Ball][g.below(4)];
    let rms = between(&mut g, 0.3, 0.6);
    let numbers = (2 * (data.x_dim + 2).pow(2) + 2 * (data.x_dim + 2)) as f64;
    let scale = match law {
        InitialLaw::Box => rms * 3f64.sqrt(),
        InitialLaw::Ball => rms * (numbers + 2.0).sqrt(),
        _ => rms,
    };
    let activation = [Activation::HubRelu, Activation::Gelu, Activation::Tanh][g.below(3)];
    let lambda = 10f64.powf(between(&mut g, -3.0, -2.0));
    let init = InitConfig { law, scale, ..Default::default() };
    of(&data, ModelConfig { activation, ..Default::default() }, init, lambda)
}
