//! The limit without particles: the PDE of the law on a grid of cells, for particles of two numbers.
//!
//! Maths: eq 3.5 of Gao et al. 2024 by finite volumes of second order (`cells`, `flow`). DERIVED: the error of the cells (and of the
//! steps in training time, which shrink with them) is |R_n - R_n/2|, or a quarter of the difference before it if that is larger (order 2
//! makes the true error of R_n a third of the former), to which come errors of walls and depth (`settle`).
//! Shapes: as the limit's.
//! Cost: eight times more for twice the cells along a coordinate: two coordinates, and steps in proportion.
//! Checked: `tests/limit_grid.rs`.

mod assemble;
mod cells;
mod flow;
mod settle;
mod system;

pub use cells::Cells;
pub use flow::{Grid, Part};

use super::member::Trace;
use super::{Limit, LimitError, Problem, Settings, setting};
use crate::evolution::Outcome;
use mckean_model::{DepthMethod, InitialLaw, Law, Role};
use mckean_num::par::Par;
use std::time::Instant;

/// Cells along a coordinate of the smallest and the largest grid.
const CELLS: (usize, usize) = (24, 1536);
/// Mass that the first rectangle leaves out on a side.
const OUTSIDE: f64 = 1e-7;

/// Refuses what does not fit on a grid.
fn check(problem: &Problem) -> Result<(), LimitError> {
    let refuse = |what: String| {
        let problem =
            format!("cells fill a space of two dimensions, and {what}. Use \"rqmc\", which has no such limit.");
        Err(setting("method", "\"grid\"", problem))
    };
    if problem.init.atoms > 0 {
        return Err(setting("method", "\"grid\"", "a law of atoms has no density. Use \"atoms\", which is exact."));
    }
    if let law @ (InitialLaw::Ball | InitialLaw::Mixture) = problem.init.law {
        let name = format!("{law:?}").to_lowercase();
        return refuse(format!("the numbers of a particle of init.law = \"{name}\" depend on each other"));
    }
    let kinds = flow::kinds(&problem.layout()?);
    match kinds.iter().find(|k| k.2 != 2) {
        Some(k) => refuse(format!(
            "a {} of this model has {} numbers (tokens of dimension 1 give 2)",
            if k.0 == Role::Head { "head" } else { "neuron" },
            k.2
        )),
        None if kinds.is_empty() => refuse("this model has no particles at all".into()),
        None => Ok(()),
    }
}

struct Solver<'a> {
    problem: &'a Problem,
    law: &'a Law,
    settings: &'a Settings,
    par: &'a Par,
    /// Half sides of the rectangles, one a number of a particle.
    reach: Vec<f64>,
    work: f64,
}

/// Solves on finer and finer grids.
pub(super) fn solve(
    problem: &Problem,
    law: &Law,
    settings: &Settings,
    par: &Par,
    say: &mut dyn FnMut(&str),
) -> Result<Limit, LimitError> {
    check(problem)?;
    let begun = Instant::now();
    let reach = (0..law.len()).map(|i| cells::reach(&law.widest(), i, OUTSIDE).max(1e-12)).collect();
    let mut s = Solver { problem, law, settings, par, reach, work: 0.0 };
    say("depth steps on a small grid");
    let depth = s.settle_depth()?;
    let mut grids = vec![depth.base.clone()];
    let (mut n, mut last, mut predicted) = (CELLS.0, 0.0, None);
    loop {
        let error = s.error(&grids, &depth);
        let ended = grids.last().is_some_and(|t| t.outcome != Outcome::Finished);
        if grids.len() > 1 && (ended || (grids.len() > 2 && error <= settings.rtol) || n >= CELLS.1) {
            break;
        }
        let next = 8.0 * last;
        let forecast = |error: f64| {
            let more = (error / settings.rtol).max(1.0).log(4.0).ceil().max(1.0);
            Some(begun.elapsed().as_secs_f64() + 8f64.powf(more) * last)
        };
        if settings.is_stopped() || (grids.len() > 1 && next > settings.left(begun)) {
            predicted = forecast(error);
            break;
        }
        n *= 2;
        say(&format!("{n} x {n} cells"));
        let clock = Instant::now();
        let finer = s.run(n, (DepthMethod::Rk4, depth.steps))?;
        if finer.outcome.is_stopped() {
            (n, predicted) = (n / 2, forecast(error));
            break;
        }
        grids.push(finer);
        last = clock.elapsed().as_secs_f64();
    }
    if grids.len() < 2 {
        return Err(settings.early(None));
    }
    let snapshots = s.snapshots(&grids, &depth, n)?;
    let seconds = begun.elapsed().as_secs_f64();
    Ok(s.limit(&grids, &depth, (n, seconds, predicted), snapshots))
}

impl Solver<'_> {
    fn grid(&self, n: usize, depth: (DepthMethod, usize)) -> Result<Grid, LimitError> {
        Grid::new(self.problem, n, |i| self.reach[i], depth)
    }

    fn run(&mut self, n: usize, depth: (DepthMethod, usize)) -> Result<Trace, LimitError> {
        Ok(self.run_to_walls(n, depth)?.0)
    }

    fn run_to_walls(&mut self, n: usize, depth: (DepthMethod, usize)) -> Result<(Trace, Vec<f64>), LimitError> {
        let grid = self.grid(n, depth)?;
        let (trace, mass) = self.follow(&grid, &[])?;
        Ok((trace, grid.at_walls(&mass).concat()))
    }

    fn follow(&mut self, grid: &Grid, keep: &[f64]) -> Result<(Trace, Vec<f64>), LimitError> {
        let found =
            grid.flow(self.problem, self.law, (&self.settings.taus, keep), self.par, &|| self.settings.is_stopped())?;
        let (method, steps) = grid.depth;
        let visits = steps * method.stages().map_or(1, |s| s.b.len());
        self.work += found.0.gradients as f64 * (grid.cells() * visits) as f64;
        Ok(found)
    }
}
