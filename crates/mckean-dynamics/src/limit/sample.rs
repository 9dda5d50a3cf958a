//! Particle systems of three levels: replicates, and two corrections of their mean.
//!
//! Maths: independent scramblings of K particles a slice, followed coarsely, give the mean of the coarse flow; fine less coarse its
//! correction; K'/K (whole less half sets of K' particles) that for finitely many particles, whose bias is O(1/K). Scramblings of all
//! levels are independent. DERIVED (multilevel Monte Carlo; the last level is a jackknife).
//! Shapes: curves over the times that all flows reached.
//! Cost: one coarse flow a replicate; a correction of steps is a fine and a coarse flow, one of particles two coarse ones.
//! Checked: `tests/limit.rs`.

use super::LimitError;
use super::ladder::{DEPTH, Ladder, visits};
use super::member::{Member, Particles, Stepping, Trace, traces};
use super::plan::{Levels, Pilot};
use super::refine::Solver;
use super::series::{Band, Pick, largest};
use super::statistics::two_stage;
use super::whiten::most;
use crate::evolution::Outcome;

/// Flows of one scrambling: a whole set; a coarse and a fine flow; a whole set and its halves.
type Group = Vec<Trace>;

/// Replicates of one size, with their corrections.
#[derive(Default)]
pub(super) struct Sample {
    /// Particles a slice, and flows to begin with.
    pub pilot: Pilot,
    /// Numbers of the largest tensor that is whitened.
    pub white: usize,
    /// Steps of the coarse flow; `None` follows every replicate finely.
    pub coarse: Option<usize>,
    pub levels: Levels<Vec<Group>>,
}

impl Sample {
    fn traces(&self) -> impl Iterator<Item = &Trace> {
        self.levels.iter().flatten().flatten()
    }

    /// Times that every flow reached.
    pub fn reached(&self) -> usize {
        self.traces().map(|t| t.series.len()).min().unwrap_or(0)
    }

    /// The first flow that ended early.
    pub fn outcome(&self) -> Outcome {
        self.traces().map(|t| t.outcome).filter(|o| *o != Outcome::Finished).min_by(sooner).unwrap_or(Outcome::Finished)
    }

    /// Groups by level.
    pub fn flows(&self) -> Levels<usize> {
        [0, 1, 2].map(|i| self.levels[i].len())
    }

    /// What a level estimates, one curve a group.
    fn curves(&self, level: usize, pick: Pick) -> Vec<Vec<f64>> {
        let share = self.pilot.widths[2] as f64 / self.pilot.widths[0] as f64;
        let weights = [vec![1.0], vec![-1.0, 1.0], vec![share, -0.5 * share, -0.5 * share]][level].clone();
        let sum = |group: &Group, i: usize| group.iter().zip(&weights).map(|(t, w)| w * pick(&t.series)[i]).sum();
        let length = |group: &Group| group.iter().map(|t| pick(&t.series).len()).min().unwrap_or(0);
        self.levels[level].iter().map(|g| (0..length(g)).map(|i| sum(g, i)).collect()).collect()
    }

    /// The curve with its error.
    pub fn band(&self, pick: Pick, ladder: &Ladder) -> Band {
        let (depth, time) = (ladder.depth(pick), ladder.time(pick));
        let curves = [0, 1, 2].map(|level| self.curves(level, pick));
        let shortest = curves.iter().flatten().map(Vec::len).chain([depth.len(), time.len()]).min().unwrap_or(0);
        let [a, b, c] = &curves;
        Band::of([a, b, c], (&depth[..shortest], &time[..shortest]), self.pilot.flows)
    }

    /// Largest relative half widths of one group, by level.
    pub fn spreads(&self, pick: Pick, value: &[f64], floor: f64) -> Levels<f64> {
        [0, 1, 2].map(|level| {
            let all = self.curves(level, pick);
            let column = |i: usize| all.iter().map(|x| x[i]).collect::<Vec<f64>>();
            let at = |i: usize| two_stage(&column(i), self.pilot.flows[level]).1;
            if all.is_empty() { 0.0 } else { largest(&(0..value.len()).map(at).collect::<Vec<f64>>(), value, floor) }
        })
    }

    /// Seconds of one group on one thread, by level.
    pub fn seconds(&self) -> Levels<f64> {
        [0, 1, 2].map(|i| {
            let all: f64 = self.levels[i].iter().flatten().map(|t| t.seconds).sum();
            all / self.levels[i].len().max(1) as f64
        })
    }
}

pub(super) fn sooner(a: &Outcome, b: &Outcome) -> std::cmp::Ordering {
    a.tau().unwrap_or(f64::INFINITY).total_cmp(&b.tau().unwrap_or(f64::INFINITY))
}

