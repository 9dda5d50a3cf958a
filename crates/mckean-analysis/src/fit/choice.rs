//! Which law describes a grid of gaps: the one that predicts what it has not seen.
//!
//! Maths: mean square error of log gaps on held-out cells, once over the largest sizes (extrapolation) and once cell by cell (leave one out).
//! Shapes: a grid of cells; six candidates (three laws, with and without floor).
//! Cost: six fits a held-out cell.
//! Checked: tests below (each law is chosen on data made by it; a floor is not chosen without need).

use super::{Cell, Law, LawFit, check};
use crate::error::AnalysisError;
use serde::Serialize;

/// A candidate with its scores.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Candidate {
    /// Fit to all cells.
    pub fit: LawFit,
    /// Root-mean-square error of log gaps at the largest widths and depths, fitted without them.
    pub extrapolation: f64,
    /// The same over single cells, each fitted without it.
    pub left_out: f64,
}

/// All candidates, best first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    /// Ordered by the error on what was held out.
    pub candidates: Vec<Candidate>,
}

impl Choice {
    /// The best one.
    pub fn best(&self) -> &Candidate {
        &self.candidates[0]
    }
}

/// Gain in held-out error below which the candidate with fewer coefficients is preferred.
const GAIN: f64 = 0.98;

/// Compares the laws on held-out cells.
///
/// # Errors
/// Fewer than two widths or depths or than six cells, gaps without logarithm.
pub fn choose(grid: &[Cell]) -> Result<Choice, AnalysisError> {
    check("a choice of laws", grid, 6, 1)?;
    let largest = |size: fn(&Cell) -> f64| grid.iter().map(size).fold(0.0, f64::max);
    let (width, depth) = (largest(|c| c.width), largest(|c| c.depth));
    let (test, train): (Vec<Cell>, Vec<Cell>) =
        grid.iter().cloned().partition(|c| c.width == width || c.depth == depth);
    if train.len() < 3 {
        return Err(AnalysisError::data(
            "a choice of laws",
            "three cells below the largest width and depth",
            train.len(),
        ));
    }
    let all = Law::ALL.into_iter().flat_map(|law| [(law, false), (law, true)]);
    let mut candidates: Vec<Candidate> = all.map(|(law, floor)| candidate(law, floor, grid, (&test, &train))).collect();
    candidates.sort_by(|a, b| score(a).total_cmp(&score(b)));
    Ok(Choice { candidates })
}

/// Error with a small price for every coefficient.
fn score(c: &Candidate) -> f64 {
    let rounding = 1e-9; // exact data leave only rounding
    let score = (c.extrapolation.hypot(c.left_out) + rounding) * GAIN.powi(-(c.fit.coefficients.len() as i32));
    if score.is_nan() { f64::INFINITY } else { score }
}

fn candidate(law: Law, floor: bool, grid: &[Cell], (test, train): (&[Cell], &[Cell])) -> Candidate {
    let error = |fit: &LawFit, c: &Cell| (fit.predict(c.width, c.depth).ln() - c.rms().ln()).powi(2);
    let far = LawFit::new(law, floor, train);
    let extrapolation = (test.iter().map(|c| error(&far, c)).sum::<f64>() / test.len() as f64).sqrt();
    let without = |i: usize| {
        let rest: Vec<Cell> = grid.iter().enumerate().filter(|(k, _)| *k != i).map(|(_, c)| c.clone()).collect();
        error(&LawFit::new(law, floor, &rest), &grid[i])
    };
    let left_out = ((0..grid.len()).map(without).sum::<f64>() / grid.len() as f64).sqrt();
    Candidate { fit: LawFit::new(law, floor, grid), extrapolation, left_out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mckean_num::rng::Seed;

    /// Gaps of a law, each with its own few per cent of noise.
    fn grid(law: Law, coefficients: &[f64], noise: f64) -> Vec<Cell> {
        let mut draws = Seed(4).stream("fit.choice.test").open();
        let mut cells = vec![];
        for depth in [4.0, 8.0, 16.0, 32.0, 64.0] {
            for width in [8.0, 32.0, 128.0, 512.0] {
                let e = law.value(coefficients, width, depth);
                let gaps = (0..8).map(|_| e * (noise * draws.normal()).exp()).collect();
                cells.push(Cell { width, depth, gaps });
            }
        }
        cells
    }

    #[test]
    fn data_choose_the_law_that_made_them() {
        let cases: [(Law, &[f64]); 3] =
            [(Law::Theorem, &[0.3]), (Law::Sum, &[0.4, 0.5]), (Law::Quadrature, &[0.4, 0.5])];
        for (law, coefficients) in cases {
            let choice = choose(&grid(law, coefficients, 0.03)).unwrap();
            assert_eq!(choice.best().fit.law, law, "{choice:#?}");
            assert_eq!(choice.candidates.len(), 6);
        }
    }

    #[test]
    fn a_floor_is_chosen_only_where_there_is_one() {
        for (coefficients, floor) in [(&[0.4, 0.5][..], false), (&[0.4, 0.5, 0.02][..], true)] {
            let choice = choose(&grid(Law::Quadrature, coefficients, 0.02)).unwrap();
            assert_eq!((choice.best().fit.law, choice.best().fit.floor), (Law::Quadrature, floor), "{choice:#?}");
        }
    }

    #[test]
    fn grids_without_smaller_sizes_are_refused() {
        let one = grid(Law::Sum, &[1.0, 1.0], 0.0).into_iter().filter(|c| c.depth == 4.0).collect::<Vec<_>>();
        assert!(choose(&one).is_err());
    }
}
