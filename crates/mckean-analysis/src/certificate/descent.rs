//! The descent direction of Lemma E.1: a law nu at one depth towards which the objective falls as long as risk is left.
//!
//! Maths: appendix F.7 of Gao et al. 2024: random particles with alpha_2 in K are combined so that int g dnu = int g drho - p(., t*) at the samples, g = f/2 (or h/2).
//! DERIVED from eq. (3.4), with e the error of that fit: int dQ/drho (nu - rho) = -E|p|^2 + E tr(e^T p) + lambda/2 (|nu|^2 - |rho|^2), |nu|^2 the second
//! moment. The other kind of particle keeps its law and drops out. C_0 is the sum of the largest Jacobian norms of the later sublayers. The fit stops at
//! |e| = accuracy |p|: the lemma fixes |e| itself, and then bounds E tr(e^T p) ~ |e| sqrt(R) by a multiple of |e| R, the wrong way for small R.
//! Shapes: one sublayer; nu is a list of weights, which sum to one, and particles.
//! Cost: a singular value decomposition of (samples n, features), one vector-Jacobian product a particle, Jacobians of the later sublayers.
//! Checked: tests below (the identity, differences of the objective of mixed clouds, accuracies out of reach).

use super::View;
use super::adjoint::largest_norm;
use super::probe::{Probe, square};
use crate::assumption::features::{Features, terms};
use crate::error::AnalysisError;
use nalgebra::DMatrix;

/// Most random features of a fit.
const FEATURES: usize = 320;

/// Weights, which sum to one, and particles.
pub type Weighted = Vec<(f64, Vec<f64>)>;

/// nu at one sublayer, and what the lemma says of it.
#[derive(Clone, Debug)]
pub struct Descent {
    /// Depth t*.
    pub depth: f64,
    /// int dQ/drho (nu - rho).
    pub left: f64,
    /// E|p(., t*)|^2.
    pub adjoint: f64,
    /// C_0.
    pub jacobians: f64,
    /// Second moments of nu and rho.
    pub moments: (f64, f64),
    /// |e|/|p| of the fit.
    pub error: f64,
    /// Weights and particles of nu.
    pub law: Weighted,
}

impl Descent {
    /// C_1 = (|nu|^2 + |rho|^2)/2: the lemma's, with second moments in the place of squared radii.
    pub fn constant(&self) -> f64 {
        0.5 * (self.moments.0 + self.moments.1)
    }

    /// C_2 = e^(-2 C_0)/4.
    pub fn share(&self) -> f64 {
        0.25 * (-2.0 * self.jacobians).exp()
    }
}

/// nu at sublayer `k`, fitted until |e| <= `accuracy` |p|.
///
/// # Errors
/// Features that do not get there; states too large for Jacobians, or not finite.
pub fn descent(view: &View, k: usize, accuracy: f64) -> Result<Descent, AnalysisError> {
    view.check()?;
    let (probe, (law, error)) = (Probe::new(view, k), fit(view, k, accuracy)?);
    let later = (k + 1)..view.net().sublayers.len();
    let jacobians = later.map(|s| largest_norm(view, s)).sum::<Result<f64, _>>()?;
    let own = probe.particles();
    let mean = |cloud: &[(f64, Vec<f64>)], of: &dyn Fn(&[f64]) -> f64| -> f64 {
        cloud.iter().map(|(weight, alpha)| weight * of(alpha)).sum()
    };
    let value = |alpha: &[f64]| probe.value(alpha);
    let left = mean(&law, &value) - mean(&own, &value);
    let adjoint = square(&view.trace.adjoints[k + 1]) / view.data.samples as f64;
    let moments = (mean(&law, &square), mean(&own, &square));
    Ok(Descent { depth: view.depth(k), left, adjoint, jacobians, moments, error, law })
}

/// nu and |e|/|p|.
fn fit(view: &View, k: usize, accuracy: f64) -> Result<(Weighted, f64), AnalysisError> {
    let (x, p) = (&view.trace.states[k], &view.trace.adjoints[k + 1]);
    let (features, mut left) = (Features::new(view, k, x, FEATURES), target(view, k));
    let mut coefficients = DMatrix::zeros(features.values.ncols(), left.ncols());
    let allowed = 2.0 * square(p).sqrt(); // of sum f; e is half of what is left
    for (direction, along) in terms(&features.values, &left.clone())? {
        if left.norm() <= accuracy * allowed {
            break;
        }
        left -= &features.values * &direction * &along;
        coefficients += direction * along;
    }
    let error = left.norm() / allowed;
    if error > accuracy {
        let why = format!("random particles reach -p at t* = {:.3} to {error:.1e} only, relative", view.depth(k));
        return Err(AnalysisError::NotTestable(why));
    }
    Ok((law(&features, &coefficients), error))
}

