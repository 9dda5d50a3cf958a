//! The solver's loop: a pilot, a prediction, then as many particles and replicates as the tolerance needs or the budget allows.
//!
//! Maths: independent scramblings give a 95 % interval (Student's law, its error probability shared out over all looks); half sets, paired with whole ones, show the bias of finitely
//! many particles; the error of N particles in all falls as N^-1/2 (measured, no better is assumed). DERIVED.
//! Shapes: see `Limit`.
//! Cost: N particles times 4/3 evaluations times velocity calls; half sets add half of that for four replicates.
//! Checked: `tests/limit.rs`.

use super::ladder::{Ladder, risk};
use super::plan::{LEAST, PILOT, Plan, WIDEST};
use super::sample::{HALVED, Sample};
use super::series::{Band, largest};
use super::statistics::look;
use super::{Limit, LimitError, Problem, Settings, Source, grid, setting};
use mckean_model::Law;
use mckean_num::par::Par;
use std::time::Instant;

/// Solves for the limit.
///
/// # Errors
/// Bad settings, models without a limit, laws without an inverse. A flow that ends early or a tolerance that is not reached is in the
/// result, not an error.
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
            return Err(setting("method", "\"atoms\"", "the law has no atoms. Set init.atoms, or use \"rqmc\"."));
        }
        Source::Rqmc if problem.init.atoms > 0 => {
            return Err(setting(
                "method",
                "\"rqmc\"",
                "a law of atoms is solved exactly. Use \"auto\", or init.atoms = 0.",
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
        let width = if self.settings.is_loose() { PILOT.0 / 8 } else { PILOT.0 };
        let mut sample = Sample { width, ..Sample::default() };
        say("pilot");
        let mut clock = Instant::now();
        let mut done = 0;
        self.extend(&mut sample, PILOT.1)?;
        loop {
            let band = sample.band(risk, self.ladder);
            let (particle, rest) = self.errors(&band);
            let target = 0.9 * (self.settings.rtol - rest);
            let complete = sample.reached() == self.settings.taus.len() && !band.value.is_empty();
            if !complete || particle + rest <= self.settings.rtol || target <= 0.0 {
                let predicted = (target <= 0.0).then_some(f64::INFINITY);
                return Ok(self.of_sample(sample, predicted));
            }
            // seconds of one particle in one replicate, from what was just run
            let (k, reps) = (sample.width, sample.whole.len());
            let fresh = (k * (reps - done)) as f64 + if done == 0 { (k * HALVED) as f64 } else { 0.0 };
            let price = clock.elapsed().as_secs_f64() / fresh;
            let next = look(reps.max(LEAST) - 1, sample.looks + 1);
            let ratio = particle / target * next / look(reps - 1, sample.looks);
            let needed = (k * reps) as f64 * ratio.powi(2);
            let left = self.settings.budget - self.spent();
            let (mut plan, all) = Plan::new(needed, (k, reps), price, left, WIDEST);
            if plan.width > k && plan.replicates < PILOT.1 {
                plan = Plan::new(needed, (k, reps), price, left, k).0; // too wide for the budget: more of the same
            }
            let Plan { width, replicates: next } = plan;
            let old = if width > k { 0 } else { reps };
            if next <= old || next * width <= k * reps {
                return Ok(self.of_sample(sample, Some(all)));
            }
            say(&format!("{next} replicates of {width} particles a slice"));
            clock = Instant::now();
            done = old;
            if width > k {
                sample = Sample { width, looks: sample.looks, ..Sample::default() };
            }
            self.extend(&mut sample, next)?;
        }
    }
}
