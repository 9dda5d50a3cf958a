//! The solver's loop: a pilot, a prediction, then as many particles and replicates as the tolerance needs or the budget allows.
//!
//! Maths: independent scramblings of a coarse flow and a few of its differences to the fine one give a 95 % interval (Stein's two stages); half
//! sets, paired with whole ones, show the bias of finitely many particles; the error of N particles falls as N^-1/2 (measured, no
//! better is assumed). DERIVED.
//! Shapes: see `Limit`.
//! Cost: N particles, each evaluated once a velocity call; two calls a coarse step.
//! Checked: `tests/limit.rs`.

use super::ladder::{Ladder, risk};
use super::member::Trace;
use super::plan::{MANY, NARROW, PAIRS, PILOT, Plan, WIDEST};
use super::sample::Sample;
use super::series::{Band, largest};
use super::statistics::mean;
use super::{Limit, LimitError, Problem, Settings, Source, grid, setting};
use crate::evolution::Outcome;
use mckean_model::Law;
use mckean_num::par::Par;
use std::time::Instant;

/// How many times more particles a slice are taken when the narrow ones are too many or too biased.
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
        let width = NARROW[usize::from(self.settings.is_loose())];
        let mut sample = Sample { width, ..Sample::default() };
        self.pilot(&mut sample, say)?;
        if sample.whole.len() < 2 {
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
            let (floor, done) = (self.settings.floor, (sample.whole.len(), sample.pairs.len()));
            let bias = largest(&band.bias, &band.value, floor);
            let goal = 0.98 * (target * target - bias * bias).max(0.0).sqrt();
            let (spread, cost) = (sample.spreads(risk, &band.value, floor), self.cost(&sample));
            let left = self.settings.left(self.begun);
            let wanted = Plan::new(spread, cost, goal.max(1e-300)).at_least(done.0 + 1, done.1);
            let (plan, all) = wanted.within(done, cost, left);
            let pilot = WIDER as f64 * (PILOT as f64 * cost.0 + PAIRS as f64 * cost.1);
            if (wanted.replicates > MANY || goal < 0.7 * target) && sample.width * WIDER <= WIDEST && 4.0 * pilot < left
            {
                let mut wider = Sample { width: WIDER * sample.width, ..Sample::default() };
                self.pilot(&mut wider, say)?;
                if wider.whole.len() == PILOT {
                    sample = wider;
                }
                continue;
            }
            if plan.replicates == done.0 {
                return Ok(self.of_sample(sample, Some(all)));
            }
            say(&format!("{} replicates of {} particles a slice", plan.replicates, sample.width));
            self.extend(&mut sample, plan.replicates, plan.pairs)?;
            if plan != wanted && !self.settings.is_stopped() {
                return Ok(self.of_sample(sample, Some((all - left).max(0.0))));
            }
        }
    }

    /// The first replicates of a width; once stopped, the fine flows of the corrections, if there are no others.
    fn pilot(&mut self, sample: &mut Sample, say: &mut dyn FnMut(&str)) -> Result<(), LimitError> {
        say(&format!("pilot of {} particles a slice", sample.width));
        let fine = self.corrections(sample, None)?;
        let coarse = self.choose(sample, &fine)?;
        sample.pairs = coarse.into_iter().zip(fine.clone()).map(|(coarse, fine)| [coarse, fine]).collect();
        self.extend(sample, PILOT, sample.pairs.len())?;
        if sample.whole.len() < 2 {
            let (net, kept) = (sample.net.take(), std::mem::take(&mut sample.kept));
            *sample = Sample { width: sample.width, whole: fine, net, kept, ..Sample::default() };
        }
        Ok(())
    }

    /// As many coarse steps as make replicates cheapest, and the corrections' particles followed so; none where they do not pay.
    fn choose(&mut self, sample: &mut Sample, fine: &[Trace]) -> Result<Vec<Trace>, LimitError> {
        let calls = |t: &[Trace]| t.iter().map(|t| t.gradients as f64).sum::<f64>() / t.len() as f64;
        if fine.len() < PAIRS {
            return Ok(vec![]); // stopped
        }
        let (dear, spread) = (calls(fine), self.spread(fine, None));
        let (mut best, mut steps, mut found) = (dear * spread * spread, START, vec![]);
        loop {
            let tried = self.corrections(sample, Some(steps))?;
            if tried.len() < PAIRS {
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

    /// Seconds of one replicate and one correction, all threads busy.
    fn cost(&self, sample: &Sample) -> (f64, f64) {
        let (one, pair) = sample.seconds();
        let n = self.par.threads() as f64;
        ((one / n).max(1e-9), (pair / n).max(1e-9))
    }
}