/// int f drho - 2 p at every token: what int f dnu should be.
fn target(view: &View, k: usize) -> DMatrix<f64> {
    let (net, x, p) = (view.net(), &view.trace.states[k], &view.trace.adjoints[k + 1]);
    let mean = view.maps.forward(view.maps.cloud(&view.theta, k), x); // times the residual step
    let target: Vec<f64> = mean.iter().zip(p).map(|(f, p)| f / net.config.step() - 2.0 * p).collect();
    DMatrix::from_row_slice(x.len() / net.dim, net.dim, &target)
}

/// Particles that combine features with these coefficients: weights proportional to the norms of their output maps, as in the lemma.
fn law(features: &Features, coefficients: &DMatrix<f64>) -> Weighted {
    let own = |i: usize| coefficients.rows(i * features.columns, features.columns);
    let total: f64 = (0..features.inner.len()).map(|i| own(i).norm()).sum();
    let one = |i: usize| {
        let (block, mut alpha) = (own(i), features.inner[i].clone());
        let weight = block.norm() / total;
        for (row, column) in (0..block.ncols()).flat_map(|r| (0..features.columns).map(move |c| (r, c))) {
            alpha[features.first + row * features.columns + column] = block[(column, row)] / weight;
        }
        (weight, alpha)
    };
    (0..features.inner.len()).filter(|&i| own(i).norm() > 0.0).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{small, view};
    use super::*;
    use mckean_data::Targets;
    use mckean_engine::Cloud;
    use mckean_model::ModelConfig;

    /// Q with (1 - eta) rho + eta nu in the place of rho at sublayer `k`: plain sums over clouds, no gradient.
    fn mixed(v: &View, k: usize, d: &Descent, eta: f64) -> f64 {
        let (role, step, n) = (v.net().sublayers[k].role, v.net().config.step(), v.net().tokens * v.net().dim);
        let mut x = v.trace.states[0].clone();
        for s in 0..v.net().sublayers.len() {
            let mut branch = v.maps.forward(v.maps.cloud(&v.theta, s), &x);
            if s == k {
                branch.iter_mut().for_each(|b| *b *= 1.0 - eta);
                for (weight, alpha) in &d.law {
                    let g = v.maps.forward(Cloud { role, theta: alpha, scales: &[eta * step * weight] }, &x);
                    branch.iter_mut().zip(g).for_each(|(b, g)| *b += g);
                }
            }
            x.iter_mut().zip(branch).for_each(|(x, b)| *x += b);
        }
        let Targets::Values { data, .. } = &v.data.targets else { panic!("values") };
        let at = v.trace.adjoints.last().unwrap().iter().position(|p| *p != 0.0).unwrap(); // the entry that is read
        let risk = x.chunks(n).zip(data).map(|(x, y)| 0.5 * (x[at] - y).powi(2)).sum::<f64>() / v.data.samples as f64;
        risk + 0.5 * v.lambda * eta * (d.moments.0 - d.moments.1) / v.net().config.depth as f64
    }

    #[test]
    fn the_left_side_is_the_slope_of_the_objective_along_the_mixture() {
        for k in 0..4 {
            let v = view(&small(), 4, 0.7, 0.3);
            let d = descent(&v, k, 0.2).unwrap();
            assert!((mixed(&v, k, &d, 0.0) - v.trace.risk()).abs() < 1e-12);
            let slope = (mixed(&v, k, &d, 1e-5) - mixed(&v, k, &d, -1e-5)) / 2e-5; // per unit of depth: one block of two
            assert!((2.0 * slope - d.left).abs() < 1e-6 * d.left.abs(), "sublayer {k}: {slope} {}", d.left);
        }
    }

    #[test]
    fn the_left_side_is_minus_the_adjoint_up_to_the_error_of_the_fit_and_the_moments() {
        for m in [small(), ModelConfig { attention: "qkvo".into(), head_dim: 2, hidden: 2, ..small() }] {
            let v = view(&m, 4, 0.7, 0.3);
            for k in 0..4 {
                let d = descent(&v, k, 0.2).unwrap();
                let rest = d.left + d.adjoint - 0.15 * (d.moments.0 - d.moments.1); // E tr(e^T p)
                assert!(d.error <= 0.2 && rest.abs() <= d.error * d.adjoint * (1.0 + 1e-9), "sublayer {k}: {d:?}");
                assert!((d.law.iter().map(|l| l.0).sum::<f64>() - 1.0).abs() < 1e-12);
                assert!(k < 3 || (d.jacobians == 0.0 && d.share() == 0.25));
            }
        }
    }

    #[test]
    fn an_accuracy_out_of_reach_is_told() {
        let text = descent(&view(&small(), 40, 0.7, 0.3), 1, 1e-14).unwrap_err().to_string();
        assert!(text.contains("t* = 0.250") && text.contains("only"), "{text}");
    }
}
