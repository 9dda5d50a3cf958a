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

/// Coarse steps that are tried first, and the most of them.
const START: usize = 4;
const MOST: usize = 64;

impl Solver<'_> {
    /// The first replicates and corrections; once stopped, the fine flows of the corrections, if there are no others.
    pub(super) fn pilot(&mut self, say: &mut dyn FnMut(&str)) -> Result<Sample, LimitError> {
        let (pilot, white) = plan::pilot(self.settings, self.law);
        say(&format!("pilot of {} particles a slice", pilot.widths[0]));
        let mut sample = Sample { pilot, white, ..Sample::default() };
        let fine = self.corrections(&sample, None)?;
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
}
