//! Continuity of the law of the particles along a flow.
//!
//! Maths: the law moves continuously in the W2 that is conditional in depth; derived bound, from the energy identity and Cauchy-Schwarz:
//! (1/L) sum_t W2(rhohat(s1 | t), rhohat(s2 | t))^2 <= (1/(M L)) sum |beta(s2) - beta(s1)|^2 <= (s2 - s1)(Q(s1) - Q(s2)).
//! Shapes: all pairs of `looks` + 1 equally spaced times; joint particles (theta, w), so as many heads as neurons, all of equal weight.
//! Cost: an exact assignment a pair and depth.
//! Checked: `tests/claims.rs`.

use super::{Context, Found, sample};
use crate::error::Error;
use crate::problem::Problem;
use mckean_analysis::transport::exact;
use mckean_dynamics::Outcome;
use mckean_engine::Network;
use mckean_model::Role;

/// Largest W2^2 over (s2 - s1)(Q(s1) - Q(s2)).
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let looks = c.count("looks")?;
    let (mut worst, mut saved) = (0.0f64, 1.0f64);
    for config in c.seeds()? {
        let p = Problem::new(&config)?;
        if config.model.heads != config.model.neurons {
            return Ok(Found::not_testable("joint particles need as many heads as neurons"));
        }
        let mut flow = p.evolution(c.par)?;
        let mut seen: Vec<(f64, f64, Vec<Vec<f64>>)> = vec![];
        for k in 0..=looks {
            let outcome = flow.advance(config.dynamics.until * k as f64 / looks as f64);
            if outcome != Outcome::Finished {
                return Ok(Found::early("a flow", outcome));
            }
            seen.push((flow.tau(), flow.measure().objective, slices(&p.net, &flow.parameters())));
        }
        for (i, (s1, q1, a)) in seen.iter().enumerate() {
            for (s2, q2, b) in &seen[i + 1..] {
                let (moved, straight) = distances(a, b, config.model.heads)?;
                worst = sample::largest(worst, [share(moved, (s2 - s1) * (q1 - q2))]);
                saved = -sample::largest(-saved, [-moved / straight]);
            }
        }
    }
    let words = format!("W2^2 is between {saved:.3} and 1 of the mean squared displacement of the same particles");
    Ok(Found { value: worst, words, ..Default::default() })
}

/// `left` in units of `right`, which must not be less: infinite where nothing or a negative number is allowed and more is there.
fn share(left: f64, right: f64) -> f64 {
    match (left / right).is_nan() {
        false if right > 0.0 => left / right,
        _ if left.is_nan() || right.is_nan() => f64::NAN,
        _ if left == 0.0 && right == 0.0 => 0.0,
        _ => f64::INFINITY,
    }
}

/// Joint particles of every block, one after the other.
fn slices(net: &Network, beta: &[f64]) -> Vec<Vec<f64>> {
    let block = |l: usize| {
        let tensors: Vec<_> = [Role::Head, Role::Neuron].into_iter().flat_map(|r| net.layout.particles(l, r)).collect();
        (0..net.config.heads)
            .flat_map(|j| tensors.iter().flat_map(move |t| beta[t.particle(j)].iter().copied()))
            .collect()
    };
    (0..net.config.depth).map(block).collect()
}

/// Means over depth of W2^2 and of the squared displacement.
fn distances(a: &[Vec<f64>], b: &[Vec<f64>], particles: usize) -> Result<(f64, f64), Error> {
    let (mut moved, mut straight, depth) = (0.0, 0.0, a.len() as f64);
    for (a, b) in a.iter().zip(b) {
        moved += exact(a, b, a.len() / particles)?.powi(2) / depth;
        straight += a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / (particles as f64 * depth);
    }
    Ok((moved, straight))
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn a_rising_objective_violates_the_bound() {
        assert_eq!((share(1.0, 2.0), share(2.0, 1.0), share(0.0, 0.0)), (0.5, 2.0, 0.0));
        assert_eq!(
            (share(1.0, 0.0), share(1.0, -2.0), share(0.0, -1.0)),
            (f64::INFINITY, f64::INFINITY, f64::INFINITY)
        );
        assert!(share(f64::NAN, 1.0).is_nan() && share(1.0, f64::NAN).is_nan());
    }
}
