//! Forward over depth and adjoint back, for one tile of samples at a time.
//!
//! Maths: eqs 2.1-2.4 and the discrete adjoint of Gao et al. 2024 (appendix C.4), interleaved sublayer by sublayer.
//! Shapes: states (chunks, n, D) lanes; the tape keeps the state in front of every sublayer.
//! Cost: forward once, backward about 2.5 times (attention is recomputed); tape 2 L n D lanes a chunk.
//! Checked: `tests/derivatives.rs`, `tests/threads.rs`.

use crate::encoder::{self, Encoder, Group, Site, Tile};
use crate::kernel::{bias, loss, norm};
use crate::network::{Network, Sublayer};
use crate::noise::Noise;
use mckean_data::{Dataset, Targets};
use mckean_model::{ModelError, Role};
use mckean_num::kernel;
use mckean_num::lane::{Lane, Scalar};
use std::sync::Arc;

/// Which samples, and how they are treated.
#[derive(Clone, Copy)]
pub struct Job<'a, S> {
    /// Parameters.
    pub theta: &'a [S],
    /// Samples.
    pub data: &'a Dataset,
    /// Indices of the samples of this shard.
    pub items: &'a [u32],
    /// Weight of each sample in the risk (1 / batch size).
    pub weight: f64,
    /// Dropout probability and key of this step.
    pub dropout: Option<(f64, u64)>,
}

/// Sums over samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// Weighted sum of losses.
    pub risk: f64,
    /// Its tangent (dual parameters only).
    pub tangent: f64,
    /// Correctly classified samples (0 for regression).
    pub correct: usize,
    /// Largest 2-norm of a token at depth 1, before any normalisation.
    pub token_norm: f64,
}

impl Sums {
    /// Sums of two sets of samples.
    pub fn merge(self, o: Sums) -> Sums {
        Sums {
            risk: self.risk + o.risk,
            tangent: self.tangent + o.tangent,
            correct: self.correct + o.correct,
            token_norm: if o.token_norm > self.token_norm || o.token_norm.is_nan() {
                o.token_norm
            } else {
                self.token_norm
            },
        }
    }
}

/// What a thread can do with a shard; hides the lane type.
pub trait Run<S>: Send + Sync {
    /// Risk of the items; adds to `grad` if given; writes outputs (items, C) if given.
    fn run(&mut self, job: Job<'_, S>, grad: Option<&mut [S]>, outputs: Option<&mut [f64]>) -> Sums;
    /// Samples that one tile holds.
    fn tile_samples(&self) -> usize;
    /// Samples in one lane.
    fn lane(&self) -> usize;
}

/// Working memory of one thread and its encoders.
pub struct Pass<V: Lane> {
    net: Arc<Network>,
    attention: Option<Box<dyn Encoder<V>>>,
    feed_forward: Option<Box<dyn Encoder<V>>>,
    max_chunks: usize,
    inputs: Vec<V>,
    targets: Vec<V>,
    weights: Vec<V>,
    ids: Vec<u32>,
    z: Vec<V>,
    tape: Vec<V>,
    x: Vec<V>,
    branch: Vec<V>,
    mask: Vec<V>,
    p: Vec<V>,
    g_x: Vec<V>,
    out: Vec<V>,
    g_out: Vec<V>,
    mean: Vec<V>,
    scratch: Vec<V>,
}

/// Bytes of one state of a tile: several of them should share the second-level cache.
const STATE_BYTES: usize = 48 << 10;
const MAX_CHUNKS: usize = 8;

impl<V: Lane> Pass<V> {
    /// Allocates everything a tile needs.
    ///
    /// # Errors
    /// Unknown encoders.
    pub fn new(net: Arc<Network>) -> Result<Self, ModelError> {
        let attention = encoder::attention::<V>(&net.config, net.dim)?;
        let feed_forward = encoder::feed_forward::<V>(&net.config, net.dim)?;
        let chunk = net.tokens * net.dim;
        let max_chunks = (STATE_BYTES / (chunk * size_of::<V>())).clamp(1, MAX_CHUNKS);
        let tile = Tile { chunks: max_chunks, tokens: net.tokens, dim: net.dim };
        let need = |e: &Option<Box<dyn Encoder<V>>>| e.as_ref().map_or(0, |e| e.scratch(&tile));
        let scratch = need(&attention).max(need(&feed_forward)).max(2 * net.dim);
        let lanes = |n: usize| vec![V::zero(); n];
        let (outputs, raw) = (net.reader.outputs, net.data.tokens * net.data.dim);
        let branch = if net.config.dropout > 0.0 { tile.len() } else { 0 };
        let normed = if net.norm.is_some() { tile.len() } else { 0 };
        Ok(Pass {
            inputs: lanes(max_chunks * raw),
            targets: lanes(max_chunks * outputs),
            weights: lanes(max_chunks),
            ids: vec![0; max_chunks * V::W],
            z: lanes(tile.len()),
            tape: lanes(tile.len() * net.sublayers.len().max(1)),
            x: lanes(normed),
            branch: lanes(branch),
            mask: lanes(branch),
            p: lanes(tile.len()),
            g_x: lanes(tile.len()),
            out: lanes(max_chunks * outputs),
            g_out: lanes(max_chunks * outputs),
            mean: lanes(max_chunks * net.dim),
            scratch: lanes(scratch),
            net,
            attention,
            feed_forward,
            max_chunks,
        })
    }

