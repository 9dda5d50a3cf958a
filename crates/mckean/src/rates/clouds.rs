//! Particles and particle clouds of a network against those that the limit, or the infinitely wide network, drives.
//!
//! Maths: |beta - beta~| of the proof of Theorem 3.1 of Gao et al. 2024, beta~ with the start of beta and driven by the limit; W2 at fixed
//! depth (section 2). Floor: W2 between the driven cloud and the law, which is that of the draws alone; above: W2 between cloud and
//! driven cloud. DERIVED: |raw - floor| <= above <= rms |beta - beta~| (triangle inequality; the coupling is a plan).
//! Law: for atoms that of the driven particles; else finitely many points that the limit drives, so that raw and floor have a floor of their own.
//! Shapes: blocks l of depth L at t = l/L, where both sides have particles; nothing is interpolated.
//! Cost: every particle at every time; three distances at `BLOCKS` blocks a snapshot (`FEW` without atoms, whose distances cost more).
//! Checked: `tests/rates_clouds.rs`.

use super::gaps::{Gaps, Quantity};
use mckean_analysis::AnalysisError;
use mckean_analysis::transport::{Weighted, exact, flow, weighted};
use mckean_analysis::verdict::larger;
use mckean_dynamics::limit::joint;
use mckean_engine::Network;
use mckean_model::Role;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Most blocks at which clouds are compared.
const BLOCKS: usize = 32;
/// The same without atoms.
const FEW: usize = 4;
/// Most points of a cloud without atoms whose distance is exact; in grids with larger ones all are sliced along `DIRECTIONS` directions.
pub(super) const MATCHED: usize = 512;
const DIRECTIONS: usize = 64;
/// Depths t whose distances are kept one by one: at the last compared block at or before t.
pub const DEPTHS: [f64; 4] = [0.0, 0.25, 0.5, 0.75];
/// Weight below which a particle is none.
const NONE: f64 = 1e-100;

/// Some particles of a network at all kept times.
#[derive(Clone, Debug)]
pub struct Side<'a> {
    /// Network.
    pub net: &'a Network,
    /// Parameters by time.
    pub kept: &'a [(f64, Vec<f64>)],
    /// Blocks, and slices from one to the next.
    pub blocks: (usize, usize),
    /// Which particles of a slice.
    pub range: Range<usize>,
}

impl Side<'_> {
    fn points(&self, time: usize, block: usize) -> Vec<f64> {
        joint(self.net, &self.kept[time].1, block * self.blocks.1, self.range.clone())
    }

    /// Weights of its particles; equal ones for particles that are driven and have none.
    fn weights(&self, block: usize) -> Vec<f64> {
        let own = &self.net.weights.at(Role::Head, block * self.blocks.1)[self.range.clone()];
        if own.iter().any(|w| *w > NONE) { own.to_vec() } else { vec![1.0 / own.len() as f64; own.len()] }
    }
}

/// Distance to the law, that of the draws alone, and that to the same draws driven by the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Distances {
    /// W2 of the cloud and the law.
    pub raw: f64,
    /// W2 of the driven cloud and the law.
    pub floor: f64,
    /// W2 of the cloud and the driven cloud.
    pub above: f64,
}

/// What a comparison shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Clouds {
    /// Largest |beta - beta~| at every time.
    pub largest: Vec<f64>,
    /// Its root mean square over particles and depth at every time.
    pub rms: Vec<f64>,
    /// sqrt(int W2^2 dt) at every snapshot.
    pub whole: Vec<Distances>,
    /// By snapshot, at `DEPTHS`.
    pub depths: Vec<Vec<Distances>>,
}

impl Clouds {
    /// The gaps in it.
    pub fn gaps(&self) -> Gaps {
        let most = |x: &mut dyn Iterator<Item = f64>| x.fold(0.0, larger);
        Gaps::default()
            .with(Quantity::Particles, most(&mut self.largest.iter().copied()))
            .with(Quantity::ParticlesRms, most(&mut self.rms.iter().copied()))
            .with(Quantity::Cloud, most(&mut self.whole.iter().map(|d| d.raw)))
            .with(Quantity::CloudAbove, most(&mut self.whole.iter().map(|d| d.above)))
    }
}

