//! Kinetic inequality: particles cannot travel farther than the objective they pay for.
//!
//! Maths: (1/(ML)) sum |beta(s2) - beta(s1)|^2 <= (s2 - s1)(Q(s1) - Q(s2)), hence a bound on W2 between the particle clouds.
//! Shapes: one copy of the parameters.
//! Cost: linear in the parameters.
//! Checked: `tests/observers.rs`.

use super::{Log, Observer, State};

/// Ratio of the two sides between observations; at most 1 for the exact flow.
#[derive(Default)]
pub struct Kinetic {
    previous: Option<(f64, f64, Vec<f64>)>,
}

/// What integration error may add to the ratio.
const SLACK: f64 = 0.05;

impl Observer for Kinetic {
    fn name(&self) -> &'static str {
        "kinetic"
    }

    fn observe(&mut self, s: State<'_>, log: &mut Log) {
        let now = (s.now.tau, s.now.objective, s.beta.to_vec());
        let Some((tau, q, beta)) = self.previous.replace(now) else { return };
        let moved: f64 = beta.iter().zip(s.beta).zip(s.speeds).map(|((a, b), v)| (a - b).powi(2) / v).sum();
        let paid = (s.now.tau - tau) * (q - s.now.objective);
        let ratio = if moved < 1e-24 { 0.0 } else { moved / paid.max(0.0) };
        log.value("kinetic_ratio", ratio);
        log.require(self.name(), ratio, 1.0 + SLACK, || {
            format!(
                "kinetic inequality violated (ratio {ratio:.3}) before tau = {:.4}: the step is too long",
                s.now.tau
            )
        });
    }
}
