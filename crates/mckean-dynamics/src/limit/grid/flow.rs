//! The PDE of the limit on cells: velocities from the engine, Heun steps in training time.
//!
//! Maths: eqs 3.4-3.5 of Gao et al. 2024. A network whose particles are the cell centres, weighted with the masses of their cells, has
//! the states, adjoints and velocities of the cells (weights of `GHOST` keep velocities of empty cells defined). DERIVED: attention
//! and feed-forward particles act in separate sums, so the law of (theta, w) enters through its two marginals alone, and each is
//! carried on its own cells.
//! Shapes: masses (slices, roles, n * n).
//! Cost: two gradients of 2 * n^2 particles a slice a step; steps grow with n by the bound on a step.
//! Checked: `tests/limit_grid.rs` (against particles and atoms, mass, positivity, order).

use super::cells::Cells;
use crate::evolution::Outcome;
use crate::limit::{LimitError, Problem, Series, Trace};
use crate::objective::{Evaluation, Objective, second_moment};
use mckean_engine::{Batch, Network, Risk};
use mckean_model::{DepthMethod, Law, Layout, ModelConfig, ParticleWeights, Role, init};
use mckean_num::par::Par;
use mckean_num::rng::Seed;
use std::sync::Arc;
use std::time::Instant;

/// Weight of an empty cell: far below rounding, yet a number to divide by.
const GHOST: f64 = 1e-200;
/// Share of the largest step that keeps masses positive.
const COURANT: f64 = 0.8;
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
        Ok(Grid { parts: kinds(&layout).into_iter().map(part).collect(), depth })
    }

    fn model(&self, problem: &Problem) -> ModelConfig {
        let (particles, (depth_method, depth)) = (self.each(), self.depth);
        ModelConfig { depth_method, depth, heads: particles, neurons: particles, ..problem.model.clone() }
    }

    /// Cells of one part.
    fn each(&self) -> usize {
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
        for (k, m) in mass.chunks(self.each()).enumerate() {
            let p = k % self.parts.len();
            let here = self.parts[p].cells.at_walls(m);
            (0..2).for_each(|axis| all[p][axis] = all[p][axis].max(here[axis]));
        }
        all
    }

    /// Follows the masses through `taus`; returns curves and the last masses.
    ///
    /// # Errors
    /// Unknown encoders.
    pub fn flow(&self, problem: &Problem, law: &Law, taus: &[f64], par: &Par) -> Result<(Trace, Vec<f64>), LimitError> {
        let begun = Instant::now();
        let mut system = System::new(self, problem, par)?;
        let (mut mass, mut tau, mut steps) = (self.start(law), 0.0, 0);
        let (mut series, mut outcome) = (Series::default(), Outcome::Finished);
        'times: for &until in taus {
            while tau < until {
                let left = until - tau;
                let Some(dt) = system.step(&mut mass, left)? else {
                    outcome = Outcome::Diverged { tau };
                    break 'times;
                };
                (tau, steps) = (if dt < left { tau + dt } else { until }, steps + 1);
                if steps >= MOST_STEPS {
                    outcome = Outcome::MaxSteps { tau };
                    break 'times;
                }
            }
            system.record(&mass, &mut series)?;
        }
        let (gradients, seconds) = (system.gradients, begun.elapsed().as_secs_f64());
        Ok((Trace { series, outcome, gradients, seconds, kept: vec![] }, mass))
    }
}

/// What stays the same along a flow.
struct System<'a> {
    grid: &'a Grid,
    problem: &'a Problem,
    par: &'a Par,
    model: ModelConfig,
    /// Centres of the cells as parameters.
    centres: Vec<f64>,
    /// Where each coordinate of each part of each slice begins in the parameters.
    places: Vec<[usize; 2]>,
    gradients: u64,
}

