//! From flows to a `Limit`.
//!
//! Maths: that of `series`.
//! Shapes: curves over the times that all flows reached.
//! Cost: linear in the curves; one more flow for the snapshots.
//! Checked: `tests/limit.rs`, `tests/limit_finite.rs`.

use super::ladder::{risk, visits};
use super::member::{Member, Particles, trace_unless};
use super::plan::Pilot;
use super::refine::Solver;
use super::sample::{Sample, sooner};
use super::series::{Band, CURVES, Pick, largest};
use super::snapshot::{self, Snapshot};
use super::{Limit, LimitError};
use crate::evolution::Outcome;

/// Least tolerance of the time steps of particles that are kept.
const SNAPSHOT: f64 = 1e-4;
/// Velocity calls of their flow over those of a coarse one, about; fewest particles a slice.
const CALLS: f64 = 5.0;
const LEAST: usize = 64;

impl Solver<'_> {
    /// The atoms are the particles: only depth and time remain.
    pub(super) fn of_atoms(mut self) -> Result<Limit, LimitError> {
        let l = self.ladder;
        let sample =
            Sample { pilot: Pilot { widths: [self.problem.init.atoms; 3], ..Pilot::default() }, ..Sample::default() };
        let ended = l.all().into_iter().map(|t| t.outcome).filter(|o| *o != Outcome::Finished);
        let outcome = ended.min_by(sooner).unwrap_or(Outcome::Finished);
        let band = |pick: Pick| {
            let (depth, time) = (l.depth(pick), l.time(pick));
            let n = depth.len().min(time.len());
            Band::exact(&pick(&l.base.series)[..n], &depth[..n], &time[..n])
        };
        let snapshots = self.snapshots(&Particles::Atoms, l.tolerance)?;
        let predicted = self.predicted();
        Ok(self.limit(band, sample, (outcome, l.reached()), snapshots, predicted))
    }

    /// Seconds that atoms need for the tolerance: every doubling of the depth steps divides the error by 16 and doubles the work.
    fn predicted(&self) -> Option<f64> {
        let (l, s) = (self.ladder, self.settings);
        let error = |e: &[f64]| largest(e, &l.base.series.risk, s.floor);
        let (depth, time) = (error(&l.depth(risk)), error(&l.time(risk)));
        let more = (depth / (s.rtol - time).max(0.1 * s.rtol)).log(16.0).ceil().max(0.0);
        (depth + time > s.rtol && l.is_complete(s)).then(|| self.spent() * 2f64.powf(more.max(1.0)))
    }

    pub(super) fn of_sample(mut self, sample: Sample, missing: Option<f64>) -> Result<Limit, LimitError> {
        let (ladder, outcome) = (self.ladder, sample.outcome());
        let reached = sample.reached().min(ladder.reached());
        let snapshots = self.snapshots(&self.some_of(&sample), self.ladder.tolerance.max(SNAPSHOT))?;
        let predicted = missing.map(|m| m + self.spent());
        let bands = CURVES.map(|p| sample.band(p, ladder));
        let mut bands = bands.into_iter();
        Ok(self.limit(|_| bands.next().unwrap_or_default(), sample, (outcome, reached), snapshots, predicted))
    }

    /// Particles that stand for the law in snapshots: as many as there is time for.
    fn some_of(&self, sample: &Sample) -> Particles {
        let widest = sample.pilot.widths[0];
        let calls = CALLS * self.depth_of_snapshots() as f64 / self.ladder.steps as f64;
        let seconds = |k: &usize| sample.seconds()[0] * calls * *k as f64 / widest as f64;
        let fits = |k: &usize| *k <= LEAST || seconds(k) <= snapshot::SHARE * self.spent();
        self.some(sample, std::iter::successors(Some(widest), |k| Some(k / 2)).find(fits).unwrap_or(LEAST))
    }

    fn depth_of_snapshots(&self) -> usize {
        snapshot::steps(&self.settings.depths, self.ladder.steps).unwrap_or(self.ladder.steps)
    }

    /// The law at the times and depths asked for, from a flow of its own (none once stopped).
    fn snapshots(&mut self, particles: &Particles, tolerance: f64) -> Result<Vec<Snapshot>, LimitError> {
        let s = self.settings;
        if s.is_stopped() {
            return Ok(vec![]);
        }
        let member = Member::new(self.problem, self.law, particles, (snapshot::DEPTH, self.depth_of_snapshots()))?;
        let (times, stop) = ((&s.snapshots[..], &s.snapshots[..]), || s.is_stopped());
        let found = trace_unless(self.problem, (&member.net, &member.start), times, (tolerance, 1), &stop)?;
        self.work += found.gradients as f64 * visits(&member);
        Ok(found.kept.into_iter().map(|k| Snapshot::new(member.net.clone(), k, &s.depths)).collect())
    }

    fn limit(
        self,
        mut band: impl FnMut(Pick) -> Band,
        sample: Sample,
        (outcome, reached): (Outcome, usize),
        snapshots: Vec<Snapshot>,
        predicted: Option<f64>,
    ) -> Limit {
        let s = self.settings;
        let (risk, objective, moment, outputs) = CURVES.map(&mut band).into();
        let error = risk.relative(s.floor);
        let enough = reached == s.taus.len() && error <= s.rtol;
        let ended = self.ladder.base.outcome;
        let outcome = if outcome == Outcome::Finished { ended } else { outcome };
        Limit {
            taus: s.taus[..reached].to_vec(),
            reached: enough,
            risk,
            objective,
            moment,
            outputs,
            rtol: s.rtol,
            error,
            stopped: s.is_told() && !enough,
            outcome,
            energy: self.ladder.base.energy,
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
