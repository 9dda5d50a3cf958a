//! The limit without particles: the PDE of the law on a grid of cells, for particles of two numbers.
//!
//! Maths: eq 3.5 of Gao et al. 2024 by finite volumes of second order (`cells`, `flow`). DERIVED: the error of the cells (and of the
//! steps in training time, which shrink with them) is |R_n - R_n/2|, or a quarter of the difference before it if that is larger (order 2
//! makes the true error of R_n a third of the former); depth errors are those of the smallest grid.
//! Shapes: as the limit's.
//! Cost: eight times more for twice the cells along a coordinate: two coordinates, and steps in proportion.
//! Checked: `tests/limit_grid.rs`.

mod cells;
mod flow;

pub use cells::Cells;
pub use flow::{Grid, Part};

use super::ladder::{WHOLE, risk, strong, whole};
use super::member::Trace;
use super::series::{Band, CURVES, Pick, gap, largest};
use super::{Limit, LimitError, Problem, Settings, setting};
use crate::evolution::Outcome;
use mckean_model::{DepthMethod, InitialLaw, Law, Role};
use mckean_num::par::Par;
use std::time::Instant;

/// Cells along a coordinate of the smallest and the largest grid.
const CELLS: (usize, usize) = (24, 1536);
/// Mass that the first rectangle leaves out on a side, and that may lie at its walls later.
const OUTSIDE: f64 = 1e-7;
const AT_WALLS: f64 = 1e-6;
/// Growth of a rectangle that is too small, and how often it may grow.
const GROWTH: (f64, usize) = (1.25, 16);
/// Share of the tolerance for depth, and most depth steps.
const DEPTH_SHARE: f64 = 0.25;
const MOST_STEPS: usize = 16;

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
        if ended || (grids.len() > 2 && error <= settings.rtol) || n >= CELLS.1 {
            break;
        }
        let next = 8.0 * last;
        if next > settings.left(begun) {
            let spent = begun.elapsed().as_secs_f64();
            let more = (error / settings.rtol).max(1.0).log(4.0).ceil().max(1.0);
            predicted = Some(if error.is_finite() { spent + 8f64.powf(more) * last } else { f64::INFINITY });
            break;
        }
        n *= 2;
        say(&format!("{n} x {n} cells"));
        let clock = Instant::now();
        grids.push(s.run(n, (DepthMethod::Rk4, depth.steps))?);
        last = clock.elapsed().as_secs_f64();
    }
    if settings.is_stopped() && grids.len() < 2 {
        return Err(LimitError::Stopped);
    }
    let seconds = begun.elapsed().as_secs_f64();
    Ok(s.limit(&grids, &depth, (n, seconds, predicted)))
}

/// Depth on the smallest grid.
struct Depth {
    steps: usize,
    base: Trace,
    finer: Trace,
    witness: Trace,
    strong: bool,
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
        let (trace, mass) = grid.flow(self.problem, self.law, &self.settings.taus, self.par)?;
        let visits = depth.1 * depth.0.stages().map_or(1, |s| s.b.len());
        self.work += trace.gradients as f64 * (n * n * visits) as f64;
        Ok((trace, grid.at_walls(&mass).concat()))
    }

    /// Widens the rectangles until nothing reaches their walls, then halves depth steps until they no longer matter.
    fn settle_depth(&mut self) -> Result<Depth, LimitError> {
        let (rk4, n) = (DepthMethod::Rk4, CELLS.0);
        let mut base = self.run_to_walls(n, (rk4, 1))?;
        for _ in 0..GROWTH.1 {
            let full: Vec<usize> = (0..base.1.len()).filter(|&i| base.1[i] > AT_WALLS).collect();
            if full.is_empty() || base.0.outcome != Outcome::Finished || self.settings.is_stopped() {
                break;
            }
            full.into_iter().for_each(|i| self.reach[i] *= GROWTH.0);
            base = self.run_to_walls(n, (rk4, 1))?;
        }
        let (mut base, mut steps, mut errors) = (base.0, 1, vec![]);
        loop {
            let finer = self.run(n, (rk4, 2 * steps))?;
            let error = self.relative(&gap(&base.series.risk, &finer.series.risk), &base);
            errors.push(error);
            let done =
                WHOLE * error <= DEPTH_SHARE * self.settings.rtol || steps >= MOST_STEPS || self.settings.is_stopped();
            if done || finer.outcome != Outcome::Finished {
                let witness = self.run(n, (DepthMethod::Gauss2, steps))?;
                let apart = self.relative(&gap(&base.series.risk, &witness.series.risk), &base);
                return Ok(Depth { steps, base, finer, witness, strong: strong(&errors, apart) });
            }
            (base, steps) = (finer, 2 * steps);
        }
    }

    fn relative(&self, error: &[f64], of: &Trace) -> f64 {
        largest(error, &of.series.risk, self.settings.floor)
    }

    fn band(&self, pick: Pick, grids: &[Trace], depth: &Depth) -> Band {
        let of = |back: usize| grids.len().checked_sub(back).map(|i| &pick(&grids[i].series)[..]);
        let value = of(1).unwrap_or(&[]);
        let recent = of(2).map(|coarse| gap(value, coarse));
        let before = of(2).zip(of(3)).map(|(a, b)| gap(a, b));
        let steps = whole(gap(pick(&depth.base.series), pick(&depth.finer.series)));
        let n = [Some(value.len()), recent.as_ref().map(Vec::len), before.as_ref().map(Vec::len), Some(steps.len())];
        let n = n.into_iter().flatten().min().unwrap_or(0);
        let cells = |i: usize| {
            let last = recent.as_ref().map_or(f64::INFINITY, |e| e[i]);
            last.max(before.as_ref().map_or(0.0, |e| 0.25 * e[i]))
        };
        let none = vec![0.0; n];
        Band { bias: (0..n).map(cells).collect(), ..Band::exact(&value[..n], &steps[..n], &none) }
    }

    fn error(&self, grids: &[Trace], depth: &Depth) -> f64 {
        let band = self.band(risk, grids, depth);
        let totals: Vec<f64> = (0..band.value.len()).map(|i| band.total(i)).collect();
        largest(&totals, &band.value, self.settings.floor)
    }

    fn limit(self, grids: &[Trace], depth: &Depth, (n, seconds, predicted): (usize, f64, Option<f64>)) -> Limit {
        let s = self.settings;
        let [risk, objective, moment, outputs] = CURVES.map(|p| self.band(p, grids, depth));
        let (error, times) = (self.error(grids, depth), risk.value.len());
        let reached = times == s.taus.len() && error <= s.rtol;
        let outcome = grids.iter().chain([&depth.finer]).map(|t| t.outcome).find(|o| *o != Outcome::Finished);
        let apart = gap(&depth.base.series.risk, &depth.witness.series.risk);
        Limit {
            taus: s.taus[..times].to_vec(),
            witness: self.relative(&apart, &depth.base),
            reached,
            stopped: s.is_stopped() && !reached,
            risk,
            objective,
            moment,
            outputs,
            rtol: s.rtol,
            error,
            outcome: outcome.unwrap_or(Outcome::Finished),
            strong: depth.strong,
            size: (n * n, 1, depth.steps),
            tolerance: 0.0,
            work: self.work,
            seconds,
            predicted,
            snapshots: vec![],
        }
    }
}
