//! Risk at rest as a floor and a multiple of an approximation error: R(M, L) = floor + C_1 E(M, L).
//!
//! Maths: Theorem 4.1 of Gao et al. 2024 at one weight decay, its part C_2 lambda^s the floor, as if the bound were the law; E of the theorem or
//! one of the derived ones. Least squares of relative residuals, neither number negative (two numbers: the free solution or one of two boundary
//! ones). Error left out: each size predicted by the fit to the others. Intervals: seeds are redrawn, the same ones in every cell, since
//! all sizes share them (percentiles; they cannot leave zero).
//! Shapes: a grid is a list of cells (M, L) with one risk a seed, seeds in the same order in all cells.
//! Cost: `REPLICATES` fits, each linear in the cells.
//! Checked: tests below (exact laws, boundaries, coverage, the E that made the data, refusals).

use super::{Cell, Estimate, check, quantile, replicate};
use crate::error::AnalysisError;
use serde::{Deserialize, Serialize};

/// Bootstrap replicates.
const REPLICATES: usize = 400;

/// The shape of the approximation error E(M, L).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// 1/L + sqrt(log(L + 1)/M), that of Theorem 4.1 of Gao et al. 2024.
    Theorem,
    /// 1/L + 1/sqrt(ML) (derived: layers are independent).
    Sum,
    /// 1/L, depth alone.
    Depth,
    /// 1/sqrt(ML), noise of particles alone (derived).
    Noise,
    /// 1/(ML), the mean effect of that noise (derived).
    Mean,
}

impl Shape {
    /// All of them.
    pub const ALL: [Shape; 5] = [Shape::Theorem, Shape::Sum, Shape::Depth, Shape::Noise, Shape::Mean];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Shape::Theorem => "1/L + sqrt(log(L+1)/M)",
            Shape::Sum => "1/L + 1/sqrt(ML)",
            Shape::Depth => "1/L",
            Shape::Noise => "1/sqrt(ML)",
            Shape::Mean => "1/(ML)",
        }
    }

    /// E at this size.
    pub fn at(self, width: f64, depth: f64) -> f64 {
        match self {
            Shape::Theorem => 1.0 / depth + ((depth + 1.0).ln() / width).sqrt(),
            Shape::Sum => 1.0 / depth + (width * depth).sqrt().recip(),
            Shape::Depth => 1.0 / depth,
            Shape::Noise => (width * depth).sqrt().recip(),
            Shape::Mean => 1.0 / (width * depth),
        }
    }
}

/// A fitted plateau.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plateau {
    /// What is left at infinite size.
    pub floor: Estimate,
    /// C_1.
    pub constant: Estimate,
    /// Root-mean-square relative error at sizes that the fit has not seen, one at a time.
    pub left_out: f64,
    /// Floor of each seed's own fit.
    pub floors: Vec<f64>,
}

/// Fits a floor and a multiple of E to the means over seeds.
///
/// # Errors
/// Fewer than three values of E, seeds that differ from cell to cell, risks that are not positive.
pub fn plateau(shape: Shape, grid: &[Cell]) -> Result<Plateau, AnalysisError> {
    const WHAT: &str = "a plateau";
    check(WHAT, grid, 3, 1)?;
    let e: Vec<f64> = grid.iter().map(|c| shape.at(c.width, c.depth)).collect();
    let values = distinct(&e);
    if values < 3 {
        return Err(AnalysisError::data(WHAT, format!("three values of {}", shape.words()), values));
    }
    let seeds = grid[0].gaps.len();
    if let Some(odd) = grid.iter().find(|c| c.gaps.len() != seeds) {
        return Err(AnalysisError::data(WHAT, format!("{seeds} seeds in every cell"), odd.gaps.len()));
    }
    let of = |pick: &[usize]| line(&e, &grid.iter().map(|c| mean(c, pick)).collect::<Vec<f64>>());
    let all: Vec<usize> = (0..seeds).collect();
    let (floor, constant) = of(&all);
    let again = |b: usize| {
        let mut draws = replicate(b);
        of(&all.iter().map(|_| draws.below(seeds)).collect::<Vec<usize>>())
    };
    let (floors, constants) = (0..REPLICATES).map(again).unzip();
    Ok(Plateau {
        floor: percentiles(floor, floors, seeds),
        constant: percentiles(constant, constants, seeds),
        left_out: left_out(&e, &grid.iter().map(|c| mean(c, &all)).collect::<Vec<f64>>()),
        floors: all.iter().map(|&s| of(&[s]).0).collect(),
    })
}

