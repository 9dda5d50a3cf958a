//! The particle law at chosen training times and depths.
//!
//! Maths: Rho of eq 3.5 of Gao et al. 2024 at (tau, t). DERIVED: a flow of its own whose depth steps end at every t asked for. Particles of single
//! slices are of lower order than the curves: at the ends of steps 3 with the classical Runge-Kutta method, which is taken for it, and 2
//! with the 3/8 rule of the curves (measured: 7e-5 and 1.5e-3 for four steps).
//! Shapes: a network with weighted particles in every slice, its parameters, the slices asked for.
//! Cost: one flow of more depth steps; without atoms of as many particles as `SHARE` of the curves' seconds allows, by forecast.
//! Checked: `tests/limit_snapshots.rs`.

use super::{LimitError, Settings, setting};
use mckean_engine::Network;
use mckean_model::DepthMethod;
use std::sync::Arc;

/// How depth is discretised where particles of single slices matter.
pub(super) const DEPTH: DepthMethod = DepthMethod::Rk4;
/// Share of the seconds spent on the curves.
pub(super) const SHARE: f64 = 0.25;
/// Least depth steps, and most for the depths asked for.
const COARSEST: usize = 4;
const FINEST: usize = 32;
/// Rounding of a decimal number such as 0.333333.
const ROUNDING: f64 = 1e-5;

/// The particle law at one training time.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Training time.
    pub tau: f64,
    /// The weighted particle system that stands for the law.
    pub net: Arc<Network>,
    /// Its parameters.
    pub parameters: Vec<f64>,
    /// Its slices at the depths asked for; at the ends of all depth steps, if none were.
    pub slices: Vec<usize>,
}

impl Snapshot {
    /// The law that `parameters` of `net` stand for, at `depths`.
    pub(super) fn new(net: Arc<Network>, (tau, parameters): (f64, Vec<f64>), depths: &[f64]) -> Snapshot {
        let (method, steps) = (net.config.depth_method, net.config.depth);
        let stride = method.slices(steps) / steps;
        let is_asked = |slice: &usize| {
            let t = method.time(steps, *slice);
            slice.is_multiple_of(stride) && (depths.is_empty() || depths.iter().any(|d| (d - t).abs() <= ROUNDING))
        };
        let slices = (0..net.config.slices()).filter(is_asked).collect();
        Snapshot { tau, net, parameters, slices }
    }

    /// Depth of a slice.
    pub fn depth(&self, slice: usize) -> f64 {
        self.net.config.depth_method.time(self.net.config.depth, slice)
    }
}

/// Depth steps, at least `least`, that end at every depth asked for.
pub(super) fn steps(depths: &[f64], least: usize) -> Option<usize> {
    let fits =
        |n: &usize| depths.iter().all(|t| (t * *n as f64 - (t * *n as f64).round()).abs() <= ROUNDING * *n as f64);
    let own = (1..=FINEST).find(fits)?;
    Some(own * least.max(COARSEST).div_ceil(own))
}

/// Refuses depths that no depth steps reach.
///
/// # Errors
/// A depth outside [0, 1], or depths that are not all multiples of 1/n for some n up to 32.
pub(super) fn check(settings: &Settings) -> Result<(), LimitError> {
    if let Some(t) = settings.depths.iter().find(|t| !(0.0..=1.0).contains(*t)) {
        return Err(setting("depths", t, "depths run from 0 to 1."));
    }
    match steps(&settings.depths, 1) {
        Some(_) => Ok(()),
        None => {
            let problem = format!(
                "the law is kept at the ends of depth steps: multiples of one fraction 1/n with n up to {FINEST} are needed. Round \
                 the depths to such, for example to multiples of 0.05."
            );
            Err(setting("depths", format!("{:?}", settings.depths), problem))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_end_at_every_depth_asked_for() {
        for (depths, least, n) in [
            (&[][..], 3, Some(4)),
            (&[0.0, 1.0], 5, Some(5)),
            (&[0.5, 0.25], 1, Some(4)),
            (&[0.5, 0.25], 6, Some(8)),
            (&[0.333_333_3, 0.2], 1, Some(15)),
            (&[0.414_213_56], 1, None),
        ] {
            assert_eq!(steps(depths, least), n, "{depths:?} {least}");
        }
    }
}
