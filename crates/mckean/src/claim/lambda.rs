//! How the risk at stationarity depends on the weight decay.
//!
//! Maths: Theorem 4.1 of Gao et al. 2024 promises sup R <= eps + C_1 E + C_2 lambda at late times: exponent of R in lambda at least 1
//! where the bound is the law; interpolation with finite moments gives 2, blow-up less than 1 (derived). Where a flow rests is decided as in
//! `stationary`: D/(lambda Q), the share of Q that the dissipation takes in a time 1/lambda, is at most `residual`.
//! Shapes: a flow for every one of `lambdas` and `seeds`, of the width and depth of `[model]`.
//! Cost: that of the flows.
//! Checked: `tests/claims.rs`, `tests/claims_fail.rs`.

use super::{Context, Found, sample};
use crate::error::Error;
use crate::stationary::{Cell, Seen, Size, StationaryConfig, law, settle};
use mckean_analysis::fit::paired;

/// A flow at its end: what was seen last, and how it ended.
type End = (Seen, String);

/// Exponent of the risk at rest in lambda: mean over seeds with its interval.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let (mut lambdas, seeds, config) = (c.positives("lambdas", 2)?, c.count("seeds")?, c.claim.problem(&[])?);
    lambdas.sort_by(|a, b| b.total_cmp(a));
    let rules = StationaryConfig {
        residual: c.positive("residual")?,
        lambdas: lambdas.clone(),
        seeds,
        ..config.stationary.clone()
    };
    rules.check()?;
    let (law, size) = (law(&config)?, Size::Finite(config.model.heads.max(config.model.neurons), config.model.depth));
    let one = |cell: &Cell| -> Result<End, Error> {
        let end = settle::settle(&cell.problem(&config, &law, &rules)?, &rules, None, &|| true)?;
        let end = end.expect("nothing stops it");
        Ok((end.seen[end.seen.len() - 1], end.outcome))
    };
    let at = |seed: usize| lambdas.iter().rev().map(move |&lambda| (Cell { lambda, size, seed }, None));
    let mut flows: Vec<_> = (0..seeds).flat_map(at).collect(); // the smallest weight decay takes longest
    c.par.each(&mut flows, |_, (cell, end)| *end = Some(one(cell)));
    let mut ends = vec![];
    for (cell, end) in flows {
        let Some((seen, outcome)) = end.transpose()? else { continue };
        if outcome != settle::REST {
            let (lambda, residual) = (cell.lambda, seen.residual);
            let why =
                format!("the flow at lambda = {lambda} ends {outcome}, not at rest: D/(lambda Q) = {residual:.1e}");
            return Ok(Found::not_testable(why));
        }
        ends.push((cell, seen));
    }
    found(&lambdas, seeds, &ends)
}

fn found(lambdas: &[f64], seeds: usize, ends: &[(Cell, Seen)]) -> Result<Found, Error> {
    let at = |lambda: f64| ends.iter().filter(move |e| e.0.lambda == lambda);
    let curve = |s: usize| lambdas.iter().flat_map(|&l| at(l).filter(|e| e.0.seed == s)).map(|e| e.1.risk).collect();
    let power = paired(lambdas, &(0..seeds).map(curve).collect::<Vec<Vec<f64>>>())?;
    let mean = |l: f64| at(l).map(|e| e.1.risk).sum::<f64>() / seeds as f64;
    let risks: Vec<String> = lambdas.iter().map(|&l| format!("{l:.0e}: {:.3e}", mean(l))).collect();
    let residual = sample::largest(0.0, ends.iter().map(|e| e.1.residual));
    let local: Vec<String> = power.local.iter().map(|s| format!("{s:.2}")).collect();
    let words = format!(
        "{seeds} seeds; mean risks at rest {}; slopes between neighbours {}; D/(lambda Q) at most {residual:.1e}",
        risks.join(", "),
        local.join(", ")
    );
    let slope = power.slope;
    Ok(Found { value: slope.value, interval: Some((slope.low, slope.high)), words, ..Default::default() })
}
