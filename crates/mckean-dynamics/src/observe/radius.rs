//! Radius of the particle cloud: condition (a) of Theorem 4.1 asks that it stays bounded.
//!
//! Maths: max over depth and particles of |theta| and of |w| (Gao et al. 2024, section 4); the support's radius, part by part.
//! Shapes: scalars.
//! Cost: linear in the parameters.
//! Checked: tests below; it asserts nothing, since no computable bound is known.

use super::{Log, Observer, State};
use mckean_engine::Network;
use mckean_model::Role;

/// Largest particle norm.
pub struct Radius;

impl Observer for Radius {
    fn name(&self) -> &'static str {
        "radius"
    }

    fn observe(&mut self, s: State<'_>, log: &mut Log) {
        log.value(self.name(), radius(s.net, s.beta));
    }
}

/// Largest norm of any head or neuron.
pub fn radius(net: &Network, beta: &[f64]) -> f64 {
    let mut largest = 0.0f64;
    for block in 0..net.config.depth {
        for role in [Role::Head, Role::Neuron] {
            for j in 0..net.layout.particles(block, role).next().map_or(0, |t| t.shape[0]) {
                let own = net.layout.particles(block, role).flat_map(|t| &beta[t.particle(j)]);
                let norm = own.map(|x| x * x).sum::<f64>().sqrt();
                largest = if norm.is_nan() { f64::NAN } else { largest.max(norm) };
            }
        }
    }
    largest
}

#[cfg(test)]
mod tests {
    use super::radius;
    use mckean_engine::{DataShape, Network};
    use mckean_model::ModelConfig;

    #[test]
    fn one_long_particle_is_found() {
        let config = ModelConfig { depth: 3, heads: 2, neurons: 2, ..Default::default() };
        let net = Network::new(&config, DataShape { tokens: 2, dim: 2, outputs: 1, vocabulary: 0 }).unwrap();
        let mut beta = vec![0.1; net.parameters()];
        let find = |name: &str| net.layout.find(name).unwrap().particle(1);
        beta[find("blocks.2.feed_forward.w1")].copy_from_slice(&[2.0, 1.0]);
        beta[find("blocks.2.feed_forward.w2")].copy_from_slice(&[2.0, 4.0]);
        assert!((radius(&net, &beta) - 5.0).abs() < 1e-15);
    }
}
