//! The solver's loop: a pilot, a prediction, then as many particles and replicates as the tolerance needs or the budget allows.
//!
//! Maths: independent scramblings give a 95 % interval (Student's law); half sets, paired with whole ones, show the bias of finitely
//! many particles; the error of N particles in all falls as N^-1/2 (measured, no better is assumed). DERIVED.
//! Shapes: see `Limit`.
//! Cost: N particles times 4/3 evaluations times velocity calls; half sets add half of that for four replicates.
//! Checked: `tests/limit.rs`.

use super::ladder::{Ladder, risk, visits};
use super::member::{Member, Particles, Trace, traces};
use super::series::{Band, Pick, Series, largest};
use super::statistics::student;
use super::{Limit, LimitError, Problem, Settings, Source, points, setting};
use crate::evolution::Outcome;
use mckean_engine::Network;
use mckean_model::{DepthMethod, Law};
use mckean_num::par::Par;
use std::sync::Arc;
use std::time::Instant;

/// Particles a slice and replicates of the pilot; an eighth of the particles for loose tolerances.
const PILOT: (usize, usize) = (256, 8);
/// Replicates of everything after the pilot: Student's factor falls to 2.13, and half sets cost a quarter.
const LEAST: usize = 16;
/// Most particles a slice, most replicates.
const WIDEST: usize = 4096;
const MOST_REPLICATES: usize = 512;
/// Replicates whose half sets are followed too.
const HALVED: usize = 4;

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

struct Solver<'a> {
    problem: &'a Problem,
    settings: &'a Settings,
    law: &'a Law,
    par: &'a Par,
    ladder: &'a Ladder,
    work: f64,
    begun: Instant,
}

/// Replicates of one size, with their half sets.
#[derive(Default)]
struct Sample {
    width: usize,
    whole: Vec<Trace>,
    halves: Vec<[Trace; 2]>,
    net: Option<Arc<Network>>,
}

impl Sample {
    fn traces(&self) -> impl Iterator<Item = &Trace> {
        self.whole.iter().chain(self.halves.iter().flatten())
    }

    /// Times that every flow reached.
    fn reached(&self) -> usize {
        self.traces().map(|t| t.series.len()).min().unwrap_or(0)
    }

    /// The first flow that ended early.
    fn outcome(&self) -> Outcome {
        self.traces().map(|t| t.outcome).filter(|o| *o != Outcome::Finished).min_by(sooner).unwrap_or(Outcome::Finished)
    }

    fn band(&self, pick: Pick, ladder: &Ladder) -> Band {
        let (mut depth, mut time) = (ladder.depth(pick), ladder.time(pick));
        let halves: Vec<Vec<f64>> = self.halves.iter().zip(&self.whole).map(|(h, w)| pairing(pick, h, w)).collect();
        let replicates: Vec<&[f64]> = self.whole.iter().map(|t| &pick(&t.series)[..]).collect();
        let shortest = replicates.iter().map(|r| r.len()).chain(halves.iter().map(Vec::len)).min().unwrap_or(0);
        let length = shortest.min(depth.len()).min(time.len());
        depth.truncate(length);
        time.truncate(length);
        Band::of(&replicates, &halves, &depth, &time)
    }
}

fn sooner(a: &Outcome, b: &Outcome) -> std::cmp::Ordering {
    a.tau().unwrap_or(f64::INFINITY).total_cmp(&b.tau().unwrap_or(f64::INFINITY))
}

/// Mean of the two half sets less the whole set.
fn pairing(pick: Pick, halves: &[Trace; 2], whole: &Trace) -> Vec<f64> {
    let (a, b) = (pick(&halves[0].series), pick(&halves[1].series));
    a.iter().zip(b).zip(pick(&whole.series)).map(|((a, b), w)| 0.5 * (a + b) - w).collect()
}

