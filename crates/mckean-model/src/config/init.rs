//! The `[init]` section of a configuration.
//!
//! Maths: rho_0 of Gao et al. 2024, section 2.
//! Shapes: plain values.
//! Cost: none.
//! Checked: tests below and the golden configs in `examples/`.

use super::ModelError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Law from which particles are drawn, independently, at every depth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InitialLaw {
    /// Every tensor of a particle is Gaussian with root-mean-square Frobenius norm `scale`.
    #[default]
    Gaussian,
    /// (theta, w) jointly uniform on the ball of radius `scale` (the paper's suggestion).
    Ball,
    /// Gaussian with variance scale^2 / fan-in, fan-in counted over all particles of a sublayer (usual for sp).
    FanIn,
    /// Every number is Gaussian with standard deviation `scale`.
    Normal,
    /// As normal, cut off at `cut` standard deviations: bounded support.
    Truncated,
    /// Every number is uniform on [-scale, scale].
    Box,
}

/// `[init]`: the initial law of the particles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InitConfig {
    /// Which law.
    pub law: InitialLaw,
    /// Its scale (see the law).
    pub scale: f64,
    /// "truncated": where the law is cut, in standard deviations.
    pub cut: f64,
    /// Particles come in mirrored pairs, (V, W) with (-V, W) and (W1, W2) with (W1, -W2): the start computes T = H.
    pub symmetric: bool,
    /// K > 0: the law is the K equally likely atoms drawn once from `law`, and particles are drawn from these; 0 is the law itself.
    pub atoms: usize,
    /// Seed of the atoms (particles are drawn from them by the top-level seed).
    pub seed: u64,
}

impl Default for InitConfig {
    fn default() -> Self {
        InitConfig { law: InitialLaw::Gaussian, scale: 1.0, cut: 3.0, symmetric: false, atoms: 0, seed: 1 }
    }
}

impl InitConfig {
    /// Checks every range.
    ///
    /// # Errors
    /// The first value outside its range.
    pub fn check(&self) -> Result<(), ModelError> {
        for (key, x, ok) in [("scale", self.scale, self.scale >= 0.0), ("cut", self.cut, self.cut > 0.0)] {
            if !(x.is_finite() && ok) {
                return Err(ModelError::init(key, x, "a finite positive number is needed", "Use the default, 1 or 3."));
            }
        }
        if self.atoms > 1 << 20 || (self.symmetric && !self.atoms.is_multiple_of(2)) {
            let problem = "at most 1,048,576 atoms, and an even number of them for a symmetric law";
            return Err(ModelError::init("atoms", self.atoms, problem, "Use 0 for the law itself."));
        }
        Ok(())
    }
}
