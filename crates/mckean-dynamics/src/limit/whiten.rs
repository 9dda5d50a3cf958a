//! Particles of a slice moved so that every tensor has the mean and the covariance of its law exactly.
//!
//! Maths: x -> m + A (x - mean of the set), A = C^(1/2) S^(-1/2) with Cholesky factors of the covariances of the law and of the set. DERIVED:
//! what depends on particles through linear and quadratic functions then has no noise; the rest is biased by O(1/K), which pairs of whole
//! and half sets correct (`sample`).
//! Shapes: K particles of p numbers; tensors of d numbers each.
//! Cost: K d^2 a tensor.
//! Checked: tests below; `tests/limit.rs` (the curve itself).

use mckean_model::LawAt;
use nalgebra::{Cholesky, DMatrix, DVector};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Whether the particles of a slice are given the exact mean and covariance of the law.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Whiten {
    /// The tensors that are small enough for it.
    #[default]
    Auto,
    /// All tensors; refused where one is too large.
    On,
    /// None.
    Off,
}

/// Numbers of the largest tensor that sets of `particles` can whiten: pairs of particles are independent, and four of them a number
/// leave half sets two.
pub fn most(particles: usize) -> usize {
    particles / 8
}

/// Particles that can whiten a tensor of `numbers`, a power of two.
pub(super) fn least(numbers: usize) -> usize {
    (8 * numbers).next_power_of_two()
}

/// Moves `particles` so that every tensor of at most `most` numbers has the moments of `law`; tensors whose covariance (that of the law,
/// or of the set) is singular stay as they are.
pub fn whiten(law: &LawAt<'_>, most: usize, particles: &mut [Vec<f64>]) {
    for range in law.tensors().iter().filter(|r| r.len() <= most) {
        let (mean, covariance) = law.mean_and_covariance(range.clone());
        let target = (DVector::from_vec(mean), DMatrix::from_row_slice(range.len(), range.len(), &covariance));
        let own = moments(particles, range);
        let Some(map) = between(&own.1, target.1) else { continue };
        for p in particles.iter_mut() {
            let x = DVector::from_column_slice(&p[range.clone()]);
            p[range.clone()].copy_from_slice((&target.0 + &map * (x - &own.0)).as_slice());
        }
    }
}

/// Mean and covariance of a set.
fn moments(particles: &[Vec<f64>], range: &Range<usize>) -> (DVector<f64>, DMatrix<f64>) {
    let d = range.len();
    let x = DMatrix::from_fn(d, particles.len(), |i, k| particles[k][range.start + i]);
    let mean = x.column_mean();
    let centred = DMatrix::from_fn(d, particles.len(), |i, k| x[(i, k)] - mean[i]);
    (mean, &centred * centred.transpose() / particles.len() as f64)
}

/// The triangular map that takes one covariance to the other.
fn between(own: &DMatrix<f64>, target: DMatrix<f64>) -> Option<DMatrix<f64>> {
    let (own, target) = (Cholesky::new(own.clone())?, Cholesky::new(target)?);
    Some(target.l() * own.l().solve_lower_triangular(&DMatrix::identity(target.l().nrows(), target.l().ncols()))?)
}

#[cfg(test)]
mod tests {
    use super::super::points::sobol_particles;
    use super::*;
    use mckean_model::{Component, InitConfig, InitialLaw, Law, Layout, Role, TensorSpec};

    fn laws() -> Vec<Law> {
        let spec = |name, n, sums| TensorSpec { name, shape: vec![n], fan_in: n, sums_particles: sums };
        let mut layout = Layout::default();
        layout.push_particles(0, "attention", Role::Head, 1, &[spec("v", 3, true), spec("w", 5, false)]);
        let shift = [("w".to_string(), vec![1.0, 0.0, 0.0, 2.0, 0.0]), ("v".to_string(), vec![0.5])].into();
        let of = |shift| Component { law: InitialLaw::Box, scale: 0.7, shift, ..Default::default() };
        let mixture =
            InitConfig { law: InitialLaw::Mixture, mixture: vec![of(shift), of([].into())], ..Default::default() };
        let ball = InitConfig { law: InitialLaw::Ball, scale: 2.0, ..Default::default() };
        [ball, InitConfig { symmetric: true, ..mixture.clone() }, mixture].map(|i| Law::new(&i, &layout.tensors)).into()
    }

    #[test]
    fn small_tensors_have_the_moments_of_the_law_and_mirrors_stay_mirrors() {
        for law in laws() {
            let at = law.at(0.0);
            let raw = sobol_particles(&at, 3, 0, 0..32);
            for (limit, small) in [(3, [true, false]), (5, [true, true]), (0, [false, false])] {
                let mut own = raw.clone();
                whiten(&at, limit, &mut own);
                for (range, small) in law.tensors().iter().zip(small) {
                    let (mean, covariance) = at.mean_and_covariance(range.clone());
                    let found = moments(&own, range);
                    let gap = found.1.iter().zip(&covariance).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                    let off = found.0.iter().zip(&mean).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                    assert_eq!(gap < 1e-12 && off < 1e-12, small, "{range:?} {limit}: {gap:e} {off:e}");
                }
                let mirrored = |pair: &[Vec<f64>]| {
                    let mut image = pair[0].clone();
                    at.mirror(&mut image);
                    image.iter().zip(&pair[1]).all(|(a, b)| (a - b).abs() < 1e-12)
                };
                assert_eq!(own.chunks(2).all(mirrored), law.is_mirrored());
            }
        }
    }

    #[test]
    fn sets_with_fewer_points_than_numbers_stay_as_they_are() {
        let law = &laws()[0];
        let raw = sobol_particles(&law.at(0.0), 3, 0, 0..3);
        let mut own = raw.clone();
        whiten(&law.at(0.0), 5, &mut own);
        assert_eq!(
            own.iter().map(|p| p[3..].to_vec()).collect::<Vec<_>>(),
            raw.iter().map(|p| p[3..].to_vec()).collect::<Vec<_>>()
        );
    }
}
