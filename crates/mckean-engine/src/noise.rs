//! Dropout masks that depend on nothing but (seed, step, sample, place): not on threads, batch order or the layout of lanes.
//!
//! Maths: inverted dropout, mask = Bernoulli(keep) / keep; entry e of a mask is 16 bits of a hashed counter e / 4.
//! Shapes: a mask has the shape of the lanes it multiplies; entry e = row * width + column of one sample, whatever the lanes hold.
//! Cost: a quarter of a 64-bit hash an entry (16 bits each); nothing when dropout is off.
//! Checked: `tests/dropout.rs`, `tests/tokens.rs` (same masks in both layouts).

use crate::encoder::Block;
use mckean_num::kernel;
use mckean_num::lane::{Lane, Scalar};
use mckean_num::rng::mix64;

/// Masks of one sublayer application.
#[derive(Clone, Copy)]
pub struct Noise<'a> {
    keep: f64,
    key: u64,
    samples: &'a [u32],
    /// First lane row and lane rows at hand when a lane holds tokens of one sample.
    tokens: Option<(usize, usize)>,
}

const MAX_LANES: usize = 16;
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl<'a> Noise<'a> {
    /// No dropout.
    pub fn none() -> Self {
        Noise { keep: 1.0, key: 0, samples: &[], tokens: None }
    }

    /// Dropout with probability `drop`; `samples` names the sample of every lane entry of the tile.
    pub fn new(drop: f64, key: u64, samples: &'a [u32]) -> Self {
        Noise { keep: 1.0 - drop, key, samples, tokens: None }
    }

    /// The same masks seen from another place of the network.
    pub fn at(self, place: u64) -> Self {
        Noise { key: mix64(self.key ^ mix64(place.wrapping_add(0x51))), ..self }
    }

    /// The same masks for lanes that hold tokens of the first sample: `rows` lane rows from `first`.
    pub fn on_tokens(self, first: usize, rows: usize) -> Self {
        Noise { tokens: Some((first, rows)), ..self }
    }

    /// Whether masks do anything.
    pub fn is_on(&self) -> bool {
        self.keep < 1.0
    }

    /// Fills the mask of `chunk` for particle `particle` (of the lane rows at hand when lanes hold tokens).
    pub fn fill<V: Lane>(&self, particle: u64, chunk: usize, mask: &mut [V]) {
        if !self.is_on() {
            return;
        }
        match self.tokens {
            None => {
                let streams = std::array::from_fn(|w| self.stream(particle, chunk * V::W + w % V::W));
                fill(self.law(), streams, [0; MAX_LANES], mask);
            }
            Some((first, rows)) => {
                let width = mask.len() / rows;
                let at = Block { row: first, rows, key: 0, keys: width, diagonal: false };
                self.block(particle, width, at, mask);
            }
        }
    }

    /// Fills the mask of one block of a mask of `width` columns of the first sample, tokens in lanes.
    pub fn block<V: Lane>(&self, particle: u64, width: usize, at: Block, mask: &mut [V]) {
        let streams = [self.stream(particle, 0); MAX_LANES];
        for (i, mask) in mask.chunks_mut(at.keys).take(at.rows).enumerate() {
            let entry = |w: usize| (((at.row + i) * V::W + w) * width + at.key) as u64;
            fill(self.law(), streams, std::array::from_fn(entry), mask);
        }
    }

    fn stream(&self, particle: u64, lane: usize) -> u64 {
        let sample = u64::from(self.samples.get(lane).copied().unwrap_or(u32::MAX));
        mix64(mix64(self.key ^ mix64(particle)) ^ mix64(sample.wrapping_add(GOLDEN)))
    }

    /// (bound on 16 bits, kept value)
    fn law(&self) -> (u64, f64) {
        ((self.keep * 65536.0).round() as u64, 1.0 / self.keep)
    }

    /// `x *= mask`, if dropout is on.
    pub fn multiply<V: Lane>(&self, x: &mut [V], mask: &[V]) {
        if self.is_on() {
            multiply(x, mask);
        }
    }
}

kernel! {
    /// Consecutive entries of one mask row a lane entry: entry w starts at `first[w]` of stream w.
    fn fill<'a, V>(law: (u64, f64), streams: [u64; MAX_LANES], first: [u64; MAX_LANES], mask: &'a mut [V]) {
        let (bound, kept) = (law.0, V::S::new(law.1, 0.0));
        let mut words = [0u64; MAX_LANES];
        for (j, m) in mask.iter_mut().enumerate() {
            for w in 0..V::W {
                let e = first[w] + j as u64;
                if j == 0 || e & 3 == 0 {
                    words[w] = mix64(streams[w].wrapping_add((e >> 2).wrapping_mul(GOLDEN)));
                }
            }
            let bits = |w: usize| (words[w] >> (16 * ((first[w] + j as u64) & 3))) & 0xffff;
            *m = V::from_fn(|w| if bits(w) < bound { kept } else { V::S::zero() });
        }
    }
}

kernel! {
    /// `x *= mask`, entry by entry.
    pub fn multiply<'a, V>(x: &'a mut [V], mask: &'a [V]) {
        for (x, &m) in x.iter_mut().zip(mask) { *x = *x * m; }
    }
}