impl Solver<'_> {
    /// Follows groups until there are so many of each level (or until stopped: corrections come first).
    pub(super) fn extend(&mut self, s: &mut Sample, wanted: Levels<usize>) -> Result<(), LimitError> {
        let order = [2, 1, 0].into_iter();
        let groups: Vec<_> =
            order.flat_map(|level| (s.levels[level].len()..wanted[level]).map(move |i| (level, i))).collect();
        let jobs: Vec<Vec<_>> = groups.iter().map(|&(level, i)| self.jobs(s, level, i)).collect();
        let mut all = self.follow(&jobs.concat())?.into_iter();
        for ((level, _), jobs) in groups.iter().zip(&jobs) {
            let group: Group = all.by_ref().take(jobs.len()).collect();
            if group.len() == jobs.len() {
                s.levels[*level].push(group);
            }
        }
        Ok(())
    }

    /// The flows of group `i` of a level.
    fn jobs(&self, s: &Sample, level: usize, i: usize) -> Vec<(Particles, Stepping)> {
        let usual = s.coarse.map_or(self.fine(), Stepping::Coarse);
        let (base, half) = (s.pilot.widths[level] / 2, s.pilot.widths[level] / 4);
        match level {
            0 => vec![(self.particles(s, level, i, 0..base), usual)],
            1 => [usual, self.fine()].map(|how| (self.particles(s, level, i, 0..base), how)).into(),
            _ => [0..base, 0..half, half..base].map(|part| (self.particles(s, level, i, part), usual)).into(),
        }
    }

    fn fine(&self) -> Stepping {
        Stepping::Adaptive(self.ladder.tolerance, 1)
    }

    /// Particles of group `i` of a level, or a part of them.
    fn particles(&self, s: &Sample, level: usize, i: usize, base: std::ops::Range<usize>) -> Particles {
        let seed = seed(self.settings.seed, ((level as u64) << 32) + i as u64);
        let white = if level == 1 { s.white.min(most(s.pilot.widths[1])) } else { s.white };
        Particles::Sobol { seed, base, shared: false, white }
    }

    /// Fewer particles of the first replicate, for snapshots.
    pub(super) fn some(&self, s: &Sample, width: usize) -> Particles {
        self.particles(s, 0, 0, 0..width / 2)
    }

    /// The particles of the first corrections, followed finely or coarsely; none once stopped.
    pub(super) fn corrections(&mut self, s: &Sample, stepping: Option<usize>) -> Result<Vec<Trace>, LimitError> {
        let how = stepping.map_or(self.fine(), Stepping::Coarse);
        let one = |i: usize| (self.particles(s, 1, i, 0..s.pilot.widths[1] / 2), how);
        let jobs: Vec<_> = (0..s.pilot.flows[1]).map(one).collect();
        self.follow(&jobs)
    }

    /// Follows particle systems, a few at a time, until stopped.
    fn follow(&mut self, jobs: &[(Particles, Stepping)]) -> Result<Vec<Trace>, LimitError> {
        let (method, mut all) = ((DEPTH, self.ladder.steps), vec![]);
        for some in jobs.chunks(8 * self.par.threads()) {
            if self.settings.is_stopped() {
                break;
            }
            let make = |j: &(Particles, Stepping)| Member::new(self.problem, self.law, &j.0, method);
            let members = some.iter().map(make).collect::<Result<Vec<Member>, LimitError>>()?;
            let steppings: Vec<Stepping> = some.iter().map(|j| j.1).collect();
            let found = traces(self.problem, &members, self.settings, &steppings, self.par)?;
            self.work += found.iter().zip(&members).map(|(t, m)| t.gradients as f64 * visits(m)).sum::<f64>();
            all.extend(found.into_iter().take_while(|t| !t.outcome.is_stopped()));
        }
        Ok(all)
    }
}

/// Seed of a group; the small system of the ladder has the bare one.
fn seed(root: u64, group: u64) -> u64 {
    mckean_num::rng::mix64(root.wrapping_add(1)).wrapping_add(group + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Series;
    use crate::limit::ladder::risk;

    fn flow(risk: f64) -> Group {
        let series = Series { risk: vec![risk], ..Series::default() };
        vec![Trace { series, outcome: Outcome::Finished, energy: 0.0, gradients: 1, seconds: 1.0, kept: vec![] }]
    }

    #[test]
    fn corrections_take_off_the_errors_of_steps_and_of_finitely_many_particles() {
        let (limit, steps, bias) = (0.4, 0.01, 3.0);
        let coarse = |k: f64| flow(limit + steps + bias / k);
        let levels = [
            vec![coarse(1024.0)],
            vec![[coarse(128.0), flow(limit + bias / 128.0)].concat()],
            vec![[coarse(256.0), coarse(128.0), coarse(128.0)].concat()],
        ];
        let pilot = Pilot { widths: [1024, 128, 256], flows: [1, 1, 1] };
        let s = Sample { pilot, levels, ..Sample::default() };
        let all: f64 = (0..3).map(|level| s.curves(level, risk)[0][0]).sum();
        assert!((all - limit).abs() < 1e-15, "{all}");
        assert_eq!((s.flows(), s.seconds()), ([1, 1, 1], [1.0, 2.0, 3.0]));
    }
}
