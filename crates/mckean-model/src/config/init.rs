//! The `[init]` section of a configuration.
//!
//! Maths: rho_0(. | t) of Gao et al. 2024, section 2; depth enters by a factor, piecewise linear in t (DERIVED: Lipschitz in t, as the
//! paper asks of the law).
//! Shapes: plain values.
//! Cost: none.
//! Checked: tests below and the golden configs in `examples/`.

use super::{Component, ModelError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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
    /// The components of `init.mixture`, times `scale`.
    Mixture,
}

/// `[init]`: the initial law of the particles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InitConfig {
    /// Which law.
    pub law: InitialLaw,
    /// Its scale (see the law); mixtures and the particles of a file are multiplied by it.
    pub scale: f64,
    /// "truncated": where the law is cut, in standard deviations.
    pub cut: f64,
    /// Particles come in mirrored pairs, (V, W) with (-V, W) and (W1, W2) with (W1, -W2): the start computes T = H.
    pub symmetric: bool,
    /// K > 0: the law is the K equally likely atoms drawn once from `law`, and particles are drawn from these; 0 is the law itself.
    pub atoms: usize,
    /// Seed of the atoms (particles are drawn from them by the top-level seed).
    pub seed: u64,
    /// Table (.csv, .tsv, also .gz) of particles, one a row, that are the equally likely atoms of the law in place of `law`; a row written
    /// twice counts twice. Columns: the numbers of a head, then of a neuron, tensor by tensor, row by row (docs/limit.md).
    pub particles: String,
    /// How the law changes with depth: points [t, factor] with t ascending in [0, 1]; particles at depth t are multiplied by the factor,
    /// linear between the points and constant outside of them. Empty: the same law at every depth.
    #[serde(deserialize_with = "pairs")]
    pub depth_scale: Vec<[f64; 2]>,
    /// Components of law = "mixture", each a table [[init.mixture]] with `weight`, `law`, `scale`, `cut` and `shift`, the mean by tensor,
    /// as in shift = { v = [0.3] }: one number for all entries, or one for each.
    pub mixture: Vec<Component>,
    /// What the file of `particles` holds, once it was read.
    #[serde(skip)]
    pub read: Option<Arc<Vec<Vec<f64>>>>,
}

/// Pairs of numbers; a third one is refused, which fixed arrays would drop without a word.
fn pairs<'de, D: serde::Deserializer<'de>>(file: D) -> Result<Vec<[f64; 2]>, D::Error> {
    let rows: Vec<Vec<f64>> = Deserialize::deserialize(file)?;
    let pair = |row: Vec<f64>| {
        <[f64; 2]>::try_from(row).map_err(|row| {
            serde::de::Error::custom(format!(
                "depth_scale needs pairs [t, factor], but {row:?} has {} numbers",
                row.len()
            ))
        })
    };
    rows.into_iter().map(pair).collect()
}

impl Default for InitConfig {
    fn default() -> Self {
        InitConfig {
            law: InitialLaw::Gaussian,
            scale: 1.0,
            cut: 3.0,
            symmetric: false,
            atoms: 0,
            seed: 1,
            particles: String::new(),
            depth_scale: vec![],
            mixture: vec![],
            read: None,
        }
    }
}

impl InitConfig {
    /// Whether the law has atoms, drawn or read from a file.
    pub fn is_atomic(&self) -> bool {
        self.atoms > 0 || !self.particles.is_empty()
    }

    /// This law with the particles of its file as atoms.
    pub fn with_particles(&self, rows: Vec<Vec<f64>>) -> InitConfig {
        InitConfig { atoms: rows.len(), read: Some(Arc::new(rows)), ..self.clone() }
    }

    /// What particles at depth `t` are multiplied by.
    pub fn depth_factor(&self, t: f64) -> f64 {
        let points = &self.depth_scale;
        match points.iter().position(|p| p[0] > t) {
            None => points.last().map_or(1.0, |p| p[1]),
            Some(0) => points[0][1],
            Some(i) => {
                let ([a, x], [b, y]) = (points[i - 1], points[i]);
                x + (y - x) * (t - a) / (b - a)
            }
        }
    }

    /// Checks every range.
    ///
    /// # Errors
    /// The first value outside its range, keys that contradict each other.
    pub fn check(&self) -> Result<(), ModelError> {
        for (key, x) in [("scale", self.scale), ("cut", self.cut)] {
            if !(x.is_finite() && x > 0.0) {
                let remedy = "Use the default, 1 or 3; particles that are all equal are a component of a mixture with scale = 0 and a shift.";
                return Err(ModelError::init(key, x, "a finite positive number is needed", remedy));
            }
        }
        if self.atoms > 1 << 20 || (self.symmetric && !self.atoms.is_multiple_of(2)) {
            let problem = "at most 1,048,576 atoms, and an even number of them for a symmetric law";
            return Err(ModelError::init("atoms", self.atoms, problem, "Use 0 for the law itself."));
        }
        self.check_particles()?;
        self.check_depth()?;
        self.check_mixture()
    }

