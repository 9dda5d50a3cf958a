//! Laws for the gap e(M, L), fitted by nonlinear least squares in logarithms with coefficients that cannot be negative.
//!
//! Maths: C E(M, L) with E = 1/L + sqrt(log(L + 1)/M) (Theorem 3.1 of Gao et al. 2024); a/L + b/sqrt(ML) and sqrt((a/L)^2 + b^2/(ML))
//! (derived: layers are independent); each with or without a floor, added in quadrature. Coefficients are squares of the unknowns.
//! Shapes: cells to at most three coefficients.
//! Cost: a few dozen Levenberg-Marquardt steps from several starts.
//! Checked: tests below (exact laws are recovered; the Jacobian agrees with differences).

use super::Cell;
use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt};
use nalgebra::storage::Owned;
use nalgebra::{DMatrix, DVector, Dyn};
use serde::Serialize;

/// The shape of a law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Law {
    /// C (1/L + sqrt(log(L + 1)/M)).
    Theorem,
    /// a/L + b/sqrt(ML).
    Sum,
    /// sqrt((a/L)^2 + b^2/(ML)).
    Quadrature,
}

impl Law {
    /// All of them.
    pub const ALL: [Law; 3] = [Law::Theorem, Law::Sum, Law::Quadrature];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Law::Theorem => "C (1/L + sqrt(log(L+1)/M))",
            Law::Sum => "a/L + b/sqrt(ML)",
            Law::Quadrature => "sqrt((a/L)^2 + b^2/(ML))",
        }
    }

    /// Coefficients without the floor.
    pub fn coefficients(self) -> usize {
        if self == Law::Theorem { 1 } else { 2 }
    }

    /// The square of the law and its derivatives in the coefficients, without floor.
    fn square(self, c: &[f64], width: f64, depth: f64) -> (f64, Vec<f64>) {
        let (deep, wide) = (1.0 / depth, 1.0 / (width * depth).sqrt());
        match self {
            Law::Theorem => {
                let e = deep + ((depth + 1.0).ln() / width).sqrt();
                (c[0] * c[0] * e * e, vec![2.0 * c[0] * e * e])
            }
            Law::Sum => {
                let e = c[0] * deep + c[1] * wide;
                (e * e, vec![2.0 * e * deep, 2.0 * e * wide])
            }
            Law::Quadrature => {
                let (a, b) = (c[0] * deep, c[1] * wide);
                (a * a + b * b, vec![2.0 * a * deep, 2.0 * b * wide])
            }
        }
    }

    /// The law's value with these coefficients (the floor last, if there is one more).
    pub fn value(self, c: &[f64], width: f64, depth: f64) -> f64 {
        let floor = c.get(self.coefficients()).copied().unwrap_or(0.0);
        (self.square(c, width, depth).0 + floor * floor).sqrt()
    }
}

/// A fitted law.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LawFit {
    /// Shape.
    pub law: Law,
    /// Whether it has a floor.
    pub floor: bool,
    /// Coefficients, none negative: C, or a and b; then the floor.
    pub coefficients: Vec<f64>,
    /// Root-mean-square residual of log gaps.
    pub residual: f64,
}

impl LawFit {
    /// Fits to the rms gaps of `cells`.
    pub fn new(law: Law, floor: bool, cells: &[Cell]) -> LawFit {
        let scale = cells.iter().map(|c| c.rms() / law.value(&[1.0, 1.0], c.width, c.depth)).fold(0.0, f64::max);
        let least = cells.iter().map(Cell::rms).fold(f64::INFINITY, f64::min);
        let parts = [(0.7, 0.7), (1.0, 0.03), (0.03, 1.0)];
        let start = |(a, b): (f64, f64)| {
            let mut c = vec![a * scale, b * scale];
            c.truncate(law.coefficients());
            c.extend(floor.then_some(0.3 * least));
            fit_from(law, floor, cells, c)
        };
        let fits = parts.into_iter().map(start);
        fits.min_by(|a, b| a.residual.total_cmp(&b.residual)).expect("there are starts")
    }

    /// Predicted gap.
    pub fn predict(&self, width: f64, depth: f64) -> f64 {
        self.law.value(&self.coefficients, width, depth)
    }
}

fn fit_from(law: Law, floor: bool, cells: &[Cell], start: Vec<f64>) -> LawFit {
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
    use super::*;

    fn cells(e: impl Fn(f64, f64) -> f64) -> Vec<Cell> {
        let sizes = [4.0, 16.0, 64.0];
        let all = sizes.iter().flat_map(|&l| [8.0, 64.0, 512.0].map(|m| (m, l)));
        all.map(|(m, l)| Cell { width: m, depth: l, gaps: vec![e(m, l); 2] }).collect()
    }

    #[test]
    fn exact_laws_are_recovered() {
        for law in Law::ALL {
            for floor in [false, true] {
                let mut wanted = vec![0.7, 0.2];
                wanted.truncate(law.coefficients());
                wanted.extend(floor.then_some(0.004));
                let fit = LawFit::new(law, floor, &cells(|m, l| law.value(&wanted, m, l)));
                assert!(fit.residual < 1e-6, "{law:?} {floor}: {fit:?}");
                let gap = fit.coefficients.iter().zip(&wanted).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max);
                assert!(gap < 1e-4, "{law:?} {floor}: {fit:?}");
            }
        }
    }

    #[test]
    fn coefficients_stay_nonnegative_where_the_law_has_no_such_part() {
        let fit = LawFit::new(Law::Sum, true, &cells(|m, l| 0.5 / (m * l).sqrt()));
        assert!(fit.coefficients.iter().all(|c| *c >= 0.0) && (fit.coefficients[1] - 0.5).abs() < 1e-3, "{fit:?}");
        assert!(fit.coefficients[0] < 1e-3 && fit.coefficients[2] < 1e-3, "{fit:?}");
    }

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
