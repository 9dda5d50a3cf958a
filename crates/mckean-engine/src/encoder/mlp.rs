//! The feed-forward particle, w = (W1, W2), with an optional bias of the hidden units.
//!
//! Maths: h(Z, w) = W2 sigma(W1 Z) (Gao et al. 2024, section 2.2); with m = 1 a particle is one neuron.
//! Shapes: w1 (neurons, m, D), w2 (neurons, D, m), b1 (neurons, m).
//! Cost: 2 m D n multiply-adds forward, twice that backward (2.5 times when W1 Z is computed again). Neurons with m = 1 go in
//! groups that make one state.
//! Checked: `tests/derivatives.rs`.

use super::{Encoder, Site, Tile, Work, blocks, carve, store};
use crate::kernel::{activation, bias};
use crate::noise::multiply;
use mckean_model::{Activation, ModelConfig, TensorSpec};
use mckean_num::lane::{Lane, Scalar};
use mckean_num::product::{Params, lanes, params, product, reduce};
use std::ops::Range;

/// Neurons with a single hidden unit that one call takes at least; on wider tokens it takes as many as a token has entries.
const GROUP: usize = 32;

/// The feed-forward particle.
pub struct Mlp {
    activation: Activation,
    hidden: usize,
    group: usize,
    bias: bool,
    tensors: Vec<TensorSpec>,
}

impl Mlp {
    /// Particles of `hidden` units on tokens of dimension `dim`.
    pub fn new(m: &ModelConfig, dim: usize) -> Self {
        let spec = |name, shape: Vec<usize>, fan_in, sums_particles| TensorSpec { name, shape, fan_in, sums_particles };
        let mut tensors =
            vec![spec("w1", vec![m.hidden, dim], dim, false), spec("w2", vec![dim, m.hidden], m.hidden, true)];
        if m.bias {
            tensors.push(spec("b1", vec![m.hidden], 0, false));
        }
        let group = if m.hidden == 1 { GROUP.max(dim).min(m.neurons) } else { 1 };
        Mlp { activation: m.activation, hidden: m.hidden, group, bias: m.bias, tensors }
    }

    /// W2^T of the group as (units, D): strides differ because the particle axis comes first.
    fn down<'a, S: Scalar>(&self, w2: &'a [S], d: usize) -> Params<'a, S> {
        if self.hidden == 1 { params(w2, d, 1) } else { params(w2, 1, self.hidden) }
    }

    /// W2 of the group as (D, units).
    fn up<'a, S: Scalar>(&self, w2: &'a [S], d: usize) -> Params<'a, S> {
        if self.hidden == 1 { params(w2, 1, d) } else { params(w2, self.hidden, 1) }
    }

    fn pre_activation<V: Lane>(&self, site: &Site<'_, V::S>, x: &[V], out: &mut [V]) {
        let (d, units) = (site.tile.dim, site.group.count * self.hidden);
        let rows = out.len() / units;
        let w1 = &site.theta[site.group.slot(&self.tensors, 0)];
        product((rows, units, d), lanes(x, d, 1), params(w1, 1, d), 1.0, false, out, units);
        if self.bias {
            bias::add(&site.theta[site.group.slot(&self.tensors, 2)], 1.0, out);
        }
    }

    /// Fills the dropout mask of all rows (chunk by chunk).
    fn mask<V: Lane>(&self, site: &Site<'_, V::S>, mask: &mut [V]) {
        let per_chunk = mask.len() / site.tile.chunks;
        for (c, part) in mask.chunks_mut(per_chunk).enumerate() {
            site.noise.fill(site.group.first as u64, c, part);
        }
    }
}

impl<V: Lane> Encoder<V> for Mlp {
    fn tensors(&self) -> &[TensorSpec] {
        &self.tensors
    }

    fn group(&self) -> usize {
        self.group
    }

    fn scratch(&self, tile: &Tile) -> usize {
        4 * tile.rows() * self.group * self.hidden
    }

