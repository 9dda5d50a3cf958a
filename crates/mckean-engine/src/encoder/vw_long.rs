//! The (V, W) head on long samples, tokens in lanes.
//!
//! Maths: as `vw`; attention by `Tiled`, the tokens of the sample as plain rows are keys and values.
//! Shapes: x, out (rows, D) lanes of tokens; keys, values (n, D) scalars.
//! Cost: as `vw`, with memory linear in n; attended values are kept from the forward pass when there is room.
//! Checked: `tests/tokens.rs`.

use super::long::{self, Parts};
use super::tiled::Queries;
use super::tiled_rows as rows;
use super::vw::Vw;
use super::{Site, Tile, Work};
use mckean_num::lane::Lane;
use mckean_num::product::{lanes, params, product, reduce};

impl Vw {
    /// Lanes and scalars of scratch space.
    pub(super) fn scratch_long(&self, tile: &Tile, n: usize) -> (usize, usize) {
        long::scratch(tile.rows(), n, tile.dim)
    }

    /// Lanes worth keeping between forward and backward pass.
    pub(super) fn kept_long(&self, tile: &Tile) -> usize {
        long::kept(tile.rows(), tile.dim)
    }

    /// Queries as lanes, tokens as rows.
    fn prepare<V: Lane>(&self, site: &Site<'_, V::S>, x: &[V], p: &mut Parts<'_, V>) {
        let (rows, d) = (site.tile.rows(), site.tile.dim);
        let w = params(&site.theta[site.group.slot(&self.tensors, 1)], 1, d);
        product((rows, d, d), lanes(x, d, 1), w, 1.0, false, p.q, d);
        rows::to_rows(d, x, p.keys);
        p.values.copy_from_slice(p.keys);
        p.bias.fill(V::S::default());
        p.delta.fill(V::zero());
        if self.attention.kernel.is_distance() {
            rows::square(d, -0.5 / self.attention.tau, p.centre, p.keys, p.bias, p.q, p.r);
        }
    }

    pub(super) fn forward_long<V: Lane>(&self, site: Site<'_, V::S>, x: &[V], out: &mut [V], work: Work<'_, V>) {
        let (rows, d, scale) = (site.tile.rows(), site.tile.dim, site.scales[site.group.first]);
        let mut p = Parts::carve(rows, site.tokens, d, (work.lanes, work.scalars));
        self.prepare(&site, x, &mut p);
        long::tiled(self.attention, &site, d, p.bias).attend(p.q, (p.keys, p.values), p.r, p.dq, p.sweep);
        p.keep(work.kept);
        let v = params(&site.theta[site.group.slot(&self.tensors, 0)], 1, d);
        product((rows, d, d), lanes(p.dq, d, 1), v, scale, true, out, d);
    }

    pub(super) fn vjp_long<V: Lane>(
        &self,
        site: Site<'_, V::S>,
        (x, p): (&[V], &[V]),
        g_x: &mut [V],
        g_theta: &mut [V::S],
        work: Work<'_, V>,
    ) {
        let (rows, d, scale) = (site.tile.rows(), site.tile.dim, site.scales[site.group.first]);
        let (v_slot, w_slot) = (site.group.slot(&self.tensors, 0), site.group.slot(&self.tensors, 1));
        let mut own = Parts::carve(rows, site.tokens, d, (work.lanes, work.scalars));
        self.prepare(&site, x, &mut own);
        let head = long::tiled(self.attention, &site, d, own.bias);
        let u: &[V] = if let Some(kept) = work.kept {
            own.r.copy_from_slice(&kept[rows * d..rows * (d + 1)]);
            &kept[..rows * d]
        } else {
            head.attend(own.q, (own.keys, own.values), own.r, own.dq, own.sweep);
            own.dq
        };
        let v = params(&site.theta[v_slot.clone()], d, 1);
        product((rows, d, d), lanes(p, d, 1), v, scale, false, own.g, d);
        if self.attention.kernel.is_normalised() {
            rows::row_dots(d, own.g, u, own.delta);
        }
        reduce((d, d, rows), lanes(p, 1, d), lanes(u, d, 1), scale, &mut g_theta[v_slot], (d, 1));
        own.dq.fill(V::zero());
        let from = Queries { q: own.q, r: own.r, delta: own.delta, g: own.g };
        head.pull(from, own.dq, (own.keys, own.values), own.sweep);
        reduce((d, d, rows), lanes(own.dq, 1, d), lanes(x, d, 1), 1.0, &mut g_theta[w_slot.clone()], (d, 1));
        product((rows, d, d), lanes(own.dq, d, 1), params(&site.theta[w_slot], d, 1), 1.0, true, g_x, d);
        for (k, &v) in own.keys.iter_mut().zip(&*own.values) {
            *k += v;
        }
        rows::to_lanes(d, own.keys, own.dq);
        rows::axpy(1.0, own.dq, g_x);
    }
}
