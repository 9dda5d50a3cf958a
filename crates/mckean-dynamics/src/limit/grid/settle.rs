//! Walls and depth steps, settled on the smallest grid.
//!
//! Maths: rectangles grow until next to no mass is at their walls; what walls still do is the difference that a wider rectangle of cells of
//! the same size makes; depth errors are WHOLE |R_S - R_2S| as everywhere, and Gauss collocation is the witness. DERIVED.
//! Shapes: as the limit's.
//! Cost: a dozen flows of the smallest grid.
//! Checked: `tests/limit_grid.rs`.

use super::{CELLS, Grid, Solver};
use crate::evolution::Outcome;
use crate::limit::LimitError;
use crate::limit::ladder::{WHOLE, strong};
use crate::limit::member::Trace;
use crate::limit::series::{gap, largest};
use mckean_model::DepthMethod;
use std::time::Instant;

/// Mass that may lie at the walls of a rectangle.
const AT_WALLS: f64 = 1e-6;
/// Growth of a rectangle that is too small, and how often it may grow.
const GROWTH: (f64, usize) = (1.25, 16);
/// Cells that the rectangle gains along a coordinate where the error of the walls is measured.
const WIDER: usize = 8;
/// Share of the budget after which depth steps are not halved again.
const BUDGET_SHARE: f64 = 0.2;
/// Share of the tolerance for depth, and most depth steps.
const DEPTH_SHARE: f64 = 0.25;
const MOST_STEPS: usize = 16;

/// Depth on the smallest grid.
pub(super) struct Depth {
    pub steps: usize,
    pub base: Trace,
    pub finer: Trace,
    /// One step, within the walls and beyond them.
    pub walls: (Trace, Trace),
    pub witness: Trace,
    pub strong: bool,
}

impl Solver<'_> {
    /// As the smallest grid, with more cells of the same size around it.
    fn run_wider(&mut self) -> Result<Trace, LimitError> {
        let (n, near) = (CELLS.0 + WIDER, self.grid(CELLS.0, (DepthMethod::Rk4, 1))?);
        let reach = |i: usize| self.reach[i] * n as f64 / CELLS.0 as f64;
        let wider = Grid { longest: near.longest, ..Grid::new(self.problem, n, reach, near.depth)? };
        Ok(self.follow(&wider, &[])?.0)
    }

    /// Widens the rectangles until nothing reaches their walls, then halves depth steps until they no longer matter.
    pub fn settle_depth(&mut self) -> Result<Depth, LimitError> {
        let (begun, rk4, n) = (Instant::now(), DepthMethod::Rk4, CELLS.0);
        let mut base = self.run_to_walls(n, (rk4, 1))?;
        for _ in 0..GROWTH.1 {
            let full: Vec<usize> = (0..base.1.len()).filter(|&i| base.1[i] > AT_WALLS).collect();
            if full.is_empty() || base.0.outcome != Outcome::Finished || self.settings.is_stopped() {
                break;
            }
            full.into_iter().for_each(|i| self.reach[i] *= GROWTH.0);
            base = self.run_to_walls(n, (rk4, 1))?;
        }
        let wider = self.run_wider()?;
        let near = base.0.clone();
        let (mut base, mut steps, mut errors) = (base.0, 1, vec![]);
        loop {
            let finer = self.run(n, (rk4, 2 * steps))?;
            if let Some(t) = [&base, &finer, &near, &wider].into_iter().find(|t| t.outcome.is_stopped()) {
                return Err(self.settings.early(t.outcome.tau()));
            }
            let error = self.relative(&gap(&base.series.risk, &finer.series.risk), &base);
            errors.push(error);
            let late = begun.elapsed().as_secs_f64() > BUDGET_SHARE * self.settings.budget;
            let done = WHOLE * error <= DEPTH_SHARE * self.settings.rtol
                || steps >= MOST_STEPS
                || late
                || self.settings.is_stopped();
            if done || finer.outcome != Outcome::Finished {
                let witness = self.run(n, (DepthMethod::Gauss2, steps))?;
                let apart = self.relative(&gap(&base.series.risk, &witness.series.risk), &base);
                return Ok(Depth { steps, base, finer, walls: (near, wider), witness, strong: strong(&errors, apart) });
            }
            (base, steps) = (finer, 2 * steps);
        }
    }

    pub fn relative(&self, error: &[f64], of: &Trace) -> f64 {
        largest(error, &of.series.risk, self.settings.floor)
    }
}
