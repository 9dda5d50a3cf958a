//! Forward over depth and adjoint back, for one tile at a time: some samples, or one sample with its tokens in lanes.
//!
//! Maths: eqs 2.1-2.4 and the discrete adjoint of Gao et al. 2024 (appendix C.4), interleaved sublayer by sublayer.
//! Shapes: states (chunks, n, D) or (rows, D) lanes; the tape keeps the state in front of every sublayer.
//! Cost: forward once, backward about twice (attention scores are recomputed); tape 2 L states (one an evaluation of a depth method) and what encoders keep.
//! Checked: `tests/derivatives.rs`, `tests/threads.rs`, `tests/tokens.rs`.

mod branch;
mod io;
mod kept;
mod stages;

use crate::encoder::{self, Encoder, Tile};
use crate::job::{Job, Run, Sums};
use crate::kernel::{bias, norm};
use crate::network::{Network, NormRanges};
use crate::noise::Noise;
use crate::plan::LaneAxis;
use branch::{Branch, Buffers};
pub(crate) use kept::most as most_kept;
use mckean_model::ModelError;
use mckean_num::kernel;
use mckean_num::lane::Lane;
use std::ops::Range;
use std::sync::Arc;

/// Working memory of one thread and its encoders.
pub struct Pass<V: Lane> {
    net: Arc<Network>,
    axis: LaneAxis,
    attention: Option<Box<dyn Encoder<V>>>,
    feed_forward: Option<Box<dyn Encoder<V>>>,
    max_chunks: usize,
    /// Tokens of the sample at hand, its padding left out.
    tokens: usize,
    inputs: Vec<V>,
    targets: Vec<V>,
    weights: Vec<V>,
    ids: Vec<u32>,
    z: Vec<V>,
    tape: Vec<V>,
    kept: Vec<V>,
    kept_at: Vec<Range<usize>>,
    stages: Vec<V>,
    x: Vec<V>,
    branch: Vec<V>,
    mask: Vec<V>,
    p: Vec<V>,
    out: Vec<V>,
    g_out: Vec<V>,
    mean: Vec<V>,
    scratch: Vec<V>,
    scalars: Vec<V::S>,
}

/// Bytes of one state of a tile: several of them should share the second-level cache.
const STATE_BYTES: usize = 48 << 10;
const MAX_CHUNKS: usize = 8;

impl<V: Lane> Pass<V> {
    /// Allocates everything a tile needs.
    ///
    /// # Errors
    /// Unknown encoders.
    pub fn new(net: Arc<Network>, axis: LaneAxis) -> Result<Self, ModelError> {
        let attention = encoder::attention::<V>(&net.config, net.dim)?;
        let feed_forward = encoder::feed_forward::<V>(&net.config, net.dim)?;
        let tokens = axis == LaneAxis::Tokens;
        let chunk = net.tokens * net.dim;
        let fitting = (STATE_BYTES / (chunk * size_of::<V>())).clamp(1, MAX_CHUNKS);
        let max_chunks = if tokens { 1 } else { fitting };
        let rows = if tokens { net.tokens.div_ceil(V::W) } else { net.tokens };
        let tile = Tile { chunks: max_chunks, tokens: rows, dim: net.dim };
        let (scratch, scalars) = scratch(&net, axis, tile, &attention, &feed_forward);
        let kept_at = kept::ranges(&net, axis, tile, (&attention, &feed_forward));
        let lanes = |n: usize| vec![V::zero(); n];
        let outputs = net.reader.lanes(net.dim, tokens.then_some(rows));
        let raw = if tokens { rows } else { net.data.tokens } * net.data.dim;
        let branch = if net.config.dropout > 0.0 { tile.len() } else { 0 };
        let evaluations = net.stages.as_ref().map_or(0, |s| s.b.len());
        let states = (net.config.depth * evaluations).max(net.sublayers.len()).max(1);
        let normed = if net.norm.is_some() { tile.len() } else { 0 };
        Ok(Pass {
            inputs: lanes(max_chunks * raw),
            targets: lanes(max_chunks * outputs),
            weights: lanes(max_chunks),
            ids: vec![0; max_chunks * V::W],
            z: lanes(tile.len()),
            tape: lanes(tile.len() * states),
            stages: lanes(tile.len() * evaluations),
            kept: lanes(kept_at.last().map_or(0, |r| r.end)),
            kept_at,
            x: lanes(normed),
            branch: lanes(branch),
            mask: lanes(branch),
            p: lanes(tile.len()),
            out: lanes(max_chunks * outputs),
            g_out: lanes(max_chunks * outputs),
            mean: lanes(max_chunks * net.dim),
            scratch: lanes(scratch),
            scalars: vec![V::S::default(); scalars],
            tokens: net.tokens,
            net,
            axis,
            attention,
            feed_forward,
            max_chunks,
        })
    }

    /// Samples of one tile.
    fn tile_samples(&self) -> usize {
        if self.axis == LaneAxis::Tokens { 1 } else { self.max_chunks * V::W }
    }

