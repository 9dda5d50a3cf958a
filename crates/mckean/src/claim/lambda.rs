//! How the risk at stationarity depends on the weight decay.
//!
//! Maths: Theorem 4.1 of Gao et al. 2024 promises sup R <= eps + C_1 E + C_2 lambda at late times: exponent of R in lambda at least 1
//! where the bound is the law; interpolation with finite moments gives 2, blow-up less than 1 (derived).
//! Shapes: flows at every value of `lambdas`, until the dissipation falls below `residual` times the decrease of Q so far or tau = `until`.
//! Cost: that of the flows.
//! Checked: `tests/claims.rs`.

use super::{Context, Found, sample};
use crate::config::Config;
use crate::error::Error;
use crate::problem::Problem;
use mckean_dynamics::{Evolution, Outcome};
use mckean_num::par::Par;

/// A flow at its end.
struct End {
    risk: f64,
    /// Dissipation per unit of tau, in units of the decrease of Q so far.
    residual: f64,
}

/// Exponent of the final risk in lambda: mean over seeds with its interval.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let (lambdas, residual) = (c.list("lambdas")?, c.number("residual")?);
    let (mut exponents, mut worst) = (vec![], 0.0f64);
    let mut means = vec![0.0; lambdas.len()];
    for config in c.seeds()? {
        let ends = lambdas.iter().map(|&l| settle(&config, l, residual, c.par)).collect::<Result<Vec<_>, _>>()?;
        if let Some(k) = ends.iter().position(|e| !e.risk.is_finite()) {
            let why = format!("the flow at lambda = {} ended early", lambdas[k]);
            return Ok(Found { not_testable: Some(why), ..Default::default() });
        }
        worst = ends.iter().fold(worst, |w, e| w.max(e.residual));
        ends.iter().zip(&mut means).for_each(|(e, m)| *m += e.risk / c.number("seeds").unwrap_or(1.0));
        exponents.push(sample::slope(&lambdas, &ends.iter().map(|e| e.risk).collect::<Vec<_>>()));
    }
    let (value, interval) = sample::mean(&exponents);
    let curve: Vec<String> = lambdas.iter().zip(&means).map(|(l, r)| format!("{l:.0e}: {r:.2e}")).collect();
    let words = format!(
        "final risks {}; dissipation left per unit of tau at most {worst:.1e} of the decrease",
        curve.join(", ")
    );
    Ok(Found { value, interval, words, ..Default::default() })
}

fn settle(config: &Config, lambda: f64, residual: f64, par: &Par) -> Result<End, Error> {
    let mut config = config.clone();
    config.dynamics.weight_decay = lambda;
    let p = Problem::new(&config)?;
    let mut flow = p.evolution(par)?;
    let begin = flow.measure().objective;
    let end = config.dynamics.until;
    let (mut until, mut now) = (end / 64.0, End { risk: f64::NAN, residual: f64::INFINITY });
    while flow.tau() < end {
        if flow.advance(until.min(end)) != Outcome::Finished {
            return Ok(End { risk: f64::NAN, residual: f64::INFINITY });
        }
        now = look(&mut *flow, begin);
        if now.residual < residual {
            break;
        }
        until *= 1.5;
    }
    Ok(now)
}

fn look(flow: &mut dyn Evolution, begin: f64) -> End {
    let m = flow.measure();
    End { risk: m.risk, residual: m.dissipation / (begin - m.objective).max(f64::MIN_POSITIVE) }
}
