//! Bound on the second moment of the particles.
//!
//! Maths: mean |beta|^2 <= (2/lambda) Q(0) for all tau, since Q decreases (sharpens Prop. 3.2 (ii) of Gao et al. 2024).
//! Shapes: scalars.
//! Cost: linear in the parameters.
//! Checked: `tests/observers.rs`.

use super::{Log, Observer, State};

/// Mean squared particle norm against its bound.
#[derive(Default)]
pub struct SecondMoment {
    initial_objective: Option<f64>,
}

impl Observer for SecondMoment {
    fn name(&self) -> &'static str {
        "second_moment"
    }

    fn observe(&mut self, s: State<'_>, log: &mut Log) {
        let start = *self.initial_objective.get_or_insert(s.now.objective);
        let moment: f64 = s.beta.iter().zip(s.speeds).map(|(b, v)| b * b / v).sum();
        let bound = 2.0 * start / s.lambda;
        log.value("second_moment", moment);
        log.value("second_moment_bound", bound);
        log.require(self.name(), moment, bound * (1.0 + 1e-9), || {
            format!("mean |beta|^2 = {moment:.4} exceeds (2/lambda) Q(0) = {bound:.4} at tau = {:.4}", s.now.tau)
        });
    }
}
