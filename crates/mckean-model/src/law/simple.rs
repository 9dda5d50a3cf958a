//! A simple law: independent numbers or a ball, then a shift.
//!
//! Maths: see `InitialLaw`. DERIVED: the ball as a Gaussian direction times u^(1/p); variance of a number s^2 (normal), s^2/3
//! (box), s^2 (1 - 2 c phi(c) / (2 Phi(c) - 1)) (cut at c), s^2/(p + 2) (ball).
//! Shapes: particles of p numbers.
//! Cost: linear in p.
//! Checked: `law/tests.rs`.

use super::normal::{self, inverse_normal};
use super::source::Source;
use crate::config::{Component, InitialLaw, ModelError};
use crate::layout::Tensor;

/// One law of a particle, on the tensors of a layout.
#[derive(Clone, Debug)]
pub(super) struct Simple {
    pub config: Component,
    /// Standard deviation (or half side) of every number.
    scales: Vec<f64>,
    /// Mean of every number.
    pub shift: Vec<f64>,
}

impl Simple {
    /// The law of a component on particles with these tensors.
    pub fn new(config: &Component, tensors: &[&Tensor]) -> Simple {
        let scales = tensors.iter().flat_map(|t| vec![scale(config, t); t.particle_len()]).collect();
        let shift = tensors.iter().flat_map(|t| shift(config, t)).collect();
        Simple { config: config.clone(), scales, shift }
    }

    /// Uniform numbers that a particle takes.
    pub fn cube_dim(&self) -> usize {
        self.scales.len() + usize::from(self.config.law == InitialLaw::Ball)
    }

    /// One particle.
    pub fn particle(&self, source: &mut impl Source) -> Vec<f64> {
        let c = &self.config;
        let one = |&s: &f64| match c.law {
            InitialLaw::Truncated => s * cut_normal(source.uniform(), c.cut),
            InitialLaw::Box => s * (2.0 * source.uniform() - 1.0),
            _ => s * source.normal(),
        };
        let mut particle: Vec<f64> = self.scales.iter().map(one).collect();
        if c.law == InitialLaw::Ball {
            let norm = particle.iter().map(|x| x * x).sum::<f64>().sqrt();
            let radius = c.scale * source.uniform().powf(1.0 / particle.len() as f64);
            particle.iter_mut().for_each(|x| *x *= radius / norm);
        }
        particle.iter_mut().zip(&self.shift).for_each(|(x, s)| *x += s);
        particle
    }

    /// Variance of number `i`; numbers are uncorrelated.
    pub fn variance(&self, i: usize) -> f64 {
        let (c, p) = (&self.config, self.scales.len() as f64);
        let square = self.scales[i] * self.scales[i];
        match c.law {
            InitialLaw::Ball => c.scale * c.scale / (p + 2.0),
            InitialLaw::Box => square / 3.0,
            InitialLaw::Truncated => square * cut_variance(c.cut),
            _ => square,
        }
    }

    /// E|beta|^2.
    pub fn second_moment(&self) -> f64 {
        self.shift.iter().enumerate().map(|(i, s)| self.variance(i) + s * s).sum()
    }
}

/// Normal law cut at `cut` standard deviations, by inversion.
fn cut_normal(u: f64, cut: f64) -> f64 {
    let below = normal::distribution(-cut);
    inverse_normal((below + u * (1.0 - 2.0 * below)).clamp(1e-300, 1.0 - 1e-16)).clamp(-cut, cut)
}

/// Variance of a standard normal number cut at `cut`; its series for small cuts, where the quotient cancels.
fn cut_variance(cut: f64) -> f64 {
    if cut < 0.02 {
        return cut * cut / 3.0 * (1.0 - 2.0 * cut * cut / 15.0);
    }
    let density = (-0.5 * cut * cut).exp() / (2.0 * std::f64::consts::PI).sqrt();
    1.0 - 2.0 * cut * density / (1.0 - 2.0 * normal::distribution(-cut))
}

fn scale(config: &Component, t: &Tensor) -> f64 {
    let particles = if t.sums_particles { t.shape[0] } else { 1 };
    match config.law {
        InitialLaw::Ball => 1.0,
        _ if t.fan_in == 0 => 0.0,
        InitialLaw::Gaussian => config.scale / (t.particle_len() as f64).sqrt(),
        InitialLaw::FanIn => config.scale / ((t.fan_in * particles) as f64).sqrt(),
        InitialLaw::Normal | InitialLaw::Truncated | InitialLaw::Box | InitialLaw::Mixture => config.scale,
    }
}

fn shift(config: &Component, t: &Tensor) -> Vec<f64> {
    let len = t.particle_len();
    match config.shift.get(t.leaf()).map(Vec::as_slice) {
        None => vec![0.0; len],
        Some(&[all]) => vec![all; len],
        Some(each) => (0..len).map(|i| each.get(i).copied().unwrap_or(0.0)).collect(),
    }
}

/// What is wrong with the shifts of a component, if anything; `place` is its number in the list, from 1.
pub(super) fn misfit(place: usize, config: &Component, tensors: &[&Tensor]) -> Option<ModelError> {
    let known =
        || tensors.iter().map(|t| format!("{} ({})", t.leaf(), t.particle_len())).collect::<Vec<_>>().join(", ");
    let one = |(name, each): (&String, &Vec<f64>)| {
        let problem = match tensors.iter().find(|t| t.leaf() == name) {
            None => "no tensor of a particle has this name".to_string(),
            Some(t) if each.len() != 1 && each.len() != t.particle_len() => {
                format!("{} numbers for a tensor of {}", each.len(), t.particle_len())
            }
            Some(_) => return None,
        };
        let remedy = format!("Give one number, or one for each entry, of a tensor of this model: {}.", known());
        Some(ModelError::init("mixture", format!("(component {place}) shift.{name} = {each:?}"), problem, remedy))
    };
    config.shift.iter().find_map(one)
}
