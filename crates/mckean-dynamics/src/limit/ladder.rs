//! Depth steps and time tolerance, settled on a small system whose particles are the same at every depth.
//!
//! Maths: depth error |R_2S - R_S|, time error |R_tol - R_tol/10|, both on the same particles, where nothing else differs; Gauss
//! collocation on the same particles is an independent witness. DERIVED; the orders are those of `mckean_model::depth`.
//! Shapes: curves over the asked times.
//! Cost: some flows of `SHARED` particles a slice.
//! Checked: `tests/limit.rs` (against finer ladders and the splitting network).

use super::member::{Member, Particles, Trace, traces};
use super::series::{Pick, Series, gap, largest};
use super::{LimitError, Problem, Settings};
use mckean_model::{DepthMethod, Law};
use mckean_num::par::Par;
use std::time::Instant;

/// Particles a slice of the small system.
const SHARED: usize = 128;
/// Shares of the tolerance that depth and time may use.
const DEPTH_SHARE: f64 = 0.25;
const TIME_SHARE: f64 = 0.1;
/// Most depth steps, smallest tolerance of time steps.
const MOST_STEPS: usize = 32;
const LEAST_TOLERANCE: f64 = 1e-12;

/// What was settled.
pub(super) struct Ladder {
    pub steps: usize,
    pub tolerance: f64,
    /// Depth errors did not fall.
    pub strong: bool,
    /// At `steps` and a tenth of `tolerance`, with twice the steps, at `tolerance`.
    pub base: Trace,
    pub finer: Trace,
    pub looser: Trace,
    pub witness: Trace,
    pub work: f64,
}

/// Particles of the small system.
pub(super) fn particles(atoms: bool, seed: u64) -> Particles {
    if atoms { Particles::Atoms } else { Particles::Sobol { seed, base: 0..SHARED / 2, shared: true } }
}

impl Ladder {
    /// Refines depth and time until their shares of the tolerance are met, half the budget is spent, or nothing more helps.
    pub fn settle(
        problem: &Problem,
        law: &Law,
        settings: &Settings,
        atoms: bool,
        par: &Par,
    ) -> Result<Ladder, LimitError> {
        let (begun, mut work) = (Instant::now(), 0.0);
        let (mut steps, mut tolerance, mut before, mut strong) = (1, 0.1 * settings.rtol, f64::INFINITY, false);
        loop {
            let rung = Rung { problem, law, settings, atoms, par };
            let mut all = rung.run(steps, tolerance)?;
            work += all.iter().map(|(t, visits)| t.gradients as f64 * visits).sum::<f64>();
            let mut next = || all.remove(0).0;
            let (base, finer, looser, witness) = (next(), next(), next(), next());
            let ladder = Ladder { steps, tolerance, strong, base, finer, looser, witness, work };
            let (depth, time) = (ladder.depth_error(settings.floor), ladder.time_error(settings.floor));
            let spent = begun.elapsed().as_secs_f64() > 0.5 * settings.budget;
            let (deep, timely) = (depth <= DEPTH_SHARE * settings.rtol, time <= TIME_SHARE * settings.rtol);
            if (deep && timely) || spent || !ladder.complete(settings) {
                return Ok(ladder);
            }
            if !timely && tolerance > LEAST_TOLERANCE {
                tolerance *= 0.1;
            } else if !deep && steps < MOST_STEPS {
                strong |= depth > 0.5 * before;
                (before, steps) = (depth, 2 * steps);
            } else {
                return Ok(ladder);
            }
        }
    }

    fn complete(&self, settings: &Settings) -> bool {
        [&self.base, &self.finer, &self.looser].iter().all(|t| t.series.len() == settings.taus.len())
    }

    /// Depth errors of a curve.
    pub fn depth(&self, pick: Pick) -> Vec<f64> {
        gap(pick(&self.base.series), pick(&self.finer.series))
    }

    /// Time errors of a curve.
    pub fn time(&self, pick: Pick) -> Vec<f64> {
        gap(pick(&self.base.series), pick(&self.looser.series))
    }

    fn relative(&self, error: &[f64], floor: f64) -> f64 {
        largest(error, &self.base.series.risk, floor)
    }

    fn depth_error(&self, floor: f64) -> f64 {
        self.relative(&self.depth(risk), floor)
    }

    fn time_error(&self, floor: f64) -> f64 {
        self.relative(&self.time(risk), floor)
    }

    /// Difference to Gauss collocation.
    pub fn witness_error(&self, floor: f64) -> f64 {
        self.relative(&gap(&self.base.series.risk, &self.witness.series.risk), floor)
    }

    /// Times that all flows reached.
    pub fn reached(&self) -> usize {
        [&self.base, &self.finer, &self.looser].iter().map(|t| t.series.len()).min().unwrap_or(0)
    }
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
}

impl Rung<'_> {
    /// Base, finer, looser, witness, each with particles times evaluations of one velocity call.
    fn run(&self, steps: usize, tolerance: f64) -> Result<Vec<(Trace, f64)>, LimitError> {
        let (rk4, gauss) = (DepthMethod::Rk4, DepthMethod::Gauss2);
        let cases = [(rk4, steps, 0.1), (rk4, 2 * steps, 0.1), (rk4, steps, 1.0), (gauss, steps, 0.1)];
        let own = particles(self.atoms, self.settings.seed);
        let make = |&(method, steps, _): &(DepthMethod, usize, f64)| Member::new(self.problem, self.law, &own, (method, steps));
        let members = cases.iter().map(make).collect::<Result<Vec<Member>, LimitError>>()?;
        let tolerances: Vec<f64> = cases.iter().map(|c| c.2 * tolerance).collect();
        let times = (&self.settings.taus[..], &self.settings.snapshots[..]);
        let all = traces(self.problem, &members, times, &tolerances, self.par)?;
        Ok(all.into_iter().zip(&members).map(|(t, m)| (t, visits(m))).collect())
    }
}

/// Particles times evaluations of the field in one pass.
pub(super) fn visits(member: &Member) -> f64 {
    let c = &member.net.config;
    let each = c.depth_method.stages().map_or(1, |s| s.b.len());
    (c.heads * c.depth * each) as f64
}
