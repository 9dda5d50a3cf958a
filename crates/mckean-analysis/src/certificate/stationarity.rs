//! Is the flow at rest? The dissipation, and a law that every resting particle obeys.
//!
//! Maths: D = (1/(M L)) sum |G|^2 = -dQ/dtau; virial (derived): encoders are linear in their output map, so a resting particle has
//! 1/2 E tr(g(T, alpha)^T p) = -lambda |alpha_1|^2; off rest the difference is <alpha_1, G_{alpha_1}>.
//! Shapes: scalars.
//! Cost: one gradient and one vector-Jacobian product a particle.
//! Checked: tests below (the identity off rest; a flow that comes to rest).

use super::View;
use super::probe::Probe;
use crate::error::AnalysisError;
use mckean_dynamics::objective::Objective;
use mckean_engine::Risk;
use mckean_num::par::Par;
use serde::Serialize;

/// How far from rest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rest {
    /// Objective Q.
    pub objective: f64,
    /// Dissipation D.
    pub dissipation: f64,
    /// Share of Q that is lost per unit of training time.
    pub relative: f64,
    /// Root mean square over particles of 1/2 E tr(g^T p) + lambda |alpha_1|^2, in units of lambda times the mean |alpha_1|^2.
    pub virial: f64,
}

/// Measures both.
///
/// # Errors
/// Unknown encoders, states that are not finite.
pub fn rest(view: &View, par: &Par) -> Result<Rest, AnalysisError> {
    view.check()?;
    let risk = Risk::<f64>::new(view.maps.network().clone(), view.data.clone(), par.clone())?;
    let mut velocity = vec![0.0; view.theta.len()];
    let e = Objective::new(risk, view.lambda).velocity(&view.theta, &mut velocity);
    let (mut square, mut size, mut count) = (0.0, 0.0, 0.0);
    for k in 0..view.net().sublayers.len() {
        for (defect, outer) in virials(view, k) {
            square += defect * defect;
            size += outer;
            count += 1.0;
        }
    }
    let virial = (square / f64::max(count, 1.0)).sqrt() / (view.lambda * size / f64::max(count, 1.0));
    let relative = e.dissipation / e.objective();
    Ok(Rest { objective: e.objective(), dissipation: e.dissipation, relative, virial })
}

/// For every particle of sublayer `k`: 1/2 E tr(g^T p) + lambda |alpha_1|^2, and |alpha_1|^2.
fn virials(view: &View, k: usize) -> Vec<(f64, f64)> {
    let probe = Probe::new(view, k);
    let one = |(_, alpha): (f64, Vec<f64>)| {
        let a = probe.pairing(&alpha);
        let tr: f64 = a.iter().zip(&alpha).map(|(a, b)| a * b).sum();
        let outer: f64 = alpha.iter().zip(&probe.outer).filter(|(_, o)| **o).map(|(x, _)| x * x).sum();
        (0.5 * tr + view.lambda * outer, outer)
    };
    probe.particles().into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{small, view};
    use super::*;
    use mckean_dynamics::config::{DynamicsConfig, Scheme};
    use mckean_model::ModelConfig;
    use mckean_num::rng::Seed;

    #[test]
    fn off_rest_the_defect_is_the_velocity_along_the_output_map() {
        for m in [small(), ModelConfig { attention: "qkvo".into(), head_dim: 2, hidden: 2, ..small() }] {
            let v = view(&m, 4, 0.8, 0.3);
            let risk = Risk::<f64>::new(v.maps.network().clone(), v.data.clone(), Par::serial()).unwrap();
            let mut velocity = vec![0.0; v.theta.len()];
            Objective::new(risk, 0.3).velocity(&v.theta, &mut velocity);
            for k in 0..4 {
                let probe = Probe::new(&v, k);
                for (j, (defect, _)) in virials(&v, k).into_iter().enumerate() {
                    let (alpha, g) = (v.maps.particle(&v.theta, k, j), v.maps.particle(&velocity, k, j));
                    let along = alpha.iter().zip(&g).zip(&probe.outer).filter(|(_, o)| **o);
                    let along: f64 = along.map(|((a, g), _)| -a * g).sum();
                    assert!((defect - along).abs() < 1e-12, "sublayer {k} particle {j}");
                }
            }
        }
    }

    #[test]
    fn a_flow_that_comes_to_rest_obeys_the_virial() {
        let mut v = view(&small(), 3, 0.8, 0.1);
        let before = rest(&v, &Par::serial()).unwrap();
        let d = DynamicsConfig { weight_decay: 0.1, integrator: Scheme::Adaptive, until: 200.0, ..Default::default() };
        let net = v.maps.network().clone();
        let mut flow = mckean_dynamics::build(&d, &net, &v.data, &v.theta, Seed(1), &Par::serial()).unwrap();
        flow.advance(200.0);
        v = View::new(net, v.data.clone(), flow.parameters(), 0.1).unwrap();
        let after = rest(&v, &Par::serial()).unwrap();
        assert!(before.relative > 1e-2 && before.virial > 0.1, "{before:?}");
        assert!(after.relative < 1e-6 && after.dissipation < 1e-6, "{after:?}");
        let worst = |v: &View| (0..4).flat_map(|k| virials(v, k)).map(|x| x.0.abs()).fold(0.0, f64::max);
        assert!(worst(&v) < 1e-4, "{}", worst(&v));
    }
}
