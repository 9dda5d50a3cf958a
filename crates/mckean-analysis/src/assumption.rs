//! Assumptions A1-A4 of Gao et al. 2024 at a network and its samples, clause by clause, each with the number behind it.
//!
//! Maths: A1 (data), A2 (growth), A3 (Lipschitz gradients), A4 (homogeneous and universal), section 4. Constants of A2 are corrected
//! (derived): the paper's phi_P = r + 2 r^2 for Proposition G.1 lacks a cubic term. A4 (ii) as stated is false for the paper's own examples with
//! more than one token (derived), so what the proof uses is checked too: -p approximated on the image of the data.
//! Shapes: a table of conditions.
//! Cost: a few thousand vector-Jacobian products of single particles, and one least-squares fit a sublayer.
//! Checked: tests of the parts, `tests/failures.rs`.

pub mod data;
pub(crate) mod draws;
pub(crate) mod features;
pub mod growth;
pub(crate) mod sizes;
pub mod smooth;
pub mod universal;

use crate::certificate::View;
use crate::verdict::Condition;
use mckean_model::Role;

/// All clauses at a view.
pub fn table(view: &View) -> Vec<Condition> {
    let mut all = data::conditions(view);
    for (role, name) in roles(view) {
        all.extend(growth::conditions(view, role, name));
    }
    for (role, name) in roles(view) {
        all.extend(smooth::conditions(view, role, name));
    }
    for (role, name) in roles(view) {
        all.extend(universal::conditions(view, role, name));
    }
    all
}

/// The kinds of particles of a network, with the letters of the paper.
pub(crate) fn roles(view: &View) -> Vec<(Role, &'static str)> {
    let has = |role| view.net().sublayers.iter().any(|s| s.role == role);
    [(Role::Head, "f"), (Role::Neuron, "h")].into_iter().filter(|(role, _)| has(*role)).collect()
}
