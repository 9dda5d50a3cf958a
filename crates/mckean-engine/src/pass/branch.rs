//! One residual branch: all particles of a sublayer, forward and backward, for both layouts of lanes.
//!
//! Maths: out += step sum_j weight_j encoder(x, beta_j); feed-forward particles treat every token by itself.
//! Shapes: with tokens in lanes, feed-forward sublayers go through a few lane rows at a time, so that hidden units stay in the cache.
//! Cost: that of the encoders.
//! Checked: `tests/derivatives.rs`, `tests/tokens.rs`.

use crate::encoder::{Encoder, Group, Site, Tile, Work};
use crate::job::Job;
use crate::network::{Network, Sublayer};
use crate::noise::Noise;
use crate::plan::LaneAxis;
use mckean_model::Role;
use mckean_num::lane::Lane;
use std::ops::Range;

/// Bytes of the rows that a feed-forward sublayer works on at a time when lanes hold tokens.
const ROWS_BYTES: usize = 96 << 10;

/// Lane rows of one piece.
pub(super) fn piece<V>(tile: &Tile) -> usize {
    (ROWS_BYTES / (tile.dim * size_of::<V>())).clamp(8, tile.rows().max(8))
}

/// Buffers of a branch: kept lanes of the sublayer, scratch.
pub(super) struct Buffers<'a, V: Lane> {
    pub kept: &'a mut [V],
    pub lanes: &'a mut [V],
    pub scalars: &'a mut [V::S],
}

/// A sublayer of a pass.
pub(super) struct Branch<'a, V: Lane> {
    sub: &'a Sublayer,
    encoder: &'a dyn Encoder<V>,
    scales: &'a [f64],
    axis: LaneAxis,
    tile: Tile,
    tokens: usize,
}

type Maybe<V> = Option<Box<dyn Encoder<V>>>;

impl<'a, V: Lane> Branch<'a, V> {
    pub(super) fn new(
        encoders: (&'a Maybe<V>, &'a Maybe<V>),
        net: &'a Network,
        sub: &'a Sublayer,
        (axis, tokens): (LaneAxis, usize),
        tile: Tile,
    ) -> Self {
        let encoder = if sub.role == Role::Head { encoders.0 } else { encoders.1 };
        let encoder = encoder.as_deref().expect("a sublayer exists only when its encoder does");
        Branch { sub, encoder, scales: net.scales(sub.role, sub.slice), axis, tile, tokens }
    }

    fn groups(&self, size: usize) -> impl Iterator<Item = Group> + use<V> {
        let total = self.sub.particles;
        (0..total).step_by(size).map(move |first| Group { first, count: size.min(total - first), total })
    }

    fn site<'b>(&'b self, job: &Job<'b, V::S>, tile: Tile, group: Group, noise: Noise<'b>) -> Site<'b, V::S> {
        let theta = &job.theta[self.sub.theta.clone()];
        Site { tile, tokens: self.tokens, group, theta, scales: self.scales, noise }
    }

    /// Pieces of lane rows, as tile and range of lanes: one piece unless tokens lie in lanes.
    fn pieces(&self) -> impl Iterator<Item = (Tile, usize, Range<usize>)> + use<V> {
        let (tile, tokens) = (self.tile, self.axis == LaneAxis::Tokens);
        let rows = if tokens { piece::<V>(&tile) } else { tile.rows() };
        (0..tile.rows()).step_by(rows).map(move |r| {
            let count = rows.min(tile.rows() - r);
            let own = if tokens { Tile { tokens: count, ..tile } } else { tile };
            (own, r, r * tile.dim..(r + count) * tile.dim)
        })
    }

    fn is_long(&self) -> bool {
        self.axis == LaneAxis::Tokens && self.sub.role == Role::Head
    }

    /// Lanes that a group of particles keeps, if this sublayer has room.
    fn kept<'b>(&self, kept: &'b mut [V], group: Group) -> Option<&'b mut [V]> {
        let each = kept.len() / self.sub.particles;
        if each == 0 { None } else { Some(&mut kept[group.first * each..(group.first + group.count) * each]) }
    }

    pub(super) fn forward(&self, job: &Job<'_, V::S>, noise: Noise<'_>, x: &[V], out: &mut [V], b: Buffers<'_, V>) {
        if self.is_long() {
            for group in self.groups(1) {
                let site = self.site(job, self.tile, group, noise);
                let kept = self.kept(b.kept, group);
                self.encoder.forward_long(site, x, out, Work { kept, lanes: b.lanes, scalars: b.scalars });
            }
            return;
        }
        for (tile, row, own) in self.pieces() {
            let noise = if self.axis == LaneAxis::Tokens { noise.on_tokens(row, tile.rows()) } else { noise };
            for group in self.groups(self.encoder.group()) {
                let site = self.site(job, tile, group, noise);
                let work = Work { kept: self.kept(b.kept, group), lanes: b.lanes, scalars: b.scalars };
                self.encoder.forward(site, &x[own.clone()], &mut out[own.clone()], work);
            }
        }
    }

    pub(super) fn vjp(
        &self,
        job: &Job<'_, V::S>,
        noise: Noise<'_>,
        (x, p): (&[V], &[V]),
        g_x: &mut [V],
        grad: &mut [V::S],
        b: Buffers<'_, V>,
    ) {
        if self.is_long() {
            for group in self.groups(1) {
                let site = self.site(job, self.tile, group, noise);
                let work = Work { kept: self.kept(b.kept, group), lanes: b.lanes, scalars: b.scalars };
                self.encoder.vjp_long(site, (x, p), g_x, grad, work);
            }
            return;
        }
        for (tile, row, own) in self.pieces() {
            let noise = if self.axis == LaneAxis::Tokens { noise.on_tokens(row, tile.rows()) } else { noise };
            for group in self.groups(self.encoder.group()) {
                let site = self.site(job, tile, group, noise);
                let work = Work { kept: self.kept(b.kept, group), lanes: b.lanes, scalars: b.scalars };
                let at = (&x[own.clone()], &p[own.clone()]);
                self.encoder.vjp(site, at, &mut g_x[own.clone()], grad, work);
            }
        }
    }
}