fn distinct(e: &[f64]) -> usize {
    let mut sorted = e.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup_by(|a, b| (*a - *b).abs() <= 1e-12 * *b);
    sorted.len()
}

/// Mean over these seeds.
fn mean(c: &Cell, pick: &[usize]) -> f64 {
    pick.iter().map(|&s| c.gaps[s]).sum::<f64>() / pick.len() as f64
}

/// Floor and constant, neither negative, of least relative squares; y is positive.
fn line(e: &[f64], y: &[f64]) -> (f64, f64) {
    let (mut aa, mut ab, mut bb, mut a1, mut b1) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (e, y) in e.iter().zip(y) {
        let (a, b) = (1.0 / y, e / y); // floor a + constant b should be 1
        (aa, ab, bb, a1, b1) = (aa + a * a, ab + a * b, bb + b * b, a1 + a, b1 + b);
    }
    let determinant = aa * bb - ab * ab;
    let free = ((a1 * bb - b1 * ab) / determinant, (b1 * aa - a1 * ab) / determinant);
    let gain = (a1 * a1 / aa, b1 * b1 / bb); // by which either number alone lowers the sum of squares
    match free {
        (floor, constant) if floor >= 0.0 && constant >= 0.0 => free,
        _ if gain.0 > gain.1 => (a1 / aa, 0.0),
        _ => (0.0, b1 / bb),
    }
}

fn left_out(e: &[f64], y: &[f64]) -> f64 {
    let without = |i: usize, x: &[f64]| -> Vec<f64> { [&x[..i], &x[i + 1..]].concat() };
    let error = |i: usize| {
        let (floor, constant) = line(&without(i, e), &without(i, y));
        ((floor + constant * e[i]) / y[i] - 1.0).powi(2)
    };
    ((0..e.len()).map(error).sum::<f64>() / e.len() as f64).sqrt()
}

