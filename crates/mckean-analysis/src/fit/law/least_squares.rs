//! Levenberg-Marquardt on the logarithm of a law, in the square roots of its coefficients.
//!
//! Maths: residuals log(law) - log(gap); coefficients are squares of the unknowns, so none is negative.
//! Shapes: cells to at most three unknowns.
//! Cost: a few dozen steps, linear in the cells.
//! Checked: tests below (the Jacobian agrees with differences), `law.rs` (exact laws are recovered).

use super::{Law, LawFit};
use crate::fit::Cell;
use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt};
use nalgebra::storage::Owned;
use nalgebra::{DMatrix, DVector, Dyn};

/// The fit that the coefficients `start` lead to.
pub(super) fn fit_from(law: Law, floor: bool, cells: &[Cell], start: Vec<f64>) -> LawFit {
    let roots = DVector::from_vec(start.iter().map(|c| c.sqrt()).collect());
    let problem = Problem { law, floor, roots, cells };
    let (done, _) = LevenbergMarquardt::new().minimize(problem);
    let residuals = done.residuals().expect("the logarithm exists");
    let residual = (residuals.norm_squared() / cells.len() as f64).sqrt();
    LawFit { law, floor, coefficients: done.coefficients(), residual }
}

/// Residuals log(law) - log(gap) in the square roots of the coefficients.
struct Problem<'a> {
    law: Law,
    floor: bool,
    roots: DVector<f64>,
    cells: &'a [Cell],
}

/// What keeps logarithms finite when all coefficients vanish.
const TINY: f64 = 1e-300;

impl Problem<'_> {
    fn coefficients(&self) -> Vec<f64> {
        self.roots.iter().map(|r| r * r).collect()
    }
}

impl LeastSquaresProblem<f64, Dyn, Dyn> for Problem<'_> {
    type ParameterStorage = Owned<f64, Dyn>;
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, Dyn>;

    fn set_params(&mut self, x: &DVector<f64>) {
        self.roots.copy_from(x);
    }

    fn params(&self) -> DVector<f64> {
        self.roots.clone()
    }

    fn residuals(&self) -> Option<DVector<f64>> {
        let c = self.coefficients();
        let one = |cell: &Cell| self.law.value(&c, cell.width, cell.depth).max(TINY).ln() - cell.rms().ln();
        Some(DVector::from_iterator(self.cells.len(), self.cells.iter().map(one)))
    }

    fn jacobian(&self) -> Option<DMatrix<f64>> {
        let c = self.coefficients();
        let mut j = DMatrix::zeros(self.cells.len(), c.len());
        for (i, cell) in self.cells.iter().enumerate() {
            let (mut square, mut slopes) = self.law.square(&c, cell.width, cell.depth);
            if self.floor {
                let floor = c[c.len() - 1];
                square += floor * floor;
                slopes.push(2.0 * floor);
            }
            for (k, slope) in slopes.iter().enumerate() {
                j[(i, k)] = 0.5 * slope / square.max(TINY) * 2.0 * self.roots[k];
            }
        }
        Some(j)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::cells;
    use super::*;

    #[test]
    fn the_jacobian_is_that_of_the_residuals() {
        let cells = cells(|m, l| 1.0 / l + 1.0 / m);
        for law in Law::ALL {
            let n = law.coefficients() + 1;
            let roots = DVector::from_fn(n, |i, _| 0.4 + 0.3 * i as f64);
            let at = |x: DVector<f64>| Problem { law, floor: true, roots: x, cells: &cells };
            let exact = at(roots.clone()).jacobian().unwrap();
            for k in 0..n {
                let shift = |h: f64| {
                    let mut x = roots.clone();
                    x[k] += h;
                    at(x).residuals().unwrap()
                };
                let difference = (shift(1e-6) - shift(-1e-6)) / 2e-6;
                assert!((difference - exact.column(k)).amax() < 1e-8, "{law:?} {k}");
            }
        }
    }
}
