//! Attention in the reparametrised form, theta = (V, W).
//!
//! Maths: f(Z, theta) = V Z sigma_A[Z^T W Z] (Gao et al. 2024, eq 2.3); query of token i is W z_i, keys and values are tokens.
//! Shapes: v, w (heads, D, D); tokens are rows, so Q = Z W^T and out = S Z V^T.
//! Cost: 2 n D^2 + 2 n^2 D multiply-adds forward, about 2.5 times that backward (scores are recomputed).
//! Checked: `tests/derivatives.rs`; `tests/sizes.rs` for the sizes with code of their own.

use super::attention::{Attention, scores_vjp};
use super::{Encoder, Site, Tile, Work, carve};
use mckean_model::{ModelConfig, TensorSpec};
use mckean_num::lane::Lane;
use mckean_num::product::{lanes, params, product};

mod head;

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

    fn head<'a, S>(&self, site: &Site<'a, S>) -> head::Head<'a, S> {
        head::Head {
            tile: site.tile,
            attention: self.attention,
            scale: site.scales[site.group.first],
            v: &site.theta[site.group.slot(&self.tensors, 0)],
            w: &site.theta[site.group.slot(&self.tensors, 1)],
        }
    }

    /// Scores and sums with every kernel, mask and dropout: `u = scale S Z` chunk by chunk.
    fn attend<V: Lane>(&self, site: &Site<'_, V::S>, x: &[V], q: &[V], u: &mut [V], rest: &mut [V]) {
        let (Tile { tokens: n, dim: d, .. }, scale) = (site.tile, site.scales[site.group.first]);
        let ([s, mask], _) = carve(rest, n * n);
        for (c, ((x, q), u)) in x.chunks(n * d).zip(q.chunks(n * d)).zip(u.chunks_mut(n * d)).enumerate() {
            self.attention.scores(n, (d, d), q, x, s);
            site.noise.fill(site.group.first as u64, c, mask);
            site.noise.multiply(s, mask);
            product((n, d, n), lanes(s, n, 1), lanes(x, d, 1), scale, false, u, d);
        }
    }

    /// The adjoint of `attend`: also fills `u` again; `dq = ...`, `g_x += ...`.
    fn attend_vjp<V: Lane>(
        &self,
        site: &Site<'_, V::S>,
        (x, q, r): (&[V], &[V], &[V]),
        (u, dq, g_x): (&mut [V], &mut [V], &mut [V]),
        rest: &mut [V],
    ) {
        let (Tile { chunks, tokens: n, dim: d }, scale) = (site.tile, site.scales[site.group.first]);
        let ([s, t, mask], _) = carve(rest, n * n);
        for c in 0..chunks {
            let own = c * n * d..(c + 1) * n * d;
            let (q, x, r) = (&q[own.clone()], &x[own.clone()], &r[own.clone()]);
            let g_x = &mut g_x[own.clone()];
            self.attention.scores(n, (d, d), q, x, s);
            product((n, n, d), lanes(r, d, 1), lanes(x, 1, d), 1.0, false, t, n);
            site.noise.fill(site.group.first as u64, c, mask);
            site.noise.multiply(t, mask);
            scores_vjp(self.attention, n, s, t);
            site.noise.multiply(s, mask);
            product((n, d, n), lanes(s, n, 1), lanes(x, d, 1), scale, false, &mut u[own.clone()], d);
            product((n, d, n), lanes(s, 1, n), lanes(r, d, 1), 1.0, true, g_x, d);
            self.attention.queries_keys_vjp(n, (d, d), (q, x), t, &mut dq[own], g_x);
        }
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

    fn forward(&self, site: Site<'_, V::S>, x: &[V], out: &mut [V], work: Work<'_, V>) {
        let scratch = work.lanes;
        let head = self.head(&site);
        if self.attention.is_plain() && !site.noise.is_on() {
            return head::forward(head, x, out, scratch);
        }
        let Tile { dim: d, .. } = site.tile;
        let ([q, u], rest) = carve(scratch, site.tile.len());
        product((site.tile.rows(), d, d), lanes(x, d, 1), params(head.w, 1, d), 1.0, false, q, d);
        self.attend(&site, x, q, u, rest);
        product((site.tile.rows(), d, d), lanes(u, d, 1), params(head.v, 1, d), 1.0, true, out, d);
    }

    fn vjp(&self, site: Site<'_, V::S>, (x, p): (&[V], &[V]), g_x: &mut [V], g_theta: &mut [V::S], work: Work<'_, V>) {
        let scratch = work.lanes;
        let head = self.head(&site);
        let (v_slot, w_slot) = (site.group.slot(&self.tensors, 0), site.group.slot(&self.tensors, 1));
        let (before, after) = g_theta.split_at_mut(w_slot.start);
        let grads = (&mut before[v_slot], &mut after[..w_slot.len()]);
        if self.attention.is_plain() && !site.noise.is_on() {
            return head::vjp(head, (x, p), g_x, grads, scratch);
        }
        let (rows, d) = (site.tile.rows(), site.tile.dim);
        let ([q, r, u, dq], rest) = carve(scratch, site.tile.len());
        product((rows, d, d), lanes(x, d, 1), params(head.w, 1, d), 1.0, false, q, d);
        product((rows, d, d), lanes(p, d, 1), params(head.v, d, 1), head.scale, false, r, d);
        self.attend_vjp(&site, (x, q, r), (u, dq, g_x), rest);
        head::gradients((rows, d), head.w, (x, p, u, dq), g_x, grads);
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