impl<'a> System<'a> {
    fn new(grid: &'a Grid, problem: &'a Problem, par: &'a Par) -> Result<Self, LimitError> {
        let model = grid.model(problem);
        let net = Network::new(&model, problem.shape)?;
        let mut centres = init::shared(&net.layout, Seed(0));
        let mut places = vec![];
        for slice in 0..model.slices() {
            for part in &grid.parts {
                let starts: Vec<usize> = net.layout.particles(slice, part.role).map(|t| t.range.start).collect();
                for cell in 0..grid.each() {
                    let x = part.cells.centre(cell);
                    (0..2).for_each(|c| centres[starts[c] + cell] = x[c]);
                }
                places.push([starts[0], starts[1]]);
            }
        }
        Ok(System { grid, problem, par, model, centres, places, gradients: 0 })
    }

    /// The network whose particles are the cells.
    fn risk(&self, mass: &[f64]) -> Result<Risk<f64>, LimitError> {
        let (each, parts) = (self.grid.each(), &self.grid.parts);
        let list = |role: Role| -> Vec<Vec<f64>> {
            let own = |(k, m): (usize, &[f64])| {
                (parts[k % parts.len()].role == role).then(|| m.iter().map(|x| x.max(GHOST)).collect())
            };
            let all: Vec<Vec<f64>> = mass.chunks(each).enumerate().filter_map(own).collect();
            if all.is_empty() { vec![vec![1.0 / each as f64; each]] } else { all }
        };
        let weights = ParticleWeights { heads: list(Role::Head), neurons: list(Role::Neuron) };
        let net = Network::weighted(&self.model, self.problem.shape, weights)?;
        Ok(Risk::new(Arc::new(net), self.problem.data.clone(), self.par.clone())?)
    }

    /// Rates of change of all masses and the inverse of the largest step.
    fn rates(&mut self, mass: &[f64]) -> Result<(Vec<f64>, f64, Evaluation), LimitError> {
        let mut q = Objective::new(self.risk(mass)?, self.problem.lambda);
        let mut velocity = vec![0.0; self.centres.len()];
        let now = q.velocity(&self.centres, &mut velocity);
        self.gradients += 1;
        let (each, mut rate, mut bound) = (self.grid.each(), vec![0.0; mass.len()], 0.0f64);
        for (k, place) in self.places.iter().enumerate() {
            let own = k * each..(k + 1) * each;
            let v = place.map(|p| &velocity[p..p + each]);
            let part = &self.grid.parts[k % self.grid.parts.len()];
            bound = bound.max(part.cells.transport(&mass[own.clone()], v, &mut rate[own]));
        }
        Ok((rate, bound, now))
    }

    /// One Heun step of at most `left`; its length, or none if numbers are not finite.
    fn step(&mut self, mass: &mut [f64], left: f64) -> Result<Option<f64>, LimitError> {
        let (first, bound, now) = self.rates(mass)?;
        if !(bound.is_finite() && now.objective().is_finite()) {
            return Ok(None);
        }
        let longest = LONGEST / self.grid.parts.first().map_or(1, |p| p.cells.n) as f64;
        let mut dt = left.min(COURANT / bound).min(longest);
        loop {
            let moved: Vec<f64> = mass.iter().zip(&first).map(|(m, r)| m + dt * r).collect();
            let (second, bound, _) = self.rates(&moved)?;
            if dt * bound <= 1.0 {
                let end = moved.iter().zip(&second).map(|(m, r)| m + dt * r);
                mass.iter_mut().zip(end).for_each(|(m, e)| *m = 0.5 * (*m + e));
                return Ok(Some(dt));
            }
            if !bound.is_finite() {
                return Ok(None);
            }
            dt *= 0.5;
        }
    }

    fn record(&mut self, mass: &[f64], series: &mut Series) -> Result<(), LimitError> {
        let mut q = Objective::new(self.risk(mass)?, self.problem.lambda);
        let now = q.value(&self.centres);
        let samples = self.problem.data.samples;
        let mut out = vec![0.0; samples * q.risk.network().reader.outputs];
        q.risk.outputs(&self.centres, &Batch::first(samples), &mut out);
        series.push(now.sums.risk, now.objective(), second_moment(&self.centres, &q.speeds), &out);
        Ok(())
    }
}
