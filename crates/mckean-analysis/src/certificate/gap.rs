//! Optimality gap: how far the particles of one depth are from the best particle there is.
//!
//! Maths: gap(t) = <V, rho(. | t)> - min V, for heads and neurons separately (derived from eq. 3.4 of Gao et al. 2024; zero at a global minimum).
//! With activations of linear growth the minimum over all W_1 is minus infinity once c* = sup over |W_1| = 1 of |E p relu(W_1 T)^T|_F exceeds
//! 2 lambda, so the minimum is taken over the ball |W_1| <= radius and c*/(2 lambda) is reported; for heads A(W) is bounded, the minimum attained.
//! Shapes: one row a sublayer. `radius` is the largest |alpha_2| of the run.
//! Cost: `STARTS` descents of `STEPS` steps, each one vector-Jacobian product of one particle.
//! Checked: tests below (a grid search, the value at a planted minimiser, c* against random directions).

use super::View;
use super::probe::{Probe, square};
use crate::error::AnalysisError;
use crate::verdict::smaller;
use mckean_engine::{Maps, Network};
use mckean_model::{Activation, Role};
use mckean_num::rng::Seed;
use serde::Serialize;
use std::sync::Arc;

const STARTS: usize = 12;
const STEPS: usize = 80;

/// What was found at one sublayer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gap {
    /// Depth t.
    pub depth: f64,
    /// Whether these are heads.
    pub heads: bool,
    /// Mean first variation over the particles.
    pub mean: f64,
    /// Its least value over probes.
    pub least: f64,
    /// mean - least.
    pub gap: f64,
    /// c*/(2 lambda) for neurons of linear growth; at most 1 is necessary at a minimiser.
    pub growth: Option<f64>,
}

/// Gaps at every sublayer; neurons are searched over |alpha_2| <= `radius`.
///
/// # Errors
/// No weight decay: then there is no best particle. States or a radius that are not finite.
pub fn gaps(view: &View, radius: f64) -> Result<Vec<Gap>, AnalysisError> {
    if view.lambda <= 0.0 {
        return Err(AnalysisError::NotTestable("without weight decay no particle is best".into()));
    }
    if !radius.is_finite() {
        return Err(AnalysisError::NotTestable("the radius of the particles is not known".into()));
    }
    view.check()?;
    let growing = grown(view)?;
    let one = |k: usize| {
        let probe = Probe::new(view, k);
        let heads = probe.role == Role::Head;
        let mean: f64 = probe.particles().iter().map(|(pi, alpha)| pi * probe.value(alpha)).sum();
        let least = least(&probe, k, if heads { f64::INFINITY } else { radius });
        let growth = growing.as_ref().filter(|_| !heads).map(|g| growth(g, k) / (2.0 * view.lambda));
        Gap { depth: view.depth(k), heads, mean, least, gap: mean - least, growth }
    };
    Ok((0..view.net().sublayers.len()).map(one).collect())
}

/// The least value over alpha_1 and alpha_2 in the ball.
pub fn least(probe: &Probe<'_>, k: usize, radius: f64) -> f64 {
    let mut starts: Vec<Vec<f64>> = probe.particles().into_iter().map(|p| p.1).collect();
    starts.sort_by_cached_key(|a| ordered(probe.best(a).0));
    starts.truncate(STARTS / 2);
    starts.extend(random(probe, k, STARTS - starts.len()));
    let lowest = |start: Vec<f64>| descend(|x| probe.best(x), |x| project(probe, x, radius), start).0;
    starts.into_iter().map(lowest).fold(f64::INFINITY, smaller)
}

