//! Depth steps and time tolerance, settled on a small system whose particles are the same at every depth.
//!
//! Maths: Kutta's 3/8 rule in depth; depth error 4/3 |R_2S - R_S|, time error |R_tol - R_tol/10| (the latter with two steps at least between two times, so that it is
//! never the same steps), both on the same particles, where nothing else differs; Gauss
//! collocation on the same particles is an independent witness. DERIVED; the orders are those of `mckean_model::depth`.
//! Shapes: curves over the asked times.
//! Cost: some flows of `SHARED` particles a slice.
//! Checked: `tests/limit.rs` (against finer ladders and the splitting network).

use super::member::{Member, Particles, Stepping, Trace, traces};
use super::series::{Pick, Series, gap, largest};
use super::{LimitError, Problem, Settings};
use mckean_model::{DepthMethod, Law};
use mckean_num::par::Par;
use std::time::Instant;

/// Particles a slice of the small system; half of them does for loose tolerances.
const SHARED: usize = 64;
/// Every slice of a step is visited once: with particles of its own in every slice, the classical method, which visits its middle
/// slice twice, takes 1.6 times as much work for the same scatter.
pub(super) const DEPTH: DepthMethod = DepthMethod::Rk38;
/// Error of S steps over |R_S - R_2S|: at most this at order 2, which a law with a point inside a step has; 16/15 at order 4.
pub(super) const WHOLE: f64 = 4.0 / 3.0;
/// Shares of the tolerance that depth and time may use.
const DEPTH_SHARE: f64 = 0.25;
const TIME_SHARE: f64 = 0.1;
/// Share of the budget that depth and time may use where particles need the rest.
const LADDER_SHARE: f64 = 0.3;
/// Relative depth error of one step, and share left by doubling, from which on the regime is called strong.
const ROUGH: f64 = 3e-4;
const SLOW: f64 = 0.25;
/// Most depth steps, smallest tolerance of time steps, and the smallest that is tried first.
const MOST_STEPS: usize = 32;
const LEAST_TOLERANCE: f64 = 1e-12;
const FIRST_TOLERANCE: f64 = 1e-9;

/// What was settled.
pub(super) struct Ladder {
    pub steps: usize,
    pub tolerance: f64,
    /// See [`strong`].
    pub strong: bool,
    /// At `steps` and with twice the steps, both at a tenth of `tolerance`.
    pub base: Trace,
    pub finer: Trace,
    /// One step, at `tolerance` and at a tenth of it.
    timed: (Trace, Trace),
    /// Gauss collocation; none once stopped.
    witness: Option<Trace>,
    /// Velocity calls times evaluations.
    pub work: f64,
}

/// Particles of the small system.
fn particles(atoms: bool, settings: &Settings) -> Particles {
    let pairs = if settings.is_loose() { SHARED / 4 } else { SHARED / 2 };
    if atoms {
        Particles::Atoms
    } else {
        Particles::Sobol { seed: settings.seed, base: 0..pairs, shared: true, white: 0 }
    }
}

impl Ladder {
    /// Refines time, then depth, until their shares of the tolerance are met, their share of the budget would be spent, or nothing more helps.
    pub fn settle(
        problem: &Problem,
        law: &Law,
        settings: &Settings,
        atoms: bool,
        par: &Par,
        say: &mut dyn FnMut(&str),
    ) -> Result<Ladder, LimitError> {
        let mut rung = Rung { problem, law, settings, atoms, par, begun: Instant::now(), work: 0.0, furthest: None };
        let (kutta, gauss, floor) = (DEPTH, DepthMethod::Gauss2, settings.floor);
        let (looser, time, finer, tolerance) = rung.settle_time()?;
        let (mut base, mut finer, mut steps, mut errors) = (time.clone(), finer, 1, vec![]);
        loop {
            errors.push(largest(&gap(&base.series.risk, &finer.series.risk), &base.series.risk, floor));
            let error = WHOLE * errors[errors.len() - 1];
            if error <= DEPTH_SHARE * settings.rtol
                || steps >= MOST_STEPS
                || rung.is_dear(2.0 * finer.seconds)
                || rung.is_ended(&finer)
            {
                break;
            }
            say(&format!("{} depth steps", 4 * steps));
            let Some([more]) = rung.run([(kutta, 4 * steps, 0.1 * tolerance, 2)])? else { break };
            steps *= 2;
            base = std::mem::replace(&mut finer, more);
        }
        let witness = match settings.is_stopped() {
            true => None,
            false => rung.run([(gauss, steps, 0.1 * tolerance, 2)])?.map(|[t]| t),
        };
        let (strong, timed, work) = (false, (looser, time), rung.work);
        let ladder = Ladder { steps, tolerance, strong, base, finer, timed, witness, work };
        Ok(Ladder { strong: self::strong(&errors, ladder.witness_error(floor)), ..ladder })
    }

    /// Depth errors of a curve.
    pub fn depth(&self, pick: Pick) -> Vec<f64> {
        whole(gap(pick(&self.base.series), pick(&self.finer.series)))
    }

