//! What is run after what was measured.
//!
//! Maths: replicates that scatter by a, at cost c, and corrections that scatter by b, at cost d, reach a^2/n + b^2/m = goal^2 at least cost
//! with n = a s/(goal^2 sqrt c), m = b s/(goal^2 sqrt d), s = a sqrt c + b sqrt d.
//! Shapes: relative half widths of one, seconds of one, numbers of replicates and corrections.
//! Cost: none.
//! Checked: tests below.

/// Replicates of the pilot and corrections that come with it: their spread says how many are needed and how wide intervals are.
pub(super) const PILOT: usize = 24;
pub(super) const PAIRS: usize = 4;
/// Particles a slice of the pilot; few for loose tolerances.
pub(super) const NARROW: [usize; 2] = [256, 32];
/// Most particles a slice, and replicates from which on more particles a slice are taken.
pub(super) const WIDEST: usize = 4096;
pub(super) const MANY: usize = 384;

/// What is run next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plan {
    /// Replicates in all.
    pub replicates: usize,
    /// Corrections in all.
    pub pairs: usize,
}

impl Plan {
    /// Numbers that reach `goal` from half widths and costs of one (replicate, correction).
    pub fn new(spread: (f64, f64), cost: (f64, f64), goal: f64) -> Plan {
        let s = spread.0 * cost.0.sqrt() + spread.1 * cost.1.sqrt();
        let number = |a: f64, c: f64| if a > 0.0 { (a * s / (goal * goal * c.sqrt())).ceil() as usize } else { 0 };
        Plan { replicates: number(spread.0, cost.0), pairs: number(spread.1, cost.1) }
    }

    /// With what there already is.
    pub fn at_least(self, replicates: usize, pairs: usize) -> Plan {
        Plan { replicates: self.replicates.max(replicates), pairs: self.pairs.max(pairs) }
    }

    /// As much of it as `left` seconds allow after `done`, in proportion, and the seconds of all of it.
    pub fn within(self, done: (usize, usize), cost: (f64, f64), left: f64) -> (Plan, f64) {
        let more = (self.replicates.saturating_sub(done.0), self.pairs.saturating_sub(done.1));
        let all = more.0 as f64 * cost.0 + more.1 as f64 * cost.1;
        let share = if all > left { (left / all).max(0.0) } else { 1.0 };
        let part = |n: usize| (n as f64 * share) as usize;
        (Plan { replicates: done.0 + part(more.0), pairs: done.1 + part(more.1) }, all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_reach_the_goal_at_least_cost_and_keep_to_the_budget() {
        let (spread, cost, goal) = ((1.0, 0.2), (1.0, 9.0), 0.1);
        let p = Plan::new(spread, cost, goal);
        assert_eq!(p, Plan { replicates: 160, pairs: 11 });
        let reached = |n: f64, m: f64| (spread.0.powi(2) / n + spread.1.powi(2) / m).sqrt();
        assert!(reached(p.replicates as f64, p.pairs as f64) <= goal);
        let price = |m: f64| (0..10_000).map(f64::from).find(|n| reached(*n, m) <= goal).unwrap() + 9.0 * m;
        assert!([5.0, 8.0, 14.0, 20.0].iter().all(|m| price(*m) > price(10.7)));
        assert_eq!(Plan::new((1.0, 0.0), (1.0, 0.0), 0.1), Plan { replicates: 100, pairs: 0 });
        assert_eq!(p.at_least(200, 4), Plan { replicates: 200, pairs: 11 });
        let (part, all) = p.within((60, 4), cost, 81.5);
        assert_eq!((part, all), (Plan { replicates: 110, pairs: 7 }, 163.0));
        assert_eq!(p.within((60, 4), cost, -1.0).0, Plan { replicates: 60, pairs: 4 });
        assert_eq!(p.within((60, 4), cost, 1e9).0, p);
    }
}
