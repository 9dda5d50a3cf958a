//! Risk at rest as a floor and a multiple of an approximation error: R(M, L) = floor + C_1 E(M, L).
//!
//! Maths: Theorem 4.1 of Gao et al. 2024 at one weight decay, its part C_2 lambda^s the floor, as if the bound were the law; E of the theorem or
//! one of the derived ones. Least squares of relative residuals, neither number negative (two numbers: the free solution or one of two boundary
//! ones). Error left out: each size predicted by the fit to the others. Intervals: seeds are redrawn, the same ones in every cell, since
//! all sizes share them (percentiles; they cannot leave zero).
//! Shapes: a grid is a list of cells (M, L) with one risk a seed, seeds in the same order in all cells.
//! Cost: `REPLICATES` fits, each linear in the cells.
//! Checked: tests below (exact laws, coverage, the E that made the data, refusals), `plateau/line.rs`, `plateau/shape.rs`.

use super::{Cell, Estimate, check, quantile, replicate};
use crate::error::AnalysisError;
use serde::{Deserialize, Serialize};

mod line;
mod shape;

use line::{left_out, line};
pub use shape::Shape;

/// Bootstrap replicates.
const REPLICATES: usize = 400;

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
