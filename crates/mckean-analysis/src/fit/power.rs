//! The slope of log gap on log width or log depth, with an interval that knows of the seeds.
//!
//! Maths: rms gap = exp(c_L) M^s with one constant c_L for every value of the other size; least squares in logarithms.
//! Nested bootstrap: outer replicates redraw seeds in every cell, inner ones redraw them again and give each outer estimate a
//! standard error; the interval is that of the studentised pivot.
//! Shapes: a grid of cells; slope along one axis, the other one is held.
//! Cost: `OUTER * INNER` fits.
//! Checked: tests below (known slopes, coverage over repeated experiments).

use super::{Cell, Estimate, check, quantile, replicate};
use crate::error::AnalysisError;
use serde::Serialize;

/// Outer and inner bootstrap replicates.
const OUTER: usize = 400;
const INNER: usize = 40;

/// The size along which a slope is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// Width M at fixed depths.
    Width,
    /// Depth L at fixed widths.
    Depth,
}

/// A fitted exponent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PowerLaw {
    /// Along what.
    pub axis: Axis,
    /// The exponent and its 95 % interval.
    pub slope: Estimate,
    /// Largest distance of log rms from the fit: how far from a power law the cells are.
    pub misfit: f64,
}

/// Exponent of the rms gap along `axis`.
///
/// # Errors
/// Fewer than two sizes along the axis, fewer than two seeds in a cell, gaps without logarithm.
pub fn power_law(grid: &[Cell], axis: Axis) -> Result<PowerLaw, AnalysisError> {
    check("a power law", grid, 2, 2)?;
    let Some((slope, misfit)) = slope(grid, axis) else {
        return Err(AnalysisError::data("a power law", "two sizes along its axis at the same other size", "fewer"));
    };
    let outer: Vec<(f64, f64)> = (0..OUTER).filter_map(|b| outer(grid, axis, b)).collect();
    Ok(PowerLaw { axis, slope: studentised(slope, &outer), misfit })
}

/// Estimate and standard error (by the inner bootstrap) of one outer replicate.
fn outer(grid: &[Cell], axis: Axis, b: usize) -> Option<(f64, f64)> {
    let mut draws = replicate(b);
    let own: Vec<Cell> = grid.iter().map(|c| c.resampled(&mut draws)).collect();
    let inner = |_| slope(&own.iter().map(|c| c.resampled(&mut draws)).collect::<Vec<_>>(), axis).map(|s| s.0);
    let inner: Vec<f64> = (0..INNER).filter_map(inner).collect();
    Some((slope(&own, axis)?.0, deviation(&inner)))
}

fn studentised(value: f64, outer: &[(f64, f64)]) -> Estimate {
    let own = deviation(&outer.iter().map(|o| o.0).collect::<Vec<_>>());
    let mut pivots: Vec<f64> = outer.iter().map(|(s, e)| (s - value) / e).filter(|t| t.is_finite()).collect();
    if pivots.len() < 2 {
        return Estimate { value, low: f64::NEG_INFINITY, high: f64::INFINITY };
    }
    pivots.sort_by(f64::total_cmp);
    let (low, high) = (value - own * quantile(&pivots, 0.975), value - own * quantile(&pivots, 0.025));
    Estimate { value, low, high }
}

/// Standard deviation.
pub(super) fn deviation(x: &[f64]) -> f64 {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (x.len() as f64 - 1.0)).sqrt()
}

/// Least-squares slope with a constant for every group, and the largest residual.
fn slope(grid: &[Cell], axis: Axis) -> Option<(f64, f64)> {
    let split = |c: &Cell| if axis == Axis::Width { (c.width, c.depth) } else { (c.depth, c.width) };
    let mut groups: Vec<(f64, Vec<(f64, f64)>)> = vec![];
    for c in grid {
        let ((x, key), y) = (split(c), c.rms().ln());
        match groups.iter_mut().find(|g| g.0 == key) {
            Some(g) => g.1.push((x.ln(), y)),
            None => groups.push((key, vec![(x.ln(), y)])),
        }
    }
    let mean = |g: &[(f64, f64)]| {
        let n = g.len() as f64;
        (g.iter().map(|p| p.0).sum::<f64>() / n, g.iter().map(|p| p.1).sum::<f64>() / n)
    };
    let centred = groups.iter().flat_map(|(_, g)| {
        let (mx, my) = mean(g);
        g.iter().map(move |(x, y)| (x - mx, y - my))
    });
    let centred: Vec<(f64, f64)> = centred.collect();
    let square: f64 = centred.iter().map(|p| p.0 * p.0).sum();
    if square <= 0.0 {
        return None;
    }
    let slope = centred.iter().map(|p| p.0 * p.1).sum::<f64>() / square;
    let misfit = centred.iter().fold(0.0, |m: f64, p| m.max((p.1 - slope * p.0).abs()));
    slope.is_finite().then_some((slope, misfit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mckean_num::rng::Seed;

    /// |normal| gaps of standard deviation 2 M^-1/2 L^-1/4.
    fn experiment(seed: u64, seeds: usize) -> Vec<Cell> {
        let mut draws = Seed(seed).stream("fit.power.test").open();
        let mut grid = vec![];
        for depth in [4.0f64, 16.0] {
            for width in [16.0f64, 64.0, 256.0] {
                let size = 2.0 * width.powf(-0.5) * depth.powf(-0.25);
                grid.push(Cell { width, depth, gaps: (0..seeds).map(|_| (size * draws.normal()).abs()).collect() });
            }
        }
        grid
    }

    #[test]
    fn exact_powers_are_found_along_both_axes() {
        let mut grid = experiment(1, 2);
        grid.iter_mut().for_each(|c| c.gaps = vec![3.0 * c.width.powf(-0.5) * c.depth.powi(-1); 3]);
        for (axis, wanted) in [(Axis::Width, -0.5), (Axis::Depth, -1.0)] {
            let fit = power_law(&grid, axis).unwrap();
            assert!((fit.slope.value - wanted).abs() < 1e-12 && fit.misfit < 1e-12);
        }
    }

    #[test]
    fn intervals_cover_the_true_slope_nearly_always() {
        let mut widths = 0.0;
        let mut inside = |seed| {
            let s = power_law(&experiment(seed, 12), Axis::Width).unwrap().slope;
            assert!(s.low < s.value && s.value < s.high);
            widths += s.half_width() / 60.0;
            s.low <= -0.5 && -0.5 <= s.high
        };
        let covered = (0..60).filter(|&s| inside(s)).count();
        assert!((51..=60).contains(&covered), "{covered} of 60"); // 57 expected, binomial deviation 1.7
        assert!((0.13..0.2).contains(&widths), "{widths}"); // 1.96 times 0.074, the delta method's standard error, or a little more
    }

    #[test]
    fn unusable_grids_are_refused() {
        let mut grid = experiment(1, 3);
        grid[0].gaps[0] = f64::NAN;
        assert!(power_law(&grid, Axis::Width).is_err());
        assert!(power_law(&experiment(1, 1), Axis::Width).is_err());
        assert!(power_law(&experiment(1, 3)[..1], Axis::Width).is_err());
        let apart: Vec<Cell> =
            experiment(1, 3).into_iter().enumerate().filter(|(i, _)| [0, 4].contains(i)).map(|c| c.1).collect();
        assert!(power_law(&apart, Axis::Width).is_err());
    }
}
