//! From flows to a `Limit`.
//!
//! Maths: that of `series`.
//! Shapes: curves over the times that all flows reached.
//! Cost: linear in the curves.
//! Checked: `tests/limit.rs`, `tests/limit_finite.rs`.

use super::ladder::DEPTH;
use super::member::{Member, Particles};
use super::plan::Pilot;
use super::refine::Solver;
use super::sample::{Sample, sooner};
use super::series::{Band, CURVES, Pick, largest};
use super::{Limit, LimitError};
use crate::evolution::Outcome;

impl Solver<'_> {
    /// The atoms are the particles: only depth and time remain.
    pub(super) fn of_atoms(self) -> Result<Limit, LimitError> {
        let l = self.ladder;
        let sample = Sample {
            pilot: Pilot { widths: [self.problem.init.atoms; 3], ..Pilot::default() },
            net: Some(Member::new(self.problem, self.law, &Particles::Atoms, (DEPTH, l.steps))?.net),
            ..Sample::default()
        };
        let ended = l.all().into_iter().map(|t| t.outcome).filter(|o| *o != Outcome::Finished);
        let outcome = ended.min_by(sooner).unwrap_or(Outcome::Finished);
        let band = |pick: Pick| {
            let (depth, time) = (l.depth(pick), l.time(pick));
            let n = depth.len().min(time.len());
            Band::exact(&pick(&l.base.series)[..n], &depth[..n], &time[..n])
        };
        let kept = l.base.kept.clone();
        Ok(self.limit(band, sample, (outcome, l.reached()), kept, None))
    }

    pub(super) fn of_sample(self, sample: Sample, missing: Option<f64>) -> Limit {
        let (ladder, outcome) = (self.ladder, sample.outcome());
        let reached = sample.reached().min(ladder.reached());
        let kept = sample.kept.clone();
        let predicted = missing.map(|m| m + self.spent());
        let bands = CURVES.map(|p| sample.band(p, ladder));
        let mut bands = bands.into_iter();
        self.limit(|_| bands.next().unwrap_or_default(), sample, (outcome, reached), kept, predicted)
    }

    fn limit(
        self,
        mut band: impl FnMut(Pick) -> Band,
        sample: Sample,
        (outcome, reached): (Outcome, usize),
        kept: Vec<(f64, Vec<f64>)>,
        predicted: Option<f64>,
    ) -> Limit {
        let s = self.settings;
        let (risk, objective, moment, outputs) = CURVES.map(&mut band).into();
        let totals: Vec<f64> = (0..risk.value.len()).map(|i| risk.total(i)).collect();
        let error = largest(&totals, &risk.value, s.floor);
        let enough = reached == s.taus.len() && error <= s.rtol;
        let ended = self.ladder.base.outcome;
        let outcome = if outcome == Outcome::Finished { ended } else { outcome };
        let net = sample.net;
        let snapshots = kept.into_iter().filter_map(|(t, beta)| net.clone().map(|n| (t, n, beta))).collect();
        Limit {
            taus: s.taus[..reached].to_vec(),
            reached: enough,
            risk,
            objective,
            moment,
            outputs,
            rtol: s.rtol,
            error,
            stopped: s.is_stopped() && !enough,
            outcome,
            strong: self.ladder.strong,
            witness: self.ladder.witness_error(s.floor),
            size: (sample.pilot.widths[0], sample.levels[0].len().max(1), self.ladder.steps),
            tolerance: self.ladder.tolerance,
            work: self.work,
            seconds: self.begun.elapsed().as_secs_f64(),
            predicted,
            snapshots,
        }
    }
}