    fn check_particles(&self) -> Result<(), ModelError> {
        let refuse =
            |problem, remedy| Err(ModelError::init("particles", format!("{:?}", self.particles), problem, remedy));
        match self.particles.is_empty() {
            true => Ok(()),
            _ if self.atoms > 0 && self.read.is_none() => {
                refuse("the rows of the file are the atoms", "Leave out init.atoms.")
            }
            _ if self.symmetric => refuse(
                "init.symmetric adds no rows to a file",
                "Write the mirror images into it, and leave out init.symmetric.",
            ),
            _ if self.law == InitialLaw::Mixture => {
                refuse("a law is either a mixture or the particles of a file", "Leave out one of them.")
            }
            _ if self.law != InitialLaw::default() => {
                refuse("the rows of the file are the law, and init.law has no say in them", "Leave out init.law.")
            }
            _ => Ok(()),
        }
    }

    fn check_depth(&self) -> Result<(), ModelError> {
        let points = &self.depth_scale;
        let sound = |p: &[f64; 2]| (0.0..=1.0).contains(&p[0]) && p[1].is_finite() && p[1] >= 0.0;
        if points.iter().all(sound) && points.windows(2).all(|w| w[0][0] < w[1][0]) {
            return Ok(());
        }
        let problem = "points [t, factor] are needed, with t ascending in [0, 1] and finite factors >= 0";
        Err(ModelError::init("depth_scale", format!("{points:?}"), problem, "An example is [[0.0, 1.0], [1.0, 0.5]]."))
    }

    fn check_mixture(&self) -> Result<(), ModelError> {
        let mixture = self.law == InitialLaw::Mixture;
        if mixture == self.mixture.is_empty() {
            let (value, problem) = match mixture {
                true => ("[]", "law = \"mixture\" needs its components"),
                false => ("[...]", "only law = \"mixture\" has components"),
            };
            let remedy = "Set init.law = \"mixture\" and give a table [[init.mixture]] for each component, or neither.";
            return Err(ModelError::init("mixture", value, problem, remedy));
        }
        self.mixture.iter().enumerate().try_for_each(|(i, c)| c.check(i + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(init: InitConfig) -> String {
        init.check().unwrap_err().to_string()
    }

    #[test]
    fn factors_are_linear_between_points_and_constant_outside() {
        let init = InitConfig { depth_scale: vec![[0.25, 2.0], [0.5, 1.0], [1.0, 3.0]], ..Default::default() };
        let found = [0.0, 0.25, 0.375, 0.5, 0.75, 1.0].map(|t| init.depth_factor(t));
        assert_eq!(found, [2.0, 2.0, 1.5, 1.0, 2.0, 3.0]);
        assert_eq!(InitConfig::default().depth_factor(0.3), 1.0);
        init.check().unwrap();
    }

    #[test]
    fn contradictions_and_bad_ranges_are_named() {
        let with = |law, mixture| InitConfig { law, mixture, ..Default::default() };
        let one = |c: Component| refused(with(InitialLaw::Mixture, vec![Component::default(), c]));
        let shift = [("v".to_string(), vec![f64::NAN])].into();
        let file = InitConfig { particles: "a.csv".into(), ..Default::default() };
        let depth = |points: &[[f64; 2]]| refused(InitConfig { depth_scale: points.to_vec(), ..Default::default() });
        for (found, words) in [
            (refused(with(InitialLaw::Mixture, vec![])), "needs its components"),
            (refused(with(InitialLaw::Box, vec![Component::default()])), "init.law = \"mixture\""),
            (one(Component { weight: 0.0, ..Default::default() }), "(component 2) weight = 0"),
            (one(Component { scale: -1.0, ..Default::default() }), "(component 2) scale = -1"),
            (one(Component { cut: f64::NAN, ..Default::default() }), "cut = NaN"),
            (one(Component { law: InitialLaw::Mixture, ..Default::default() }), "side by side"),
            (one(Component { shift, ..Default::default() }), "shift.v = [NaN]"),
            (refused(InitConfig { atoms: 2, ..file.clone() }), "Leave out init.atoms"),
            (refused(InitConfig { symmetric: true, ..file.clone() }), "mirror images"),
            (refused(InitConfig { law: InitialLaw::Box, ..file.clone() }), "Leave out init.law."),
            (refused(InitConfig { scale: 0.0, ..Default::default() }), "init.scale = 0: a finite positive number"),
            (one(Component { scale: 0.0, ..Default::default() }), "(component 2) scale = 0"),
            (refused(InitConfig { law: InitialLaw::Mixture, mixture: vec![Component::default()], ..file }), "either"),
            (depth(&[[0.5, 1.0], [0.5, 2.0]]), "ascending"),
            (depth(&[[0.0, 1.0], [1.5, 2.0]]), "init.depth_scale"),
            (depth(&[[0.0, -1.0]]), "[[0.0, 1.0], [1.0, 0.5]]"),
        ] {
            assert!(found.contains(words), "{words}: {found}");
        }
    }
}
