//! Dropout masks that depend on nothing but (seed, step, sample, place): not on threads, batch order or lanes.
//!
//! Maths: inverted dropout, mask = Bernoulli(keep) / keep.
//! Shapes: a mask has the shape of the lanes it multiplies; each sample of a lane has its own stream.
//! Cost: a quarter of a 64-bit draw an entry (16 bits each); nothing when dropout is off.
//! Checked: `tests/dropout.rs`.

use mckean_num::kernel;
use mckean_num::lane::{Lane, Scalar};
use mckean_num::rng::mix64;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// Masks of one sublayer application.
#[derive(Clone, Copy)]
pub struct Noise<'a> {
    keep: f64,
    key: u64,
    samples: &'a [u32],
}

const MAX_LANES: usize = 16;

impl<'a> Noise<'a> {
    /// No dropout.
    pub fn none() -> Self {
        Noise { keep: 1.0, key: 0, samples: &[] }
    }

    /// Dropout with probability `drop`; `samples` names the sample of every lane entry of the tile.
    pub fn new(drop: f64, key: u64, samples: &'a [u32]) -> Self {
        Noise { keep: 1.0 - drop, key, samples }
    }

    /// The same masks seen from another place of the network.
    pub fn at(self, place: u64) -> Self {
        Noise { key: mix64(self.key ^ mix64(place.wrapping_add(0x51))), ..self }
    }

    /// Whether masks do anything.
    pub fn is_on(&self) -> bool {
        self.keep < 1.0
    }

    /// Fills the mask of `chunk` for particle `particle`.
    pub fn fill<V: Lane>(&self, particle: u64, chunk: usize, mask: &mut [V]) {
        if !self.is_on() {
            return;
        }
        let key = mix64(self.key ^ mix64(particle));
        let sample = |w: usize| u64::from(self.samples.get(chunk * V::W + w).copied().unwrap_or(u32::MAX));
        let mut streams: [_; MAX_LANES] =
            std::array::from_fn(|w| Xoshiro256PlusPlus::seed_from_u64(key ^ mix64(sample(w % V::W))));
        let threshold = (self.keep * 65536.0).round() as u64;
        let kept = V::S::new(1.0 / self.keep, 0.0);
        for part in mask.chunks_mut(4) {
            let words: [u64; MAX_LANES] = std::array::from_fn(|w| if w < V::W { streams[w].next_u64() } else { 0 });
            for (i, m) in part.iter_mut().enumerate() {
                *m = V::from_fn(|w| if (words[w] >> (16 * i)) & 0xffff < threshold { kept } else { V::S::zero() });
            }
        }
    }

    /// `x *= mask`, if dropout is on.
    pub fn multiply<V: Lane>(&self, x: &mut [V], mask: &[V]) {
        if self.is_on() {
            multiply(x, mask);
        }
    }
}

kernel! {
    /// `x *= mask`, entry by entry.
    pub fn multiply<'a, V>(x: &'a mut [V], mask: &'a [V]) {
        x.iter_mut().zip(mask).for_each(|(x, &m)| *x = *x * m);
    }
}
