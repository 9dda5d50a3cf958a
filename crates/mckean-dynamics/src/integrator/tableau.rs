//! Butcher tableaux of the schemes on offer.
//!
//! Maths: Hairer, Norsett, Wanner, Solving Ordinary Differential Equations I, chapter II; Dormand and Prince 1980.
//! Shapes: `a` lists the rows after the first stage; `error` is b minus the embedded weights.
//! Cost: none.
//! Checked: row sums and order conditions below, measured orders in `integrator`.

use crate::config::Scheme;

/// Coefficients of an explicit method.
#[derive(Debug)]
pub struct Tableau {
    /// Rows of stages 2, 3, ...
    pub a: &'static [&'static [f64]],
    /// Weights.
    pub b: &'static [f64],
    /// Weights of the error estimate.
    pub error: Option<&'static [f64]>,
    /// Order of the method.
    pub order: u32,
    /// Whether the last stage is the derivative at the new point.
    pub first_same_as_last: bool,
}

const EULER: Tableau = Tableau { a: &[], b: &[1.0], error: None, order: 1, first_same_as_last: false };
const HEUN: Tableau = Tableau { a: &[&[1.0]], b: &[0.5, 0.5], error: None, order: 2, first_same_as_last: false };
const RK4: Tableau = Tableau {
    a: &[&[0.5], &[0.0, 0.5], &[0.0, 0.0, 1.0]],
    b: &[1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0],
    error: None,
    order: 4,
    first_same_as_last: false,
};
const DOPRI5: Tableau = Tableau {
    a: &[
        &[1.0 / 5.0],
        &[3.0 / 40.0, 9.0 / 40.0],
        &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
        &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
        &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
        &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
    ],
    b: &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0, 0.0],
    error: Some(&[71.0 / 57600.0, 0.0, -71.0 / 16695.0, 71.0 / 1920.0, -17253.0 / 339200.0, 22.0 / 525.0, -1.0 / 40.0]),
    order: 5,
    first_same_as_last: true,
};

impl Tableau {
    /// The tableau of a scheme.
    pub fn of(scheme: Scheme) -> &'static Tableau {
        match scheme {
            Scheme::Euler => &EULER,
            Scheme::Heun => &HEUN,
            Scheme::Rk4 => &RK4,
            Scheme::Adaptive => &DOPRI5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_estimates_to_zero() {
        for t in [&EULER, &HEUN, &RK4, &DOPRI5] {
            assert!((t.b.iter().sum::<f64>() - 1.0).abs() < 1e-15);
            assert!(t.error.is_none_or(|e| e.iter().sum::<f64>().abs() < 1e-15));
            let c: Vec<f64> = std::iter::once(0.0).chain(t.a.iter().map(|r| r.iter().sum())).collect();
            let second: f64 = t.b.iter().zip(&c).map(|(b, c)| b * c).sum();
            assert!(t.order < 2 || (second - 0.5).abs() < 1e-15);
        }
    }
}
