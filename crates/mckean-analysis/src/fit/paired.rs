//! Exponent and prefactor of curves that share their abscissae: one curve a seed, every seed its own straight line.
//!
//! Maths: log y = log C + s log x by least squares for each curve; mean over curves with Student's 95 % interval. Curves of one seed are followed
//! through all x, so points of a curve are not independent and curves are. From one curve: the interval of the regression, which takes the
//! scatter about the line as chance.
//! Shapes: `curves` has one y for every x.
//! Cost: linear.
//! Checked: tests below (exact powers, intervals of both kinds, refusals).

use super::Estimate;
use crate::error::AnalysisError;
use mckean_dynamics::limit::student;
use serde::{Deserialize, Serialize};

/// A fitted power y = C x^s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Paired {
    /// Exponent s.
    pub slope: Estimate,
    /// Prefactor C, at x = 1: an extrapolation where x is far from 1.
    pub prefactor: Estimate,
    /// Largest distance of the mean of log y from the line: how far from a power the curves are.
    pub misfit: f64,
    /// Mean slopes between neighbouring x.
    pub local: Vec<f64>,
    /// Curves.
    pub curves: usize,
}

/// Fits a power to every curve.
///
/// # Errors
/// Fewer than two different x, no curve, numbers without logarithm.
pub fn paired(x: &[f64], curves: &[Vec<f64>]) -> Result<Paired, AnalysisError> {
    let needs = |needed: &str, found: String| Err(AnalysisError::data("an exponent", needed, found));
    let positive = |x: &[f64]| x.iter().all(|x| x.is_finite() && *x > 0.0);
    if x.len() < 2 || x.windows(2).any(|w| w[0] == w[1]) || !positive(x) {
        return needs("two or more different numbers > 0 to be a power of", format!("{x:?}"));
    }
    if curves.is_empty() || curves.iter().any(|y| y.len() != x.len() || !positive(y)) {
        return needs("curves of finite numbers > 0, one for each of those it is a power of", format!("{curves:?}"));
    }
    let x: Vec<f64> = x.iter().map(|x| x.ln()).collect();
    let logs: Vec<Vec<f64>> = curves.iter().map(|y| y.iter().map(|y| y.ln()).collect()).collect();
    let lines: Vec<Line> = logs.iter().map(|y| Line::through(&x, y)).collect();
    let middle: Vec<f64> = (0..x.len()).map(|i| logs.iter().map(|y| y[i]).sum::<f64>() / logs.len() as f64).collect();
    let mean = Line::through(&x, &middle);
    let misfit = x.iter().zip(&middle).map(|(x, y)| (y - mean.at(*x)).abs()).fold(0.0, f64::max);
    let local = (1..x.len()).map(|i| (middle[i] - middle[i - 1]) / (x[i] - x[i - 1])).collect();
    let log = estimate(&lines, |l| (l.constant, l.constant_error), x.len());
    let prefactor = Estimate { value: log.value.exp(), low: log.low.exp(), high: log.high.exp() };
    let slope = estimate(&lines, |l| (l.slope, l.slope_error), x.len());
    Ok(Paired { slope, prefactor, misfit, local, curves: curves.len() })
}

/// A straight line with the standard errors of its regression.
struct Line {
    slope: f64,
    slope_error: f64,
    constant: f64,
    constant_error: f64,
}

impl Line {
    fn through(x: &[f64], y: &[f64]) -> Line {
        let n = x.len() as f64;
        let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
        let square: f64 = x.iter().map(|x| (x - mx).powi(2)).sum();
        let slope = x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>() / square;
        let constant = my - slope * mx;
        let left: f64 = x.iter().zip(y).map(|(x, y)| (y - constant - slope * x).powi(2)).sum();
        let variance = left / (n - 2.0).max(0.0); // NaN or infinite from two points: no interval
        let (slope_error, constant_error) =
            ((variance / square).sqrt(), (variance * (1.0 / n + mx * mx / square)).sqrt());
        Line { slope, slope_error, constant, constant_error }
    }

    fn at(&self, x: f64) -> f64 {
        self.constant + self.slope * x
    }
}

/// Mean over lines with Student's interval; from one line that of its regression on `points` points.
fn estimate(lines: &[Line], of: impl Fn(&Line) -> (f64, f64), points: usize) -> Estimate {
    let all: Vec<(f64, f64)> = lines.iter().map(of).collect();
    let n = all.len() as f64;
    let value = all.iter().map(|a| a.0).sum::<f64>() / n;
    let half = match all.len() {
        1 if points > 2 => student(points - 2) * all[0].1,
        1 => f64::INFINITY,
        many => student(many - 1) * (all.iter().map(|a| (a.0 - value).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt(),
    };
    Estimate { value, low: value - half, high: value + half }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mckean_num::rng::Seed;

    const X: [f64; 4] = [1e-2, 3e-3, 1e-3, 1e-4];

    #[test]
    fn exact_powers_are_found_with_their_prefactor() {
        let curves = [2.0, 3.0].map(|c: f64| X.map(|x| c * x.powf(1.7)).to_vec());
        let fit = paired(&X, &curves).unwrap();
        assert!((fit.slope.value - 1.7).abs() < 1e-12 && fit.slope.half_width() < 1e-12 && fit.misfit < 1e-12);
        assert!((fit.prefactor.value - 6f64.sqrt()).abs() < 1e-10, "the mean of logarithms: {fit:?}");
        assert!(
            fit.prefactor.low < 2.0 && fit.prefactor.high > 3.0 && fit.local.iter().all(|s| (s - 1.7).abs() < 1e-10)
        );
    }

    #[test]
    fn intervals_over_seeds_and_of_one_regression_cover() {
        let mut draws = Seed(4).stream("fit.paired.test").open();
        let (mut many, mut single) = (0, 0);
        for _ in 0..200 {
            let curves: Vec<Vec<f64>> =
                (0..5).map(|_| X.map(|x| (1.3 * x.ln() + 0.3 * draws.normal()).exp()).to_vec()).collect();
            let inside = |s: Estimate| usize::from(s.low <= 1.3 && 1.3 <= s.high);
            many += inside(paired(&X, &curves).unwrap().slope);
            single += inside(paired(&X, &curves[..1]).unwrap().slope);
        }
        assert!(
            (180..=199).contains(&many) && (180..=199).contains(&single),
            "{many} and {single} of 200, 190 expected"
        );
    }

    #[test]
    fn too_little_is_refused_and_two_points_have_no_interval() {
        assert!(paired(&X[..1], &[vec![1.0]]).is_err() && paired(&X, &[]).is_err());
        assert!(paired(&X, &[vec![1.0, 1.0, 0.0, 1.0]]).is_err() && paired(&X, &[vec![1.0; 3]]).is_err());
        let two = paired(&X[..2], &[vec![1.0, 0.5]]).unwrap();
        assert!(two.slope.value > 0.0 && two.slope.high.is_infinite());
    }
}
