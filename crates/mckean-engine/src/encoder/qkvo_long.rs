//! The factored head on long samples, tokens in lanes.
//!
//! Maths: as `qkvo`; attention by `Tiled`, keys and values as plain rows of the sample.
//! Shapes: x, out (rows, D) lanes of tokens; q (rows, s); keys, values (n, s) scalars.
//! Cost: as `qkvo`, with memory linear in n; attended values are kept from the forward pass when there is room.
//! Checked: `tests/tokens.rs`.

use super::qkvo::Qkvo;
use super::tiled::{self, Queries, Tiled};
use super::tiled_rows as rows;
use super::{Site, Tile, Work, carve};
use mckean_num::lane::Lane;
use mckean_num::product::{lanes, params, product, reduce};

/// A head's pieces of working memory.
struct Parts<'a, V: Lane> {
    q: &'a mut [V],
    /// Cotangent of the attended values.
    g: &'a mut [V],
    /// Projections, then attended values, then gradients.
    dq: &'a mut [V],
    r: &'a mut [V],
    delta: &'a mut [V],
    sweep: &'a mut [V],
    keys: &'a mut [V::S],
    values: &'a mut [V::S],
    bias: &'a mut [V::S],
    centre: &'a mut [V::S],
}

impl Qkvo {
    /// Lanes and scalars of scratch space.
    pub(super) fn scratch_long(&self, tile: &Tile, n: usize) -> (usize, usize) {
        let s = self.width;
        (3 * tile.rows() * s + 2 * tile.rows() + tiled::scratch(s), 2 * n * s + n + s)
    }

    /// Lanes worth keeping between forward and backward pass.
    pub(super) fn kept_long(&self, tile: &Tile) -> usize {
        tile.rows() * (self.width + 1)
    }

    fn parts<'a, V: Lane>(&self, rows: usize, n: usize, work: (&'a mut [V], &'a mut [V::S])) -> Parts<'a, V> {
        let s = self.width;
        let ([q, g, dq], rest) = carve(work.0, rows * s);
        let ([r, delta], sweep) = carve(rest, rows);
        let ([keys, values], rest) = carve(work.1, n * s);
        let (bias, rest) = rest.split_at_mut(n);
        Parts { q, g, dq, r, delta, sweep, keys, values, bias, centre: &mut rest[..s] }
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

    fn head<'a, S: Copy>(&self, site: &Site<'a, S>, bias: &'a [S]) -> Tiled<'a, S> {
        let (noise, particle) = (site.noise, site.group.first as u64);
        Tiled { attention: self.attention, sizes: (site.tokens, self.width), bias, noise, particle }
    }

    pub(super) fn forward_long<V: Lane>(&self, site: Site<'_, V::S>, x: &[V], out: &mut [V], work: Work<'_, V>) {
        let (rows, d, s, scale) = (site.tile.rows(), site.tile.dim, self.width, site.scales[site.group.first]);
        let mut p = self.parts(rows, site.tokens, (work.lanes, work.scalars));
        self.prepare(&site, x, &mut p);
        self.head(&site, p.bias).attend(p.q, (p.keys, p.values), p.r, p.dq, p.sweep);
        if let Some(kept) = work.kept {
            kept[..rows * s].copy_from_slice(p.dq);
            kept[rows * s..].copy_from_slice(p.r);
        }
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
        let mut own = self.parts(rows, site.tokens, (work.lanes, work.scalars));
        self.prepare(&site, x, &mut own);
        let head = self.head(&site, own.bias);
        let u: &[V] = if let Some(kept) = work.kept {
            own.r.copy_from_slice(&kept[rows * s..]);
            &kept[..rows * s]
        } else {
            head.attend(own.q, (own.keys, own.values), own.r, own.dq, own.sweep);
            own.dq
        };
        self.output_cotangent(&site, scale, p, own.g);
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
