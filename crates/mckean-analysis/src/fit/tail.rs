//! The tail over seeds: how gaps grow as the probability of being exceeded falls.
//!
//! Maths: Theorem 3.1 of Gao et al. 2024 holds with probability 1 - 3 e^-delta and its width part grows like sqrt(delta): no heavier than normal.
//! The quantile q(delta), exceeded with probability e^-delta, is compared with that of |N(0, 1)|, z(delta) ~ sqrt(2 delta): half the slope
//! of log q on log z is the exponent in delta, at most 1/2 (derived; a slope on log delta itself is biased at the deltas seeds can show).
//! Shapes: gaps of many seeds at one width and depth.
//! Cost: a few hundred sorts.
//! Checked: tests below (normal gaps pass, exponential and heavier ones do not).

use super::{Cell, Estimate, interval, quantile, replicate};
use crate::error::AnalysisError;
use mckean_num::lane::Lane;
use serde::Serialize;

/// Bootstrap replicates.
const REPLICATES: usize = 400;
/// Fewest seeds of which a tail is asked.
const SEEDS: usize = 40;

/// The growth of quantiles.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tail {
    /// Values of delta, up to what the seeds can show.
    pub deltas: Vec<f64>,
    /// Gap exceeded with probability e^-delta.
    pub quantiles: Vec<f64>,
    /// Exponent of the quantile in delta.
    pub exponent: Estimate,
}

impl Tail {
    /// Quantiles at [`Tail::deltas`] that grow with this exponent: a power of those of |N(0, 1)|, through the centre of the measured ones.
    pub fn curve(&self, exponent: f64) -> Vec<f64> {
        let z: Vec<f64> = self.deltas.iter().map(|d| 2.0 * exponent * half_normal(*d).ln()).collect();
        let shift = self.quantiles.iter().zip(&z).map(|(q, z)| q.ln() - z).sum::<f64>() / z.len() as f64;
        z.iter().map(|z| (shift + z).exp()).collect()
    }

    /// Whether the whole interval lies above 1/2: heavier than the theorem's sqrt(delta).
    pub fn is_heavier(&self) -> bool {
        self.exponent.low > 0.5
    }
}

/// Fits the growth of the quantiles of one cell.
///
/// # Errors
/// Fewer than 40 seeds, gaps without logarithm.
pub fn tail(cell: &Cell) -> Result<Tail, AnalysisError> {
    super::check("a tail over seeds", std::slice::from_ref(cell), 1, SEEDS)?;
    let top = (cell.gaps.len() as f64 / 4.0).ln(); // at least four seeds beyond the last quantile
    let deltas: Vec<f64> = (0..6).map(|i| 1.0 + (top - 1.0) * i as f64 / 5.0).collect();
    let value = |c: &Cell| exponent(&quantiles(c, &deltas), &deltas);
    if quantiles(cell, &deltas)[0] <= 0.0 {
        return Err(AnalysisError::data("a tail over seeds", "more than a third of the gaps above zero", "fewer"));
    }
    let replicates = (0..REPLICATES).map(|b| value(&cell.resampled(&mut replicate(b)))).collect();
    Ok(Tail { quantiles: quantiles(cell, &deltas), exponent: interval(value(cell), replicates), deltas })
}

fn quantiles(cell: &Cell, deltas: &[f64]) -> Vec<f64> {
    let mut gaps = cell.gaps.clone();
    gaps.sort_by(f64::total_cmp);
    deltas.iter().map(|d| quantile(&gaps, 1.0 - (-d).exp())).collect()
}

/// z with P(|N(0, 1)| > z) = e^-delta, by bisection.
fn half_normal(delta: f64) -> f64 {
    let (mut low, mut high) = (0.0f64, 40.0);
    for _ in 0..80 {
        let z = 0.5 * (low + high);
        let beyond = 2.0 * (-z).normal_law().0;
        if beyond > (-delta).exp() { low = z } else { high = z }
    }
    low
}

fn exponent(quantiles: &[f64], deltas: &[f64]) -> f64 {
    let x: Vec<f64> = deltas.iter().map(|d| half_normal(*d).ln()).collect();
    let y: Vec<f64> = quantiles.iter().map(|q| q.ln()).collect();
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (mx, my) = (mean(&x), mean(&y));
    let cross: f64 = x.iter().zip(&y).map(|(x, y)| (x - mx) * (y - my)).sum();
    0.5 * cross / x.iter().map(|x| (x - mx).powi(2)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gaps with exact quantiles q(delta) = z(delta)^(2 s).
    fn cell(s: f64) -> Cell {
        let n = 400;
        let gap = |i: usize| half_normal(-(1.0 - i as f64 / n as f64).ln()).powf(2.0 * s);
        Cell { width: 8.0, depth: 3.0, gaps: (0..n).map(gap).collect() }
    }

    #[test]
    fn half_normal_quantiles_are_the_tabulated_ones() {
        for (beyond, z) in [(0.05f64, 1.959964), (0.01, 2.575829), (0.5, 0.674490)] {
            assert!((half_normal(-beyond.ln()) - z).abs() < 1e-5);
        }
    }

    #[test]
    fn the_exponent_of_a_power_is_found() {
        for s in [0.5, 1.0] {
            let tail = tail(&cell(s)).unwrap();
            assert!((tail.exponent.value - s).abs() < 0.03, "{tail:?}");
            assert_eq!(tail.is_heavier(), s > 0.5, "{tail:?}");
            assert!(
                tail.curve(tail.exponent.value).iter().zip(&tail.quantiles).all(|(a, b)| (a / b - 1.0).abs() < 0.03),
                "{tail:?}"
            );
        }
    }

    #[test]
    fn normal_gaps_are_not_heavier_and_log_normal_ones_are() {
        let mut draws = mckean_num::rng::Seed(1).stream("fit.tail.test").open();
        let normal = Cell { gaps: (0..300).map(|_| 2.0 + 0.3 * draws.normal()).collect(), ..cell(1.0) };
        assert!(!tail(&normal).unwrap().is_heavier());
        let centred = Cell { gaps: (0..300).map(|_| draws.normal().abs()).collect(), ..cell(1.0) };
        assert!(!tail(&centred).unwrap().is_heavier());
        let heavy = Cell { gaps: (0..300).map(|_| (1.5 * draws.normal()).exp()).collect(), ..cell(1.0) };
        assert!(tail(&heavy).unwrap().is_heavier());
        assert!(tail(&Cell { gaps: vec![1.0; 10], ..cell(1.0) }).is_err());
        let zeros = Cell { gaps: (0..100).map(|i| f64::from(u8::from(i < 30))).collect(), ..cell(1.0) };
        assert!(tail(&zeros).is_err());
    }
}
