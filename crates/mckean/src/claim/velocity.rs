//! The velocity of the particles against differences of the objective.
//!
//! Maths: eq. (2.8) of Gao et al. 2024: velocity = -M L grad Q; central differences of Q along random directions.
//! Shapes: `directions` directions per seed.
//! Cost: two risks a direction.
//! Checked: `tests/claims.rs`.

use super::{Context, Found, sample};
use crate::error::Error;
use crate::problem::Problem;
use mckean_dynamics::objective::Objective;
use mckean_engine::Risk;
use mckean_num::rng::Seed;

/// Relative step of the differences: rounding and cubic error are about equal.
const STEP: f64 = 1e-5;

/// Largest gap between the directional derivative by differences and by the velocity, relative to its root-mean-square size.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let (mut worst, mut count, directions) = (0.0f64, 0, c.count("directions")?);
    for config in c.seeds()? {
        let p = Problem::new(&config)?;
        let risk = Risk::<f64>::new(p.net.clone(), p.train.clone(), c.par.clone())?;
        let mut q = Objective::new(risk, config.dynamics.weight_decay);
        let mut velocity = vec![0.0; p.start.len()];
        q.velocity(&p.start, &mut velocity);
        let mut draws = Seed(config.seed).stream("claim.velocity").open();
        let size = velocity.iter().zip(&q.speeds).map(|(v, s)| (v / s).powi(2)).sum::<f64>().sqrt();
        for _ in 0..directions {
            let u: Vec<f64> = p.start.iter().map(|_| draws.normal()).collect();
            let at = |h: f64| p.start.iter().zip(&u).map(|(b, u)| b + h * u).collect::<Vec<_>>();
            let mut value = |h: f64| q.value(&at(h)).objective();
            let difference = (value(STEP) - value(-STEP)) / (2.0 * STEP);
            let exact: f64 = -velocity.iter().zip(&q.speeds).zip(&u).map(|((v, s), u)| v / s * u).sum::<f64>();
            worst = sample::largest(worst, [(difference - exact).abs() / size]);
            count += 1;
        }
    }
    Ok(Found { value: worst, words: format!("{count} random directions"), ..Default::default() })
}
