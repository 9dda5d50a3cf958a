//! Where a hypothesis of Theorem 4.1 is missing, the certificate names it; with the hypothesis restored it does not.
//!
//! Maths: Theorem 4.1 of Gao et al. 2024 with (a), (b) and A4; the examples and thresholds are ours (DERIVED).
//! Shapes: `condition` is a row of `mckean certify`, `cure` a list of overrides.
//! Cost: two flows to dynamics.until a seed, and their certificates.
//! Checked: `tests/claims.rs`.

use super::{Context, Found};
use crate::certify::{Looked, word};
use crate::config::Config;
use crate::error::Error;
use crate::problem::Problem;
use mckean_analysis::{Condition, Verdict, assumption};
use mckean_dynamics::observe::radius;
use mckean_num::par::Par;

/// Looks at the radius on the way.
const LOOKS: u32 = 8;

/// Share of seeds at which the condition fails, and does not fail with the cure.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let (condition, cure) = (c.text("condition")?, c.texts("cure")?);
    let (mut shown, mut all, mut words) = (0.0, 0.0, String::new());
    for (config, seed) in c.seeds()?.into_iter().zip(0..) {
        let sick = end(config.clone(), &condition, c.par)?;
        let cured = c.claim.problem(&cure)?;
        let well = end(Config { seed: cured.seed + seed, ..cured }, &condition, c.par)?;
        all += 1.0;
        if sick.row.verdict == Verdict::Fails && well.row.verdict != Verdict::Fails {
            shown += 1.0;
        }
        words = format!("{}; with {}: {}", sick.words(), cure.join(", "), well.words());
    }
    Ok(Found { value: shown / all, words, ..Default::default() })
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

fn end(config: Config, condition: &str, par: &Par) -> Result<End, Error> {
    let p = Problem::new(&config)?;
    let mut flow = p.evolution(par)?;
    let mut radii = vec![];
    for i in 0..=LOOKS {
        flow.advance(config.dynamics.until * f64::from(i) / f64::from(LOOKS));
        radii.push((flow.tau(), radius(&p.net, &flow.parameters())));
    }
    let now = flow.measure();
    let looked = Looked::new(&p, flow.parameters(), par)?;
    let mut table = looked.conditions(&radii, par).0;
    if !table.iter().any(|c| c.name == condition) {
        table.extend(assumption::table(&looked.view));
    }
    let known = table.iter().map(|c| c.name.clone()).collect::<Vec<_>>().join(", ");
    let row = table.into_iter().find(|c| c.name == condition).ok_or_else(|| Error::Value {
        key: "condition".into(),
        value: format!("\"{condition}\""),
        problem: format!("this network has no such condition. Known: {known}"),
    })?;
    Ok(End { row, risk: now.risk, objective: now.objective })
}
