//! Losses per sample and their derivatives.
//!
//! Maths: squared 1/2 |o - y|^2; cross-entropy log sum exp o - <y, o> with y one-hot.
//! Shapes: outputs, targets (C) lanes of one chunk.
//! Cost: C exponentials for cross-entropy.
//! Checked: `tests/derivatives.rs`.

use mckean_model::Loss;
use mckean_num::kernel;
use mckean_num::lane::Lane;

kernel! {
    /// Loss of one chunk; overwrites `g` with weight times its derivative with respect to the outputs.
    pub fn value_and_cotangent<'a, V>(loss: Loss, weight: V, out: &'a [V], target: &'a [V], g: &'a mut [V]) -> V {
        match loss {
            Loss::Squared => squared(weight, out, target, g),
            Loss::CrossEntropy => cross_entropy(weight, out, target, g),
        }
    }
}

#[inline(always)]
fn squared<V: Lane>(weight: V, out: &[V], target: &[V], g: &mut [V]) -> V {
    let mut sum = V::zero();
    for ((g, &o), &y) in g.iter_mut().zip(out).zip(target) {
        let r = o - y;
        sum = r.fma(r, sum);
        *g = r * weight;
    }
    sum * weight * V::c(0.5)
}

#[inline(always)]
fn cross_entropy<V: Lane>(weight: V, out: &[V], target: &[V], g: &mut [V]) -> V {
    let mut largest = out[0].max_detached(out[0]);
    for &o in out {
        largest = largest.max_detached(o);
    }
    let (mut sum, mut picked) = (V::zero(), V::zero());
    for ((g, &o), &y) in g.iter_mut().zip(out).zip(target) {
        *g = (o - largest).exp();
        sum += *g;
        picked = y.fma(o - largest, picked);
    }
    let r = V::c(1.0) / sum;
    for (g, &y) in g.iter_mut().zip(target) {
        *g = (*g * r - y) * weight;
    }
    (sum.ln() - picked) * weight
}
