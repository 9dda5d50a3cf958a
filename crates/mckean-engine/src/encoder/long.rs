//! What every head on long samples shares: pieces of working memory, and attended values kept between the passes.
//!
//! Maths: none of its own; attention by `Tiled`.
//! Shapes: queries and their like (rows, s) lanes of tokens; keys, values (n, s) scalars.
//! Cost: linear in n.
//! Checked: `tests/tokens.rs`.

use super::attention::Attention;
use super::tiled::{self, Tiled};
use super::{Site, carve};
use mckean_num::lane::Lane;

/// A head's pieces of working memory.
pub(super) struct Parts<'a, V: Lane> {
    pub q: &'a mut [V],
    /// Cotangent of the attended values.
    pub g: &'a mut [V],
    /// Projections, then attended values, then gradients.
    pub dq: &'a mut [V],
    pub r: &'a mut [V],
    pub delta: &'a mut [V],
    pub sweep: &'a mut [V],
    pub keys: &'a mut [V::S],
    pub values: &'a mut [V::S],
    pub bias: &'a mut [V::S],
    pub centre: &'a mut [V::S],
}

/// Lanes and scalars that [`Parts::carve`] needs for heads of width `s`.
pub(super) fn scratch(rows: usize, n: usize, s: usize) -> (usize, usize) {
    (3 * rows * s + 2 * rows + tiled::scratch(s), 2 * n * s + n + s)
}

/// Lanes worth keeping between forward and backward pass: attended values and exponents of the queries.
pub(super) fn kept(rows: usize, s: usize) -> usize {
    rows * (s + 1)
}

/// The attention of one head of width `s`.
pub(super) fn tiled<'a, S: Copy>(attention: Attention, site: &Site<'a, S>, s: usize, bias: &'a [S]) -> Tiled<'a, S> {
    let (noise, particle) = (site.noise, site.group.first as u64);
    Tiled { attention, sizes: (site.tokens, s), bias, noise, particle }
}

impl<'a, V: Lane> Parts<'a, V> {
    /// Cuts working memory into pieces.
    pub fn carve(rows: usize, n: usize, s: usize, work: (&'a mut [V], &'a mut [V::S])) -> Self {
        let ([q, g, dq], rest) = carve(work.0, rows * s);
        let ([r, delta], sweep) = carve(rest, rows);
        let ([keys, values], rest) = carve(work.1, n * s);
        let (bias, rest) = rest.split_at_mut(n);
        Parts { q, g, dq, r, delta, sweep, keys, values, bias, centre: &mut rest[..s] }
    }

    /// Keeps the attended values in `dq` and the exponents for the backward pass, where there is room.
    pub fn keep(&self, kept: Option<&mut [V]>) {
        if let Some(kept) = kept {
            let kept = &mut kept[..self.dq.len() + self.r.len()];
            let (values, exponents) = kept.split_at_mut(self.dq.len());
            values.copy_from_slice(self.dq);
            exponents.copy_from_slice(self.r);
        }
    }
}
