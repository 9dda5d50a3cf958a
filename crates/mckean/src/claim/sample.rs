//! Statistics that several kinds of claims share.
//!
//! Maths: mean with Student's interval; least-squares slope of log y on log x; largest numbers that keep what is no number; tails over the
//! seeds of a grid, each cell in units of its own root mean square (DERIVED: the theorem's bound is one of all cells).
//! Shapes: plain slices, cells of a grid, configs of its networks.
//! Cost: linear.
//! Checked: tests below.

use crate::config::Config;
use crate::rates::seed;
use mckean_analysis::fit::{Cell, Estimate, Tail, tail};
use mckean_analysis::verdict::larger;
use mckean_dynamics::limit::student;

/// Mean and 95 % interval of independent numbers; no interval from fewer than two.
pub fn mean(x: &[f64]) -> (f64, Option<(f64, f64)>) {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    if x.len() < 2 {
        return (mean, None);
    }
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let half = student(x.len() - 1) * (variance / n).sqrt();
    (mean, Some((mean - half, mean + half)))
}

/// Slope of log y on log x.
pub fn slope(x: &[f64], y: &[f64]) -> f64 {
    let (x, y): (Vec<f64>, Vec<f64>) = x.iter().zip(y).map(|(x, y)| (x.ln(), y.ln())).unzip();
    let (mx, my) = (mean(&x).0, mean(&y).0);
    let cross: f64 = x.iter().zip(&y).map(|(x, y)| (x - mx) * (y - my)).sum();
    cross / x.iter().map(|x| (x - mx).powi(2)).sum::<f64>()
}

/// Network number `s` of width `width`: networks of a grid share no draws, which a seed alone would not see to (narrow ones are sub-samples).
pub fn network(base: &Config, width: usize, s: usize) -> Config {
    let mut config = base.clone();
    config.seed = seed(base.seed, width, base.model.depth, s) >> 1; // a config's are below 2^63
    (config.model.heads, config.model.neurons) = (width, width);
    config
}

/// The largest of all and `from`; no number if one of them is none.
pub fn largest(from: f64, x: impl IntoIterator<Item = f64>) -> f64 {
    x.into_iter().fold(from, larger)
}

/// Exponent in delta of the quantiles over seeds: all cells of a grid together. None with fewer seeds than a tail asks for.
pub fn tail_of(grid: &[Cell]) -> Option<Estimate> {
    let first = grid.first()?;
    let gaps = grid.iter().flat_map(|c| c.gaps.iter().map(|g| g / c.rms())).collect();
    tail(&Cell { gaps, ..first.clone() }).ok().map(|t: Tail| t.exponent)
}

/// The heaviest of several tails, by the lower ends of their intervals.
pub fn heaviest(tails: impl IntoIterator<Item = Option<Estimate>>) -> Option<Estimate> {
    let all = tails.into_iter().collect::<Option<Vec<Estimate>>>()?;
    all.into_iter().max_by(|a, b| a.low.total_cmp(&b.low))
}

/// A tail in words.
pub fn tail_words(tail: Option<Estimate>) -> String {
    match tail {
        Some(t) => {
            format!("exponent of the tail in delta {:.2} [{:.2}, {:.2}] (1/2 is allowed)", t.value, t.low, t.high)
        }
        None => "too few seeds for a tail in delta".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_slopes() {
        let (m, i) = mean(&[1.0, 2.0, 3.0]);
        let (low, high) = i.unwrap();
        assert_eq!(m, 2.0);
        assert!((high - 2.0 - 4.303 / 3f64.sqrt()).abs() < 1e-12 && (low + high - 4.0).abs() < 1e-12);
        assert_eq!(mean(&[5.0]), (5.0, None));
        let many: Vec<f64> = (0..40).map(f64::from).collect();
        let (m, i) = mean(&many);
        let error = (many.iter().map(|x| (x - m).powi(2)).sum::<f64>() / 39.0 / 40.0).sqrt();
        assert!(((i.unwrap().1 - m) / error - 2.0227).abs() < 3e-3, "Student's law beyond 30 degrees of freedom");
        let x = [1.0, 2.0, 4.0, 8.0];
        assert!((slope(&x, &x.map(|x: f64| 3.0 * x.powf(-1.5))) + 1.5).abs() < 1e-12);
    }

    #[test]
    fn networks_of_a_grid_share_no_draws() {
        let base = crate::claim::find("gao2024-lemD.6-width").unwrap()[0].problem(&[]).unwrap();
        let start = |m, s| crate::problem::Problem::new(&network(&base, m, s)).unwrap().start;
        let all = [start(8, 0), start(16, 0), start(8, 1)];
        for (i, j) in [(0, 1), (0, 2), (1, 2)] {
            assert!(all[i].iter().all(|x| !all[j].contains(x)), "{i} {j}");
        }
    }

    #[test]
    fn what_is_no_number_stays() {
        assert_eq!(largest(0.0, [1.0, 3.0, 2.0]), 3.0);
        assert!(largest(0.0, [1.0, f64::NAN, 2.0]).is_nan() && largest(f64::NAN, [1.0]).is_nan());
    }

    #[test]
    fn tails_of_cells_of_different_sizes_are_those_of_their_shape() {
        let mut draws = mckean_num::rng::Seed(3).stream("claim.sample.test").open();
        let mut grid = |power: f64| -> Vec<Cell> {
            let gap = |scale: f64, z: f64| scale * z.abs().powf(power);
            let cell = |scale: f64, d: &mut mckean_num::rng::Draws| Cell {
                width: 1.0,
                depth: 1.0,
                gaps: (0..100).map(|_| gap(scale, d.normal())).collect(),
            };
            [1.0, 1e-3, 1e-6].map(|s| cell(s, &mut draws)).to_vec()
        };
        let (normal, heavy) = (tail_of(&grid(1.0)).unwrap(), tail_of(&grid(3.0)).unwrap());
        assert!(normal.low < 0.5 && heavy.low > 0.5, "{normal:?} {heavy:?}");
        assert_eq!(heaviest([Some(normal), Some(heavy)]), Some(heavy));
        assert_eq!((tail_of(&[]), heaviest([Some(normal), None])), (None, None));
    }
}