/// The 95 % interval by percentiles; none from one seed.
fn percentiles(value: f64, mut replicates: Vec<f64>, seeds: usize) -> Estimate {
    if seeds < 2 {
        return Estimate { value, low: f64::NEG_INFINITY, high: f64::INFINITY };
    }
    replicates.sort_by(f64::total_cmp);
    Estimate { value, low: quantile(&replicates, 0.025), high: quantile(&replicates, 0.975) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mckean_num::rng::Seed;

    /// R = floor + constant E, times noise shared by the sizes of a seed, and some of their own.
    fn grid(
        shape: Shape,
        (floor, constant): (f64, f64),
        noise: (f64, f64),
        seeds: usize,
        experiment: u64,
    ) -> Vec<Cell> {
        let mut draws = Seed(experiment).stream("fit.plateau.test").open();
        let shared: Vec<f64> = (0..seeds).map(|_| noise.0 * draws.normal()).collect();
        let mut cells = vec![];
        for depth in [1.0, 2.0, 4.0, 8.0] {
            for width in [4.0, 8.0, 16.0, 32.0] {
                let y = floor + constant * shape.at(width, depth);
                let gaps = shared.iter().map(|s| y * (s + noise.1 * draws.normal()).exp()).collect();
                cells.push(Cell { width, depth, gaps });
            }
        }
        cells
    }

    #[test]
    fn exact_plateaus_are_found_and_predict_what_they_have_not_seen() {
        for shape in Shape::ALL {
            let fit = plateau(shape, &grid(shape, (7e-4, 3e-3), (0.0, 0.0), 2, 1)).unwrap();
            assert!((fit.floor.value / 7e-4 - 1.0).abs() < 1e-9 && (fit.constant.value / 3e-3 - 1.0).abs() < 1e-9);
            assert!(fit.left_out < 1e-9 && fit.floor.half_width() < 1e-12 && fit.floors.len() == 2, "{fit:?}");
        }
    }

    #[test]
    fn neither_number_is_negative_and_what_is_left_is_the_best_of_its_kind() {
        let e = [0.5, 1.0, 2.0];
        let (floor, constant) = line(&e, &[0.4, 0.95, 2.1]); // steeper than through zero
        assert!(floor == 0.0 && (constant - 0.9098).abs() < 1e-4, "{constant}");
        let (floor, constant) = line(&e, &[2.0, 1.9, 1.8]); // falls with E
        assert!(constant == 0.0 && (floor - 1.8930).abs() < 1e-4, "{floor}");
    }

    #[test]
    fn errors_are_those_of_sizes_that_the_fit_has_not_seen() {
        let error = left_out(&[1.0, 2.0, 4.0], &[1.0, 2.0, 3.0]); // lines through two points miss the third by 1/2, 1/6 and 1/3
        assert!((error - (0.25f64 + 1.0 / 36.0 + 1.0 / 9.0).sqrt() / 3f64.sqrt()).abs() < 1e-12, "{error}");
    }

    #[test]
    fn intervals_over_seeds_cover_and_one_seed_has_none() {
        let inside = |experiment| {
            let fit = plateau(Shape::Sum, &grid(Shape::Sum, (1.0, 2.0), (0.1, 0.03), 24, experiment)).unwrap();
            fit.floor.low <= 1.0 && 1.0 <= fit.floor.high && fit.floor.half_width() < 0.1
        };
        let covered = (0..60).filter(|&k| inside(k)).count();
        assert!((50..=60).contains(&covered), "{covered} of 60"); // 57 expected less what percentiles lose
        let one = plateau(Shape::Sum, &grid(Shape::Sum, (1.0, 2.0), (0.1, 0.03), 1, 1)).unwrap();
        assert!(one.floor.high.is_infinite() && one.constant.low.is_infinite());
    }

    #[test]
    fn shapes_have_their_values() {
        let wanted = [0.25 + (5f64.ln() / 16.0).sqrt(), 0.375, 0.25, 0.125, 1.0 / 64.0];
        assert_eq!(Shape::ALL.map(|s| s.at(16.0, 4.0)), wanted);
    }

    #[test]
    fn the_shape_that_made_the_data_predicts_best() {
        for shape in Shape::ALL {
            let data = grid(shape, (1.0, 2.0), (0.1, 0.01), 4, 3);
            let error = |s: &Shape| plateau(*s, &data).unwrap().left_out;
            let best = Shape::ALL.into_iter().min_by(|a, b| error(a).total_cmp(&error(b)));
            assert_eq!(best, Some(shape));
        }
    }

    #[test]
    fn too_few_sizes_and_uneven_seeds_are_refused() {
        let all = grid(Shape::Sum, (1.0, 2.0), (0.1, 0.01), 3, 1);
        let text = plateau(Shape::Depth, &all[..4]).unwrap_err().to_string(); // one depth
        assert!(text.contains("three values of 1/L") && plateau(Shape::Noise, &all[..4]).is_ok(), "{text}");
        assert!(plateau(Shape::Sum, &all[..2]).is_err());
        let mut uneven = all.clone();
        uneven[3].gaps.pop();
        assert!(plateau(Shape::Sum, &uneven).unwrap_err().to_string().contains("3 seeds in every cell"));
        let mut zero = all;
        zero[0].gaps = vec![0.0; 3];
        assert!(plateau(Shape::Sum, &zero).is_err());
    }
}
