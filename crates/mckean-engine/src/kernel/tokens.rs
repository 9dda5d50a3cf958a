//! Read-out and stem when a lane holds consecutive tokens: entry w of lane row r is token r W + w; the rest is padding.
//!
//! Maths: means over tokens, positions, class token, and their transposes.
//! Shapes: states (rows, D) lanes of one sample; one number per sample is the same in every entry, its cotangent sits in entry 0.
//! Cost: linear in the states.
//! Checked: `tests/tokens.rs`.

use mckean_num::kernel;
use mckean_num::lane::{Lane, Scalar};

#[inline(always)]
fn up_to<V: Lane>(row: usize, count: usize) -> V {
    V::from_fn(|w| V::S::new(f64::from(u8::from(row * V::W + w < count)), 0.0))
}

kernel! {
    /// Mean of the first `averaged` tokens, in every entry.
    pub fn means<'a, V>(averaged: usize, z: &'a [V], mean: &'a mut [V]) {
        let d = mean.len();
        mean.fill(V::zero());
        for (r, z) in z.chunks(d).take(averaged.div_ceil(V::W)).enumerate() {
            let inside = up_to::<V>(r, averaged);
            for (m, &z) in mean.iter_mut().zip(z) { *m = z.fma(inside, *m); }
        }
        let share = <V::S as Lane>::c(1.0 / averaged as f64);
        for m in mean.iter_mut() { *m = V::splat(m.hsum() * share); }
    }
}

kernel! {
    /// The transpose of `means`: the cotangent is read from entry 0; other tokens are left as they are.
    pub fn spread<'a, V>(averaged: usize, g_mean: &'a [V], p: &'a mut [V]) {
        let d = g_mean.len();
        for (r, p) in p.chunks_mut(d).take(averaged.div_ceil(V::W)).enumerate() {
            let share = up_to::<V>(r, averaged) * V::c(1.0 / averaged as f64);
            for (p, g) in p.iter_mut().zip(g_mean) { *p = V::splat(g.get(0)) * share; }
        }
    }
}

kernel! {
    /// The number at entry `w`, in every entry.
    pub fn pick<'a, V>(z: &'a V, w: usize, out: &'a mut V) {
        *out = V::splat(z.get(w));
    }
}

kernel! {
    /// Entry 0 of `g` at entry `w`, zero elsewhere.
    pub fn place<'a, V>(g: &'a V, w: usize, p: &'a mut V) {
        let value = g.get(0);
        *p = V::from_fn(|v| if v == w { value } else { V::S::zero() });
    }
}

kernel! {
    /// Entry 0 of the first row becomes the class token.
    pub fn set_first<'a, V>(class: &'a [V::S], z: &'a mut [V]) {
        for (z, &c) in z.iter_mut().zip(class) {
            *z = V::from_fn(|w| if w == 0 { c } else { z.get(w) });
        }
    }
}

kernel! {
    /// Adds entry 0 of the first row to the class token's gradient and clears it.
    pub fn take_first<'a, V>(p: &'a mut [V], g: &'a mut [V::S]) {
        for (p, g) in p.iter_mut().zip(g) {
            *g += p.get(0);
            *p = V::from_fn(|w| if w == 0 { V::S::zero() } else { p.get(w) });
        }
    }
}

kernel! {
    /// Adds the position vectors (n, d); padding gets the last one.
    pub fn add_positions<'a, V>(d: usize, positions: &'a [V::S], z: &'a mut [V]) {
        let last = positions.len() / d - 1;
        for (r, z) in z.chunks_mut(d).enumerate() {
            for (i, z) in z.iter_mut().enumerate() {
                *z += V::from_fn(|w| positions[(r * V::W + w).min(last) * d + i]);
            }
        }
    }
}

kernel! {
    /// Adds each token's cotangent to its position vector.
    pub fn positions_vjp<'a, V>(d: usize, p: &'a [V], g: &'a mut [V::S]) {
        for (p, g) in p.chunks(d).zip(g.chunks_mut(d * V::W)) {
            for (w, g) in g.chunks_mut(d).enumerate() {
                for (g, p) in g.iter_mut().zip(p) { *g += p.get(w); }
            }
        }
    }
}
