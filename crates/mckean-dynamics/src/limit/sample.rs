//! Replicates of one size: many coarse ones, a few followed finely too, half sets for some.
//!
//! Maths: independent scramblings give the mean of the coarse flow; fine less coarse, on scramblings of their own, its correction; half
//! sets, paired with whole ones, the bias of finitely many particles.
//! Shapes: curves over the times that all flows reached.
//! Cost: one coarse flow a replicate; a correction is a coarse and a fine one; half sets add `HALVED` coarse ones.
//! Checked: `tests/limit.rs`.

use super::LimitError;
use super::ladder::{DEPTH, Ladder, visits};
use super::member::{Member, Particles, Stepping, Trace, traces};
use super::plan::{PAIRS, PILOT};
use super::refine::Solver;
use super::series::{Band, Pick, largest};
use super::statistics::two_stage;
use crate::evolution::Outcome;
use mckean_engine::Network;
use std::sync::Arc;

/// Replicates whose half sets are followed too.
const HALVED: usize = 4;

/// Replicates of one size, with their corrections and half sets.
#[derive(Default)]
pub(super) struct Sample {
    pub width: usize,
    /// Steps of the coarse flow; `None` follows every replicate finely.
    pub coarse: Option<usize>,
    pub whole: Vec<Trace>,
    /// The same particles by coarse and by fine steps.
    pub pairs: Vec<[Trace; 2]>,
    pub halves: Vec<[Trace; 2]>,
    pub net: Option<Arc<Network>>,
    /// Parameters of the first fine flow at the snapshot times.
    pub kept: Vec<(f64, Vec<f64>)>,
}

impl Sample {
    fn traces(&self) -> impl Iterator<Item = &Trace> {
        self.whole.iter().chain(self.halves.iter().flatten()).chain(self.pairs.iter().flatten())
    }

    /// Times that every flow reached.
    pub fn reached(&self) -> usize {
        self.traces().map(|t| t.series.len()).min().unwrap_or(0)
    }

    /// The first flow that ended early.
    pub fn outcome(&self) -> Outcome {
        self.traces().map(|t| t.outcome).filter(|o| *o != Outcome::Finished).min_by(sooner).unwrap_or(Outcome::Finished)
    }

    /// Fine less coarse, by correction.
    fn differences(&self, pick: Pick) -> Vec<Vec<f64>> {
        self.pairs.iter().map(|p| less(pick, &p[1], &p[0])).collect()
    }

    /// The curve with its error.
    pub fn band(&self, pick: Pick, ladder: &Ladder) -> Band {
        let replicates: Vec<&[f64]> = self.whole.iter().map(|t| &pick(&t.series)[..]).collect();
        let halves: Vec<Vec<f64>> = self.halves.iter().zip(&self.whole).map(|(h, w)| pairing(pick, h, w)).collect();
        let corrections = self.differences(pick);
        let (mut depth, mut time) = (ladder.depth(pick), ladder.time(pick));
        let of_vectors = halves.iter().chain(&corrections).map(Vec::len);
        let shortest = replicates.iter().map(|r| r.len()).chain(of_vectors).min().unwrap_or(0);
        let length = shortest.min(depth.len()).min(time.len());
        depth.truncate(length);
        time.truncate(length);
        Band::of(&replicates, &corrections, &halves, (&depth, &time), (PILOT, PAIRS))
    }

    /// Largest relative half widths of one replicate and of one correction.
    pub fn spreads(&self, pick: Pick, value: &[f64], floor: f64) -> (f64, f64) {
        let one = |all: &[Vec<f64>], pilot: usize| -> f64 {
            let at = |i: usize| two_stage(&all.iter().map(|x| x[i]).collect::<Vec<f64>>(), pilot).1;
            largest(&(0..value.len()).map(at).collect::<Vec<f64>>(), value, floor)
        };
        let whole: Vec<Vec<f64>> = self.whole.iter().map(|t| pick(&t.series).clone()).collect();
        let corrections = self.differences(pick);
        (one(&whole, PILOT), if corrections.is_empty() { 0.0 } else { one(&corrections, PAIRS) })
    }

    /// Seconds of one replicate and of one correction on one thread.
    pub fn seconds(&self) -> (f64, f64) {
        let mean = |all: f64, n: usize| all / n.max(1) as f64;
        let pairs = self.pairs.iter().flatten().map(|t| t.seconds).sum();
        (mean(self.whole.iter().map(|t| t.seconds).sum(), self.whole.len()), mean(pairs, self.pairs.len()))
    }
}

