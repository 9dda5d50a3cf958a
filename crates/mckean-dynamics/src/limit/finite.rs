//! Finite networks of the same law, followed by the same flow, for comparison with the limit.
//!
//! Maths: a network (M, L) of Gao et al., eqs 2.1-2.8, drawn from the named stream of its seed. DERIVED: drawn from K atoms it is a
//! network of K particles a block with weights counts/M, exactly; atoms that were not drawn move along with weight `GHOST`.
//! Shapes: as the limit's.
//! Cost: O(M L), or O(K L) whatever M for atoms.
//! Checked: `tests/limit_finite.rs`.

use super::member::{Member, Particles, Trace, trace};
use super::{LimitError, Problem};
use mckean_engine::Network;
use mckean_model::{DepthMethod, ModelConfig, ParticleWeights, atoms, init};
use mckean_num::rng::Seed;
use std::sync::Arc;

/// Weight of an atom that no particle has: far below rounding, yet a number to divide by.
pub(super) const GHOST: f64 = 1e-200;

/// A finite network of the paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finite {
    /// Heads and neurons a block.
    pub width: usize,
    /// Blocks.
    pub depth: usize,
    /// Its seed.
    pub seed: u64,
}

/// The network of the paper with this many particles a block and this depth.
pub fn blocks(problem: &Problem, particles: usize, depth: usize) -> ModelConfig {
    let depth_method = DepthMethod::Splitting;
    ModelConfig { depth_method, depth, heads: particles, neurons: particles, ..problem.model.clone() }
}

/// The network particle by particle, and its start.
///
/// # Errors
/// Sizes that do not fit into memory.
pub fn coupled(problem: &Problem, finite: Finite) -> Result<(Arc<Network>, Vec<f64>), LimitError> {
    let m = blocks(problem, finite.width, finite.depth);
    let net = Network::new(&m, problem.shape)?;
    let start = init::draw(&m, &problem.init, &net.layout, Seed(finite.seed));
    Ok((Arc::new(net), start))
}

/// The same network of atoms as K weighted particles a block, and its start.
///
/// # Errors
/// A law without atoms.
pub fn exact(problem: &Problem, finite: Finite) -> Result<(Arc<Network>, Vec<f64>), LimitError> {
    let (law, atoms) = (problem.law()?, problem.init.atoms);
    if atoms == 0 {
        return Err(super::setting("method", "\"atoms\"", "the law has no atoms. Set init.atoms or init.particles."));
    }
    let m = blocks(problem, atoms, finite.depth);
    let block = |l: usize| -> Vec<f64> {
        let counts = atoms::counts(Seed(finite.seed), l, finite.width, atoms);
        counts.into_iter().map(|c| (c as f64 / finite.width as f64).max(GHOST)).collect()
    };
    let lists: Vec<Vec<f64>> = (0..finite.depth).map(block).collect();
    let weights = ParticleWeights { heads: lists.clone(), neurons: lists };
    let net = Network::weighted(&m, problem.shape, weights)?;
    let mut start = init::shared(&net.layout, Seed(finite.seed));
    for l in 0..finite.depth {
        let slots = init::Slots::new(&net.layout, l);
        let own = law.at(m.depth_method.time(m.depth, l)).atoms();
        own.iter().enumerate().for_each(|(j, p)| slots.place(j, p, &mut start));
    }
    Ok((Arc::new(net), start))
}

/// The infinitely wide network of a law of atoms, exactly, and its start: that of depth `steps` (splitting), or the limit itself (other methods).
///
/// # Errors
/// A law without atoms.
pub fn infinite(
    problem: &Problem,
    (method, steps): (DepthMethod, usize),
) -> Result<(Arc<Network>, Vec<f64>), LimitError> {
    let law = problem.law()?;
    if problem.init.atoms == 0 {
        return Err(super::setting("method", "\"atoms\"", "the law has no atoms. Set init.atoms."));
    }
    let member = Member::new(problem, &law, &Particles::Atoms, (method, steps))?;
    Ok((member.net, member.start))
}

impl Finite {
    /// The network and its start, by atoms where the law has them.
    ///
    /// # Errors
    /// As [`coupled`].
    pub fn start(self, problem: &Problem) -> Result<(Arc<Network>, Vec<f64>), LimitError> {
        if problem.init.atoms > 0 { exact(problem, self) } else { coupled(problem, self) }
    }

    /// Follows the flow of this network.
    ///
    /// # Errors
    /// As [`coupled`].
    pub fn trace(self, problem: &Problem, taus: &[f64], tolerance: f64) -> Result<Trace, LimitError> {
        let (net, start) = self.start(problem)?;
        trace(problem, &net, &start, (taus, &[]), (tolerance, 1))
    }
}
