//! The cells of all slices as one weighted network: velocities from the engine, Heun steps in training time.
//!
//! Maths: eqs 3.4-3.5 of Gao et al. 2024: a network whose particles are the cell centres, weighted with the masses of their cells, has
//! the states, adjoints and velocities of the cells (weights of `GHOST` keep velocities of empty cells defined).
//! Shapes: masses (slices, roles, n * n).
//! Cost: two gradients of 2 * n^2 particles a slice a step.
//! Checked: `tests/limit_grid.rs`.

use super::flow::Grid;
use crate::limit::finite::GHOST;
use crate::limit::{LimitError, Problem, Series};
use crate::objective::{Evaluation, Objective, second_moment};
use mckean_engine::{Batch, Network, Risk};
use mckean_model::{ModelConfig, ParticleWeights, Role, init};
use mckean_num::par::Par;
use mckean_num::rng::Seed;
use std::sync::Arc;

/// Share of the largest step that keeps masses positive.
const COURANT: f64 = 0.8;

/// What stays the same along a flow.
pub(super) struct System<'a> {
    grid: &'a Grid,
    problem: &'a Problem,
    par: &'a Par,
    model: ModelConfig,
    /// Centres of the cells as parameters.
    pub centres: Vec<f64>,
    /// Where each coordinate of each part of each slice begins in the parameters.
    places: Vec<[usize; 2]>,
    pub gradients: u64,
}

impl<'a> System<'a> {
    pub fn new(grid: &'a Grid, problem: &'a Problem, par: &'a Par) -> Result<Self, LimitError> {
        let model = grid.model(problem);
        let net = Network::new(&model, problem.shape)?;
        let mut centres = init::shared(&net.layout, Seed(0));
        let mut places = vec![];
        for slice in 0..model.slices() {
            for part in &grid.parts {
                let starts: Vec<usize> = net.layout.particles(slice, part.role).map(|t| t.range.start).collect();
                for cell in 0..grid.cells() {
                    let x = part.cells.centre(cell);
                    (0..2).for_each(|c| centres[starts[c] + cell] = x[c]);
                }
                places.push([starts[0], starts[1]]);
            }
        }
        Ok(System { grid, problem, par, model, centres, places, gradients: 0 })
    }

    /// The network whose particles are the cells.
    pub fn network(&self, mass: &[f64]) -> Result<Network, LimitError> {
        let (each, parts) = (self.grid.cells(), &self.grid.parts);
        let list = |role: Role| -> Vec<Vec<f64>> {
            let own = |(k, m): (usize, &[f64])| {
                (parts[k % parts.len()].role == role).then(|| m.iter().map(|x| x.max(GHOST)).collect())
            };
            let all: Vec<Vec<f64>> = mass.chunks(each).enumerate().filter_map(own).collect();
            if all.is_empty() { vec![vec![1.0 / each as f64; each]] } else { all }
        };
        let weights = ParticleWeights { heads: list(Role::Head), neurons: list(Role::Neuron) };
        Ok(Network::weighted(&self.model, self.problem.shape, weights)?)
    }

    fn risk(&self, mass: &[f64]) -> Result<Risk<f64>, LimitError> {
        Ok(Risk::new(Arc::new(self.network(mass)?), self.problem.data.clone(), self.par.clone())?)
    }

    /// Rates of change of all masses and the inverse of the largest step.
    fn rates(&mut self, mass: &[f64]) -> Result<(Vec<f64>, f64, Evaluation), LimitError> {
        let mut q = Objective::new(self.risk(mass)?, self.problem.lambda);
        let mut velocity = vec![0.0; self.centres.len()];
        let now = q.velocity(&self.centres, &mut velocity);
        self.gradients += 1;
        let (each, mut rate, mut bound) = (self.grid.cells(), vec![0.0; mass.len()], 0.0f64);
        for (k, place) in self.places.iter().enumerate() {
            let own = k * each..(k + 1) * each;
            let v = place.map(|p| &velocity[p..p + each]);
            let part = &self.grid.parts[k % self.grid.parts.len()];
            bound = bound.max(part.cells.transport(&mass[own.clone()], v, &mut rate[own]));
        }
        Ok((rate, bound, now))
    }

    /// One Heun step of at most `left`; its length and the energy it dissipates, or none if numbers are not finite.
    pub fn step(&mut self, mass: &mut [f64], left: f64) -> Result<Option<(f64, f64)>, LimitError> {
        let (first, bound, now) = self.rates(mass)?;
        if !(bound.is_finite() && now.objective().is_finite()) {
            return Ok(None);
        }
        let mut dt = left.min(COURANT / bound).min(self.grid.longest);
        loop {
            let moved: Vec<f64> = mass.iter().zip(&first).map(|(m, r)| m + dt * r).collect();
            let (second, bound, then) = self.rates(&moved)?;
            if dt * bound <= 1.0 {
                let end = moved.iter().zip(&second).map(|(m, r)| m + dt * r);
                mass.iter_mut().zip(end).for_each(|(m, e)| *m = 0.5 * (*m + e));
                return Ok(Some((dt, 0.5 * dt * (now.dissipation + then.dissipation))));
            }
            if !bound.is_finite() {
                return Ok(None);
            }
            dt *= 0.5;
        }
    }

    pub fn record(&mut self, mass: &[f64], series: &mut Series) -> Result<(), LimitError> {
        let mut q = Objective::new(self.risk(mass)?, self.problem.lambda);
        let now = q.value(&self.centres);
        let samples = self.problem.data.samples;
        let mut out = vec![0.0; samples * q.risk.network().reader.outputs];
        q.risk.outputs(&self.centres, &Batch::first(samples), &mut out);
        series.push(now.sums.risk, now.objective(), second_moment(&self.centres, &q.speeds), &out);
        Ok(())
    }
}
