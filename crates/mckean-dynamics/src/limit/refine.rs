//! The solver's loop: a pilot, a prediction, then as many particles and replicates as the tolerance needs or the budget allows.
//!
//! Maths: independent scramblings of a coarse flow, a few of its differences to the fine one, and a few of whole to half sets of particles
//! give a 95 % interval (Stein's two stages); the error of N particles falls as N^-1/2 (measured, no
//! better is assumed). DERIVED.
//! Shapes: see `Limit`.
//! Cost: N particles, each evaluated once a velocity call; two calls a coarse step.
//! Checked: `tests/limit.rs`.

use super::ladder::{Ladder, risk};
use super::member::Trace;
use super::plan::{self, Levels, MANY, Pilot, WIDEST};
use super::sample::Sample;
use super::series::{Band, largest};
use super::statistics::mean;
use super::{Limit, LimitError, Problem, Settings, Source, grid, setting};
use crate::evolution::Outcome;
use mckean_model::Law;
use mckean_num::par::Par;
use std::time::Instant;

/// How many times more particles a slice are taken when too many replicates are needed.
const WIDER: usize = 4;

/// Coarse steps that are tried first, and the most of them.
const START: usize = 4;
const MOST: usize = 64;

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
    let ladder = Ladder::settle(problem, &law, settings, atoms, par)?;
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
        if sample.levels[0].len() < 2 {
            return Err(LimitError::Stopped);
        }
        loop {
            let band = sample.band(risk, self.ladder);
            let (particle, rest) = self.errors(&band);
            let target = self.settings.rtol - rest;
            let complete = sample.reached() == self.settings.taus.len() && !band.value.is_empty();
            if !complete || particle <= target || target <= 0.0 {
                let predicted = (target <= 0.0).then_some(f64::INFINITY);
                return Ok(self.of_sample(sample, predicted));
            }
            let (cost, done, left) = (self.cost(&sample), sample.flows(), self.settings.left(self.begun));
            let spread = sample.spreads(risk, &band.value, self.settings.floor);
            let [whole, steps, bias] = done;
            let wanted = plan::at_least(plan::numbers(spread, cost, 0.98 * target), [whole + 1, steps, bias]);
            if wanted[0] > MANY && self.widen(&mut sample, cost, left, say)? {
                continue;
            }
            let (now, all) = plan::within(wanted, done, cost, left);
            if now[0] == whole {
                return Ok(self.of_sample(sample, Some(all)));
            }
            say(&format!("{} replicates of {} particles a slice", now[0], sample.pilot.widths[0]));
            self.extend(&mut sample, now)?;
            if now != wanted && !self.settings.is_stopped() {
                return Ok(self.of_sample(sample, Some((all - left).max(0.0))));
            }
        }
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

    /// The first replicates and corrections; once stopped, the fine flows of the corrections, if there are no others.
    fn pilot(&mut self, say: &mut dyn FnMut(&str)) -> Result<Sample, LimitError> {
        let (pilot, white) = plan::pilot(self.settings, self.law);
        say(&format!("pilot of {} particles a slice", pilot.widths[0]));
        let mut sample = Sample { pilot, white, ..Sample::default() };
        let fine = self.corrections(&mut sample, None)?;
        let coarse = self.choose(&mut sample, &fine)?;
        sample.levels[1] = coarse.into_iter().zip(fine.clone()).map(|(coarse, fine)| vec![coarse, fine]).collect();
        sample.pilot = self.affordable(&sample, &fine);
        let (flows, [_, steps, _]) = (sample.pilot.flows, sample.flows());
        self.extend(&mut sample, [flows[0], steps, flows[2]])?;
        if sample.levels[0].len() < 2 {
            sample.pilot.widths[0] = sample.pilot.widths[1];
            sample.levels[0] = fine.into_iter().map(|t| vec![t]).collect();
            sample.levels[1].clear();
        }
        Ok(sample)
    }

    /// The pilot, or one of fewer particles where it would take half of the time that is left.
    fn affordable(&self, sample: &Sample, fine: &[Trace]) -> Pilot {
        let cheap = |group: &Vec<Trace>| group[0].seconds;
        let mut first: Vec<f64> = sample.levels[1].iter().map(cheap).collect();
        if first.is_empty() {
            first = fine.iter().map(|t| t.seconds).collect();
        }
        let one = mean(&first).0 / sample.pilot.widths[1] as f64 / self.par.threads() as f64;
        let Pilot { widths, flows } = sample.pilot;
        let all = one * (widths[0] * flows[0] + 2 * widths[2] * flows[2]) as f64;
        let dear = 2.0 * all > self.settings.left(self.begun);
        if dear && widths[0] > plan::FEW {
            Pilot { widths: [plan::FEW, widths[1], widths[2]], flows: [2 * flows[0], flows[1], flows[2]] }
        } else {
            sample.pilot
        }
    }

    /// As many coarse steps as make replicates cheapest, and the corrections' particles followed so; none where they do not pay.
    fn choose(&mut self, sample: &mut Sample, fine: &[Trace]) -> Result<Vec<Trace>, LimitError> {
        let calls = |t: &[Trace]| t.iter().map(|t| t.gradients as f64).sum::<f64>() / t.len() as f64;
        if fine.len() < sample.pilot.flows[1] {
            return Ok(vec![]); // stopped
        }
        let (dear, spread) = (calls(fine), self.spread(fine, None));
        let (mut best, mut steps, mut found) = (dear * spread * spread, START, vec![]);
        loop {
            let tried = self.corrections(sample, Some(steps))?;
            if tried.len() < fine.len() {
                break; // stopped
            }
            let (cheap, apart) = (calls(&tried), self.spread(fine, Some(&tried)));
            let (own, other) = (cheap.sqrt() * spread, (cheap + dear).sqrt() * apart);
            let price = (own + other).powi(2);
            if price.is_nan() || price >= best {
                break;
            }
            best = price;
            found = tried;
            sample.coarse = Some(steps);
            steps = if other < 0.4 * own { steps / 2 } else { 2 * steps };
            if steps == 0 || steps > MOST {
                break;
            }
        }
        Ok(found)
    }

    /// Largest standard error of R over the replicates, relative; of its difference to `other` flows of the same particles.
    fn spread(&self, traces: &[Trace], other: Option<&[Trace]>) -> f64 {
        let ended = |t: &Trace| t.outcome != Outcome::Finished;
        if traces.iter().chain(other.unwrap_or_default()).any(ended) {
            return f64::INFINITY;
        }
        let at = |k: usize, i: usize| traces[k].series.risk[i] - other.map_or(0.0, |o| o[k].series.risk[i]);
        let error = |i: usize| mean(&(0..traces.len()).map(|k| at(k, i)).collect::<Vec<f64>>()).1;
        let value = &traces[0].series.risk;
        largest(&(0..value.len()).map(error).collect::<Vec<f64>>(), value, self.settings.floor)
    }

    /// Seconds of one group, by level, all threads busy.
    fn cost(&self, sample: &Sample) -> Levels<f64> {
        sample.seconds().map(|one| (one / self.par.threads() as f64).max(1e-9))
    }
}