    fn tile(&mut self, job: &Job<'_, V::S>, items: &[u32], grad: Option<&mut [V::S]>) -> Sums {
        self.gather(job, items);
        let (chunks, tokens) = match self.axis {
            LaneAxis::Samples => (items.len().div_ceil(V::W), self.tokens),
            LaneAxis::Tokens => (1, self.tokens.div_ceil(V::W)),
        };
        let tile = Tile { chunks, tokens, dim: self.net.dim };
        self.forward(job, tile, grad.is_some());
        let sums = self.losses(job, tile, items.len());
        if let Some(grad) = grad {
            self.backward(job, tile, grad);
        }
        sums
    }

    fn forward(&mut self, job: &Job<'_, V::S>, tile: Tile, keep: bool) {
        let net = self.net.clone();
        let len = tile.len();
        let z = &mut self.z[..len];
        match self.axis {
            LaneAxis::Samples => net.stem.forward(tile, job.theta, &self.inputs, z),
            LaneAxis::Tokens => net.stem.forward_tokens(tile, job.theta, &self.inputs, z),
        }
        match &net.stages {
            Some(stages) => self.forward_stages(job, tile, stages, keep),
            None => self.forward_blocks(job, tile, keep),
        }
        let y = normalised(net.norm.as_ref(), job.theta, &self.z[..len], &mut self.x);
        match self.axis {
            LaneAxis::Samples => net.reader.forward(tile, job.theta, y, &mut self.out, &mut self.mean),
            LaneAxis::Tokens => net.reader.forward_tokens(self.tokens, job.theta, y, &mut self.out, &mut self.mean),
        }
    }

    /// The paper's network: sublayer after sublayer.
    fn forward_blocks(&mut self, job: &Job<'_, V::S>, tile: Tile, keep: bool) {
        let net = self.net.clone();
        let len = tile.len();
        let z = &mut self.z[..len];
        for (k, sub) in net.sublayers.iter().enumerate() {
            let slot = if keep { k * len } else { 0 };
            let before = &mut self.tape[slot..slot + len];
            before.copy_from_slice(z);
            let x = normalised(sub.norm.as_ref(), job.theta, before, &mut self.x);
            let noise = noise(job, self.axis, tile, &self.ids, k);
            let out = if noise.is_on() { &mut self.branch[..len] } else { &mut *z };
            if noise.is_on() {
                out.fill(V::zero());
            }
            let own = if keep { self.kept_at[k].clone() } else { 0..0 };
            let kept = &mut self.kept[own];
            let buffers = Buffers { kept, lanes: &mut self.scratch, scalars: &mut self.scalars };
            let branch = Branch::new((&self.attention, &self.feed_forward), &net, sub, (self.axis, self.tokens), tile);
            branch.forward(job, noise, x, out, buffers);
            if let Some(b) = &sub.bias {
                bias::add(&job.theta[b.clone()], net.config.step(), out);
            }
            if noise.is_on() {
                mask_branch(noise, tile, &mut self.mask, &mut self.branch);
                add(&self.branch[..len], z);
            }
        }
    }

    fn backward(&mut self, job: &Job<'_, V::S>, tile: Tile, grad: &mut [V::S]) {
        let net = self.net.clone();
        let len = tile.len();
        self.backward_of_reader(job, tile, grad);
        match &net.stages {
            Some(stages) => self.backward_stages(job, tile, stages, grad),
            None => self.backward_blocks(job, tile, grad),
        }
        let p = &mut self.p[..len];
        match self.axis {
            LaneAxis::Samples => net.stem.vjp(tile, &self.inputs, p, grad),
            LaneAxis::Tokens => net.stem.vjp_tokens(tile, &self.inputs, p, grad),
        }
    }

    /// The adjoint of `forward_blocks`.
    fn backward_blocks(&mut self, job: &Job<'_, V::S>, tile: Tile, grad: &mut [V::S]) {
        let net = self.net.clone();
        let len = tile.len();
        let (p, g_x) = (&mut self.p[..len], &mut self.z[..len]); // the last state has served
        for (k, sub) in net.sublayers.iter().enumerate().rev() {
            let before = &self.tape[k * len..(k + 1) * len];
            let x = normalised(sub.norm.as_ref(), job.theta, before, &mut self.x);
            let noise = noise(job, self.axis, tile, &self.ids, k);
            let cotangent = if noise.is_on() {
                self.branch[..len].copy_from_slice(p);
                mask_branch(noise, tile, &mut self.mask, &mut self.branch);
                &self.branch[..len]
            } else {
                &*p
            };
            if let Some(b) = &sub.bias {
                bias::vjp(cotangent, net.config.step(), &mut grad[b.clone()]);
            }
            g_x.fill(V::zero());
            let kept = &mut self.kept[self.kept_at[k].clone()];
            let buffers = Buffers { kept, lanes: &mut self.scratch, scalars: &mut self.scalars };
            let branch = Branch::new((&self.attention, &self.feed_forward), &net, sub, (self.axis, self.tokens), tile);
            branch.vjp(job, noise, (x, cotangent), g_x, &mut grad[sub.theta.clone()], buffers);
            match &sub.norm {
                Some(n) => normalised_vjp(n, job.theta, (before, g_x), p, grad, &mut self.scratch),
                None => add(g_x, p),
            }
        }
    }

