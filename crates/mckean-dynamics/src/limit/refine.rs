//! The solver's loop: a pilot, a prediction, then as many particles and replicates as the tolerance needs or the budget allows.
//!
//! Maths: independent scramblings of a coarse flow, a few of its differences to the fine one, and a few of whole to half sets of particles
//! give a 95 % interval (Stein's two stages); the error of N particles falls as N^-1/2 (measured, no
//! better is assumed). DERIVED.
//! Shapes: see `Limit`.
//! Cost: N particles, each evaluated once a velocity call; two calls a coarse step.
//! Checked: `tests/limit.rs`.

use super::ladder::{Ladder, risk};
use super::plan::{self, Levels, MANY, WIDEST};
use super::sample::Sample;
use super::series::{Band, largest};
use super::{Limit, LimitError, PATIENCE, Problem, Settings, Source, grid, setting};
use mckean_model::Law;
use mckean_num::par::Par;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// How many times more particles a slice are taken when too many replicates are needed.
const WIDER: usize = 4;
/// Share of the tolerance that is for particles in a forecast.
const PARTICLES: f64 = 0.6;

/// Solves for the limit.
///
/// # Errors
/// Bad settings, models without a limit, laws without an inverse; stopped before there is a curve. A flow that ends early or a
/// tolerance that is not reached is in the result, not an error.
pub fn solve(
    problem: &Problem,
    settings: &Settings,
    par: &Par,
    say: &mut dyn FnMut(&str),
) -> Result<Limit, LimitError> {
    let begun = Instant::now();
    let patience = PATIENCE.0 * settings.budget + PATIENCE.1;
    let deadline = Duration::try_from_secs_f64(patience).ok().and_then(|d| begun.checked_add(d));
    let settings = &Settings { deadline, ..settings.clone() };
    settings.check()?;
    problem.check()?;
    let law = problem.law()?;
    let atoms = match settings.source {
        Source::Grid => return grid::solve(problem, &law, settings, par, say),
        Source::Auto => problem.init.atoms > 0,
        Source::Atoms if problem.init.atoms == 0 => {
            return Err(setting(
                "method",
                "\"atoms\"",
                "the law has no atoms. Set init.atoms or init.particles, or use \"rqmc\".",
            ));
        }
        Source::Rqmc if problem.init.atoms > 0 => {
            return Err(setting(
                "method",
                "\"rqmc\"",
                "a law of atoms is solved exactly. Use \"auto\", or leave out init.atoms and init.particles.",
            ));
        }
        given => given == Source::Atoms,
    };
    if !atoms {
        plan::check(settings, &law)?;
    }
    say("depth and time steps");
    let ladder = Ladder::settle(problem, &law, settings, atoms, par, say)?;
    let solver = Solver { problem, settings, law: &law, par, ladder: &ladder, work: ladder.work, begun };
    if atoms { solver.of_atoms() } else { solver.of_law(say) }
}

pub(super) struct Solver<'a> {
    pub problem: &'a Problem,
    pub settings: &'a Settings,
    pub law: &'a Law,
    pub par: &'a Par,
    pub ladder: &'a Ladder,
    pub work: f64,
    pub begun: Instant,
}

impl Solver<'_> {
    pub fn spent(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// Relative errors of R: particles (with bias), depth and time.
    fn errors(&self, band: &Band) -> (f64, f64) {
        let floor = self.settings.floor;
        let n = band.value.len();
        let particle: Vec<f64> = (0..n).map(|i| band.particle[i].hypot(band.bias[i])).collect();
        let rest: Vec<f64> = (0..n).map(|i| band.depth[i] + band.time[i]).collect();
        (largest(&particle, &band.value, floor), largest(&rest, &band.value, floor))
    }

    fn of_law(mut self, say: &mut dyn FnMut(&str)) -> Result<Limit, LimitError> {
        let mut sample = self.pilot(say)?;
        if sample.levels[0].len() < 2 || sample.levels[2].len() < 2 {
            return Err(self.settings.early(None));
        }
        loop {
            let band = sample.band(risk, self.ladder);
            let goal = match self.goal(&sample, &band) {
                ControlFlow::Continue(goal) => goal,
                ControlFlow::Break(predicted) => return self.of_sample(sample, predicted),
            };
            let (cost, done, left) = (self.cost(&sample), sample.flows(), self.settings.left(self.begun));
            let spread = sample.spreads(risk, &band.value, self.settings.floor);
            let wanted = plan::at_least(plan::numbers(spread, cost, goal), [done[0] + 1, done[1], done[2]]);
            if wanted[0] > MANY && self.widen(&mut sample, cost, left, say)? {
                continue;
            }
            let (now, all) = plan::within(wanted, done, cost, left);
            if now[0] == done[0] {
                return self.of_sample(sample, Some(all));
            }
            say(&format!("{} replicates of {} particles a slice", now[0], sample.pilot.widths[0]));
            self.extend(&mut sample, now)?;
            if now != wanted && !self.settings.is_stopped() {
                return self.of_sample(sample, Some((all - left).max(0.0)));
            }
        }
    }

    /// The half width that particles must reach; or that nothing more can be done, with the seconds it would take if it is not reached.
    fn goal(&self, sample: &Sample, band: &Band) -> ControlFlow<Option<f64>, f64> {
        let (particle, rest) = self.errors(band);
        let target = self.settings.rtol - rest;
        let complete = sample.reached() == self.settings.taus.len() && !band.value.is_empty();
        if !complete || particle <= target || target <= 0.0 {
            let missing = target <= 0.0 && complete;
            return ControlFlow::Break(missing.then(|| self.spent() + self.needed(sample, band)));
        }
        ControlFlow::Continue(0.98 * target)
    }

    /// Seconds of the flows that most of the tolerance takes, where depth or time have used it up.
    fn needed(&self, sample: &Sample, band: &Band) -> f64 {
        let spread = sample.spreads(risk, &band.value, self.settings.floor);
        plan::seconds(plan::numbers(spread, self.cost(sample), PARTICLES * self.settings.rtol), self.cost(sample))
    }

    /// Replaces replicates by a pilot of wider ones, if there is time for several of them; corrections stay.
    fn widen(
        &mut self,
        sample: &mut Sample,
        cost: Levels<f64>,
        left: f64,
        say: &mut dyn FnMut(&str),
    ) -> Result<bool, LimitError> {
        let (width, flows) = (WIDER * sample.pilot.widths[0], sample.pilot.flows[0]);
        if width > WIDEST || (4 * WIDER * flows) as f64 * cost[0] > left {
            return Ok(false);
        }
        say(&format!("pilot of {width} particles a slice"));
        let narrow = (sample.pilot.widths[0], std::mem::take(&mut sample.levels[0]));
        sample.pilot.widths[0] = width;
        self.extend(sample, plan::at_least(sample.flows(), [flows, 0, 0]))?;
        if sample.levels[0].len() < flows {
            (sample.pilot.widths[0], sample.levels[0]) = narrow; // stopped
        }
        Ok(true)
    }

    /// Seconds of one group, by level, all threads busy.
    fn cost(&self, sample: &Sample) -> Levels<f64> {
        sample.seconds().map(|one| (one / self.par.threads() as f64).max(1e-9))
    }
}
