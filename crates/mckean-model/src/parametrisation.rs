//! Particle weights and speeds: how much a particle counts and how fast it moves.
//!
//! Maths: velocity of particle (t, j) is -(L / pi_j) times the gradient (Gao et al., eq 2.8, weights as in the notes there);
//! weight decay lambda/2 sum_i theta_i^2 / speed_i, which is lambda/(2L) sum_t sum_j pi_j |beta|^2 in mean-field scaling.
//! Shapes: weights (particles); speeds, one number per parameter.
//! Cost: linear in the parameters.
//! Checked: tests below; the velocity test of `mckean-engine`.

use crate::config::{ModelConfig, Parametrisation};
use crate::layout::{Layout, Role};

/// Weights pi_j of a sublayer: they multiply the encoders inside the residual step.
///
/// Mean-field: positive, summing to one (equal by default). `sp`: all one.
pub fn weights(config: &ModelConfig, role: Role) -> Vec<f64> {
    let (given, particles) = match role {
        Role::Head => (&config.head_weights, config.heads),
        _ => (&config.neuron_weights, config.neurons),
    };
    match config.parametrisation {
        Parametrisation::Sp => vec![1.0; particles],
        Parametrisation::MeanField if given.is_empty() => vec![1.0 / particles as f64; particles],
        Parametrisation::MeanField => {
            let sum: f64 = given.iter().sum();
            given.iter().map(|w| w / sum).collect()
        }
    }
}

/// Weights of the particles of every slice; one list for all slices, or one a slice.
#[derive(Clone, Debug, PartialEq)]
pub struct ParticleWeights {
    /// Heads.
    pub heads: Vec<Vec<f64>>,
    /// Neurons.
    pub neurons: Vec<Vec<f64>>,
}

impl ParticleWeights {
    /// Those of a config: the same at every depth.
    pub fn of(config: &ModelConfig) -> Self {
        ParticleWeights { heads: vec![weights(config, Role::Head)], neurons: vec![weights(config, Role::Neuron)] }
    }

    /// Weights of a slice.
    pub fn at(&self, role: Role, slice: usize) -> &[f64] {
        let all = if role == Role::Head { &self.heads } else { &self.neurons };
        if all.len() == 1 { &all[0] } else { &all[slice] }
    }

    /// All weights times `x`.
    #[must_use]
    pub fn times(&self, x: f64) -> Self {
        let scaled = |all: &[Vec<f64>]| all.iter().map(|w| w.iter().map(|w| w * x).collect()).collect();
        ParticleWeights { heads: scaled(&self.heads), neurons: scaled(&self.neurons) }
    }
}

/// Speed of every parameter: 1 / (share of depth of its slice * pi_j) for particles in mean-field scaling, which is L / pi_j for the
/// network of the paper; 1 otherwise.
pub fn speeds(config: &ModelConfig, layout: &Layout, weights: &ParticleWeights) -> Vec<f64> {
    let mut speeds = vec![1.0; layout.len];
    if config.parametrisation == Parametrisation::Sp {
        return speeds;
    }
    for t in layout.tensors.iter().filter(|t| t.role != Role::Shared) {
        let slice = t.block.unwrap_or(0);
        for (j, pi) in weights.at(t.role, slice).iter().enumerate() {
            speeds[t.particle(j)].fill(config.inverse_slice_weight(slice) / pi);
        }
    }
    speeds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::TensorSpec;

    #[test]
    fn speed_is_width_times_depth_and_unequal_weights_divide() {
        let config = ModelConfig { depth: 4, heads: 2, head_weights: vec![1.0, 3.0], ..Default::default() };
        let spec = TensorSpec { name: "v", shape: vec![1], fan_in: 1, sums_particles: false };
        let mut layout = Layout::default();
        layout.push_particles(0, "attention", Role::Head, 2, &[spec]);
        assert_eq!(weights(&config, Role::Head), [0.25, 0.75]);
        assert_eq!(speeds(&config, &layout, &ParticleWeights::of(&config)), [16.0, 4.0 / 0.75]);
        let equal = ModelConfig { head_weights: vec![], ..config };
        assert_eq!(speeds(&equal, &layout, &ParticleWeights::of(&equal)), [8.0, 8.0]);
    }
}
