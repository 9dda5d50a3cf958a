//! The first flows of a law: how coarse, how wide, how many.
//!
//! Maths: coarse steps are chosen by the price (sum of sqrt(cost x variance))^2 of a mean over both levels. DERIVED.
//! Shapes: see `sample`.
//! Cost: a fine flow a correction, coarse ones for each number of steps that is tried, then the replicates of the pilot.
//! Checked: `tests/limit.rs`.

use super::LimitError;
use super::member::Trace;
use super::plan::{self, Pilot};
use super::refine::Solver;
use super::sample::Sample;
use super::series::largest;
use super::statistics::mean;
use crate::evolution::Outcome;
use std::time::Instant;

/// Coarse steps that are tried first, and the most of them.
const START: usize = 4;
const MOST: usize = 64;

impl Solver<'_> {
    /// The first replicates and corrections, as far as they come until stopped.
    pub(super) fn pilot(&mut self, say: &mut dyn FnMut(&str)) -> Result<Sample, LimitError> {
        let (pilot, white) = plan::pilot(self.settings, self.law);
        say(&format!("pilot of {} particles a slice", pilot.widths[0]));
        let mut sample = Sample { pilot, white, ..Sample::default() };
        let fine = self.corrections(&sample, None)?;
        let coarse = self.choose(&mut sample, &fine)?;
        sample.pilot = self.affordable(&sample, coarse.first().or(fine.first()));
        sample.levels[1] = coarse.into_iter().zip(fine).map(|(coarse, fine)| vec![coarse, fine]).collect();
        sample.white = plan::white(&sample.pilot, sample.white);
        let (flows, [_, steps, _]) = (sample.pilot.flows, sample.flows());
        self.extend(&mut sample, [flows[0], steps, flows[2]])?;
        Ok(sample)
    }

    /// The pilot, or one of fewer particles where it would take half of the time that is left; `usual` is a flow of the kind that replicates are.
    fn affordable(&self, sample: &Sample, usual: Option<&Trace>) -> Pilot {
        let mut pilot = sample.pilot;
        let one = usual.map_or(0.0, |t| t.seconds) / pilot.widths[1] as f64 / self.par.threads() as f64;
        while let Some(smaller) = plan::smaller(&pilot, self.settings, self.law) {
            if 2.0 * one * pilot.particles() as f64 <= self.settings.left(self.begun) {
                break;
            }
            pilot = smaller;
        }
        pilot
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
            let clock = Instant::now();
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
            if steps == 0 || steps > MOST || 2.0 * clock.elapsed().as_secs_f64() > self.settings.left(self.begun) {
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
}
