//! The energy identity as an order: an Euler step of length h loses h D (1 + O(h)).
//!
//! Maths: dQ/dtau = -int int |G|^2 rho, eq. (3.5) of Gao et al. 2024 with the sign the appendix drops; D is the dissipation at the start.
//! Shapes: `steps` step lengths per seed.
//! Cost: one gradient and one risk a step length.
//! Checked: `tests/claims.rs`.

use super::{Context, Found, sample};
use crate::error::Error;
use crate::problem::Problem;
use mckean_dynamics::objective::Objective;
use mckean_engine::Risk;

/// Order in h of |1 - (Q(0) - Q(h)) / (h D)|, predicted 1.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let steps = c.positives("steps", 2)?;
    let (mut orders, mut last) = (vec![], 0.0f64);
    for config in c.seeds()? {
        let p = Problem::new(&config)?;
        let risk = Risk::<f64>::new(p.net.clone(), p.train.clone(), c.par.clone())?;
        let mut q = Objective::new(risk, config.dynamics.weight_decay);
        let mut velocity = vec![0.0; p.start.len()];
        let before = q.velocity(&p.start, &mut velocity);
        let gap = |h: &f64| {
            let after: Vec<f64> = p.start.iter().zip(&velocity).map(|(b, v)| b + h * v).collect();
            (1.0 - (before.objective() - q.value(&after).objective()) / (h * before.dissipation)).abs()
        };
        let gaps: Vec<f64> = steps.iter().map(gap).collect();
        last = sample::largest(last, gaps.last().copied());
        orders.push(sample::slope(&steps, &gaps));
    }
    let (value, interval) = sample::mean(&orders);
    let words = format!("largest gap at the smallest step {last:.1e}, {} seeds", orders.len());
    Ok(Found { value, interval, words, ..Default::default() })
}
