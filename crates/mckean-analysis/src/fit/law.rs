//! Laws for the gap e(M, L), fitted by nonlinear least squares in logarithms with coefficients that cannot be negative.
//!
//! Maths: C E(M, L) with E = 1/L + sqrt(log(L + 1)/M) (Theorem 3.1 of Gao et al. 2024); a/L + b/sqrt(ML) and sqrt((a/L)^2 + b^2/(ML))
//! (derived: layers are independent); each with or without a floor, added in quadrature. Coefficients are squares of the unknowns.
//! Shapes: cells to at most three coefficients.
//! Cost: a few dozen Levenberg-Marquardt steps from several starts.
//! Checked: tests below (exact laws are recovered), `law/least_squares.rs`.

use super::Cell;
use serde::Serialize;

mod least_squares;

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
        let scale = scale(law, cells);
        let least = cells.iter().map(Cell::rms).fold(f64::INFINITY, f64::min);
        let parts = [(0.7, 0.7), (1.0, 0.03), (0.03, 1.0)];
        let start = |(a, b): (f64, f64)| {
            let mut c = vec![a * scale, b * scale];
            c.truncate(law.coefficients());
            c.extend(floor.then_some(0.3 * least));
            least_squares::fit_from(law, floor, cells, c)
        };
        let fits = parts.into_iter().map(start);
        let order = |f: &LawFit| if f.residual.is_nan() { f64::INFINITY } else { f.residual };
        fits.min_by(|a, b| order(a).total_cmp(&order(b))).expect("there are starts")
    }

    /// Predicted gap.
    pub fn predict(&self, width: f64, depth: f64) -> f64 {
        self.law.value(&self.coefficients, width, depth)
    }
}

/// Largest gap in units of the law with unit coefficients and no floor.
fn scale(law: Law, cells: &[Cell]) -> f64 {
    let unit = &[1.0, 1.0][..law.coefficients()];
    cells.iter().map(|c| c.rms() / law.value(unit, c.width, c.depth)).fold(0.0, f64::max)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(super) fn cells(e: impl Fn(f64, f64) -> f64) -> Vec<Cell> {
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
    fn starts_are_as_large_as_the_gaps_with_the_floor_left_out() {
        for law in Law::ALL {
            let unit = &[1.0, 1.0][..law.coefficients()];
            let scale = scale(law, &cells(|m, l| 3.0 * law.value(unit, m, l)));
            assert!((scale - 3.0).abs() < 1e-12, "{law:?} {scale}");
        }
    }
}
