//! What is run after what was measured.
//!
//! Maths: a mean over levels of n_i flows that scatter by a_i at cost c_i reaches sum a_i^2/n_i = goal^2 at least cost with
//! n_i = a_i s/(goal^2 sqrt c_i), s = sum a_j sqrt c_j (multilevel Monte Carlo, Giles 2008).
//! Shapes: levels are replicates, corrections of steps in time, corrections of finitely many particles; relative half widths of one,
//! seconds of one, numbers.
//! Cost: none.
//! Checked: tests below.

use super::whiten::{self, Whiten};
use super::{LimitError, Settings, setting};
use mckean_model::Law;

/// Replicates, corrections of steps in time (fine less coarse flows), corrections of finitely many particles (whole less half sets).
pub(super) type Levels<T> = [T; 3];

/// How many particles and flows a tolerance begins with. The spread of the first flows says how many are needed and how wide intervals are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pilot {
    /// Particles a slice, by level.
    pub widths: Levels<usize>,
    /// Flows, by level.
    pub flows: Levels<usize>,
}

impl Pilot {
    /// Particles of a slice that replicates and sets of the last level have in all.
    pub fn particles(&self) -> usize {
        self.widths[0] * self.flows[0] + 2 * self.widths[2] * self.flows[2]
    }
}

/// Of loose tolerances, and of others.
const LOOSE: Pilot = Pilot { widths: [32, 32, 32], flows: [24, 4, 8] };
const USUAL: Pilot = Pilot { widths: [1024, 128, 256], flows: [12, 8, 8] };
/// Fewest particles a slice where the budget is small, and the factor between one number and the next.
const FEWEST: usize = 64;
const FEWER: usize = 4;
/// Most particles a slice, and replicates from which on more particles a slice are taken.
pub(super) const WIDEST: usize = 4096;
pub(super) const MANY: usize = 384;

/// The pilot of these settings, and the numbers of the largest tensor that is whitened: tensors are if they can be in the sets that
/// correct for finitely many particles, which may have as many particles as the whole ones for it.
pub(super) fn pilot(settings: &Settings, law: &Law) -> (Pilot, usize) {
    let largest = law.tensors().iter().map(ExactSizeIterator::len).max().unwrap_or(0);
    let mut pilot = if settings.is_loose() && settings.whiten != Whiten::On { LOOSE } else { USUAL };
    let white = if settings.whiten == Whiten::Off { 0 } else { whiten::most(pilot.widths[0]) };
    if largest <= white {
        pilot.widths[2] = pilot.widths[2].max(whiten::least(largest));
    }
    (pilot, self::white(&pilot, white))
}

/// Numbers of the largest tensor that both replicates and the sets that correct for finitely many particles can whiten: the
/// correction must be that of the same particles.
pub(super) fn white(pilot: &Pilot, most: usize) -> usize {
    most.min(whiten::most(pilot.widths[0])).min(whiten::most(pilot.widths[2]))
}

/// The next smaller pilot, if there is one; whitening that was asked for keeps its particles.
pub(super) fn smaller(pilot: &Pilot, settings: &Settings, law: &Law) -> Option<Pilot> {
    let largest = law.tensors().iter().map(ExactSizeIterator::len).max().unwrap_or(0);
    let least = if settings.whiten == Whiten::On { whiten::least(largest).max(FEWEST) } else { FEWEST };
    let width = pilot.widths[0] / FEWER;
    let flows = [pilot.flows[0].max(2 * USUAL.flows[0]), pilot.flows[1], pilot.flows[2]];
    (width >= least).then_some(Pilot { widths: [width, pilot.widths[1], pilot.widths[2].min(width)], flows })
}

/// Refuses to whiten tensors that have too many numbers for it.
///
/// # Errors
/// `limit.whiten = "on"` and a tensor of more than 128 numbers.
pub(super) fn check(settings: &Settings, law: &Law) -> Result<(), LimitError> {
    let most = whiten::most(USUAL.widths[0]);
    match law.tensors().iter().find(|t| t.len() > most) {
        Some(t) if settings.whiten == Whiten::On => {
            let problem = format!(
                "a tensor of {} numbers a particle is too large: {} particles a slice fix mean and covariance of {most} numbers at most. \
                 Use \"auto\", which whitens the smaller tensors, or \"off\".",
                t.len(),
                USUAL.widths[0]
            );
            Err(setting("whiten", "\"on\"", problem))
        }
        _ => Ok(()),
    }
}

