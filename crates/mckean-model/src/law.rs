//! The initial law of the particles as an object: at every depth independent draws, inverse transform from the unit cube, mirror image,
//! atoms, exact second moment.
//!
//! Maths: rho_0(. | t) of Gao et al., section 2; (theta, w) is one joint draw. DERIVED: inverse transforms (one more coordinate picks the
//! component of a mixture, the others go through `simple`); flipping the output maps (V; W2) maps a law to itself unless it shifts them.
//! Shapes: a particle is its head tensors, then its neuron tensors, flat, p numbers.
//! Cost: linear in p; an inverse normal number takes about three evaluations of the normal law.
//! Checked: `law/tests.rs` (moments through draws and through the cube, shares of components, depth, mirror, atoms, refusals).

use crate::config::{Component, InitConfig, InitialLaw, ModelError};
use crate::layout::Tensor;
use mckean_num::rng::{Draws, Seed};
use simple::Simple;
use source::{Cube, Source};
use std::ops::Range;

mod normal;
mod simple;
mod source;

pub use normal::inverse_normal;

/// The law of the particles over depth.
#[derive(Clone, Debug)]
pub struct Law {
    init: InitConfig,
    components: Vec<Simple>,
    /// Probabilities of the components.
    shares: Vec<f64>,
    /// Whether the number belongs to an output map, which the mirror image flips.
    output: Vec<bool>,
    /// Where the tensors of a particle lie.
    tensors: Vec<Range<usize>>,
    /// Shift that fits no tensor.
    misfit: Option<ModelError>,
}

/// The law of one particle at one depth.
#[derive(Clone, Copy, Debug)]
pub struct LawAt<'a> {
    law: &'a Law,
    factor: f64,
}

impl Law {
    /// The law of `[init]` on particles with these tensors (heads, then neurons).
    pub fn new<'a>(init: &InitConfig, tensors: impl IntoIterator<Item = &'a Tensor>) -> Law {
        let tensors: Vec<&Tensor> = tensors.into_iter().collect();
        let configs = match init.law {
            InitialLaw::Mixture => init.mixture.clone(),
            law => vec![Component { law, scale: init.scale, cut: init.cut, ..Component::default() }],
        };
        let components: Vec<Simple> = configs.iter().map(|c| Simple::new(c, &tensors)).collect();
        let all: f64 = configs.iter().map(|c| c.weight).sum();
        let shares = configs.iter().map(|c| c.weight / all).collect();
        let output = tensors.iter().flat_map(|t| vec![t.sums_particles; t.particle_len()]).collect();
        let mut end = 0;
        let mut next = |t: &&Tensor| {
            end += t.particle_len();
            end - t.particle_len()..end
        };
        let ranges = tensors.iter().map(&mut next).collect();
        let misfit = configs.iter().zip(1..).find_map(|(c, place)| simple::misfit(place, c, &tensors));
        Law { init: init.clone(), components, shares, output, tensors: ranges, misfit }
    }

    /// The law at depth `t` in [0, 1].
    pub fn at(&self, t: f64) -> LawAt<'_> {
        self.times(self.init.depth_factor(t))
    }

    /// The law at the depth where it is widest.
    pub fn widest(&self) -> LawAt<'_> {
        self.times(self.init.depth_scale.iter().map(|p| p[1]).reduce(f64::max).unwrap_or(1.0))
    }

    fn times(&self, factor: f64) -> LawAt<'_> {
        let whole = self.init.law == InitialLaw::Mixture || self.init.read.is_some();
        LawAt { law: self, factor: if whole { factor * self.init.scale } else { factor } }
    }

    /// Whether it is the same at every depth.
    pub fn is_constant(&self) -> bool {
        self.init.depth_scale.is_empty()
    }

    /// Numbers of a particle.
    pub fn len(&self) -> usize {
        self.output.len()
    }

    /// Whether particles have no numbers.
    pub fn is_empty(&self) -> bool {
        self.output.is_empty()
    }

    /// Where the tensors of a particle lie among its numbers.
    pub fn tensors(&self) -> &[Range<usize>] {
        &self.tensors
    }

    /// Flips the output maps: (V, W) to (-V, W), (W1, W2) to (W1, -W2). Its encoder changes sign.
    pub fn mirror(&self, particle: &mut [f64]) {
        particle.iter_mut().zip(&self.output).filter(|(_, o)| **o).for_each(|(x, _)| *x = -*x);
    }

    /// Whether the mirror image has the same law: no component shifts an output map, or `init.symmetric` adds the images.
    pub fn is_mirrored(&self) -> bool {
        let centred = |c: &Simple| c.shift.iter().zip(&self.output).all(|(s, o)| !o || *s == 0.0);
        self.init.symmetric || self.components.iter().all(centred)
    }

    /// Refuses shifts that fit no tensor of the particles.
    ///
    /// # Errors
    /// Unknown tensors, a wrong number of entries.
    pub fn check(&self) -> Result<(), ModelError> {
        self.misfit.clone().map_or(Ok(()), Err)
    }

    /// Refuses laws that have no limit as the width grows, because they depend on it.
    ///
    /// # Errors
    /// `fan_in`.
    pub fn check_limit(&self) -> Result<(), ModelError> {
        self.check()?;
        match self.components.iter().any(|c| c.config.law == InitialLaw::FanIn) {
            true => Err(ModelError::init(
                "law",
                "\"fan_in\"",
                "its variance depends on the number of particles, so there is no one law to take the limit of",
                "Use \"normal\", \"gaussian\", \"truncated\", \"box\" or \"ball\".",
            )),
            false => Ok(()),
        }
    }
}

