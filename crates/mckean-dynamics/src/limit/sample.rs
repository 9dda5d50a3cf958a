//! Replicates of one size, with half sets for some of them.
//!
//! Maths: independent scramblings give the mean and its interval; half sets, paired with whole ones, the bias of finitely many particles.
//! Shapes: curves over the times that all flows reached.
//! Cost: one flow a replicate; half sets add `HALVED` of them.
//! Checked: `tests/limit.rs`.

use super::LimitError;
use super::ladder::{Ladder, visits};
use super::member::{Member, Particles, Trace, traces};
use super::refine::Solver;
use super::series::{Band, Pick};
use super::statistics::look;
use crate::evolution::Outcome;
use mckean_engine::Network;
use mckean_model::DepthMethod;
use std::sync::Arc;

/// Replicates whose half sets are followed too.
pub(super) const HALVED: usize = 4;

/// Replicates of one size, with their half sets.
#[derive(Default)]
pub(super) struct Sample {
    pub width: usize,
    pub whole: Vec<Trace>,
    pub halves: Vec<[Trace; 2]>,
    pub net: Option<Arc<Network>>,
    /// How often sizes were chosen and errors looked at.
    pub looks: usize,
}

impl Sample {
    fn traces(&self) -> impl Iterator<Item = &Trace> {
        self.whole.iter().chain(self.halves.iter().flatten())
    }

    /// Times that every flow reached.
    pub fn reached(&self) -> usize {
        self.traces().map(|t| t.series.len()).min().unwrap_or(0)
    }

    /// The first flow that ended early.
    pub fn outcome(&self) -> Outcome {
        self.traces().map(|t| t.outcome).filter(|o| *o != Outcome::Finished).min_by(sooner).unwrap_or(Outcome::Finished)
    }

    pub fn band(&self, pick: Pick, ladder: &Ladder) -> Band {
        let (mut depth, mut time) = (ladder.depth(pick), ladder.time(pick));
        let halves: Vec<Vec<f64>> = self.halves.iter().zip(&self.whole).map(|(h, w)| pairing(pick, h, w)).collect();
        let replicates: Vec<&[f64]> = self.whole.iter().map(|t| &pick(&t.series)[..]).collect();
        let shortest = replicates.iter().map(|r| r.len()).chain(halves.iter().map(Vec::len)).min().unwrap_or(0);
        let length = shortest.min(depth.len()).min(time.len());
        depth.truncate(length);
        time.truncate(length);
        let factor = look(replicates.len().saturating_sub(1), self.looks);
        Band::of(&replicates, &halves, (&depth, &time), factor)
    }
}

pub(super) fn sooner(a: &Outcome, b: &Outcome) -> std::cmp::Ordering {
    a.tau().unwrap_or(f64::INFINITY).total_cmp(&b.tau().unwrap_or(f64::INFINITY))
}

/// Mean of the two half sets less the whole set.
fn pairing(pick: Pick, halves: &[Trace; 2], whole: &Trace) -> Vec<f64> {
    let (a, b) = (pick(&halves[0].series), pick(&halves[1].series));
    a.iter().zip(b).zip(pick(&whole.series)).map(|((a, b), w)| 0.5 * (a + b) - w).collect()
}

impl Solver<'_> {
    /// Runs replicates `from..to` of a width.
    pub(super) fn extend(&mut self, sample: &mut Sample, replicates: usize) -> Result<(), LimitError> {
        sample.looks += 1;
        let (from, k) = (sample.whole.len(), sample.width);
        let method = (DepthMethod::Rk4, self.ladder.steps);
        let of = |r: usize, base| Particles::Sobol { seed: seed(self.settings.seed, r), base, shared: false };
        let make = |p: &Particles| Member::new(self.problem, self.law, p, method);
        let half = k / 4; // base points of a half set; each gives two particles
        let mut which: Vec<Particles> = (from..replicates).map(|r| of(r, 0..2 * half)).collect();
        let halved: Vec<usize> = (sample.halves.len()..HALVED.min(replicates)).collect();
        which.extend(halved.iter().flat_map(|&r| [of(r, 0..half), of(r, half..2 * half)]));
        let mut all = vec![];
        for some in which.chunks(8 * self.par.threads()) {
            let members = some.iter().map(make).collect::<Result<Vec<Member>, LimitError>>()?;
            let keepers = usize::from(from == 0 && all.is_empty());
            let (times, tolerance) =
                ((&self.settings.taus[..], &self.settings.snapshots[..]), [(self.ladder.tolerance, 1)]);
            let found = traces(self.problem, &members, times, keepers, &tolerance, self.par)?;
            self.work += found.iter().zip(&members).map(|(t, m)| t.gradients as f64 * visits(m)).sum::<f64>();
            if sample.net.is_none() {
                sample.net = members.first().map(|m| m.net.clone());
            }
            all.extend(found);
        }
        let mut halves = all.split_off(replicates - from).into_iter();
        sample.whole.extend(all);
        while let (Some(a), Some(b)) = (halves.next(), halves.next()) {
            sample.halves.push([a, b]);
        }
        Ok(())
    }
}

/// Seed of a replicate; the small system of the ladder has the bare one.
fn seed(root: u64, replicate: usize) -> u64 {
    mckean_num::rng::mix64(root.wrapping_add(1)).wrapping_add(replicate as u64 + 1)
}