/// Total order for sorting by a float.
fn ordered(x: f64) -> i64 {
    let bits = x.to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// Random directions of norm one in alpha_2.
fn random(probe: &Probe<'_>, k: usize, count: usize) -> Vec<Vec<f64>> {
    let mut draws = Seed(0).stream("certificate.gap").at(k as u64).open();
    let one = |_| {
        let mut x: Vec<f64> = probe.outer.iter().map(|o| if *o { 0.0 } else { draws.normal() }).collect();
        let norm = square(&x).sqrt();
        x.iter_mut().for_each(|x| *x /= norm);
        x
    };
    (0..count).map(one).collect()
}

/// Clips alpha_2 to the ball.
fn project(probe: &Probe<'_>, x: &mut [f64], radius: f64) {
    let inner = x.iter().zip(&probe.outer).filter(|(_, o)| !**o).map(|(x, _)| x * x).sum::<f64>().sqrt();
    if inner > radius {
        x.iter_mut().zip(&probe.outer).for_each(|(x, o)| *x *= if *o { 1.0 } else { radius / inner });
    }
}

/// Projected gradient descent with a step that doubles after success and halves after failure.
fn descend(f: impl Fn(&[f64]) -> (f64, Vec<f64>), project: impl Fn(&mut [f64]), mut x: Vec<f64>) -> (f64, Vec<f64>) {
    project(&mut x);
    let (mut value, mut gradient) = f(&x);
    let mut step = 1.0 / square(&gradient).sqrt().max(1e-12);
    for _ in 0..STEPS {
        let mut next: Vec<f64> = x.iter().zip(&gradient).map(|(x, g)| x - step * g).collect();
        project(&mut next);
        let (new, slope) = f(&next);
        if new < value {
            (x, value, gradient) = (next, new, slope);
            step *= 2.0;
        } else {
            step *= 0.4;
        }
    }
    (value, x)
}

/// The same network with ReLU neurons, which is what neurons of linear growth look like from far away.
fn grown(view: &View) -> Result<Option<View>, AnalysisError> {
    let net = view.net();
    let linear = net.config.activation != Activation::Tanh && net.config.feed_forward != "none";
    if !linear {
        return Ok(None);
    }
    let mut far = Network::clone(net);
    far.config.activation = Activation::Relu;
    let (data, theta, trace) = (view.data.clone(), view.theta.clone(), view.trace.clone());
    Ok(Some(View { maps: Maps::new(Arc::new(far))?, data, theta, lambda: view.lambda, trace }))
}

/// sup over |W_1| = 1 of |E p relu(W_1 T)^T|_F, by ascent on the sphere.
fn growth(far: &View, k: usize) -> f64 {
    let probe = Probe::new(far, k);
    let mut starts: Vec<Vec<f64>> = probe.particles().into_iter().map(|p| p.1).take(STARTS / 2).collect();
    starts.extend(random(&probe, k, STARTS));
    let sphere = |x: &mut [f64]| {
        x.iter_mut().zip(&probe.outer).filter(|(_, o)| **o).for_each(|(x, _)| *x = 0.0);
        let norm = square(x).sqrt();
        x.iter_mut().for_each(|x| *x /= norm.max(1e-300));
    };
    let ascent = |x: &[f64]| {
        let (value, slope) = probe.strength(x);
        (-value, slope.into_iter().map(|s| -s).collect())
    };
    let highest = |start: Vec<f64>| -descend(ascent, sphere, start).0;
    (2.0 * starts.into_iter().map(highest).fold(0.0, f64::max)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{small, view};
    use super::*;
    use mckean_model::ModelConfig;

    #[test]
    fn no_random_particle_is_better_than_the_search() {
        let v = view(&small(), 5, 0.8, 0.05);
        let mut draws = Seed(9).stream("gap.test").open();
        for gap in gaps(&v, 2.0).unwrap() {
            let k = (gap.depth * 4.0).round() as usize;
            let probe = Probe::new(&v, k);
            assert!(gap.gap >= 0.0 && (gap.mean - gap.least - gap.gap).abs() < 1e-15);
            for _ in 0..400 {
                let size = 2.0 * draws.uniform();
                let mut alpha: Vec<f64> = probe.outer.iter().map(|_| size * draws.normal()).collect();
                project(&probe, &mut alpha, 2.0);
                assert!(probe.best(&alpha).0 >= gap.least - 1e-9, "sublayer {k}");
            }
        }
    }

    #[test]
    fn beyond_the_threshold_the_ball_decides_and_below_it_does_not() {
        for (lambda, unbounded) in [(1e-3, true), (5.0, false)] {
            let v = view(&ModelConfig { activation: Activation::Relu, ..small() }, 5, 0.8, lambda);
            let near: Vec<Gap> = gaps(&v, 2.0).unwrap().into_iter().filter(|g| !g.heads).collect();
            let far: Vec<Gap> = gaps(&v, 20.0).unwrap().into_iter().filter(|g| !g.heads).collect();
            for (a, b) in near.iter().zip(&far) {
                assert_eq!(a.growth.unwrap() > 1.0, unbounded);
                // ReLU: the least value over the ball is radius^2 (lambda/2)(1 - (c*/(2 lambda))^2), exactly, or 0
                let wanted = |r: f64| (0.5 * lambda * r * r * (1.0 - a.growth.unwrap().powi(2))).min(0.0);
                let (found, then) = (a.least.min(0.0), b.least.min(0.0));
                assert!(
                    (found - wanted(2.0)).abs() < 2e-2 * wanted(2.0).abs() + 1e-3 * lambda,
                    "{a:?} {}",
                    wanted(2.0)
                );
                assert!((then - wanted(20.0)).abs() < 2e-2 * wanted(20.0).abs() + 1e-3 * lambda, "{b:?}");
            }
        }
    }

    #[test]
    fn particles_at_the_minimum_have_no_gap() {
        let mut v = view(&small(), 5, 0.8, 0.4);
        v.trace.adjoints.iter_mut().flatten().for_each(|p| *p = 0.0); // risk zero: the best particle is 0
        v.theta.iter_mut().for_each(|t| *t = 0.0);
        assert!(gaps(&v, 1.0).unwrap().iter().all(|g| g.gap.abs() < 1e-6 && g.growth != Some(1.0)));
        v.theta.iter_mut().for_each(|t| *t = 1.0);
        assert!(gaps(&v, 1.0).unwrap().iter().all(|g| g.gap > 0.5));
        v.lambda = 0.0;
        assert!(gaps(&v, 1.0).is_err());
    }
}
