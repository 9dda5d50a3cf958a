//! Encoders: the map of one particle from tokens to tokens, forward and backward, and their registry.
//!
//! Maths: f(Z, theta) and h(Z, w) of Gao et al. 2024, section 2; a sublayer is Z += step * sum_j weight_j encoder(Z, beta_j).
//! Shapes: states are (chunks, tokens, dim) lanes, samples inside the lane; one call handles a group of particles.
//! Cost: stated by `Encoder::multiply_adds`.
//! Checked: `tests/derivatives.rs` (differences, inner products, the plain reference) for every entry of the registry.

use crate::noise::Noise;
use mckean_model::{ModelConfig, ModelError, TensorSpec};
use mckean_num::lane::Lane;
use std::ops::Range;

mod attention;
mod long;
mod mlp;
mod qkvo;
mod qkvo_long;
mod tiled;
mod tiled_rows;
mod vw;
mod vw_long;

pub use tiled_rows::Block;

/// Sizes of the states handed to an encoder. When lanes hold tokens there is one chunk, and `tokens` counts lane rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Groups of `W` samples.
    pub chunks: usize,
    /// Tokens per sample (n), or lane rows of one sample.
    pub tokens: usize,
    /// Dimension of a token (D).
    pub dim: usize,
}

impl Tile {
    /// Token rows over all chunks.
    pub fn rows(&self) -> usize {
        self.chunks * self.tokens
    }

    /// Lanes in one state.
    pub fn len(&self) -> usize {
        self.rows() * self.dim
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Consecutive particles of one sublayer.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// First particle.
    pub first: usize,
    /// How many.
    pub count: usize,
    /// Particles in the sublayer.
    pub total: usize,
}

impl Group {
    /// Where tensor `k` of this group lies in the sublayer's slice.
    pub fn slot(&self, tensors: &[TensorSpec], k: usize) -> Range<usize> {
        let before: usize = tensors[..k].iter().map(TensorSpec::len).sum();
        let (len, start) = (tensors[k].len(), before * self.total);
        start + self.first * len..start + (self.first + self.count) * len
    }
}

/// What one call works on.
#[derive(Clone, Copy)]
pub struct Site<'a, S> {
    /// Sizes.
    pub tile: Tile,
    /// Tokens per sample (n), whatever the lanes hold.
    pub tokens: usize,
    /// Which particles.
    pub group: Group,
    /// All parameters of the sublayer's particles, tensor after tensor.
    pub theta: &'a [S],
    /// Residual step times weight of every particle of the sublayer.
    pub scales: &'a [f64],
    /// Dropout masks, if any.
    pub noise: Noise<'a>,
}

/// Working memory of one call.
pub struct Work<'a, V: Lane> {
    /// What this group of particles keeps from forward to backward pass, if there is room.
    pub kept: Option<&'a mut [V]>,
    /// Lanes.
    pub lanes: &'a mut [V],
    /// Plain numbers (tokens in lanes only).
    pub scalars: &'a mut [V::S],
}

/// One kind of particle. Gradients of particles add up; gradients of states add up too (the caller clears them).
pub trait Encoder<V: Lane>: Send + Sync {
    /// Tensors of one particle, in the order of the flat vector.
    fn tensors(&self) -> &[TensorSpec];
    /// How many particles one call takes.
    fn group(&self) -> usize {
        1
    }
    /// Lanes of scratch space one call needs.
    fn scratch(&self, tile: &Tile) -> usize;
    /// Multiply-adds of the forward map of one particle on one sample.
    fn multiply_adds(&self, tokens: usize, dim: usize) -> usize;
    /// Lanes that one particle would like to keep from forward to backward pass, so as not to compute them twice.
    fn kept(&self, _tile: &Tile) -> usize {
        0
    }
    /// `out += sum over the group of scale_j encoder(x, beta_j)`; `x`, `out`: (rows, dim).
    fn forward(&self, site: Site<'_, V::S>, x: &[V], out: &mut [V], work: Work<'_, V>);
    /// With `at` = (x, cotangent `p` of `out`): `g_x += ...`, `g_theta += ...` (summed over samples; laid out as `theta`).
    fn vjp(&self, site: Site<'_, V::S>, at: (&[V], &[V]), g_x: &mut [V], g_theta: &mut [V::S], work: Work<'_, V>);

