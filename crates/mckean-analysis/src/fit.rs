//! Fits of error laws to grids of widths, depths and seeds.
//!
//! Maths: gaps e(M, L) of a finite network to its limit; Gao et al. 2024 promise C (1/L + sqrt(log(L + 1)/M)) (Theorem 3.1); laws with
//! sqrt(M L) are derived from the independence of the layers (not the paper's).
//! Shapes: a grid is a list of cells (M, L) with one gap a seed.
//! Cost: a fit is linear in the cells; bootstrap repeats it a few hundred times.
//! Checked: tests below; those of each fit on made-up laws.

pub mod choice;
pub mod law;
pub mod paired;
pub mod plan;
pub mod plateau;
pub mod power;
pub mod reference;
pub mod tail;

pub use choice::{Choice, choose};
pub use law::{Law, LawFit};
pub use paired::{Paired, paired};
pub use plan::{Plan, plan};
pub use plateau::{Plateau, Shape, plateau};
pub use power::{Axis, PowerLaw, power_law};
pub use reference::corrected;
pub use tail::{Tail, tail};

use crate::error::AnalysisError;
use mckean_num::rng::{Draws, Seed};
use serde::{Deserialize, Serialize};

/// Gaps of all seeds at one width and depth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// Width M.
    pub width: f64,
    /// Depth L.
    pub depth: f64,
    /// One gap a seed, all positive.
    pub gaps: Vec<f64>,
}

impl Cell {
    /// Root mean square over seeds.
    pub fn rms(&self) -> f64 {
        (self.gaps.iter().map(|g| g * g).sum::<f64>() / self.gaps.len() as f64).sqrt()
    }

    /// The same cell with seeds drawn again with replacement.
    pub fn resampled(&self, draws: &mut Draws) -> Cell {
        let gaps = self.gaps.iter().map(|_| self.gaps[draws.below(self.gaps.len())]).collect();
        Cell { gaps, ..self.clone() }
    }
}

/// An estimate with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimate from all data.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Estimate {
    /// Half the length of the interval.
    pub fn half_width(&self) -> f64 {
        0.5 * (self.high - self.low)
    }
}

/// Refuses grids with fewer than `cells` cells, with single seeds, or with numbers no logarithm has.
pub(crate) fn check(what: &'static str, grid: &[Cell], cells: usize, seeds: usize) -> Result<(), AnalysisError> {
    if grid.len() < cells {
        return Err(AnalysisError::data(what, format!("{cells} cells"), grid.len()));
    }
    for c in grid {
        if c.gaps.len() < seeds {
            return Err(AnalysisError::data(what, format!("{seeds} seeds in every cell"), c.gaps.len()));
        }
        if ![c.width, c.depth].iter().all(|x| x.is_finite() && *x > 0.0) {
            return Err(AnalysisError::data(what, "positive sizes", format!("M = {}, L = {}", c.width, c.depth)));
        }
        if !c.gaps.iter().all(|g| g.is_finite() && *g >= 0.0) || c.rms() <= 0.0 || !c.rms().is_finite() {
            let found = format!("{:?} at M = {}, L = {}", c.gaps, c.width, c.depth);
            return Err(AnalysisError::data(what, "positive finite gaps", found));
        }
    }
    Ok(())
}

/// The stream of bootstrap replicate `b`.
pub(crate) fn replicate(b: usize) -> Draws {
    Seed(0).stream("fit.bootstrap").at(b as u64).open()
}

/// Linear interpolation between order statistics of `sorted`.
pub(crate) fn quantile(sorted: &[f64], p: f64) -> f64 {
    let at = p * (sorted.len() - 1) as f64;
    let (i, part) = (at.floor() as usize, at.fract());
    let next = sorted[(i + 1).min(sorted.len() - 1)];
    sorted[i] + part * (next - sorted[i])
}

/// The basic (reflected) bootstrap interval of `value` from replicates.
pub(crate) fn interval(value: f64, mut replicates: Vec<f64>) -> Estimate {
    replicates.retain(|r| r.is_finite());
    if replicates.len() < 2 {
        return Estimate { value, low: f64::NEG_INFINITY, high: f64::INFINITY };
    }
    replicates.sort_by(f64::total_cmp);
    let (low, high) = (quantile(&replicates, 0.025), quantile(&replicates, 0.975));
    Estimate { value, low: 2.0 * value - high, high: 2.0 * value - low }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_gaps_without_logarithm_are_refused() {
        let refused = |width, depth, gaps: &[f64]| check("a test", &[Cell { width, depth, gaps: gaps.to_vec() }], 1, 1);
        assert!(refused(8.0, 2.0, &[1.0, 0.0]).is_ok());
        for (width, depth) in [(0.0, 2.0), (8.0, -1.0), (f64::NAN, 2.0), (8.0, f64::INFINITY)] {
            assert!(refused(width, depth, &[1.0]).unwrap_err().to_string().contains("positive sizes"));
        }
        for gaps in [&[0.0, 0.0][..], &[f64::NAN], &[1e200], &[-1.0], &[]] {
            assert!(refused(8.0, 2.0, gaps).is_err(), "{gaps:?}");
        }
    }
}
