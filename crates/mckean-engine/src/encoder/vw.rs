//! Attention in the reparametrised form, theta = (V, W).
//!
//! Maths: f(Z, theta) = V Z sigma_A[Z^T W Z] (Gao et al. 2024, eq 2.3); query of token i is W z_i, keys and values are tokens.
//! Shapes: v, w (heads, D, D); tokens are rows, so Q = Z W^T and out = S Z V^T.
//! Cost: 2 n D^2 + 2 n^2 D multiply-adds forward, about 2.5 times that backward (scores are recomputed).
//! Checked: `tests/derivatives.rs`.

use super::attention::{Attention, scores_vjp};
use super::{Encoder, Site, Tile, Work, carve};
use mckean_model::{ModelConfig, TensorSpec};
use mckean_num::lane::Lane;
use mckean_num::product::{lanes, params, product, reduce};

/// The (V, W) head.
pub struct Vw {
    pub(super) attention: Attention,
    pub(super) tensors: Vec<TensorSpec>,
}

impl Vw {
    /// Heads on tokens of dimension `dim`.
    pub fn new(m: &ModelConfig, dim: usize) -> Self {
        let spec = |name, sums_particles| TensorSpec { name, shape: vec![dim, dim], fan_in: dim, sums_particles };
        Vw { attention: Attention::new(m, dim, true), tensors: vec![spec("v", true), spec("w", false)] }
    }
}

impl<V: Lane> Encoder<V> for Vw {
    fn tensors(&self) -> &[TensorSpec] {
        &self.tensors
    }

    fn scratch(&self, tile: &Tile) -> usize {
        4 * tile.len() + 3 * tile.tokens * tile.tokens
    }

    fn multiply_adds(&self, n: usize, d: usize) -> usize {
        2 * n * d * d + 2 * n * n * d
    }

    fn forward(&self, site: Site<'_, V::S>, x: &[V], out: &mut [V], scratch: &mut [V]) {
        let Tile { chunks, tokens: n, dim: d } = site.tile;
        let (rows, scale) = (site.tile.rows(), site.scales[site.group.first]);
        let v = &site.theta[site.group.slot(&self.tensors, 0)];
        let w = &site.theta[site.group.slot(&self.tensors, 1)];
        let ([q, u], rest) = carve(scratch, rows * d);
        let ([s, mask], _) = carve(rest, n * n);
        product((rows, d, d), lanes(x, d, 1), params(w, 1, d), 1.0, false, q, d);
        for c in 0..chunks {
            let own = c * n * d..(c + 1) * n * d;
            self.attention.scores(n, d, &q[own.clone()], &x[own.clone()], s);
            site.noise.fill(site.group.first as u64, c, mask);
            site.noise.multiply(s, mask);
            product((n, d, n), lanes(s, n, 1), lanes(&x[own.clone()], d, 1), scale, false, &mut u[own], d);
        }
        product((rows, d, d), lanes(u, d, 1), params(v, 1, d), 1.0, true, out, d);
    }

    fn vjp(&self, site: Site<'_, V::S>, x: &[V], p: &[V], g_x: &mut [V], g_theta: &mut [V::S], scratch: &mut [V]) {
        let Tile { chunks, tokens: n, dim: d } = site.tile;
        let (rows, scale) = (site.tile.rows(), site.scales[site.group.first]);
        let (v_slot, w_slot) = (site.group.slot(&self.tensors, 0), site.group.slot(&self.tensors, 1));
        let (v, w) = (&site.theta[v_slot.clone()], &site.theta[w_slot.clone()]);
        let ([q, r, u, dq], rest) = carve(scratch, rows * d);
        let ([s, t, mask], _) = carve(rest, n * n);
        product((rows, d, d), lanes(x, d, 1), params(w, 1, d), 1.0, false, q, d);
        product((rows, d, d), lanes(p, d, 1), params(v, d, 1), scale, false, r, d);
        for c in 0..chunks {
            let own = c * n * d..(c + 1) * n * d;
            let (q, x, r) = (&q[own.clone()], &x[own.clone()], &r[own.clone()]);
            let g_x = &mut g_x[own.clone()];
            self.attention.scores(n, d, q, x, s);
            product((n, n, d), lanes(r, d, 1), lanes(x, 1, d), 1.0, false, t, n);
            site.noise.fill(site.group.first as u64, c, mask);
            site.noise.multiply(t, mask);
            scores_vjp(self.attention, n, s, t);
            site.noise.multiply(s, mask);
            product((n, d, n), lanes(s, n, 1), lanes(x, d, 1), scale, false, &mut u[own.clone()], d);
            product((n, d, n), lanes(s, 1, n), lanes(r, d, 1), 1.0, true, g_x, d);
            self.attention.queries_keys_vjp(n, d, (q, x), t, &mut dq[own], g_x);
        }
        reduce((d, d, rows), lanes(p, 1, d), lanes(u, d, 1), 1.0, &mut g_theta[v_slot], (d, 1));
        reduce((d, d, rows), lanes(dq, 1, d), lanes(x, d, 1), 1.0, &mut g_theta[w_slot], (d, 1));
        product((rows, d, d), lanes(dq, d, 1), params(w, d, 1), 1.0, true, g_x, d);
    }

    fn scratch_long(&self, tile: &Tile, tokens: usize) -> (usize, usize) {
        Vw::scratch_long(self, tile, tokens)
    }

    fn kept_long(&self, tile: &Tile) -> usize {
        Vw::kept_long(self, tile)
    }

    fn forward_long(&self, site: Site<'_, V::S>, x: &[V], out: &mut [V], work: Work<'_, V>) {
        Vw::forward_long(self, site, x, out, work);
    }

    fn vjp_long(&self, site: Site<'_, V::S>, at: (&[V], &[V]), g_x: &mut [V], g: &mut [V::S], work: Work<'_, V>) {
        Vw::vjp_long(self, site, at, g_x, g, work);
    }
}