    /// Lanes and scalars of scratch space one call needs when lanes hold the `tokens` tokens of one sample.
    fn scratch_long(&self, tile: &Tile, _tokens: usize) -> (usize, usize) {
        (self.scratch(tile), 0)
    }
    /// As `kept`, tokens in lanes.
    fn kept_long(&self, _tile: &Tile) -> usize {
        0
    }
    /// As `forward`, tokens in lanes. Encoders that treat every token by itself need not write it.
    fn forward_long(&self, site: Site<'_, V::S>, x: &[V], out: &mut [V], work: Work<'_, V>) {
        self.forward(site, x, out, work);
    }
    /// As `vjp`, tokens in lanes.
    fn vjp_long(&self, site: Site<'_, V::S>, at: (&[V], &[V]), g_x: &mut [V], g_theta: &mut [V::S], work: Work<'_, V>) {
        self.vjp(site, at, g_x, g_theta, work);
    }
}

/// Names of the attention encoders.
pub const ATTENTION: [&str; 4] = ["vw", "qkvo", "qkv", "none"];
/// Names of the feed-forward encoders.
pub const FEED_FORWARD: [&str; 2] = ["mlp", "none"];

/// The attention encoder a config asks for.
///
/// # Errors
/// A name that is not registered.
pub fn attention<V: Lane>(m: &ModelConfig, dim: usize) -> Result<Option<Box<dyn Encoder<V>>>, ModelError> {
    Ok(match m.attention.as_str() {
        "vw" => Some(Box::new(vw::Vw::new(m, dim))),
        "qkvo" => Some(Box::new(qkvo::Qkvo::new(m, dim, true))),
        "qkv" => Some(Box::new(qkvo::Qkvo::new(m, dim, false))),
        "none" => None,
        other => return Err(ModelError::unknown("attention", other, &ATTENTION)),
    })
}

/// The feed-forward encoder a config asks for.
///
/// # Errors
/// A name that is not registered.
pub fn feed_forward<V: Lane>(m: &ModelConfig, dim: usize) -> Result<Option<Box<dyn Encoder<V>>>, ModelError> {
    Ok(match m.feed_forward.as_str() {
        "mlp" => Some(Box::new(mlp::Mlp::new(m, dim))),
        "none" => None,
        other => return Err(ModelError::unknown("feed_forward", other, &FEED_FORWARD)),
    })
}

/// Bytes of the rows that wide particles take through all their products at a time, to stay in the second-level cache.
const BLOCK_BYTES: usize = 160 << 10;

/// Blocks of `rows` rows of `width` lanes: whole register tiles. Narrow particles go in one piece, and so do very wide ones,
/// of which two tiles would not fit.
fn blocks<V>(rows: usize, width: usize) -> impl Iterator<Item = Range<usize>> {
    let fitting = BLOCK_BYTES / (width * size_of::<V>()).max(1) / 6 * 6;
    let block = if fitting < 12 { rows.max(1) } else { fitting };
    (0..rows).step_by(block).map(move |r| r..(r + block).min(rows))
}

/// `N` arrays of `len` lanes to be filled now and read in the backward pass: kept ones, or the front of `scratch`.
fn store<'a, V, const N: usize>(
    kept: Option<&'a mut [V]>,
    scratch: &'a mut [V],
    len: usize,
) -> ([&'a mut [V]; N], &'a mut [V]) {
    match kept {
        Some(kept) => (carve(kept, len).0, scratch),
        None => carve(scratch, len),
    }
}

/// Cuts `N` pieces of `len` lanes off the front of `scratch`.
fn carve<V, const N: usize>(scratch: &mut [V], len: usize) -> ([&mut [V]; N], &mut [V]) {
    let (front, rest) = scratch.split_at_mut(N * len);
    let mut pieces = front.chunks_mut(len.max(1));
    (std::array::from_fn(|_| pieces.next().unwrap_or_default()), rest)
}
