//! The initial law of the particles as an object: independent draws, inverse transform from the unit cube, mirror image, atoms.
//!
//! Maths: rho_0 of Gao et al., section 2; (theta, w) is one joint draw. DERIVED: inverse transforms (number by number; the ball as a
//! Gaussian direction times u^(1/p)), and that flipping the output maps (V; W2) maps every law here to itself.
//! Shapes: a particle is its head tensors, then its neuron tensors, flat, p numbers.
//! Cost: linear in p; an inverse normal number takes about three evaluations of the normal law.
//! Checked: tests below (moments through draws and through the cube, mirror, atoms, refusals).

use crate::config::{InitConfig, InitialLaw, ModelError};
use crate::layout::Tensor;
use mckean_num::rng::{Draws, Seed};

mod normal;

pub use normal::inverse_normal;

/// The law of one particle.
#[derive(Clone, Debug)]
pub struct Law {
    init: InitConfig,
    /// Standard deviation (or half side) of every number.
    scales: Vec<f64>,
    /// Whether the number belongs to an output map, which the mirror image flips.
    output: Vec<bool>,
}

impl Law {
    /// The law of `[init]` on particles with these tensors (heads, then neurons).
    pub fn new<'a>(init: &InitConfig, tensors: impl IntoIterator<Item = &'a Tensor>) -> Law {
        let (mut scales, mut output) = (vec![], vec![]);
        for t in tensors {
            let len = t.particle_len();
            scales.resize(scales.len() + len, scale(init, t));
            output.resize(output.len() + len, t.sums_particles);
        }
        Law { init: init.clone(), scales, output }
    }

    /// Numbers of a particle.
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// Whether particles have no numbers.
    pub fn is_empty(&self) -> bool {
        self.scales.is_empty()
    }

    /// One independent draw.
    pub fn draw(&self, draws: &mut Draws) -> Vec<f64> {
        let init = &self.init;
        let one = |&s: &f64, draws: &mut Draws| match init.law {
            InitialLaw::Truncated => s * cut_normal(draws.uniform(), init.cut),
            InitialLaw::Box => s * (2.0 * draws.uniform() - 1.0),
            _ => s * draws.normal(),
        };
        let mut particle: Vec<f64> = self.scales.iter().map(|s| one(s, draws)).collect();
        if init.law == InitialLaw::Ball {
            let norm = particle.iter().map(|x| x * x).sum::<f64>().sqrt();
            let radius = init.scale * draws.uniform().powf(1.0 / particle.len() as f64);
            particle.iter_mut().for_each(|x| *x *= radius / norm);
        }
        particle
    }

    /// Numbers in (0, 1) that [`Law::from_cube`] takes.
    pub fn cube_dim(&self) -> usize {
        self.len() + usize::from(self.init.law == InitialLaw::Ball)
    }

    /// The particle at a point of the open unit cube: uniform points give this law.
    pub fn from_cube(&self, u: &[f64]) -> Vec<f64> {
        let init = &self.init;
        let one = |(&s, &u): (&f64, &f64)| match init.law {
            InitialLaw::Truncated => s * cut_normal(u, init.cut),
            InitialLaw::Box => s * (2.0 * u - 1.0),
            _ => s * inverse_normal(u),
        };
        let mut particle: Vec<f64> = self.scales.iter().zip(u).map(one).collect();
        if init.law == InitialLaw::Ball {
            let norm = particle.iter().map(|x| x * x).sum::<f64>().sqrt();
            let radius = init.scale * u[self.len()].powf(1.0 / self.len() as f64);
            particle.iter_mut().for_each(|x| *x *= radius / norm);
        }
        particle
    }

    /// Flips the output maps: (V, W) to (-V, W), (W1, W2) to (W1, -W2). Its encoder changes sign.
    pub fn mirror(&self, particle: &mut [f64]) {
        particle.iter_mut().zip(&self.output).filter(|(_, o)| **o).for_each(|(x, _)| *x = -*x);
    }

    /// Refuses laws that have no limit as the width grows, because they depend on it.
    ///
    /// # Errors
    /// `fan_in`.
    pub fn check_limit(&self) -> Result<(), ModelError> {
        match self.init.law {
            InitialLaw::FanIn => Err(ModelError::init(
                "law",
                "\"fan_in\"",
                "its variance depends on the number of particles, so there is no one law to take the limit of",
                "Use \"normal\", \"gaussian\", \"truncated\", \"box\" or \"ball\".",
            )),
            _ => Ok(()),
        }
    }

    /// The K atoms of the finite law `init.atoms = K`: drawn once from this law by `init.seed`, mirrored in pairs if `init.symmetric`.
    pub fn atoms(&self) -> Vec<Vec<f64>> {
        let stream = Seed(self.init.seed).stream("init.atoms");
        let pair = if self.init.symmetric { 2 } else { 1 };
        let one = |k: usize| {
            let mut particle = self.draw(&mut stream.at((k / pair) as u64).open());
            if k % pair == 1 {
                self.mirror(&mut particle);
            }
            particle
        };
        (0..self.init.atoms).map(one).collect()
    }
}

/// Normal law cut at `cut` standard deviations, by inversion.
fn cut_normal(u: f64, cut: f64) -> f64 {
    let below = normal::distribution(-cut);
    inverse_normal((below + u * (1.0 - 2.0 * below)).clamp(1e-300, 1.0 - 1e-16)).clamp(-cut, cut)
}

fn scale(init: &InitConfig, t: &Tensor) -> f64 {
    let particles = if t.sums_particles { t.shape[0] } else { 1 };
    match init.law {
        InitialLaw::Ball => 1.0,
        _ if t.fan_in == 0 => 0.0,
        InitialLaw::Gaussian => init.scale / (t.particle_len() as f64).sqrt(),
        InitialLaw::FanIn => init.scale / ((t.fan_in * particles) as f64).sqrt(),
        InitialLaw::Normal | InitialLaw::Truncated | InitialLaw::Box => init.scale,
    }
}

#[cfg(test)]
mod tests;
