//! The factored head on long samples, tokens in lanes.
//!
//! Maths: as `qkvo`; attention by `Tiled`, keys and values as plain rows of the sample.
//! Shapes: x, out (rows, D) lanes of tokens; q (rows, s); keys, values (n, s) scalars.
//! Cost: as `qkvo`, with memory linear in n; attended values are kept from the forward pass when there is room.
//! Checked: `tests/tokens.rs`.

use super::long::{self, Parts};
use super::qkvo::Qkvo;
use super::tiled::Queries;
use super::tiled_rows as rows;
use super::{Site, Tile, Work};
use mckean_num::lane::Lane;
use mckean_num::product::{lanes, params, product, reduce};

impl Qkvo {
    /// Lanes and scalars of scratch space.
    pub(super) fn scratch_long(&self, tile: &Tile, n: usize) -> (usize, usize) {
        long::scratch(tile.rows(), n, self.width)
    }

    /// Lanes worth keeping between forward and backward pass.
    pub(super) fn kept_long(&self, tile: &Tile) -> usize {
        long::kept(tile.rows(), self.width)
    }

    /// Queries as lanes, keys and values as rows.
    fn prepare<V: Lane>(&self, site: &Site<'_, V::S>, x: &[V], p: &mut Parts<'_, V>) {
        self.project(site, 1, x, p.dq);
        rows::to_rows(self.width, p.dq, p.keys);
        self.project(site, 2, x, p.dq);
        rows::to_rows(self.width, p.dq, p.values);
        self.project(site, 0, x, p.q);
        p.bias.fill(V::S::default());
        p.delta.fill(V::zero());
        if self.attention.kernel.is_distance() {
            let factor = -0.5 / self.attention.tau;
            rows::square(self.width, factor, p.centre, p.keys, p.bias, p.q, p.r);
        }
    }

    pub(super) fn forward_long<V: Lane>(&self, site: Site<'_, V::S>, x: &[V], out: &mut [V], work: Work<'_, V>) {
        let (rows, d, s, scale) = (site.tile.rows(), site.tile.dim, self.width, site.scales[site.group.first]);
        let mut p = Parts::carve(rows, site.tokens, s, (work.lanes, work.scalars));
        self.prepare(&site, x, &mut p);
        long::tiled(self.attention, &site, s, p.bias).attend(p.q, (p.keys, p.values), p.r, p.dq, p.sweep);
        p.keep(work.kept);
        if self.output {
            let o = params(&site.theta[site.group.slot(&self.tensors, 3)], 1, s);
            product((rows, d, s), lanes(p.dq, s, 1), o, scale, true, out, d);
        } else {
            rows::axpy(scale, p.dq, out);
        }
    }

    pub(super) fn vjp_long<V: Lane>(
        &self,
        site: Site<'_, V::S>,
        (x, p): (&[V], &[V]),
        g_x: &mut [V],
        g_theta: &mut [V::S],
        work: Work<'_, V>,
    ) {
        let (rows, d, s, scale) = (site.tile.rows(), site.tile.dim, self.width, site.scales[site.group.first]);
        let mut own = Parts::carve(rows, site.tokens, s, (work.lanes, work.scalars));
        self.prepare(&site, x, &mut own);
        let head = long::tiled(self.attention, &site, s, own.bias);
        let u: &[V] = if let Some(kept) = work.kept {
            own.r.copy_from_slice(&kept[rows * s..rows * (s + 1)]);
            &kept[..rows * s]
        } else {
            head.attend(own.q, (own.keys, own.values), own.r, own.dq, own.sweep);
            own.dq
        };
        self.output_cotangent(&site, p, own.g);
        if self.attention.kernel.is_normalised() {
            rows::row_dots(s, own.g, u, own.delta);
        }
        if self.output {
            let o = site.group.slot(&self.tensors, 3);
            reduce((d, s, rows), lanes(p, 1, d), lanes(u, s, 1), scale, &mut g_theta[o], (s, 1));
        }
        own.dq.fill(V::zero());
        let from = Queries { q: own.q, r: own.r, delta: own.delta, g: own.g };
        head.pull(from, own.dq, (own.keys, own.values), own.sweep);
        self.project_vjp(&site, 0, (x, own.dq), g_x, g_theta);
        for (k, rows_of) in [(1, &*own.keys), (2, &*own.values)] {
            rows::to_lanes(s, rows_of, own.dq);
            self.project_vjp(&site, k, (x, own.dq), g_x, g_theta);
        }
    }
}