impl LawAt<'_> {
    /// See [`Law::mirror`].
    pub fn mirror(&self, particle: &mut [f64]) {
        self.law.mirror(particle);
    }

    /// See [`Law::is_mirrored`].
    pub fn is_mirrored(&self) -> bool {
        self.law.is_mirrored()
    }

    /// See [`Law::tensors`].
    pub fn tensors(&self) -> &[Range<usize>] {
        &self.law.tensors
    }

    /// One independent draw.
    pub fn draw(&self, draws: &mut Draws) -> Vec<f64> {
        self.particle(draws)
    }

    /// Numbers in (0, 1) that [`LawAt::from_cube`] takes; of a mixture the first one picks the component.
    pub fn cube_dim(&self) -> usize {
        let components = &self.law.components;
        components.iter().map(Simple::cube_dim).max().unwrap_or(0) + usize::from(components.len() > 1)
    }

    /// The particle at a point of the open unit cube: uniform points give this law.
    pub fn from_cube(&self, u: &[f64]) -> Vec<f64> {
        self.particle(&mut Cube(u.iter()))
    }

    fn particle(&self, source: &mut impl Source) -> Vec<f64> {
        let components = &self.law.components;
        let which = if components.len() > 1 { self.pick(source.uniform()) } else { 0 };
        let mut particle = components[which].particle(source);
        particle.iter_mut().for_each(|x| *x *= self.factor);
        particle
    }

    /// The component whose share `u` lies in.
    fn pick(&self, u: f64) -> usize {
        let mut end = 0.0;
        let inside = |share: &f64| {
            end += share;
            u < end
        };
        self.law.shares.iter().position(inside).unwrap_or(self.law.shares.len() - 1)
    }

    /// The K atoms of a finite law: those of `init.particles`, or `init.atoms` = K drawn once from this law by `init.seed`, mirrored in
    /// pairs if `init.symmetric`; none of a law without atoms.
    pub fn atoms(&self) -> Vec<Vec<f64>> {
        let init = &self.law.init;
        if let Some(rows) = &init.read {
            return rows.iter().map(|row| row.iter().map(|x| x * self.factor).collect()).collect();
        }
        let stream = Seed(init.seed).stream("init.atoms");
        let pair = if init.symmetric { 2 } else { 1 };
        let one = |k: usize| {
            let mut particle = self.draw(&mut stream.at((k / pair) as u64).open());
            if k % pair == 1 {
                self.mirror(&mut particle);
            }
            particle
        };
        (0..init.atoms).map(one).collect()
    }

    /// E|beta|^2, exactly: of the atoms where there are some, else of the law (fan_in: at the width of the layout).
    pub fn second_moment(&self) -> f64 {
        let atoms = self.atoms();
        if !atoms.is_empty() {
            return atoms.iter().flatten().map(|x| x * x).sum::<f64>() / atoms.len() as f64;
        }
        let one = |(share, c): (&f64, &Simple)| share * c.second_moment();
        self.factor * self.factor * self.law.shares.iter().zip(&self.law.components).map(one).sum::<f64>()
    }

    /// Mean and covariance (row-major) of the numbers `range` of one tensor, exactly; of laws without atoms, mirror images counted in
    /// where `init.symmetric` adds them. Cost: components times the square of their number.
    pub fn mean_and_covariance(&self, range: Range<usize>) -> (Vec<f64>, Vec<f64>) {
        let Law { shares, components, output, init, .. } = self.law;
        let over = |one: &dyn Fn(&Simple) -> f64| shares.iter().zip(components).map(|(s, c)| s * one(c)).sum::<f64>();
        let flipped = |i: usize| init.symmetric && output[i];
        let mean = |i: usize| if flipped(i) { 0.0 } else { over(&|c| c.shift[i]) };
        let variance = |c: &Simple, i: usize, j: usize| if i == j { c.variance(i) } else { 0.0 };
        let product = |i: usize, j: usize| over(&|c| variance(c, i, j) + c.shift[i] * c.shift[j]) - mean(i) * mean(j);
        let pairs = range.clone().flat_map(|i| range.clone().map(move |j| (i, j)));
        let covariance = pairs.map(|(i, j)| self.factor * self.factor * product(i, j)).collect();
        (range.map(|i| self.factor * mean(i)).collect(), covariance)
    }
}

#[cfg(test)]
mod tests;