pub(super) fn sooner(a: &Outcome, b: &Outcome) -> std::cmp::Ordering {
    a.tau().unwrap_or(f64::INFINITY).total_cmp(&b.tau().unwrap_or(f64::INFINITY))
}

/// `a - b`, over the shorter length.
fn less(pick: Pick, a: &Trace, b: &Trace) -> Vec<f64> {
    pick(&a.series).iter().zip(pick(&b.series)).map(|(a, b)| a - b).collect()
}

/// Mean of the two half sets less the whole set.
fn pairing(pick: Pick, halves: &[Trace; 2], whole: &Trace) -> Vec<f64> {
    let [a, b] = [0, 1].map(|i| less(pick, &halves[i], whole));
    a.iter().zip(b).map(|(a, b)| 0.5 * (a + b)).collect()
}

impl Solver<'_> {
    /// Runs replicates and corrections until there are so many (or until stopped: replicates come first); half sets of the first
    /// replicates too.
    pub(super) fn extend(&mut self, s: &mut Sample, replicates: usize, pairs: usize) -> Result<(), LimitError> {
        let fine = Stepping::Adaptive(self.ladder.tolerance, 1);
        let usual = s.coarse.map_or(fine, Stepping::Coarse);
        let half = s.width / 4; // base points of a half set; each gives two particles
        let root = self.settings.seed;
        let of = |r: u64, base| Particles::Sobol { seed: seed(root, r), base, shared: false };
        let halved = s.halves.len()..HALVED.min(replicates);
        let mut jobs: Vec<(Particles, Stepping)> =
            (s.whole.len()..replicates).map(|r| (of(r as u64, 0..2 * half), usual)).collect();
        let fresh = jobs.len();
        jobs.extend((s.pairs.len()..pairs).flat_map(|i| [fine, usual].map(|how| (apart(root, i, s.width), how))));
        jobs.extend(halved.flat_map(|r| [0..half, half..2 * half].map(|b| (of(r as u64, b), usual))));
        let mut all = self.follow(s, &jobs, false)?.into_iter();
        s.whole.extend(all.by_ref().take(fresh));
        while let (Some(a), Some(b)) = (all.next(), all.next()) {
            if s.pairs.len() < pairs { s.pairs.push([b, a]) } else { s.halves.push([a, b]) }
        }
        Ok(())
    }

    /// The particles of the first corrections, followed finely or coarsely; none once stopped.
    pub(super) fn corrections(&mut self, s: &mut Sample, stepping: Option<usize>) -> Result<Vec<Trace>, LimitError> {
        let how = stepping.map_or(Stepping::Adaptive(self.ladder.tolerance, 1), Stepping::Coarse);
        let jobs: Vec<_> = (0..PAIRS).map(|i| (apart(self.settings.seed, i, s.width), how)).collect();
        let all = self.follow(s, &jobs, stepping.is_none())?;
        if let (None, Some(t)) = (stepping, all.first()) {
            s.kept = t.kept.clone();
        }
        Ok(all)
    }

    /// Follows particle systems, a few at a time, until stopped; the first of all keeps its parameters.
    fn follow(&mut self, s: &mut Sample, jobs: &[(Particles, Stepping)], keep: bool) -> Result<Vec<Trace>, LimitError> {
        let (method, mut all) = ((DEPTH, self.ladder.steps), vec![]);
        for some in jobs.chunks(8 * self.par.threads()) {
            if self.settings.is_stopped() {
                break;
            }
            let make = |j: &(Particles, Stepping)| Member::new(self.problem, self.law, &j.0, method);
            let members = some.iter().map(make).collect::<Result<Vec<Member>, LimitError>>()?;
            let steppings: Vec<Stepping> = some.iter().map(|j| j.1).collect();
            let times = (&self.settings.taus[..], &self.settings.snapshots[..]);
            let keepers = usize::from(keep && all.is_empty());
            let found = traces(self.problem, &members, times, keepers, &steppings, self.par)?;
            self.work += found.iter().zip(&members).map(|(t, m)| t.gradients as f64 * visits(m)).sum::<f64>();
            if s.net.is_none() {
                s.net = members.first().map(|m| m.net.clone());
            }
            all.extend(found);
        }
        Ok(all)
    }
}

/// The particles of a correction: scramblings of their own.
fn apart(root: u64, i: usize, width: usize) -> Particles {
    Particles::Sobol { seed: seed(root, (1 << 32) + i as u64), base: 0..width / 2, shared: false }
}

/// Seed of a replicate; the small system of the ladder has the bare one.
fn seed(root: u64, replicate: u64) -> u64 {
    mckean_num::rng::mix64(root.wrapping_add(1)).wrapping_add(replicate + 1)
}
