//! From flows on grids to a `Limit`.
//!
//! Maths: bands of the finest grid: cells and walls as bias, depth from the smallest grid.
//! Shapes: curves over the times that all flows reached.
//! Cost: linear in the curves; one more flow for the snapshots.
//! Checked: `tests/limit_grid.rs`, `tests/limit_snapshots.rs`.

use super::settle::Depth;
use super::{CELLS, Solver};
use crate::evolution::Outcome;
use crate::limit::ladder::{risk, whole};
use crate::limit::member::Trace;
use crate::limit::series::{Band, CURVES, Pick, gap};
use crate::limit::snapshot::{self, Snapshot};
use crate::limit::{Limit, LimitError};
use std::sync::Arc;

/// Share of the seconds spent on the curves that the snapshots may take: half as many cells along a coordinate.
const SHARE: f64 = 0.6;

impl Solver<'_> {
    fn band(&self, pick: Pick, grids: &[Trace], depth: &Depth) -> Band {
        let of = |back: usize| grids.len().checked_sub(back).map(|i| &pick(&grids[i].series)[..]);
        let value = of(1).unwrap_or(&[]);
        let recent = of(2).map(|coarse| gap(value, coarse));
        let before = of(2).zip(of(3)).map(|(a, b)| gap(a, b));
        let steps = whole(gap(pick(&depth.base.series), pick(&depth.finer.series)));
        let walls = gap(pick(&depth.walls.0.series), pick(&depth.walls.1.series));
        let own = [value.len(), steps.len(), walls.len()].map(Some);
        let n = own.into_iter().chain([recent.as_ref().map(Vec::len), before.as_ref().map(Vec::len)]);
        let n = n.flatten().min().unwrap_or(0);
        let cells = |i: usize| {
            let last = recent.as_ref().map_or(f64::INFINITY, |e| e[i]);
            last.max(before.as_ref().map_or(0.0, |e| 0.25 * e[i])) + walls[i]
        };
        let none = vec![0.0; n];
        Band { bias: (0..n).map(cells).collect(), ..Band::exact(&value[..n], &steps[..n], &none) }
    }

    pub fn error(&self, grids: &[Trace], depth: &Depth) -> f64 {
        self.band(risk, grids, depth).relative(self.settings.floor)
    }

    /// The law on the finest grid for which there is time (none once stopped).
    pub fn snapshots(&mut self, grids: &[Trace], depth: &Depth, n: usize) -> Result<Vec<Snapshot>, LimitError> {
        let (last, s) = (&grids[grids.len() - 1], self.settings);
        if s.is_stopped() {
            return Ok(vec![]);
        }
        let steps = snapshot::steps(&s.depths, depth.steps).unwrap_or(depth.steps);
        let seconds = |m: &usize| last.seconds * (steps as f64 / depth.steps as f64) * (*m as f64 / n as f64).powi(3);
        let fits = |m: &usize| *m <= CELLS.0 || seconds(m) <= SHARE * grids.iter().map(|t| t.seconds).sum::<f64>();
        let m = std::iter::successors(Some(n), |m| Some(m / 2)).find(fits).unwrap_or(CELLS.0);
        let grid = self.grid(m, (snapshot::DEPTH, steps))?;
        let one = |(tau, mass): (f64, Vec<f64>)| {
            let (net, centres) = grid.network(self.problem, &mass)?;
            Ok(Snapshot::new(Arc::new(net), (tau, centres), &s.depths))
        };
        self.follow(&grid, &s.snapshots)?.0.kept.into_iter().map(one).collect()
    }

    pub fn limit(
        self,
        grids: &[Trace],
        depth: &Depth,
        (n, seconds, predicted): (usize, f64, Option<f64>),
        snapshots: Vec<Snapshot>,
    ) -> Limit {
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
            stopped: s.is_told() && !reached,
            risk,
            objective,
            moment,
            outputs,
            rtol: s.rtol,
            error,
            outcome: outcome.unwrap_or(Outcome::Finished),
            energy: grids[grids.len() - 1].energy,
            strong: depth.strong,
            size: (n * n, 1, depth.steps),
            tolerance: 0.0,
            work: self.work,
            seconds,
            predicted,
            snapshots,
        }
    }
}