/// Numbers of flows that reach `goal` from half widths and costs of one.
pub(super) fn numbers(spread: Levels<f64>, cost: Levels<f64>, goal: f64) -> Levels<usize> {
    let s: f64 = spread.iter().zip(cost).map(|(a, c)| a * c.sqrt()).sum();
    let number = |a: f64, c: f64| if a > 0.0 { (a * s / (goal * goal * c.sqrt())).ceil() as usize } else { 0 };
    [0, 1, 2].map(|i| number(spread[i], cost[i]))
}

/// The larger numbers.
pub(super) fn at_least(wanted: Levels<usize>, done: Levels<usize>) -> Levels<usize> {
    [0, 1, 2].map(|i| wanted[i].max(done[i]))
}

/// Seconds of `flows`.
pub(super) fn seconds(flows: Levels<usize>, cost: Levels<f64>) -> f64 {
    flows.iter().zip(cost).map(|(n, c)| *n as f64 * c).sum()
}

/// As much of `wanted` as `left` seconds allow after `done`, in proportion, and the seconds of all of it.
pub(super) fn within(wanted: Levels<usize>, done: Levels<usize>, cost: Levels<f64>, left: f64) -> (Levels<usize>, f64) {
    let more = [0, 1, 2].map(|i| wanted[i].saturating_sub(done[i]));
    let all = seconds(more, cost);
    let share = if all > left { (left / all).max(0.0) } else { 1.0 };
    ([0, 1, 2].map(|i| done[i] + (more[i] as f64 * share) as usize), all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mckean_model::{InitConfig, Layout, Role, TensorSpec};

    #[test]
    fn smaller_pilots_whiten_alike_on_both_levels_that_need_it_and_keep_what_was_asked_for() {
        let spec = |name, sums| TensorSpec { name, shape: vec![8, 8], fan_in: 8, sums_particles: sums };
        let mut layout = Layout::default();
        layout.push_particles(0, "attention", Role::Head, 1, &[spec("v", true), spec("w", false)]);
        let law = Law::new(&InitConfig::default(), &layout.tensors);
        let settings = |whiten| Settings { rtol: 1e-3, whiten, ..Settings::default() };
        let (full, white) = pilot(&settings(Whiten::Auto), &law);
        assert!(white >= 64 && full.widths[2] == 512, "{full:?} {white}");
        let small = smaller(&full, &settings(Whiten::Auto), &law).unwrap();
        let own = self::white(&small, white);
        assert!(small.widths[0] == 256 && own <= whiten::most(small.widths[0]) && own <= whiten::most(small.widths[2]));
        assert!(own < 64, "256 particles cannot whiten 64 numbers: {own}");
        assert_eq!(smaller(&full, &settings(Whiten::On), &law), None, "they need 512 particles");
    }

    #[test]
    fn plans_reach_the_goal_at_least_cost_and_keep_to_the_budget() {
        let (spread, cost, goal) = ([1.0, 0.2, 0.0], [1.0, 9.0, 1.0], 0.1);
        let p = numbers(spread, cost, goal);
        assert_eq!(p, [160, 11, 0]);
        let reached = |n: f64, m: f64| (spread[0].powi(2) / n + spread[1].powi(2) / m).sqrt();
        assert!(reached(p[0] as f64, p[1] as f64) <= goal);
        let price = |m: f64| (0..10_000).map(f64::from).find(|n| reached(*n, m) <= goal).unwrap() + 9.0 * m;
        assert!([5.0, 8.0, 14.0, 20.0].iter().all(|m| price(*m) > price(10.7)));
        assert_eq!(numbers([1.0, 0.2, 0.2], [1.0, 9.0, 9.0], goal), [220, 15, 15]);
        assert_eq!(numbers([1.0, 0.0, 0.0], [1.0; 3], 0.1), [100, 0, 0]);
        assert_eq!(at_least(p, [200, 4, 8]), [200, 11, 8]);
        let (part, all) = within(p, [60, 4, 0], cost, 81.5);
        assert_eq!((part, all), ([110, 7, 0], 163.0));
        assert_eq!(within(p, [60, 4, 0], cost, -1.0).0, [60, 4, 0]);
        assert_eq!(within(p, [60, 4, 0], cost, 1e9).0, p);
    }
}
