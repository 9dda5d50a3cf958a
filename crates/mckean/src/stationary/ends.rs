//! The end of one flow with its certificates, kept in one file a network.
//!
//! Maths: conditions of Theorem 4.1 of Gao et al. 2024 and the adjoint's bounds (F.7), as `mckean_analysis::certificate` has them.
//! Shapes: `analysis/lambda...json`, see `docs/formats.md`.
//! Cost: that of the certificates, about a second.
//! Checked: `tests/stationary.rs`.

use super::cells::{Cell, Size};
use super::settle::{REST, Seen, Settled, UNSETTLED};
use crate::certify::Looked;
use crate::error::Error;
use crate::problem::Problem;
use mckean_analysis::{Condition, Verdict};
use mckean_num::par::Par;
use serde::{Deserialize, Serialize};

/// A network where its flow ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// Which network.
    pub cell: Cell,
    /// `rest`, `unsettled` (at the horizon), or how the flow ended early.
    pub outcome: String,
    /// Training time, R, Q, residual and radius at the end.
    pub last: Seen,
    /// -d log R/d log tau over the last stage: how fast R still falls; unknown after fewer than two.
    pub drift: Option<f64>,
    /// All stages.
    pub stages: Vec<Seen>,
    /// Hypotheses and certificates; none for the limit, whose sublayers do not follow each other, nor where the flow ended early.
    pub conditions: Vec<Condition>,
    /// Bounds of E|p|^2 at t = 0 and its value: low, value, high.
    pub adjoint: Option<[f64; 3]>,
    /// Gradients taken.
    pub gradients: u64,
}

impl End {
    /// Certifies `settled`.
    ///
    /// # Errors
    /// Networks outside the model of the theorems.
    pub fn new(cell: Cell, problem: &Problem, settled: Settled) -> Result<End, Error> {
        let Settled { outcome, seen: stages, parameters, gradients } = settled;
        let last = stages[stages.len() - 1];
        let drift = |a: &Seen, b: &Seen| -(b.risk / a.risk).ln() / (b.tau / a.tau).ln();
        let drift = stages.len().checked_sub(2).map(|i| drift(&stages[i], &last)).filter(|x| x.is_finite());
        let mut end = End { cell, outcome, last, drift, stages, conditions: vec![], adjoint: None, gradients };
        let sound = parameters.iter().all(|x| x.is_finite()) && !end.is_broken();
        if sound && !matches!(cell.size, Size::Limit(_)) {
            let radii: Vec<(f64, f64)> = end.stages.iter().map(|s| (s.tau, s.radius)).collect();
            let looked = Looked::new(problem, parameters, &Par::serial())?;
            let (conditions, profile) = looked.conditions(&radii, &Par::serial());
            end.adjoint = profile.bounds.ok().map(|b| [b[0].low, b[0].value, b[0].high]);
            end.conditions = conditions;
        }
        Ok(end)
    }

    /// Whether the flow rests.
    pub fn is_at_rest(&self) -> bool {
        self.outcome == REST
    }

    /// Whether the flow ended before its horizon without rest: nothing is certified there.
    pub fn is_broken(&self) -> bool {
        !self.is_at_rest() && self.outcome != UNSETTLED
    }

    /// Without the certificates of a flow that broke.
    pub(super) fn judged(self) -> End {
        if self.is_broken() { End { conditions: vec![], adjoint: None, ..self } } else { self }
    }

    /// The number behind a condition.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.conditions.iter().find(|c| c.name == name)?.value
    }

    /// Names of the conditions that fail.
    pub fn failing(&self) -> Vec<&str> {
        self.conditions.iter().filter(|c| c.verdict == Verdict::Fails).map(|c| c.name.as_str()).collect()
    }
}
