//! The read-out: states at depth 1 to outputs.
//!
//! Maths: `Read[Z]` of Gao et al. (one entry), a fixed map of the mean token, a trained map A of the mean or class token, or Z itself.
//! Shapes: states (chunks, n, D), outputs (chunks, C); readout.weight (C, D), readout.bias (C).
//! Cost: n D additions and C D multiply-adds a sample.
//! Checked: `tests/derivatives.rs`.

use super::{bias, tokens};
use crate::encoder::Tile;
use mckean_model::Readout;
use mckean_num::kernel;
use mckean_num::lane::Lane;
use mckean_num::product::{lanes, params, product, reduce};
use std::ops::Range;

/// Kind of read-out and where its tensors lie.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Kind.
    pub kind: Readout,
    /// Token and row of a single entry.
    pub entry: (usize, usize),
    /// Outputs (C).
    pub outputs: usize,
    /// Trained map (empty if none).
    pub weight: Range<usize>,
    /// Its bias.
    pub bias: Range<usize>,
}

impl Reader {
    /// Tokens that are averaged.
    fn averaged(&self, n: usize) -> usize {
        if self.kind == Readout::ClassToken { 1 } else { n }
    }

    /// Lanes of the outputs of one chunk; with tokens in lanes (`rows`) every entry of a state is its own lane entry.
    pub fn lanes(&self, dim: usize, rows: Option<usize>) -> usize {
        match rows {
            Some(rows) if self.kind == Readout::All => rows * dim,
            _ => self.outputs,
        }
    }

    /// As `forward` for one sample of `n` tokens in lanes: outputs are the same in every entry of a lane, except all entries.
    pub fn forward_tokens<V: Lane>(&self, n: usize, theta: &[V::S], z: &[V], out: &mut [V], mean: &mut [V]) {
        let (d, c) = (mean.len(), self.outputs);
        let (token, row) = self.entry;
        tokens::means(self.averaged(n), z, mean);
        match self.kind {
            Readout::All => out.copy_from_slice(z),
            Readout::Entry => tokens::pick(&z[token / V::W * d + row], token % V::W, &mut out[0]),
            Readout::Rows | Readout::Auto => out.copy_from_slice(&mean[d - c..]),
            Readout::Linear | Readout::ClassToken => {
                let weight = params(&theta[self.weight.clone()], 1, d);
                product((1, c, d), lanes(mean, d, 1), weight, 1.0, false, out, c);
                bias::add(&theta[self.bias.clone()], 1.0, out);
            }
        }
    }

    /// As `vjp` for tokens in lanes; cotangents of outputs sit in entry 0 (of all entries: in their own), padding is zero.
    pub fn vjp_tokens<V: Lane>(
        &self,
        n: usize,
        theta: &[V::S],
        g: &[V],
        mean: &mut [V],
        p: &mut [V],
        g_theta: &mut [V::S],
    ) {
        let (d, c) = (mean.len(), self.outputs);
        let (token, row) = self.entry;
        p.fill(V::zero());
        match self.kind {
            Readout::All => return p.copy_from_slice(g),
            Readout::Entry => return tokens::place(&g[0], token % V::W, &mut p[token / V::W * d + row]),
            Readout::Rows | Readout::Auto => {
                mean.fill(V::zero());
                mean[d - c..].copy_from_slice(g);
            }
            Readout::Linear | Readout::ClassToken => self.linear_vjp(1, d, theta, g, mean, g_theta),
        }
        tokens::spread(self.averaged(n), mean, p);
    }

    /// The trained map: gradients, and the cotangent of the mean in place of the mean.
    fn linear_vjp<V: Lane>(
        &self,
        chunks: usize,
        d: usize,
        theta: &[V::S],
        g: &[V],
        mean: &mut [V],
        g_theta: &mut [V::S],
    ) {
        let (slot, c) = (self.weight.clone(), self.outputs);
        reduce((c, d, chunks), lanes(g, 1, c), lanes(mean, d, 1), 1.0, &mut g_theta[slot.clone()], (d, 1));
        bias::vjp(g, 1.0, &mut g_theta[self.bias.clone()]);
        product((chunks, d, c), lanes(g, c, 1), params(&theta[slot], d, 1), 1.0, false, mean, d);
    }