    /// Time errors of a curve.
    pub fn time(&self, pick: Pick) -> Vec<f64> {
        gap(pick(&self.timed.0.series), pick(&self.timed.1.series))
    }

    /// Difference to Gauss collocation; not a number without it.
    pub fn witness_error(&self, floor: f64) -> f64 {
        let base = &self.base.series.risk;
        self.witness.as_ref().map_or(f64::NAN, |w| largest(&gap(base, &w.series.risk), base, floor))
    }

    /// The flows that the errors come from.
    pub fn all(&self) -> [&Trace; 4] {
        [&self.base, &self.finer, &self.timed.0, &self.timed.1]
    }

    /// Whether all flows reached all times.
    pub fn is_complete(&self, settings: &Settings) -> bool {
        self.reached() == settings.taus.len()
    }

    /// Times that all flows reached.
    pub fn reached(&self) -> usize {
        self.all().iter().map(|t| t.series.len()).min().unwrap_or(0)
    }
}

/// Errors from differences to twice the steps.
pub(super) fn whole(gaps: Vec<f64>) -> Vec<f64> {
    gaps.into_iter().map(|x| WHOLE * x).collect()
}

/// Whether particles separate quickly along depth, from the errors of 1, 2, 4 ... steps and the difference to Gauss collocation. One
/// step errs by 1e-5 or less where the flow is smooth (measured), and each doubling divides the error by 16 there.
pub(super) fn strong(errors: &[f64], apart: f64) -> bool {
    let slow = |w: &[f64]| w[1] > SLOW * w[0] && w[1] > 1e-9;
    errors.first().is_some_and(|e| *e > ROUGH) || apart > ROUGH || errors.windows(2).any(slow)
}

pub(super) fn risk(s: &Series) -> &Vec<f64> {
    &s.risk
}

struct Rung<'a> {
    problem: &'a Problem,
    law: &'a Law,
    settings: &'a Settings,
    atoms: bool,
    par: &'a Par,
    begun: Instant,
    work: f64,
    /// Training time at which flows were given up.
    furthest: Option<f64>,
}

/// Depth method, its steps, tolerance in training time, least steps between two times.
type Case = (DepthMethod, usize, f64, usize);

impl Rung<'_> {
    /// Flows of one depth step at a tolerance and a tenth of it, and of two steps at the tenth, with a tolerance that meets its share.
    fn settle_time(&mut self) -> Result<(Trace, Trace, Trace, f64), LimitError> {
        let (rtol, floor) = (self.settings.rtol, self.settings.floor);
        let (mut tolerance, mut found) = ((0.1 * rtol).max(FIRST_TOLERANCE), None);
        loop {
            let (now, fine) = (tolerance, 0.1 * tolerance);
            let Some([looser, base, finer]) =
                self.run([(DEPTH, 1, now, 1), (DEPTH, 1, fine, 2), (DEPTH, 2, fine, 2)])?
            else {
                break;
            };
            let error = largest(&gap(&base.series.risk, &looser.series.risk), &base.series.risk, floor);
            let more = 2.0 * (looser.seconds + base.seconds + finer.seconds);
            let last = error <= TIME_SHARE * rtol
                || tolerance <= LEAST_TOLERANCE
                || self.is_ended(&base)
                || self.is_dear(more);
            found = Some((looser, base, finer, tolerance));
            if last {
                break;
            }
            tolerance *= 0.1;
        }
        found.ok_or_else(|| self.settings.early(self.furthest))
    }

    /// Whether flows of so many seconds do not fit into what remains of the budget (for laws without atoms, of a share of it).
    fn is_dear(&self, seconds: f64) -> bool {
        let share = if self.atoms { 1.0 } else { LADDER_SHARE };
        let spent = self.begun.elapsed().as_secs_f64();
        spent + seconds > share * self.settings.budget || self.settings.is_stopped()
    }

    /// Follows the small system in several discretisations at once; none if they were given up.
    fn run<const N: usize>(&mut self, cases: [Case; N]) -> Result<Option<[Trace; N]>, LimitError> {
        let own = particles(self.atoms, self.settings);
        let make = |c: &Case| Member::new(self.problem, self.law, &own, (c.0, c.1));
        let members = cases.iter().map(make).collect::<Result<Vec<Member>, LimitError>>()?;
        let steppings = cases.map(|c| Stepping::Adaptive(c.2, c.3));
        let all = traces(self.problem, &members, self.settings, &steppings, self.par)?;
        self.work += all.iter().zip(&members).map(|(t, m)| t.gradients as f64 * visits(m)).sum::<f64>();
        if let Some(t) = all.iter().find(|t| t.outcome.is_stopped()) {
            self.furthest = t.outcome.tau();
            return Ok(None);
        }
        Ok(all.try_into().ok())
    }

    fn is_ended(&self, trace: &Trace) -> bool {
        trace.series.len() < self.settings.taus.len()
    }
}

/// Particles times evaluations of the field in one pass.
pub(super) fn visits(member: &Member) -> f64 {
    let c = &member.net.config;
    let each = c.depth_method.stages().map_or(1, |s| s.b.len());
    (c.heads * c.depth * each) as f64
}
