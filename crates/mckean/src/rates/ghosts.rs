//! Laws without atoms: the draws of networks driven by the infinitely wide network of their depth, and by the limit.
//!
//! Maths: beta~ of the proof of Theorem 3.1 of Gao et al. 2024; the law is `rates.wide` scrambled Sobol points a slice (DERIVED), the draws move
//! along with weight 0. Error: the same draws driven by another scrambling, over sqrt 2, since both err (`paired` measures the steps).
//! Shapes: draws of several networks of one depth side by side in every slice, so that one law drives all of them.
//! Cost: a splitting and a Runge-Kutta system of `rates.wide` and all draws.
//! Checked: `tests/rates_clouds.rs`.

use super::cells::{Followed, REPLICATES, Shared};
use super::clouds::{Clouds, Side, compare};
use super::gaps::{Gaps, Quantity};
use crate::error::Error;
use mckean_dynamics::limit::{Driven, accompanied, driven, joint, sobol_particles};
use std::ops::Range;

/// Least depth steps of the limit, and its tolerance in time over that of networks: particles err by far more.
pub(super) const STEPS: usize = 4;
pub(super) const LOOSER: f64 = 10.0;
/// Points of the law that clouds are compared with, and draws that stand for a wide network.
const POINTS: usize = 256;
pub(super) const DRAWS: usize = 128;

/// Particles by block, some of them of each network.
type Draws = Vec<Vec<Vec<f64>>>;

/// Draws driven by the infinitely wide network of depth `depth`, and by the limit.
pub struct Ghosts {
    depth: usize,
    wide: Driven,
    limit: Driven,
}

impl Ghosts {
    fn new(shared: &Shared<'_>, draws: &Draws, r: usize) -> Result<Ghosts, Error> {
        let (depth, law) = (draws.len(), shared.problem.law()?);
        let points = |t, slice| shared.points(&law.at(t), shared.scrambling(r), slice + 1);
        let (own, times) = (|block: usize| draws[block].clone(), shared.times(LOOSER * shared.tolerance));
        let [limit, wide] = shared.on_all(|i| match i {
            0 => Ok(driven(shared.problem, &points, &own, (depth, STEPS), times)?),
            _ => Ok(accompanied(shared.problem, &points, &own, depth, times)?),
        })?;
        Ok(Ghosts { depth, wide, limit })
    }

    /// Ghosts of networks of one depth.
    ///
    /// # Errors
    /// Sizes that do not fit into memory.
    pub fn of(shared: &Shared<'_>, all: &[&Followed]) -> Result<Ghosts, Error> {
        let particles = |own: &Followed, block| {
            let (width, points) = (own.net.config.heads, joint(&own.net, &own.start, block, 0..own.net.config.heads));
            points.chunks(points.len() / width).map(<[f64]>::to_vec).collect::<Vec<_>>()
        };
        let block = |l| all.iter().flat_map(|own| particles(own, l)).collect();
        Ghosts::new(shared, &(0..all[0].net.config.depth).map(block).collect(), 0)
    }

    /// Whether both flows reached the last time.
    pub fn complete(&self, shared: &Shared<'_>) -> bool {
        self.wide.trace.kept.len().min(self.limit.trace.kept.len()) == shared.taus.len()
    }

    fn side<'a>(&self, d: &'a Driven, range: Range<usize>) -> Side<'a> {
        Side { net: &d.net, kept: &d.trace.kept, blocks: (self.depth, d.stride), range }
    }

    fn drawn<'a>(&self, d: &'a Driven, range: &Range<usize>) -> Side<'a> {
        self.side(d, d.own + range.start..d.own + range.end)
    }

    /// Particles and clouds of `own` against its draws, `range` of all: driven by the limit, and the gaps to those driven by the wide network.
    ///
    /// # Errors
    /// Particles that are not finite.
    pub fn compare(&self, shared: &Shared<'_>, own: &Side<'_>, range: &Range<usize>) -> Result<(Clouds, Gaps), Error> {
        let against = |d| {
            let law = self.side(d, 0..d.own.min(POINTS));
            compare(own, &self.drawn(d, range), Some(&law), (&shared.snapshots, shared.sliced))
        };
        Ok((against(&self.limit)?, gaps(&against(&self.wide)?)))
    }
}

/// The gaps in it that have exponents: the distance to finitely many points of a law has none.
pub fn gaps(clouds: &Clouds) -> Gaps {
    clouds.gaps().without(Quantity::Cloud)
}

/// Errors of particles without atoms: of those that the limit drives, and of those that the wide network drives.
pub(super) struct Errors {
    pub limit: Gaps,
    pub wide: Gaps,
}

impl Errors {
    /// At the depths of `l` blocks; empty where a flow ends early, because nothing is compared then.
    pub fn new(shared: &Shared<'_>, l: usize) -> Result<Errors, Error> {
        let (law, seed) = (shared.problem.law()?, shared.scrambling(REPLICATES));
        let block = |b: usize| sobol_particles(&law.at(b as f64 / l as f64), seed, b + 1, 0..DRAWS / 2);
        let draws: Draws = (0..l).map(block).collect();
        let [one, two] = shared.on_all(|r| Ghosts::new(shared, &draws, r))?;
        if !(one.complete(shared) && two.complete(shared)) {
            return Ok(Errors { limit: Gaps::default(), wide: Gaps::default() });
        }
        let (all, half) = (0..DRAWS, 0.5f64.sqrt());
        let error = |a, b| -> Result<Gaps, Error> {
            Ok(gaps(&shared.compare(&one.drawn(a, &all), &two.drawn(b, &all))?).times(half))
        };
        Ok(Errors { limit: error(&one.limit, &two.limit)?, wide: error(&one.wide, &two.wide)? })
    }
}
