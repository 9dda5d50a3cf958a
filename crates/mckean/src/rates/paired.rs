//! The bias of depth without chance: infinitely wide networks and the limit with the same particles.
//!
//! Maths: DERIVED. Particles that are the same points at every depth are a law of atoms: its networks of depth L have a limit, and their gap to
//! it is the bias of that law. For scrambled Sobol points it is the bias of the law itself up to the relative error N^-1/2 of means over N points,
//! which all depths have in common, whereas the errors of network and limit alone are N^-1/2 whatever their gap is.
//! Shapes: one pairing a scrambling, one for laws of atoms; curves over the training times.
//! Cost: `SCRAMBLINGS` networks and limits of `rates.wide` particles, and of a quarter of them a finer and a rougher one of both.
//! Checked: `tests/rates_clouds.rs`.

use super::cells::Shared;
use super::clouds::{Clouds, Side, compare};
use super::ended::Ended;
use super::gaps::{Gaps, Quantity};
use super::ghosts::{self, LOOSER, STEPS};
use super::ladder::Rung;
use crate::error::Error;
use mckean_dynamics::limit::{Driven, Series, accompanied, driven};
use serde::{Deserialize, Serialize};

/// Independent scramblings.
const SCRAMBLINGS: usize = 4;
/// What steps err by does not depend on how many particles there are: it is measured on so many times fewer.
const FEWER: usize = 4;

/// An infinitely wide network and the limit with the same particles.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Paired {
    /// How far they are apart.
    pub gaps: Gaps,
    /// Curves of the network less those of the limit.
    pub difference: Series,
}

impl Paired {
    /// Of curves of `samples` samples, with the gaps of particles.
    pub(super) fn new(own: &Series, limit: &Series, samples: usize, particles: &Gaps) -> Paired {
        let difference = Series::combined(&[(1.0, own), (-1.0, limit)]);
        Paired { gaps: Gaps::size(&difference, samples).plus(particles), difference }
    }
}

/// The bias of depth of one depth.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bias {
    /// By scrambling.
    pub scramblings: Vec<Paired>,
    /// Known error of a gap: steps in depth and time.
    pub error: Gaps,
}

impl Bias {
    /// Of one quantity at depth `l`, if it was measured.
    pub fn rung(&self, q: Quantity, l: usize) -> Option<Rung> {
        let gaps = self.scramblings.iter().map(|p| p.gaps.get(q)).collect::<Option<Vec<f64>>>()?;
        Some(Rung::new(l, gaps, self.error.of(q)))
    }

    /// Of depth `l` for a law without atoms, with the clouds of the first scrambling.
    ///
    /// # Errors
    /// Sizes that do not fit into memory; flows that end early.
    pub fn sobol(shared: &Shared<'_>, l: usize) -> Result<(Bias, Clouds), Error> {
        let few = Shared { wide: (shared.wide / FEWER).next_multiple_of(2).max(2), ..shared.clone() };
        let pairs: [(Paired, Clouds); SCRAMBLINGS + 2] = shared.on_all(|i| match i {
            0 => pair(&few, l, 0, true), // the longest first
            1 => pair(&few, l, 0, false),
            _ => pair(shared, l, i - 2, false),
        })?;
        let [finer, rough] = [0, 1].map(|i| &pairs[i].0);
        let curves = Gaps::between(&finer.difference, &rough.difference, shared.problem.data.samples);
        let error = finer.gaps.clone().apart(&rough.gaps).with_all(&curves);
        let clouds = pairs[2].1.clone();
        Ok((Bias { scramblings: pairs.into_iter().skip(2).map(|p| p.0).collect(), error }, clouds))
    }
}

/// Network and limit with the points of scrambling `r` at every depth.
fn pair(shared: &Shared<'_>, l: usize, r: usize, finer: bool) -> Result<(Paired, Clouds), Error> {
    let (problem, law, seed) = (shared.problem, shared.problem.law()?, shared.scrambling(r));
    let points = |t: f64, _| shared.points(&law.at(t), seed, 0);
    let (steps, tolerance) = if finer { (2 * STEPS.max(l), 1.0) } else { (STEPS, LOOSER) };
    let (none, times) = (|_| vec![], shared.times(tolerance * shared.tolerance));
    let wide = accompanied(problem, &points, &none, l, times)?;
    Ended::check(&wide.trace, &format!("M = infinity, L = {l}, the same particles at every depth"))?;
    let limit = driven(problem, &points, &none, (l, steps), times)?;
    Ended::check(&limit.trace, &format!("the limit with the same particles at every depth, for L = {l}"))?;
    let clouds =
        compare(&side(&wide, l), &side(&limit, l), Some(&side(&limit, l)), (&shared.snapshots, shared.sliced))?;
    let (own, other, samples) = (&wide.trace.series, &limit.trace.series, problem.data.samples);
    Ok((Paired::new(own, other, samples, &ghosts::gaps(&clouds)), clouds))
}

/// The particles of a limit's law at the depths of `l` blocks.
pub(super) fn side(d: &Driven, l: usize) -> Side<'_> {
    Side { net: &d.net, kept: &d.trace.kept, blocks: (l, d.stride), range: 0..d.own }
}
