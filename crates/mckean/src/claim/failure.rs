//! Where a hypothesis of Theorem 4.1 is missing, its row fails; with the hypothesis restored it holds.
//!
//! Maths: Theorem 4.1 of Gao et al. 2024 with (a), (b) and A4; the examples and thresholds are ours (DERIVED). The bound of the second moment is
//! that of Proposition 3.2 (ii) as Q falls, (2/lambda) Q(0), at the weight decay of the cured flow (DERIVED).
//! Shapes: `condition` is a row of `mckean certify` or "second moment", `cure` a list of overrides. A row that is not testable decides nothing.
//! Cost: two flows to dynamics.until a seed, and their certificates.
//! Checked: `tests/claims.rs`, `tests/claims_fail.rs`.

use super::{Context, Found, sample};
use crate::certify::{Looked, word};
use crate::config::Config;
use crate::error::Error;
use crate::problem::Problem;
use mckean_analysis::{Condition, Verdict, assumption};
use mckean_dynamics::Outcome;
use mckean_dynamics::objective::second_moment;
use mckean_dynamics::observe::radius;
use mckean_num::par::Par;

/// Looks at radius and second moment on the way.
const LOOKS: u32 = 8;
/// The row that is no row of `mckean certify`.
const MOMENT: &str = "second moment";

/// Share of seeds at which the condition fails, and holds with the cure.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let (condition, cure) = (c.text("condition")?, c.texts("cure")?);
    let (mut shown, mut all, mut words) = (0.0, 0.0, String::new());
    let cured = c.claim.problem(&cure)?;
    let asked = Asked { condition: &condition, damping: cured.dynamics.weight_decay, par: c.par };
    for (config, seed) in c.seeds()?.into_iter().zip(0..) {
        let cured = Config { seed: cured.seed.wrapping_add(seed), ..cured.clone() };
        let (sick, well) = match (asked.end(config)?, asked.end(cured)?) {
            (Ok(sick), Ok(well)) => (sick, well),
            (Err(outcome), _) => return Ok(Found::early("the flow", outcome)),
            (_, Err(outcome)) => return Ok(Found::early("the cured flow", outcome)),
        };
        words = format!("{}; with {}: {}", sick.words(), cure.join(", "), well.words());
        if [&sick, &well].iter().any(|e| e.row.verdict == Verdict::NotTestable) {
            return Ok(Found::not_testable(words));
        }
        all += 1.0;
        if sick.row.verdict == Verdict::Fails && well.row.verdict == Verdict::Holds {
            shown += 1.0;
        }
    }
    Ok(Found { value: shown / all, words, ..Default::default() })
}

/// What is asked of every flow.
struct Asked<'a> {
    condition: &'a str,
    /// Weight decay of the cured flow: its bound is the one that second moments are held against.
    damping: f64,
    par: &'a Par,
}

/// The condition, R and Q where a flow ends.
struct End {
    row: Condition,
    risk: f64,
    objective: f64,
}

impl End {
    fn words(&self) -> String {
        let number = |x: Option<f64>| x.map_or("-".into(), crate::report::short);
        let (value, limit, verdict) = (number(self.row.value), number(self.row.limit), word(self.row.verdict));
        let why = if self.row.words.is_empty() { String::new() } else { format!(" ({})", self.row.words) };
        let (r, q) = (self.risk, self.objective);
        format!("{} {verdict}: {value} against {limit}{why}, R = {r:.2e}, Q = {q:.2e}", self.row.name)
    }
}

impl Asked<'_> {
    /// The condition where the flow ends, or how it ended early.
    fn end(&self, config: Config) -> Result<Result<End, Outcome>, Error> {
        let p = Problem::new(&config)?;
        let (mut flow, speeds) = (p.evolution(self.par)?, p.net.speeds());
        let (mut radii, mut moments, before) = (vec![], vec![], flow.measure().risk);
        for i in 0..=LOOKS {
            let outcome = flow.advance(config.dynamics.until * f64::from(i) / f64::from(LOOKS));
            if outcome != Outcome::Finished {
                return Ok(Err(outcome));
            }
            let beta = flow.parameters();
            radii.push((flow.tau(), radius(&p.net, &beta)));
            moments.push(second_moment(&beta, &speeds));
        }
        let now = flow.measure();
        let looked = Looked::new(&p, flow.parameters(), self.par)?;
        let mut table = looked.conditions(&radii, self.par).0;
        table.push(self.moment(before, &moments));
        if !table.iter().any(|c| c.name == self.condition) {
            table.extend(assumption::table(&looked.view));
        }
        let known = table.iter().map(|c| c.name.clone()).collect::<Vec<_>>().join(", ");
        let row = table.into_iter().find(|c| c.name == self.condition).ok_or_else(|| Error::Value {
            key: "condition".into(),
            value: format!("\"{}\"", self.condition),
            problem: format!("this network has no such condition. Known: {known}"),
        })?;
        Ok(Ok(End { row, risk: now.risk, objective: now.objective }))
    }

    /// Second moments seen on the way against (2/lambda) Q(0), which bounds them at the weight decay of the cured flow.
    fn moment(&self, risk: f64, moments: &[f64]) -> Condition {
        let (lambda, asks) = (self.damping, "mean |beta|^2 stays below (2/lambda) Q(0), lambda that of the cured flow");
        if lambda <= 0.0 {
            return Condition::not_testable(MOMENT, asks, "the cured flow has no weight decay");
        }
        let [start, half, end] = [0, moments.len() / 2, moments.len() - 1].map(|i| moments[i]);
        let most = sample::largest(0.0, moments.iter().copied());
        Condition::at_most(MOMENT, asks, most, 2.0 / lambda * risk + start)
            .words(format!("{start:.2} at the start, {half:.2} at half time, {end:.2} at the end"))
    }
}
