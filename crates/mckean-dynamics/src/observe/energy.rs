//! Energy identity of the flow.
//!
//! Maths: Q(s1) - Q(s2) = int_{s1}^{s2} D dtau with D = (1/(ML)) sum |G|^2 (Gao et al. 2024, proof of Theorem 3.1).
//! Shapes: scalars.
//! Cost: none beyond the measurement.
//! Checked: `tests/observers.rs`.

use super::{Log, Observer, State};

/// Compares the loss of objective with the integrated dissipation between observations.
#[derive(Default)]
pub struct Energy {
    previous: Option<(f64, f64)>,
}

/// Relative mismatch above which a run says that it does not follow the flow.
const TOLERANCE: f64 = 0.05;

impl Observer for Energy {
    fn name(&self) -> &'static str {
        "energy"
    }

    fn observe(&mut self, s: State<'_>, log: &mut Log) {
        let (q, d) = (s.now.objective, s.now.dissipated);
        let Some((q0, d0)) = self.previous.replace((q, d)) else { return };
        let (lost, spent) = (q0 - q, d - d0);
        let floor = 1e-12 * q0.abs(); // rounding of Q itself
        let mismatch = (lost - spent).abs();
        let residual = if mismatch <= floor { 0.0 } else { mismatch / spent.abs().max(floor) };
        log.value("energy_residual", residual);
        log.require(self.name(), residual, TOLERANCE, || {
            format!(
                "energy identity off by {:.1} % before tau = {:.4}: the step is too long to follow the flow",
                100.0 * residual,
                s.now.tau
            )
        });
    }
}