/// Compares `own` with `driven` at all times kept, clouds at `snapshots`. The driven particles start where those of `own` do; with the
/// weights of `own` they are the same draws. `law` stands for the law; none takes the driven particles with their own weights.
///
/// # Errors
/// Particles that are not finite.
pub fn compare(
    own: &Side<'_>,
    driven: &Side<'_>,
    law: Option<&Side<'_>>,
    (snapshots, sliced): (&[usize], bool),
) -> Result<Clouds, AnalysisError> {
    let depth = own.blocks.0;
    let mut found = Clouds::default();
    for time in 0..own.kept.len().min(driven.kept.len()) {
        let (mut largest, mut sum) = (0.0, 0.0);
        for block in 0..depth {
            let (most, mean) = apart(&own.points(time, block), &driven.points(time, block), &own.weights(block));
            (largest, sum) = (larger(largest, most), sum + mean);
        }
        found.largest.push(largest);
        found.rms.push((sum / depth as f64).sqrt());
    }
    let every = depth.div_ceil(if law.is_some() { FEW } else { BLOCKS });
    for &time in snapshots {
        let at = |block| distances((own, driven, law.unwrap_or(driven)), (time, block), sliced);
        let all = (0..depth).step_by(every).map(at).collect::<Result<Vec<Distances>, AnalysisError>>()?;
        let mean =
            |pick: fn(&Distances) -> f64| (all.iter().map(|d| pick(d).powi(2)).sum::<f64>() / all.len() as f64).sqrt();
        found.whole.push(Distances { raw: mean(|d| d.raw), floor: mean(|d| d.floor), above: mean(|d| d.above) });
        found.depths.push(DEPTHS.iter().map(|t| all[(t * depth as f64) as usize / every]).collect());
    }
    Ok(found)
}

/// Largest and mean squared distance of particles that there are.
fn apart(a: &[f64], b: &[f64], weights: &[f64]) -> (f64, f64) {
    let each = a.len() / weights.len();
    let square = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>();
    let all = a.chunks(each).zip(b.chunks(each)).zip(weights).filter(|(_, w)| **w > NONE);
    let (most, sum) = all.fold((0.0, 0.0), |(most, sum), ((x, y), w)| {
        let far = square(x, y);
        (larger(most, far), sum + w * far)
    });
    (most.sqrt(), sum)
}

fn distances(
    (own, driven, law): (&Side<'_>, &Side<'_>, &Side<'_>),
    (time, block): (usize, usize),
    sliced: bool,
) -> Result<Distances, AnalysisError> {
    let (a, b, draws) = (own.points(time, block), driven.points(time, block), own.weights(block));
    let dim = a.len() / draws.len();
    let (points, weights) = (law.points(time, block), law.weights(block));
    let (a, b, law) = ((&a[..], &draws[..]), (&b[..], &draws[..]), (&points[..], &weights[..]));
    Ok(Distances { raw: w2(a, law, dim, sliced)?, floor: w2(b, law, dim, sliced)?, above: w2(a, b, dim, sliced)? })
}

/// W2: by assignment where equal weights allow it (points are repeated), else by transportation; `sliced` for large clouds.
fn w2(a: Weighted<'_>, b: Weighted<'_>, dim: usize, sliced: bool) -> Result<f64, AnalysisError> {
    let (most, least) = (a.1.len().max(b.1.len()), a.1.len().min(b.1.len()));
    let even = |w: &[f64]| w.iter().all(|x| *x == w[0]);
    if sliced {
        weighted(a, b, dim, DIRECTIONS)
    } else if most % least == 0 && even(a.1) && even(b.1) {
        let repeated = |x: Weighted<'_>| x.0.repeat(most / x.1.len());
        exact(&repeated(a), &repeated(b), dim)
    } else {
        flow::between(a, b, dim)
    }
}