    fn tile(&mut self, job: &Job<'_, V::S>, items: &[u32], grad: Option<&mut [V::S]>) -> Sums {
        let chunks = items.len().div_ceil(V::W);
        let tile = Tile { chunks, tokens: self.net.tokens, dim: self.net.dim };
        self.gather(job, items);
        self.forward(job, tile, grad.is_some());
        let sums = self.losses(chunks, items.len());
        if let Some(grad) = grad {
            self.backward(job, tile, grad);
        }
        sums
    }

    /// Transposes the samples into lanes; empty places repeat the last sample with weight zero.
    fn gather(&mut self, job: &Job<'_, V::S>, items: &[u32]) {
        let (data, raw, outputs) = (job.data, self.net.data.tokens * self.net.data.dim, self.net.reader.outputs);
        let item = |i: usize| items[i.min(items.len() - 1)] as usize;
        for c in 0..items.len().div_ceil(V::W) {
            let at = c * V::W;
            for (i, x) in self.inputs[c * raw..(c + 1) * raw].iter_mut().enumerate() {
                *x = V::from_fn(|w| V::S::new(data.inputs[item(at + w) * raw + i], 0.0));
            }
            for (k, y) in self.targets[c * outputs..(c + 1) * outputs].iter_mut().enumerate() {
                *y = V::from_fn(|w| V::S::new(target(data, item(at + w), k), 0.0));
            }
            let weight = |w: usize| {
                if at + w < items.len() { job.weight } else { 0.0 }
            };
            self.weights[c] = V::from_fn(|w| V::S::new(weight(w), 0.0));
            (0..V::W).for_each(|w| self.ids[at + w] = item(at + w) as u32);
        }
    }

    fn forward(&mut self, job: &Job<'_, V::S>, tile: Tile, keep: bool) {
        let net = self.net.clone();
        let len = tile.len();
        let z = &mut self.z[..len];
        net.stem.forward(tile, job.theta, &self.inputs, z);
        for (k, sub) in net.sublayers.iter().enumerate() {
            let slot = if keep { k * len } else { 0 };
            let before = &mut self.tape[slot..slot + len];
            before.copy_from_slice(z);
            let x = normalised(sub.norm.as_ref(), job.theta, before, &mut self.x);
            let noise = noise(job, &self.ids, k);
            let drop = noise.is_on();
            let out = if drop { &mut self.branch[..len] } else { &mut *z };
            if drop {
                out.fill(V::zero());
            }
            let encoder = pick(&self.attention, &self.feed_forward, sub);
            for group in groups(sub, encoder) {
                let site =
                    Site { tile, group, theta: &job.theta[sub.theta.clone()], scales: net.scales(sub.role), noise };
                encoder.forward(site, x, out, &mut self.scratch);
            }
            if let Some(b) = &sub.bias {
                bias::add(&job.theta[b.clone()], net.config.step(), out);
            }
            if drop {
                mask_branch(noise, tile, &mut self.mask, &mut self.branch);
                add(&self.branch[..len], z);
            }
        }
        let y = normalised(net.norm.as_ref(), job.theta, &self.z[..len], &mut self.x);
        net.reader.forward(tile, job.theta, y, &mut self.out, &mut self.mean);
    }

    fn losses(&mut self, chunks: usize, samples: usize) -> Sums {
        let (outputs, loss) = (self.net.reader.outputs, self.net.config.loss);
        let square = largest_square(self.net.dim, &self.z[..chunks * self.net.tokens * self.net.dim]);
        let largest_square =
            (0..V::W).fold(0.0, |m: f64, w| if square.get(w).re() > m { square.get(w).re() } else { m });
        let mut sums = Sums { token_norm: largest_square.sqrt(), ..Sums::default() };
        for c in 0..chunks {
            let own = c * outputs..(c + 1) * outputs;
            let (out, target) = (&self.out[own.clone()], &self.targets[own.clone()]);
            let value = loss::value_and_cotangent(loss, self.weights[c], out, target, &mut self.g_out[own]);
            for w in 0..V::W.min(samples - c * V::W) {
                sums.risk += value.get(w).re();
                sums.tangent += value.get(w).eps();
                sums.correct += usize::from(outputs > 1 && largest(out, w) == largest(target, w));
            }
        }
        if !sums.risk.is_finite() {
            sums.token_norm = f64::NAN; // lanes drop NaN when they compare
        }
        sums
    }