    fn multiply_adds(&self, n: usize, d: usize) -> usize {
        2 * n * d * self.hidden
    }

    fn kept(&self, tile: &Tile) -> usize {
        // on narrow tokens a neuron is computed again faster than it is read back
        if self.hidden * tile.dim < GROUP { 0 } else { tile.rows() * self.hidden }
    }

    fn forward(&self, site: Site<'_, V::S>, x: &[V], out: &mut [V], mut work: Work<'_, V>) {
        let (d, units) = (site.tile.dim, site.group.count * self.hidden);
        let ([a, mask], _) = carve(work.lanes, site.tile.rows() * units);
        let scales = &site.scales[site.group.first..];
        let w2 = &site.theta[site.group.slot(&self.tensors, 1)];
        for rows in blocks_of::<V>(&site, units) {
            let (wide, a) = (rows.start * d..rows.end * d, &mut a[..rows.len() * units]);
            self.pre_activation(&site, &x[wide.clone()], a);
            if let Some(kept) = &mut work.kept {
                kept[rows.start * units..rows.end * units].copy_from_slice(a);
            }
            activation::apply(self.activation, self.hidden, scales, units, a);
            self.mask(&site, mask);
            site.noise.multiply(a, mask);
            product((rows.len(), d, units), lanes(a, units, 1), self.down(w2, d), 1.0, true, &mut out[wide], d);
        }
    }

    fn vjp(&self, site: Site<'_, V::S>, (x, p): (&[V], &[V]), g_x: &mut [V], g_theta: &mut [V::S], work: Work<'_, V>) {
        let (d, units) = (site.tile.dim, site.group.count * self.hidden);
        let again = work.kept.is_none();
        let ([a], rest) = store(work.kept, work.lanes, site.tile.rows() * units);
        let ([slope, g, mask], _) = carve(rest, site.tile.rows() * units);
        let scales = &site.scales[site.group.first..];
        let (w1_slot, w2_slot) = (site.group.slot(&self.tensors, 0), site.group.slot(&self.tensors, 1));
        let strides = if self.hidden == 1 { (d, 1) } else { (1, self.hidden) };
        for rows in blocks_of::<V>(&site, units) {
            let (n, wide) = (rows.len(), rows.start * d..rows.end * d);
            let (x, p, g_x) = (&x[wide.clone()], &p[wide.clone()], &mut g_x[wide]);
            let a = &mut a[rows.start * units..rows.end * units];
            let (slope, g) = (&mut slope[..n * units], &mut g[..n * units]);
            if again {
                self.pre_activation(&site, x, a);
            }
            activation::apply_with_slope(self.activation, self.hidden, scales, units, a, slope);
            self.mask(&site, mask);
            site.noise.multiply(a, mask);
            site.noise.multiply(slope, mask);
            product((n, units, d), lanes(p, d, 1), self.up(&site.theta[w2_slot.clone()], d), 1.0, false, g, units);
            multiply(g, slope);
            reduce((units, d, n), lanes(a, 1, units), lanes(p, d, 1), 1.0, &mut g_theta[w2_slot.clone()], strides);
            reduce((units, d, n), lanes(g, 1, units), lanes(x, d, 1), 1.0, &mut g_theta[w1_slot.clone()], (d, 1));
            if self.bias {
                bias::vjp(g, 1.0, &mut g_theta[site.group.slot(&self.tensors, 2)]);
            }
            product((n, d, units), lanes(g, units, 1), params(&site.theta[w1_slot.clone()], d, 1), 1.0, true, g_x, d);
        }
    }
}

/// Rows that go through all products together: a block, or all of them when there are masks (which are per sample).
fn blocks_of<V: Lane>(site: &Site<'_, V::S>, units: usize) -> impl Iterator<Item = Range<usize>> + use<V> {
    let rows = site.tile.rows();
    let width = if site.noise.is_on() { 0 } else { units.max(site.tile.dim) };
    blocks::<V>(rows, width)
}