    /// Cotangent of the last state, and gradients of the read-out and its normalisation.
    fn backward_of_reader(&mut self, job: &Job<'_, V::S>, tile: Tile, grad: &mut [V::S]) {
        let (net, len) = (&self.net, tile.len());
        let p = &mut self.p[..len];
        let target = if net.norm.is_some() { &mut self.x[..len] } else { &mut *p };
        let (reader, mean) = (&net.reader, &mut self.mean);
        match self.axis {
            LaneAxis::Samples => {
                let g_out = &self.g_out[..tile.chunks * reader.outputs];
                reader.vjp(tile, job.theta, g_out, mean, target, grad);
            }
            LaneAxis::Tokens => reader.vjp_tokens(self.tokens, job.theta, &self.g_out, mean, target, grad),
        }
        if let Some(n) = &net.norm {
            p.fill(V::zero());
            normalised_vjp(n, job.theta, (&self.z[..len], &self.x[..len]), p, grad, &mut self.scratch);
        }
    }
}

impl<V: Lane> Run<V::S> for Pass<V> {
    fn run(&mut self, job: Job<'_, V::S>, mut grad: Option<&mut [V::S]>, mut outputs: Option<&mut [f64]>) -> Sums {
        let mut total = Sums::default();
        let (per_tile, c) = (self.tile_samples(), self.net.reader.outputs);
        for (t, items) in job.items.chunks(per_tile).enumerate() {
            total = total.merge(self.tile(&job, items, grad.as_deref_mut()));
            if let Some(outputs) = outputs.as_deref_mut() {
                self.write(&mut outputs[t * per_tile * c..][..items.len() * c]);
            }
        }
        total
    }
}

type Maybe<V> = Option<Box<dyn Encoder<V>>>;

/// Lanes and scalars of scratch space.
fn scratch<V: Lane>(net: &Network, axis: LaneAxis, tile: Tile, heads: &Maybe<V>, neurons: &Maybe<V>) -> (usize, usize) {
    let plain = |e: &Maybe<V>, tile: &Tile| e.as_ref().map_or(0, |e| e.scratch(tile));
    let (lanes, scalars) = match axis {
        LaneAxis::Samples => (plain(heads, &tile).max(plain(neurons, &tile)), 0),
        LaneAxis::Tokens => {
            let piece = Tile { tokens: branch::piece::<V>(&tile).min(tile.tokens), ..tile };
            let (lanes, scalars) = heads.as_ref().map_or((0, 0), |e| e.scratch_long(&tile, net.tokens));
            (lanes.max(plain(neurons, &piece)), scalars)
        }
    };
    (lanes.max(2 * net.dim), scalars)
}

fn noise<'a, S>(job: &Job<'a, S>, axis: LaneAxis, tile: Tile, ids: &'a [u32], sublayer: usize) -> Noise<'a> {
    let noise = job.dropout.map_or(Noise::none(), |(p, key)| Noise::new(p, key, ids).at(sublayer as u64));
    if axis == LaneAxis::Tokens { noise.on_tokens(0, tile.rows()) } else { noise }
}

/// Multiplies the branch by its own mask.
fn mask_branch<V: Lane>(noise: Noise<'_>, tile: Tile, mask: &mut [V], branch: &mut [V]) {
    let chunk = tile.tokens * tile.dim;
    for c in 0..tile.chunks {
        noise.fill(u64::MAX, c, &mut mask[c * chunk..(c + 1) * chunk]);
    }
    noise.multiply(&mut branch[..tile.len()], mask);
}

fn normalised<'a, V: Lane>(ranges: Option<&NormRanges>, theta: &[V::S], z: &'a [V], x: &'a mut [V]) -> &'a [V] {
    let Some(n) = ranges else { return z };
    norm::forward(&theta[n.gain.clone()], &theta[n.bias.clone()], z, &mut x[..z.len()]);
    &x[..z.len()]
}

fn normalised_vjp<V: Lane>(
    n: &NormRanges,
    theta: &[V::S],
    at: (&[V], &[V]),
    p: &mut [V],
    grad: &mut [V::S],
    scratch: &mut [V],
) {
    let both = &mut grad[n.gain.start..n.bias.end];
    let (g_gain, g_bias) = both.split_at_mut(n.gain.len());
    norm::vjp(&theta[n.gain.clone()], at.0, at.1, p, g_gain, g_bias, scratch);
}

kernel! {
    fn add<'a, V>(x: &'a [V], z: &'a mut [V]) {
        for (z, &x) in z.iter_mut().zip(x) { *z += x; }
    }
}
