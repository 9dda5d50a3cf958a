//! Where a hypothesis of Theorem 4.1 is missing, the certificate names it; with the hypothesis restored it does not.
//!
//! Maths: Theorem 4.1 of Gao et al. 2024 with (a), (b) and A4; the examples and thresholds are ours (DERIVED).
//! Shapes: `condition` is a row of `mckean certify`, `cure` a list of overrides.
//! Cost: two flows to dynamics.until a seed, and their certificates.
//! Checked: `tests/claims.rs`.

use super::{Context, Found};
use crate::certify::Looked;
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
        words = format!(
            "{condition} {} ({}), R = {:.2e}; with {} it {} ({}), R = {:.2e}",
            verb(&sick.row),
            sick.row.words,
            sick.risk,
            cure.join(", "),
            verb(&well.row),
            well.row.words,
            well.risk
        );
    }
    Ok(Found { value: shown / all, words, ..Default::default() })
}

/// The condition and the risk where a flow ends.
struct End {
    row: Condition,
    risk: f64,
}

fn end(config: Config, condition: &str, par: &Par) -> Result<End, Error> {
    let p = Problem::new(&config)?;
    let mut flow = p.evolution(par)?;
    let mut radii = vec![];
    for i in 0..=LOOKS {
        flow.advance(config.dynamics.until * f64::from(i) / f64::from(LOOKS));
        radii.push((flow.tau(), radius(&p.net, &flow.parameters())));
    }
    let risk = flow.measure().risk;
    let looked = Looked::new(&p, flow.parameters(), par)?;
    let mut table = looked.conditions(&radii, par);
    if !table.iter().any(|c| c.name == condition) {
        table.extend(assumption::table(&looked.view));
    }
    let known = table.iter().map(|c| c.name.clone()).collect::<Vec<_>>().join(", ");
    let row = table.into_iter().find(|c| c.name == condition).ok_or_else(|| Error::Value {
        key: "condition".into(),
        value: format!("\"{condition}\""),
        problem: format!("this network has no such condition. Known: {known}"),
    })?;
    Ok(End { row, risk })
}

fn verb(row: &Condition) -> &'static str {
    match row.verdict {
        Verdict::Holds => "holds",
        Verdict::Fails => "fails",
        Verdict::NotTestable => "is not testable",
    }
}