    /// Fills `out` (chunks, C) from the states; `mean` is scratch of (chunks, D).
    pub fn forward<V: Lane>(&self, tile: Tile, theta: &[V::S], z: &[V], out: &mut [V], mean: &mut [V]) {
        let (n, d, c) = (tile.tokens, tile.dim, self.outputs);
        if self.kind == Readout::All {
            return out[..z.len()].copy_from_slice(z);
        }
        means(n, d, self.averaged(n), z, mean);
        match self.kind {
            Readout::Entry => {
                let at = self.entry.0 * d + self.entry.1;
                for (z, out) in z.chunks(n * d).zip(out.iter_mut()) {
                    *out = z[at];
                }
            }
            Readout::Rows | Readout::Auto => {
                mean.chunks(d)
                    .zip(out.chunks_mut(c))
                    .take(tile.chunks)
                    .for_each(|(m, out)| out.copy_from_slice(&m[d - c..]));
            }
            Readout::All => {}
            Readout::Linear | Readout::ClassToken => {
                let weight = params(&theta[self.weight.clone()], 1, d);
                product((tile.chunks, c, d), lanes(mean, d, 1), weight, 1.0, false, out, c);
                bias::add(&theta[self.bias.clone()], 1.0, out);
            }
        }
    }

    /// From the cotangent `g` of the outputs: overwrites `p` (that of the states) and adds to the gradient.
    ///
    /// `mean` holds what `forward` left there and is overwritten.
    pub fn vjp<V: Lane>(&self, tile: Tile, theta: &[V::S], g: &[V], mean: &mut [V], p: &mut [V], g_theta: &mut [V::S]) {
        let (n, d, c) = (tile.tokens, tile.dim, self.outputs);
        p.fill(V::zero());
        match self.kind {
            Readout::All => return p.copy_from_slice(g),
            Readout::Entry => {
                let at = self.entry.0 * d + self.entry.1;
                for (p, &g) in p.chunks_mut(n * d).zip(g) {
                    p[at] = g;
                }
                return;
            }
            Readout::Rows | Readout::Auto => {
                mean.fill(V::zero());
                for (m, g) in mean.chunks_mut(d).zip(g.chunks(c)) {
                    m[d - c..].copy_from_slice(g);
                }
            }
            Readout::Linear | Readout::ClassToken => self.linear_vjp(tile.chunks, d, theta, g, mean, g_theta),
        }
        spread(n, d, self.averaged(n), mean, p);
    }
}

kernel! {
    /// Mean of the first `averaged` tokens of every chunk.
    fn means<'a, V>(n: usize, d: usize, averaged: usize, z: &'a [V], mean: &'a mut [V]) {
        let r = V::c(1.0 / averaged as f64);
        for (z, mean) in z.chunks(n * d).zip(mean.chunks_mut(d)) {
            for (i, m) in mean.iter_mut().enumerate() {
                let mut sum = z[i];
                for t in 1..averaged {
                    sum += z[t * d + i];
                }
                *m = sum * r;
            }
        }
    }
}

kernel! {
    /// The transpose of `means`; other tokens are left as they are.
    fn spread<'a, V>(n: usize, d: usize, averaged: usize, g_mean: &'a [V], p: &'a mut [V]) {
        let r = V::c(1.0 / averaged as f64);
        for (p, g) in p.chunks_mut(n * d).zip(g_mean.chunks(d)) {
            for (i, p) in p[..averaged * d].iter_mut().enumerate() { *p = g[i % d] * r; }
        }
    }
}