    fn backward(&mut self, job: &Job<'_, V::S>, tile: Tile, grad: &mut [V::S]) {
        let net = self.net.clone();
        let len = tile.len();
        let (p, g_x) = (&mut self.p[..len], &mut self.g_x[..len]);
        let target = if net.norm.is_some() { &mut *g_x } else { &mut *p };
        net.reader.vjp(tile, job.theta, &self.g_out[..tile.chunks * net.reader.outputs], &mut self.mean, target, grad);
        if let Some(n) = &net.norm {
            p.fill(V::zero());
            normalised_vjp(n, job.theta, (&self.z[..len], g_x), p, grad, &mut self.scratch);
        }
        for (k, sub) in net.sublayers.iter().enumerate().rev() {
            let before = &self.tape[k * len..(k + 1) * len];
            let x = normalised(sub.norm.as_ref(), job.theta, before, &mut self.x);
            let noise = noise(job, &self.ids, k);
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
            let encoder = pick(&self.attention, &self.feed_forward, sub);
            for group in groups(sub, encoder) {
                let site =
                    Site { tile, group, theta: &job.theta[sub.theta.clone()], scales: net.scales(sub.role), noise };
                encoder.vjp(site, x, cotangent, g_x, &mut grad[sub.theta.clone()], &mut self.scratch);
            }
            match &sub.norm {
                Some(n) => normalised_vjp(n, job.theta, (before, g_x), p, grad, &mut self.scratch),
                None => add(g_x, p),
            }
        }
        net.stem.vjp(tile, &self.inputs, p, grad);
    }
}

impl<V: Lane> Run<V::S> for Pass<V> {
    fn run(&mut self, job: Job<'_, V::S>, mut grad: Option<&mut [V::S]>, mut outputs: Option<&mut [f64]>) -> Sums {
        let mut total = Sums::default();
        let (per_tile, c) = (self.max_chunks * V::W, self.net.reader.outputs);
        for (t, items) in job.items.chunks(per_tile).enumerate() {
            total = total.merge(self.tile(&job, items, grad.as_deref_mut()));
            if let Some(outputs) = outputs.as_deref_mut() {
                for (i, o) in outputs[t * per_tile * c..].iter_mut().take(items.len() * c).enumerate() {
                    let (sample, k) = (i / c, i % c);
                    *o = self.out[sample / V::W * c + k].get(sample % V::W).re();
                }
            }
        }
        total
    }

    fn tile_samples(&self) -> usize {
        self.max_chunks * V::W
    }

    fn lane(&self) -> usize {
        V::W
    }
}

fn target(data: &Dataset, sample: usize, k: usize) -> f64 {
    match &data.targets {
        Targets::Values { data, outputs } => data[sample * outputs + k],
        Targets::Classes { labels, .. } => f64::from(labels[sample] as usize == k),
    }
}

fn largest<V: Lane>(values: &[V], w: usize) -> usize {
    let best = |b: usize, k: usize| {
        if values[k].get(w).re() > values[b].get(w).re() { k } else { b }
    };
    (1..values.len()).fold(0, best)
}

fn noise<'a, S>(job: &Job<'a, S>, ids: &'a [u32], sublayer: usize) -> Noise<'a> {
    job.dropout.map_or(Noise::none(), |(p, key)| Noise::new(p, key, ids).at(sublayer as u64))
}

/// Multiplies the branch by its own mask.
fn mask_branch<V: Lane>(noise: Noise<'_>, tile: Tile, mask: &mut [V], branch: &mut [V]) {
    let chunk = tile.tokens * tile.dim;
    for c in 0..tile.chunks {
        noise.fill(u64::MAX, c, &mut mask[c * chunk..(c + 1) * chunk]);
    }
    noise.multiply(&mut branch[..tile.len()], mask);
}

fn pick<'a, V: Lane>(
    attention: &'a Option<Box<dyn Encoder<V>>>,
    feed_forward: &'a Option<Box<dyn Encoder<V>>>,
    sub: &Sublayer,
) -> &'a dyn Encoder<V> {
    let encoder = if sub.role == Role::Head { attention } else { feed_forward };
    encoder.as_deref().expect("a sublayer exists only when its encoder does")
}

fn groups<V: Lane>(sub: &Sublayer, encoder: &dyn Encoder<V>) -> impl Iterator<Item = Group> + use<V> {
    let (total, size) = (sub.particles, encoder.group());
    (0..total).step_by(size).map(move |first| Group { first, count: size.min(total - first), total })
}

fn normalised<'a, V: Lane>(
    ranges: Option<&crate::network::NormRanges>,
    theta: &[V::S],
    z: &'a [V],
    x: &'a mut [V],
) -> &'a [V] {
    let Some(n) = ranges else { return z };
    norm::forward(&theta[n.gain.clone()], &theta[n.bias.clone()], z, &mut x[..z.len()]);
    &x[..z.len()]
}

fn normalised_vjp<V: Lane>(
    n: &crate::network::NormRanges,
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
    /// Largest squared 2-norm over the rows of `z`, sample by sample.
    fn largest_square<'a, V>(d: usize, z: &'a [V]) -> V {
        let square = |row: &[V]| row.iter().fold(V::zero(), |s, &x| x.fma(x, s));
        z.chunks(d).fold(V::zero(), |m, row| m.max_detached(square(row)))
    }
}

kernel! {
    fn add<'a, V>(x: &'a [V], z: &'a mut [V]) {
        z.iter_mut().zip(x).for_each(|(z, &x)| *z += x);
    }
}
