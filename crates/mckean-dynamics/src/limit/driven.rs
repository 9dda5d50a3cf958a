//! The nonlinear dynamics: particles moved by the velocity field of the limit, at the depths l/L where a network of depth L has its blocks.
//!
//! Maths: d beta~/dtau = -G(beta~, rho^(tau), t), inside the proof of Theorem 3.1 of Gao et al. 2024. DERIVED: the law is that of a
//! Runge-Kutta network whose even slices are the depths l/L; driven particles move along in them with weight `GHOST`.
//! Shapes: block l of the network of depth L is slice `stride` l; `stride` is even, because the slices between steps are of lower order.
//! Cost: four evaluations of the field a step, K + driven particles each; L times `stride`/2 steps.
//! Checked: `tests/limit_driven.rs`.

use super::finite::{GHOST, blocks};
use super::member::{Trace, trace_unless};
use super::{LimitError, Problem};
use mckean_engine::Network;
use mckean_model::{DepthMethod, ModelConfig, ParticleWeights, Role, init};
use mckean_num::rng::Seed;
use std::ops::Range;
use std::sync::Arc;

/// What a network of depth L is compared with.
#[derive(Clone, Debug)]
pub struct Driven {
    /// The network that solves for the limit: in every slice first the particles of the law, then the driven ones.
    pub net: Arc<Network>,
    /// Its flow, with parameters at all times that were reached.
    pub trace: Trace,
    /// Particles of the law in a slice.
    pub own: usize,
    /// Slices from one block to the next.
    pub stride: usize,
}

/// Training times at which particles are kept, the tolerance of a step, and what gives a flow up.
pub type Times<'a> = (&'a [f64], f64, &'a (dyn Fn() -> bool + Sync));

/// Follows the limit of `problem` at the depths of `depth` blocks: `law` gives the particles of a slice at its depth t (equal weights), `ghosts` those
/// of a block that are driven (as many in every block). `steps` is the least number of depth steps.
///
/// # Errors
/// Sizes that do not fit into memory.
pub fn driven(
    problem: &Problem,
    law: &dyn Fn(f64, usize) -> Vec<Vec<f64>>,
    ghosts: &dyn Fn(usize) -> Vec<Vec<f64>>,
    (depth, steps): (usize, usize),
    times: Times<'_>,
) -> Result<Driven, LimitError> {
    let each = steps.div_ceil(depth); // steps from one block to the next
    let model = ModelConfig { depth_method: DepthMethod::Rk4, ..blocks(problem, 0, each * depth) };
    follow(problem, (model, 2 * each), (law, ghosts), depth, times)
}

/// As [`driven`] by the network of depth `depth` itself (splitting) whose blocks have the particles of `law`: that of infinite width, if they
/// stand for the whole law. DERIVED.
///
/// # Errors
/// As [`driven`].
pub fn accompanied(
    problem: &Problem,
    law: &dyn Fn(f64, usize) -> Vec<Vec<f64>>,
    ghosts: &dyn Fn(usize) -> Vec<Vec<f64>>,
    depth: usize,
    times: Times<'_>,
) -> Result<Driven, LimitError> {
    follow(problem, (blocks(problem, 0, depth), 1), (law, ghosts), depth, times)
}

/// The particles of the law by depth and slice, and those of a block that are driven.
type Points<'a> = &'a dyn Fn(f64, usize) -> Vec<Vec<f64>>;
type Draws<'a> = &'a dyn Fn(usize) -> Vec<Vec<f64>>;

/// Follows a network of the depth steps of `model`, whose blocks lie `stride` slices apart.
fn follow(
    problem: &Problem,
    (model, stride): (ModelConfig, usize),
    (law, ghosts): (Points<'_>, Draws<'_>),
    depth: usize,
    (taus, tolerance, stop): Times<'_>,
) -> Result<Driven, LimitError> {
    let (own, moved) = (law(0.0, 0).len(), ghosts(0).len());
    let model = ModelConfig { heads: own + moved, neurons: own + moved, ..model };
    let weights = [vec![1.0 / own as f64; own], vec![GHOST; moved]].concat();
    let weights = ParticleWeights { heads: vec![weights.clone()], neurons: vec![weights] };
    let net = Arc::new(Network::weighted(&model, problem.shape, weights)?);
    let mut start = init::shared(&net.layout, Seed(0));
    for slice in 0..model.slices() {
        let slots = init::Slots::new(&net.layout, slice);
        let block = (slice / stride).min(depth - 1); // between blocks ghosts idle
        let t = model.depth_method.time(model.depth, slice);
        let all = law(t, slice).into_iter().chain(ghosts(block));
        all.enumerate().for_each(|(j, p)| slots.place(j, &p, &mut start));
    }
    let trace = trace_unless(problem, (&net, &start), (taus, taus), (tolerance, 1), stop)?;
    Ok(Driven { net, trace, own, stride })
}

/// Joint particles (theta, w) of a slice whose numbers are in `range`: (particles, numbers of one) row-major.
pub fn joint(net: &Network, beta: &[f64], slice: usize, range: Range<usize>) -> Vec<f64> {
    let roles = [Role::Head, Role::Neuron].into_iter();
    let tensors: Vec<_> = roles.flat_map(|r| net.layout.particles(slice, r)).collect();
    range.flat_map(|j| tensors.iter().flat_map(move |t| t.particle(j))).map(|i| beta[i]).collect()
}
