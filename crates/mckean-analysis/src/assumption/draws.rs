//! Random states and particles at which assumptions are looked at.
//!
//! Maths: Gaussian directions at a given size: largest token norm of a state, Euclidean norm of a particle.
//! Shapes: a state (n, D), a particle tensor after tensor.
//! Cost: a few normal numbers an entry.
//! Checked: tests of `growth.rs`.

use crate::certificate::View;
use crate::certificate::probe::outer;
use crate::verdict::larger;
use mckean_model::Role;
use mckean_num::rng::Draws;

/// A random state whose largest token has norm `r`.
pub(crate) fn state(view: &View, draws: &mut Draws, r: f64) -> Vec<f64> {
    let (n, d) = (view.net().tokens, view.net().dim);
    let mut x: Vec<f64> = (0..n * d).map(|_| draws.normal()).collect();
    let largest = columns(&x, d);
    x.iter_mut().for_each(|x| *x *= r / largest);
    x
}

/// A random particle of norm `size`; its tensors share the norm at random.
pub(crate) fn particle(view: &View, role: Role, draws: &mut Draws, size: f64) -> Vec<f64> {
    let mut alpha = vec![];
    for t in view.maps.tensors(role) {
        let part = draws.uniform();
        alpha.extend((0..t.len()).map(|_| part * draws.normal()));
    }
    let now = norm(&alpha).max(1e-300);
    alpha.iter_mut().for_each(|a| *a *= size / now);
    alpha
}

/// The worst case of a head's gradient: all logits equal, tokens opposite to each other.
pub(crate) fn spread(view: &View, role: Role, x: &mut [f64], alpha: &mut [f64]) {
    let d = view.net().dim;
    let (first, rest) = x.split_at_mut(d);
    let longest = columns(rest, d).max(norm(first)) / norm(first).max(1e-300);
    first.iter_mut().for_each(|z| *z *= longest);
    for (i, token) in rest.chunks_mut(d).enumerate() {
        let sign = if i % 2 == 0 { -1.0 } else { 1.0 };
        token.iter_mut().zip(&*first).for_each(|(t, z)| *t = sign * z);
    }
    if role == Role::Head {
        alpha.iter_mut().zip(&outer(view, role)).filter(|(_, o)| !**o).for_each(|(a, _)| *a = 0.0);
    }
}

/// Euclidean norm.
pub(crate) fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Largest token norm.
pub(crate) fn columns(x: &[f64], dim: usize) -> f64 {
    x.chunks(dim).map(norm).fold(0.0, larger)
}
