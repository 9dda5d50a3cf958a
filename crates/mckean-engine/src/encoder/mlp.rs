//! The feed-forward particle, w = (W1, W2), with an optional bias of the hidden units.
//!
//! Maths: h(Z, w) = W2 sigma(W1 Z) (Gao et al. 2024, section 2.2); with m = 1 a particle is one neuron.
//! Shapes: w1 (neurons, m, D), w2 (neurons, D, m), b1 (neurons, m).
//! Cost: 2 m D n multiply-adds forward, twice that backward (2.5 times when W1 Z is computed again, as for m = 1, whose
//! neurons go in groups of 32).
//! Checked: `tests/derivatives.rs`.

use super::{Encoder, Site, Tile, Work, carve, store};
use crate::kernel::{activation, bias};
use crate::noise::multiply;
use mckean_model::{Activation, ModelConfig, TensorSpec};
use mckean_num::lane::{Lane, Scalar};
use mckean_num::product::{Params, lanes, params, product, reduce};

/// Neurons handled by one call when each has a single hidden unit.
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
        let group = if m.hidden == 1 { GROUP.min(m.neurons) } else { 1 };
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
        let (rows, d, units) = (site.tile.rows(), site.tile.dim, site.group.count * self.hidden);
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
        if self.hidden == 1 { 0 } else { tile.rows() * self.hidden }
    }

    fn forward(&self, site: Site<'_, V::S>, x: &[V], out: &mut [V], work: Work<'_, V>) {
        let Tile { dim: d, .. } = site.tile;
        let (rows, units) = (site.tile.rows(), site.group.count * self.hidden);
        let ([a, mask], _) = carve(work.lanes, rows * units);
        self.pre_activation(&site, x, a);
        if let Some(kept) = work.kept {
            kept[..rows * units].copy_from_slice(a);
        }
        let scales = &site.scales[site.group.first..];
        activation::apply(self.activation, self.hidden, scales, units, a);
        self.mask(&site, mask);
        site.noise.multiply(a, mask);
        let w2 = &site.theta[site.group.slot(&self.tensors, 1)];
        product((rows, d, units), lanes(a, units, 1), self.down(w2, d), 1.0, true, out, d);
    }

    fn vjp(&self, site: Site<'_, V::S>, (x, p): (&[V], &[V]), g_x: &mut [V], g_theta: &mut [V::S], work: Work<'_, V>) {
        let Tile { dim: d, .. } = site.tile;
        let (rows, units) = (site.tile.rows(), site.group.count * self.hidden);
        let again = work.kept.is_none();
        let ([a], rest) = store(work.kept, work.lanes, rows * units);
        let ([slope, g, mask], _) = carve(rest, rows * units);
        if again {
            self.pre_activation(&site, x, a);
        }
        let scales = &site.scales[site.group.first..];
        activation::apply_with_slope(self.activation, self.hidden, scales, units, a, slope);
        self.mask(&site, mask);
        site.noise.multiply(a, mask);
        site.noise.multiply(slope, mask);
        let (w1_slot, w2_slot) = (site.group.slot(&self.tensors, 0), site.group.slot(&self.tensors, 1));
        product((rows, units, d), lanes(p, d, 1), self.up(&site.theta[w2_slot.clone()], d), 1.0, false, g, units);
        multiply(g, slope);
        let strides = if self.hidden == 1 { (d, 1) } else { (1, self.hidden) };
        reduce((units, d, rows), lanes(a, 1, units), lanes(p, d, 1), 1.0, &mut g_theta[w2_slot], strides);
        reduce((units, d, rows), lanes(g, 1, units), lanes(x, d, 1), 1.0, &mut g_theta[w1_slot.clone()], (d, 1));
        if self.bias {
            bias::vjp(g, 1.0, &mut g_theta[site.group.slot(&self.tensors, 2)]);
        }
        product((rows, d, units), lanes(g, units, 1), params(&site.theta[w1_slot], d, 1), 1.0, true, g_x, d);
    }
}
