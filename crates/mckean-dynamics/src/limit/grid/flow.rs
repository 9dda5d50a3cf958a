//! The PDE of the limit on cells, followed through training time.
//!
//! Maths: eqs 3.4-3.5 of Gao et al. 2024, see `system` for a step. DERIVED: attention and feed-forward particles act in separate sums, so
//! the law of (theta, w) enters through its two marginals alone, and each is carried on its own cells.
//! Shapes: masses (slices, roles, n * n).
//! Cost: two gradients of 2 * n^2 particles a slice a step; steps grow with n by the bound on a step.
//! Checked: `tests/limit_grid.rs` (against particles and atoms, mass, positivity, order).

use super::cells::Cells;
use super::system::System;
use crate::evolution::Outcome;
use crate::limit::member::mismatch;
use crate::limit::{LimitError, Problem, Series, Trace};
use mckean_engine::Network;
use mckean_model::{DepthMethod, Law, Layout, ModelConfig, Role};
use mckean_num::par::Par;
use std::time::Instant;

/// Steps that no cell count makes longer: `LONGEST` over the cells along a coordinate.
const LONGEST: f64 = 6.0;
/// Most steps.
const MOST_STEPS: usize = 100_000;

/// Cells of one kind of particle.
#[derive(Clone, Debug)]
pub struct Part {
    /// Heads or neurons.
    pub role: Role,
    /// Their cells.
    pub cells: Cells,
    /// First number of the law.
    first: usize,
}

/// A discretisation of the PDE.
#[derive(Clone, Debug)]
pub struct Grid {
    /// Heads, neurons, or both.
    pub parts: Vec<Part>,
    /// Discretisation of depth, and its steps.
    pub depth: (DepthMethod, usize),
    /// Longest step in training time.
    pub longest: f64,
}

/// The kinds of particles of a problem: role, first number, how many numbers.
pub(super) fn kinds(layout: &Layout) -> Vec<(Role, usize, usize)> {
    let len = |role| layout.particles(0, role).map(|t| t.particle_len()).sum::<usize>();
    let (heads, neurons) = (len(Role::Head), len(Role::Neuron));
    [(Role::Head, 0, heads), (Role::Neuron, heads, neurons)].into_iter().filter(|k| k.2 > 0).collect()
}

impl Grid {
    /// `n` cells along each of two coordinates, out to `reach(number of the law)`.
    pub fn new(
        problem: &Problem,
        n: usize,
        reach: impl Fn(usize) -> f64,
        depth: (DepthMethod, usize),
    ) -> Result<Grid, LimitError> {
        let layout = problem.layout()?;
        let part = |(role, first, _)| Part { role, cells: Cells { n, reach: [reach(first), reach(first + 1)] }, first };
        Ok(Grid { parts: kinds(&layout).into_iter().map(part).collect(), depth, longest: LONGEST / n as f64 })
    }

    pub(super) fn model(&self, problem: &Problem) -> ModelConfig {
        let (particles, (depth_method, depth)) = (self.cells(), self.depth);
        ModelConfig { depth_method, depth, heads: particles, neurons: particles, ..problem.model.clone() }
    }

    /// Cells of one part.
    pub(crate) fn cells(&self) -> usize {
        self.parts.first().map_or(1, |p| p.cells.n * p.cells.n)
    }

    /// Masses of every slice under the initial law.
    pub fn start(&self, law: &Law) -> Vec<f64> {
        let (method, steps) = self.depth;
        let slice = |s: usize| -> Vec<f64> {
            let law = law.at(method.time(steps, s));
            self.parts.iter().flat_map(|p| p.cells.masses(&law, p.first)).collect()
        };
        match method.slices(steps) {
            slices if law.is_constant() => slice(0).repeat(slices),
            slices => (0..slices).flat_map(slice).collect(),
        }
    }

    /// Largest shares of mass at the walls of either coordinate of every part.
    pub fn at_walls(&self, mass: &[f64]) -> Vec<[f64; 2]> {
        let mut all = vec![[0.0f64; 2]; self.parts.len()];
        for (k, m) in mass.chunks(self.cells()).enumerate() {
            let p = k % self.parts.len();
            let here = self.parts[p].cells.at_walls(m);
            (0..2).for_each(|axis| all[p][axis] = all[p][axis].max(here[axis]));
        }
        all
    }

    /// Follows the masses through `taus`, and keeps them at `keep`; returns curves and the last masses.
    ///
    /// # Errors
    /// Unknown encoders.
    pub fn flow(
        &self,
        problem: &Problem,
        law: &Law,
        (taus, keep): (&[f64], &[f64]),
        par: &Par,
        stop: &dyn Fn() -> bool,
    ) -> Result<(Trace, Vec<f64>), LimitError> {
        let begun = Instant::now();
        let mut system = System::new(self, problem, par)?;
        let (mut mass, mut tau, mut steps, mut dissipated) = (self.start(law), 0.0, 0, 0.0);
        let (mut series, mut outcome, mut kept) = (Series::default(), Outcome::Finished, vec![]);
        'times: for &until in taus {
            while tau < until {
                if stop() {
                    outcome = Outcome::Stopped { tau };
                    break 'times;
                }
                let left = until - tau;
                let Some((dt, loss)) = system.step(&mut mass, left)? else {
                    outcome = Outcome::Diverged { tau };
                    break 'times;
                };
                dissipated += if series.is_empty() { 0.0 } else { loss };
                (tau, steps) = (if dt < left { tau + dt } else { until }, steps + 1);
                if steps >= MOST_STEPS {
                    outcome = Outcome::MaxSteps { tau };
                    break 'times;
                }
            }
            system.record(&mass, &mut series)?;
            if keep.contains(&until) {
                kept.push((until, mass.clone()));
            }
        }
        let fall = series.objective.first().zip(series.objective.last()).map_or(0.0, |(a, b)| a - b);
        let energy = mismatch(fall, dissipated);
        let (gradients, seconds) = (system.gradients, begun.elapsed().as_secs_f64());
        Ok((Trace { series, outcome, energy, gradients, seconds, kept }, mass))
    }

    /// Masses as a network of weighted particles in the cell centres, and its parameters.
    ///
    /// # Errors
    /// Unknown encoders.
    pub fn network(&self, problem: &Problem, mass: &[f64]) -> Result<(Network, Vec<f64>), LimitError> {
        let par = Par::serial();
        let system = System::new(self, problem, &par)?;
        Ok((system.network(mass)?, system.centres))
    }
}
