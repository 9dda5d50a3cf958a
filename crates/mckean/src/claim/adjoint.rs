//! The two-sided bound of the adjoint.
//!
//! Maths: appendix F.7 of Gao et al. 2024 in the corrected form for finite networks (derived, `mckean_analysis::certificate::adjoint`).
//! Shapes: states at the start and after a flow to the config's `dynamics.until`, for each of the tier's `scales` of the initial law and each seed.
//! Cost: Jacobians of every sublayer at every sample.
//! Checked: `tests/claims.rs`.

use super::{Context, Found};
use crate::error::Error;
use crate::problem::Problem;
use mckean_analysis::View;
use mckean_analysis::certificate::adjoint::bounds;
use mckean_dynamics::Outcome;

/// Largest share of either bound over depths, states, scales and seeds.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let scales = c.list("scales")?;
    let (mut worst, mut tightest, mut states, mut empty) = (0.0f64, f64::INFINITY, 0, 0);
    for config in c.seeds()? {
        for &scale in &scales {
            let mut config = config.clone();
            config.init.scale = scale;
            let p = Problem::new(&config)?;
            let mut flow = p.evolution(c.par)?;
            let trained = flow.advance(config.dynamics.until) == Outcome::Finished;
            for theta in std::iter::once(p.start.clone()).chain(trained.then(|| flow.parameters())) {
                let view = View::new(p.net.clone(), p.train.clone(), theta, config.dynamics.weight_decay)?;
                let all = bounds(&view)?;
                let below = &all[..all.len() - 1]; // at t = 1 both bounds are equalities
                worst = below.iter().map(|b| b.ratio()).fold(worst, f64::max);
                tightest = below.iter().map(|b| b.high / b.value).fold(tightest, f64::min);
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
