//! Second moment of the particles along a flow.
//!
//! Maths: Proposition 3.2 (ii) bounds int |beta|^2 rho for all times; since Q decreases, mean |beta|^2 <= (2/lambda) Q(0) (sharper, DERIVED).
//! Step control that keeps Q from rising enforces this bound; plain steps, which know nothing of Q, can violate it.
//! Shapes: `looks` equally spaced observations up to the config's `dynamics.until`, by each of `integrators`, with its `dynamics.step`.
//! Cost: that of the flows.
//! Checked: `tests/claims.rs`, `tests/claims_fail.rs`.

use super::{Context, Found, sample};
use crate::config::Config;
use crate::error::Error;
use crate::problem::Problem;
use mckean_dynamics::config::Scheme;
use mckean_dynamics::{Outcome, objective::second_moment};

/// Largest mean |beta(tau)|^2 in units of (2/lambda) Q(0), over observations, integrators and seeds.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let (looks, names) = (c.count("looks")?, c.texts("integrators")?);
    let schemes = names.iter().map(|n| scheme(c, n)).collect::<Result<Vec<Scheme>, Error>>()?;
    let (mut shares, mut radius) = (vec![0.0; schemes.len()], 0.0f64);
    for config in c.seeds()? {
        for (share, integrator) in shares.iter_mut().zip(&schemes) {
            let mut config = config.clone();
            config.dynamics.integrator = *integrator;
            match flow(c, &config, looks)? {
                Ok((most, far)) => (*share, radius) = (sample::largest(*share, [most]), sample::largest(radius, [far])),
                Err(outcome) => return Ok(Found::early("a flow", outcome)),
            }
        }
    }
    let each: Vec<String> = names.iter().zip(&shares).map(|(n, s)| format!("{n} {s:.4}")).collect();
    let words = format!("by integrator {}; largest entry of any particle {radius:.2}", each.join(", "));
    Ok(Found { value: sample::largest(f64::NEG_INFINITY, shares), words, ..Default::default() })
}

fn scheme(c: &Context<'_>, name: &str) -> Result<Scheme, Error> {
    let known = "a list of integrators (\"euler\", \"heun\", \"rk4\", \"adaptive\")";
    toml::Value::String(name.into()).try_into().map_err(|_| c.wrong("integrators", known))
}

/// Largest share of the bound and largest entry of a particle along one flow, or how it ended early.
fn flow(c: &Context<'_>, config: &Config, looks: usize) -> Result<Result<(f64, f64), Outcome>, Error> {
    let (p, lambda) = (Problem::new(config)?, config.dynamics.weight_decay);
    if lambda <= 0.0 {
        let problem = "without weight decay there is no bound to hold the moment against. Set a number > 0.".into();
        let key = format!("{}.toml: dynamics.weight_decay", c.claim.id);
        return Err(Error::Value { key, value: lambda.to_string(), problem });
    }
    let (mut flow, speeds) = (p.evolution(c.par)?, p.net.speeds());
    let bound = 2.0 / lambda * flow.measure().objective;
    let (mut most, mut radius) = (0.0, 0.0);
    for k in 0..=looks {
        let outcome = flow.advance(config.dynamics.until * k as f64 / looks as f64);
        if outcome != Outcome::Finished {
            return Ok(Err(outcome));
        }
        let beta = flow.parameters();
        most = sample::largest(most, [second_moment(&beta, &speeds) / bound]);
        radius = sample::largest(radius, beta.iter().map(|b| b.abs()));
    }
    Ok(Ok((most, radius)))
}
