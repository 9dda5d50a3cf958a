//! Second moment of the particles along a flow.
//!
//! Maths: Proposition 3.2 (ii) bounds int |beta|^2 rho for all times; since Q decreases, mean |beta|^2 <= (2/lambda) Q(0)
//! (sharper, derived).
//! Shapes: `looks` equally spaced observations up to the config's `dynamics.until`.
//! Cost: that of the flows.
//! Checked: `tests/claims.rs`.

use super::{Context, Found};
use crate::error::Error;
use crate::problem::Problem;
use mckean_dynamics::{Outcome, objective::second_moment};

/// Largest mean |beta(tau)|^2 in units of (2/lambda) Q(0), over observations and seeds.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let looks = c.number("looks")?.max(1.0) as usize;
    let (mut worst, mut radius) = (0.0f64, 0.0f64);
    for config in c.seeds()? {
        let p = Problem::new(&config)?;
        let mut flow = p.evolution(c.par)?;
        let (speeds, lambda) = (p.net.speeds(), config.dynamics.weight_decay);
        let bound = 2.0 / lambda * flow.measure().objective;
        for k in 0..=looks {
            let outcome = flow.advance(config.dynamics.until * k as f64 / looks as f64);
            if outcome != Outcome::Finished {
                let why = format!("a flow ended early: {}. {}", outcome.name(), outcome.advice());
                return Ok(Found { not_testable: Some(why), ..Default::default() });
            }
            let beta = flow.parameters();
            worst = worst.max(second_moment(&beta, &speeds) / bound);
            radius = radius.max(beta.iter().fold(0.0, |m: f64, b| m.max(b.abs())));
        }
    }
    let words = format!("largest entry of any particle {radius:.2}");
    Ok(Found { value: worst, words, ..Default::default() })
}
