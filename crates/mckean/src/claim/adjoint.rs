//! The two-sided bound of the adjoint.
//!
//! Maths: appendix F.7 of Gao et al. 2024 in the corrected form for finite networks (derived, `mckean_analysis::certificate::adjoint`).
//! Shapes: states at the start and after a flow to the config's `dynamics.until`, for each of the tier's `scales` of the initial law and each seed.
//! Cost: Jacobians of every sublayer at every sample.
//! Checked: `tests/claims.rs`.

use super::{Context, Found, sample};
use crate::error::Error;
use crate::problem::Problem;
use mckean_analysis::View;
use mckean_analysis::certificate::adjoint::{Bound, bounds};
use mckean_dynamics::Outcome;

/// Largest share of either bound over depths, states, scales and seeds.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let scales = c.positives("scales", 1)?;
    let (mut worst, mut tightest, mut states, mut empty) = (0.0f64, f64::INFINITY, 0, 0);
    for config in c.seeds()? {
        for &scale in &scales {
            let mut config = config.clone();
            config.init.scale = scale;
            let p = Problem::new(&config)?;
            let mut flow = p.evolution(c.par)?;
            let outcome = flow.advance(config.dynamics.until);
            if outcome != Outcome::Finished {
                return Ok(Found::early(&format!("a flow from scale {scale}"), outcome)); // no trained state
            }
            for theta in [p.start.clone(), flow.parameters()] {
                let view = View::new(p.net.clone(), p.train.clone(), theta, config.dynamics.weight_decay)?;
                let all = bounds(&view)?;
                let below = &all[..all.len() - 1]; // at t = 1 both bounds are equalities
                worst = sample::largest(worst, below.iter().map(share));
                tightest = -sample::largest(-tightest, below.iter().map(|b| -b.high / b.value));
                states += below.len();
                empty += below.iter().filter(|b| b.low == 0.0).count();
            }
        }
    }
    let words = format!(
        "{states} states of networks at the start and trained; {empty} lower bounds are 0 (a sublayer with Jacobian norm 1 or more), upper bounds exceed by a factor {tightest:.3} at least"
    );
    Ok(Found { value: worst, words, ..Default::default() })
}

/// Share of either bound; no number where one of the three is none.
fn share(b: &Bound) -> f64 {
    if [b.low, b.value, b.high].iter().all(|x| x.is_finite()) { b.ratio() } else { f64::NAN }
}
