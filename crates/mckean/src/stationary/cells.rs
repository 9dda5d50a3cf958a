//! The networks of a sweep over weight decay: finite ones, infinitely wide ones of atoms, and the limit of atoms.
//!
//! Maths: networks of Gao et al. 2024, eqs 2.1-2.8. DERIVED: a law of K atoms makes the network of width M one of K particles with weights
//! counts/M, and the infinitely wide one of K particles with weights 1/K, exactly (`mckean_dynamics::limit`).
//! Shapes: width 0 stands for infinity; depth steps of the limit are its own.
//! Cost: drawing.
//! Checked: `tests/stationary.rs`.

use super::settings::StationaryConfig;
use crate::config::Config;
use crate::error::Error;
use crate::limit;
use crate::problem::Problem;
use mckean_dynamics::config::Scheme;
use mckean_dynamics::limit::{Finite, Problem as Law, exact, infinite};
use mckean_engine::Network;
use mckean_model::{DepthMethod, init};
use mckean_num::rng::Seed;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What kind of network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// Infinite width and depth, a law of atoms, with this many depth steps.
    Limit(usize),
    /// Infinite width, a law of atoms, at this depth L.
    Wide(usize),
    /// Width M and depth L.
    Finite(usize, usize),
}

/// One network at one weight decay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Weight decay.
    pub lambda: f64,
    /// Size.
    pub size: Size,
    /// Number of the seed.
    pub seed: usize,
}

impl Size {
    /// In words.
    pub fn words(self) -> String {
        match self {
            Size::Limit(steps) => format!("limit, {steps} depth steps"),
            Size::Wide(l) => format!("M = ∞, L = {l}"),
            Size::Finite(m, l) => format!("M = {m}, L = {l}"),
        }
    }
}

impl Cell {
    /// Its name in files.
    pub fn name(&self) -> String {
        let size = match self.size {
            Size::Limit(steps) => format!("limit{steps}"),
            Size::Wide(l) => format!("Minf-L{l}"),
            Size::Finite(m, l) => format!("M{m}-L{l}-s{}", self.seed),
        };
        format!("lambda{:e}-{size}", self.lambda)
    }

    /// All networks of a grid, seeds outermost and the smallest weight decay, which takes longest, first.
    pub fn grid(grid: &StationaryConfig, atoms: bool) -> Vec<Cell> {
        let mut sizes = vec![];
        for seed in 0..grid.seeds {
            let finite = |l: usize| grid.widths.iter().map(move |&m| (Size::Finite(m, l), seed));
            sizes.extend(grid.depths.iter().flat_map(|&l| finite(l)));
            if atoms && seed == 0 {
                sizes.extend(grid.depths.iter().map(|&l| (Size::Wide(l), 0)));
                sizes.extend([grid.depth_steps, 2 * grid.depth_steps].map(|s| (Size::Limit(s), 0)));
            }
        }
        let at =
            |(size, seed): (Size, usize)| grid.lambdas.iter().rev().map(move |&lambda| Cell { lambda, size, seed });
        sizes.into_iter().flat_map(at).collect()
    }

    /// The network on the samples of `law`, with the settings of its flow.
    ///
    /// # Errors
    /// Sizes that do not fit into memory.
    pub fn problem(&self, config: &Config, law: &Law, rules: &StationaryConfig) -> Result<Problem, Error> {
        let mut own = config.clone();
        own.seed = config.seed.wrapping_add(self.seed as u64);
        let d = &mut own.dynamics;
        (d.weight_decay, d.integrator, d.until) = (self.lambda, Scheme::Adaptive, rules.horizon / self.lambda);
        (d.rtol, d.atol, d.step, d.max_steps) = (rules.tolerance, rules.tolerance, 0.1, u64::MAX);
        let (net, start) = match self.size {
            Size::Limit(steps) => infinite(law, (DepthMethod::Rk4, steps))?,
            Size::Wide(l) => infinite(law, (DepthMethod::Splitting, l))?,
            Size::Finite(m, l) => {
                own.model.depth = l;
                if !config.stationary.widths.is_empty() {
                    (own.model.heads, own.model.neurons) = (m, m); // those of [model] may differ
                }
                finite(&own, law)?
            }
        };
        let train = law.data.clone();
        Ok(Problem { config: own, init: law.init.clone(), train, test: None, net, start })
    }
}

/// The network of a config and its start: by atoms where the law has them, particle by particle else.
fn finite(own: &Config, law: &Law) -> Result<(Arc<Network>, Vec<f64>), Error> {
    let (m, seed) = (&own.model, own.seed);
    if law.init.atoms > 0 && m.heads == m.neurons {
        return Ok(exact(law, Finite { width: m.heads, depth: m.depth, seed })?);
    }
    let net = Problem::network(own, &law.data, None)?;
    let start = init::draw(m, &law.init, &net.layout, Seed(seed));
    Ok((Arc::new(net), start))
}

/// What networks of a config are made of; everything that has no limit is refused.
///
/// # Errors
/// Descent, single precision, networks outside the model of the theorems.
pub fn law(config: &Config) -> Result<Law, Error> {
    let law = limit::problem(config)?;
    law.check()?;
    Ok(law)
}
