//! What is run after what was measured.
//!
//! Maths: the error of N particles in all falls as N^-1/2. DERIVED (measured; no better is assumed).
//! Shapes: particles a slice, replicates, seconds.
//! Cost: none.
//! Checked: tests below.

use super::points;
use super::sample::HALVED;

/// Particles a slice and replicates of the pilot; an eighth of the particles for loose tolerances.
pub(super) const PILOT: (usize, usize) = (256, 8);
/// Replicates of everything after the pilot: Student's factor at the second look falls to 2.60, and half sets cost a quarter.
pub(super) const LEAST: usize = 16;
/// Most particles a slice, most replicates.
pub(super) const WIDEST: usize = 4096;
const MOST_REPLICATES: usize = 512;

/// What is run next.
pub(super) struct Plan {
    /// Particles a slice.
    pub width: usize,
    /// Replicates in all.
    pub replicates: usize,
}

impl Plan {
    /// Particles a slice and replicates for `needed` particles in all, as far as `left` seconds go at `price` seconds a particle; and
    /// the seconds that all of them would take. After the pilot as wide as leaves `LEAST` replicates, then more of the same.
    pub fn new(needed: f64, (k, replicates): (usize, usize), price: f64, left: f64, widest: usize) -> (Plan, f64) {
        let mut width = k;
        while replicates == PILOT.1 && (2 * width * LEAST) as f64 <= needed && width < widest.min(2 * points::MOST) {
            width *= 2;
        }
        let wider = width > k;
        let (old, fixed) = if wider { (0, (width * HALVED) as f64) } else { (replicates, 0.0) };
        let wanted = ((needed / width as f64).ceil() as usize).max(if wider { LEAST } else { replicates + 1 });
        let affordable = ((left / price - fixed) / width as f64).floor().max(0.0) as usize + old;
        let all = price * ((width as f64) * (wanted - old) as f64 + fixed);
        (Plan { width, replicates: wanted.min(affordable).min(MOST_REPLICATES) }, all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_widen_after_the_pilot_continue_later_and_keep_to_the_budget() {
        let plan = |needed, at, left| {
            let (p, all) = Plan::new(needed, at, 1e-3, left, WIDEST);
            (p.width, p.replicates, all)
        };
        assert_eq!(plan(32_768.0, (256, 8), 1e6), (2048, 16, 1e-3 * (32_768.0 + 2048.0 * 4.0)));
        assert_eq!(plan(5_000.0, (256, 8), 1e6), (256, 20, 1e-3 * 256.0 * 12.0));
        assert_eq!(plan(50_000.0, (1024, 16), 1e6).0, 1024, "only the pilot is thrown away");
        assert_eq!(plan(5_000.0, (256, 8), 1.0).1, 11, "three more for a second");
        assert_eq!(plan(f64::INFINITY, (256, 8), 10.0).0, WIDEST);
    }
}
