//! Explicit Runge-Kutta steps from tableaux.
//!
//! Maths: k_i = f(y + h sum_j a_ij k_j), y += h sum b_i k_i; the error estimate is h sum (b_i - b*_i) k_i.
//! Shapes: flat vectors; one buffer a stage.
//! Cost: one evaluation a stage after the first, which the caller has.
//! Checked: measured orders in the tests below.

use crate::config::Scheme;
use crate::objective::Evaluation;
use mckean_num::lane::Real;

mod tableau;

pub use tableau::Tableau;

/// dy/dtau = f(y).
pub trait VectorField<T> {
    /// Fills `dy` and reports what the evaluation found.
    fn eval(&mut self, y: &[T], dy: &mut [T]) -> Evaluation;
}

/// A Runge-Kutta method with its stage buffers.
pub struct RungeKutta<T> {
    tableau: &'static Tableau,
    stages: Vec<Vec<T>>,
    point: Vec<T>,
}

impl<T: Real> RungeKutta<T> {
    /// The method of a scheme for vectors of length `dim`.
    pub fn new(scheme: Scheme, dim: usize) -> Self {
        let tableau = Tableau::of(scheme);
        RungeKutta { tableau, stages: vec![vec![T::zero(); dim]; tableau.b.len()], point: vec![T::zero(); dim] }
    }

    /// Order of the method.
    pub fn order(&self) -> u32 {
        self.tableau.order
    }

    /// Whether the last stage is the derivative at the new point.
    pub fn first_same_as_last(&self) -> bool {
        self.tableau.first_same_as_last
    }

    /// The first stage, to be filled by the caller with f(y) before `step`.
    pub fn first(&mut self) -> &mut Vec<T> {
        &mut self.stages[0]
    }

    /// Makes the last stage the first one of the next step.
    pub fn recycle(&mut self) {
        let last = self.stages.len() - 1;
        self.stages.swap(0, last);
    }

    /// Writes y(tau + h) into `new`; returns the evaluation of the last stage.
    pub fn step(&mut self, f: &mut dyn VectorField<T>, h: f64, y: &[T], new: &mut [T]) -> Evaluation {
        let mut last = Evaluation::default();
        for i in 1..self.stages.len() {
            self.point.copy_from_slice(y);
            let (done, rest) = self.stages.split_at_mut(i);
            combine(h, self.tableau.a[i - 1], done, &mut self.point);
            last = f.eval(&self.point, &mut rest[0]);
        }
        new.copy_from_slice(y);
        combine(h, self.tableau.b, &self.stages, new);
        last
    }

    /// Root mean square of the error estimate in units of `atol + rtol |y|`; `None` without an embedded method.
    pub fn error(&self, h: f64, y: &[T], new: &[T], rtol: f64, atol: f64) -> Option<f64> {
        let weights = self.tableau.error?;
        let mut sum = 0.0;
        for i in 0..y.len() {
            let e: f64 = weights.iter().zip(&self.stages).map(|(w, k)| w * k[i].re()).sum();
            let scale = atol + rtol * y[i].re().abs().max(new[i].re().abs());
            sum += (h * e / scale).powi(2);
        }
        Some((sum / y.len().max(1) as f64).sqrt())
    }
}

/// `y += h sum_j weights_j k_j`.
fn combine<T: Real>(h: f64, weights: &[f64], k: &[Vec<T>], y: &mut [T]) {
    for (&w, k) in weights.iter().zip(k).filter(|(w, _)| **w != 0.0) {
        let c = T::c(h * w);
        y.iter_mut().zip(k).for_each(|(y, &k)| *y += c * k);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pendulum: smooth and non-linear.
    struct Pendulum;

    impl VectorField<f64> for Pendulum {
        fn eval(&mut self, y: &[f64], dy: &mut [f64]) -> Evaluation {
            (dy[0], dy[1]) = (y[1], -y[0].sin() - 0.1 * y[1]);
            Evaluation::default()
        }
    }

    fn integrate(scheme: Scheme, steps: usize) -> (Vec<f64>, f64) {
        let (mut rk, mut y, mut new) = (RungeKutta::new(scheme, 2), vec![1.0, 0.5], vec![0.0; 2]);
        let (h, mut error) = (3.0 / steps as f64, 0.0);
        for _ in 0..steps {
            Pendulum.eval(&y, rk.first());
            rk.step(&mut Pendulum, h, &y, &mut new);
            error += rk.error(h, &y, &new, 0.0, 1.0).unwrap_or(0.0);
            y.copy_from_slice(&new);
        }
        (y, error)
    }

    #[test]
    fn measured_orders_match_the_tableaux() {
        let exact = integrate(Scheme::Rk4, 40_000).0;
        for (scheme, n) in [(Scheme::Euler, 800), (Scheme::Heun, 200), (Scheme::Rk4, 60), (Scheme::Adaptive, 30)] {
            let error = |n| integrate(scheme, n).0.iter().zip(&exact).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            let order = (error(n) / error(2 * n)).log2();
            let expected = f64::from(RungeKutta::<f64>::new(scheme, 1).order());
            assert!((order - expected).abs() < 0.15, "{scheme:?}: {order}");
        }
    }

    #[test]
    fn error_estimate_shrinks_at_its_order() {
        let (coarse, fine) = (integrate(Scheme::Adaptive, 30).1, integrate(Scheme::Adaptive, 60).1);
        assert!(((coarse / fine).log2() - 4.0).abs() < 0.3, "{}", (coarse / fine).log2());
    }
}
