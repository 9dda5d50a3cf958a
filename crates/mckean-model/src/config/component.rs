//! One component of a mixture of initial laws: a `[[init.mixture]]` table.
//!
//! Maths: rho_0 = sum_c weight_c law_c, weights divided by their sum. DERIVED: the paper asks rho_0 only to have bounded support.
//! Shapes: plain values; shifts by name of a tensor of a particle.
//! Cost: none.
//! Checked: tests of `config/init.rs`.

use super::{InitialLaw, ModelError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One component: a simple law, moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Component {
    /// Its share of the particles, in any unit.
    pub weight: f64,
    /// Any law but "mixture".
    pub law: InitialLaw,
    /// Its scale (see the law).
    pub scale: f64,
    /// "truncated": where the law is cut, in standard deviations.
    pub cut: f64,
    /// Mean by tensor of a particle (v, w, w1, ...): one number for all its entries, or one for each, row by row.
    pub shift: BTreeMap<String, Vec<f64>>,
}

impl Default for Component {
    fn default() -> Self {
        Component { weight: 1.0, law: InitialLaw::Gaussian, scale: 1.0, cut: 3.0, shift: BTreeMap::new() }
    }
}

impl Component {
    /// Checks every range; `place` is its number in the list, from 1.
    pub(super) fn check(&self, place: usize) -> Result<(), ModelError> {
        let refuse = |what: String, problem: &str, remedy: &str| {
            Err(ModelError::init("mixture", format!("(component {place}) {what}"), problem, remedy))
        };
        let ranges = [
            ("weight", self.weight, self.weight > 0.0),
            ("scale", self.scale, self.scale > 0.0 || (self.scale == 0.0 && !self.shift.is_empty())),
            ("cut", self.cut, self.cut > 0.0),
        ];
        if let Some((key, x, _)) = ranges.into_iter().find(|(_, x, ok)| !(x.is_finite() && *ok)) {
            return refuse(
                format!("{key} = {x}"),
                "a finite positive number is needed",
                "Leave it out for the default; scale = 0 needs a shift.",
            );
        }
        if self.law == InitialLaw::Mixture {
            return refuse(
                "law = \"mixture\"".into(),
                "a component is a simple law",
                "List all components side by side.",
            );
        }
        match self.shift.iter().find(|s| !s.1.iter().all(|x| x.is_finite())) {
            Some((name, s)) => {
                refuse(format!("shift.{name} = {s:?}"), "finite numbers are needed", "Repair or leave it out.")
            }
            None => Ok(()),
        }
    }
}