impl Solver<'_> {
    fn spent(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// The atoms are the particles: only depth and time remain.
    fn of_atoms(self) -> Result<Limit, LimitError> {
        let l = self.ladder;
        let sample = Sample {
            width: self.problem.init.atoms,
            net: Some(Member::new(self.problem, self.law, &Particles::Atoms, (DepthMethod::Rk4, l.steps))?.net),
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

    /// Runs replicates `from..to` of a width.
    fn extend(&mut self, sample: &mut Sample, replicates: usize) -> Result<(), LimitError> {
        let (from, k) = (sample.whole.len(), sample.width);
        let method = (DepthMethod::Rk4, self.ladder.steps);
        let of = |r: usize, base| Particles::Sobol { seed: seed(self.settings.seed, r), base, shared: false };
        let make = |p: &Particles| Member::new(self.problem, self.law, p, method);
        let half = k / 4; // base points of a half set; each gives two particles
        let mut which: Vec<Particles> = (from..replicates).map(|r| of(r, 0..2 * half)).collect();
        let halved: Vec<usize> = (sample.halves.len()..HALVED.min(replicates)).collect();
        which.extend(halved.iter().flat_map(|&r| [of(r, 0..half), of(r, half..2 * half)]));
        let mut all = vec![];
        for some in which.chunks(8 * self.par.threads()) {
            let members = some.iter().map(make).collect::<Result<Vec<Member>, LimitError>>()?;
            let keepers = usize::from(from == 0 && all.is_empty());
            let (times, tolerance) =
                ((&self.settings.taus[..], &self.settings.snapshots[..]), [(self.ladder.tolerance, 1)]);
            let found = traces(self.problem, &members, times, keepers, &tolerance, self.par)?;
            self.work += found.iter().zip(&members).map(|(t, m)| t.gradients as f64 * visits(m)).sum::<f64>();
            if sample.net.is_none() {
                sample.net = members.first().map(|m| m.net.clone());
            }
            all.extend(found);
        }
        let mut halves = all.split_off(replicates - from).into_iter();
        sample.whole.extend(all);
        while let (Some(a), Some(b)) = (halves.next(), halves.next()) {
            sample.halves.push([a, b]);
        }
        Ok(())
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
            let ratio = particle / target * student(LEAST - 1).min(student(reps - 1)) / student(reps - 1);
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
                sample = Sample { width, ..Sample::default() };
            }
            self.extend(&mut sample, next)?;
        }
    }

    fn of_sample(self, sample: Sample, missing: Option<f64>) -> Limit {
        let (ladder, outcome) = (self.ladder, sample.outcome());
        let reached = sample.reached().min(ladder.reached());
        let kept = sample.whole.first().map(|t| t.kept.clone()).unwrap_or_default();
        let predicted = missing.map(|m| m + self.spent());
        let bands = [risk, objective, moment, outputs].map(|p| sample.band(p, ladder));
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
        let (risk, objective, moment, outputs) = (band(risk), band(objective), band(moment), band(outputs));
        let totals: Vec<f64> = (0..risk.value.len()).map(|i| risk.total(i)).collect();
        let error = largest(&totals, &risk.value, s.floor);
        let ended = self.ladder.base.outcome;
        let outcome = if outcome == Outcome::Finished { ended } else { outcome };
        let net = sample.net;
        let snapshots = kept.into_iter().filter_map(|(t, beta)| net.clone().map(|n| (t, n, beta))).collect();
        Limit {
            taus: s.taus[..reached].to_vec(),
            reached: reached == s.taus.len() && error <= s.rtol,
            risk,
            objective,
            moment,
            outputs,
            rtol: s.rtol,
            error,
            outcome,
            strong: self.ladder.strong,
            witness: self.ladder.witness_error(s.floor),
            size: (sample.width, sample.whole.len().max(1), self.ladder.steps),
            tolerance: self.ladder.tolerance,
            work: self.work,
            seconds: self.begun.elapsed().as_secs_f64(),
            predicted,
            snapshots,
        }
    }
}

fn objective(s: &Series) -> &Vec<f64> {
    &s.objective
}

fn moment(s: &Series) -> &Vec<f64> {
    &s.moment
}

fn outputs(s: &Series) -> &Vec<f64> {
    &s.outputs
}

/// Seed of a replicate; the small system of the ladder has the bare one.
fn seed(root: u64, replicate: usize) -> u64 {
    mckean_num::rng::mix64(root.wrapping_add(1)).wrapping_add(replicate as u64 + 1)
}

/// What is run next.
struct Plan {
    width: usize,
    replicates: usize,
}

impl Plan {
    /// Particles a slice and replicates for `needed` particles in all, as far as `left` seconds go at `price` seconds a particle; and
    /// the seconds that all of them would take. After the pilot as wide as leaves `LEAST` replicates, then more of the same.
    fn new(needed: f64, (k, replicates): (usize, usize), price: f64, left: f64, widest: usize) -> (Plan, f64) {
        let mut width = k;
        while replicates == PILOT.1 && (2 * width * LEAST) as f64 <= needed && width < widest.min(2 * points::MOST) {
            width *= 2;
        }
        let wider = width > k;
        let (old, fixed) = if wider { (0, (width * HALVED) as f64) } else { (replicates, 0.0) };
        let wanted = ((needed / width as f64).ceil() as usize).max(if wider { LEAST } else { replicates + 1 });
        let affordable = ((left / price - fixed) / width as f64).floor().max(0.0) as usize + old;
        let all = price * ((width as f64) * (wanted - old) as f64 + fixed);
        (Plan { width, replicates: wanted.min(affordable).min(MOST_REPLICATES) }, all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_widen_after_the_pilot_continue_later_and_keep_to_the_budget() {
        let plan = |needed, at, left| {
            let (p, all) = Plan::new(needed, at, 1e-3, left, WIDEST);
            (p.width, p.replicates, all)
        };
        assert_eq!(plan(32_768.0, (256, 8), 1e6), (2048, 16, 1e-3 * (32_768.0 + 2048.0 * 4.0)));
        assert_eq!(plan(5_000.0, (256, 8), 1e6), (256, 20, 1e-3 * 256.0 * 12.0));
        assert_eq!(plan(50_000.0, (1024, 16), 1e6).0, 1024, "only the pilot is thrown away");
        assert_eq!(plan(5_000.0, (256, 8), 1.0).1, 11, "three more for a second");
        assert_eq!(plan(f64::INFINITY, (256, 8), 10.0).0, WIDEST);
    }
}
