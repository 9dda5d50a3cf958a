//! Named streams of random numbers: every draw says where it comes from.
//!
//! Maths: counter-based ChaCha8; key = a SplitMix64 mix of (seed, name, indices), so streams are independent of draw order.
//! Shapes: scalars; `fill` works on slices.
//! Cost: about 4 ns a normal number; opening a stream about 50 ns.
//! Checked: unit tests below (reproducible, distinct, moments).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_distr::{Binomial, Distribution, StandardNormal, StandardUniform};

/// The root of all randomness of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

/// A named, indexed position in the tree of streams; cheap to copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    key: [u64; 4],
}

/// A running generator opened at a [`Stream`].
pub struct Draws(ChaCha8Rng);

/// One round of the SplitMix64 output function (Steele, Lea, Flood 2014).
#[inline]
pub fn mix64(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Seed {
    /// The stream called `name`; other names give independent numbers.
    pub fn stream(self, name: &str) -> Stream {
        let root = Stream { key: [self.0, !self.0, 0x6d63_6b65_616e, 1] };
        name.bytes().fold(root.at(name.len() as u64), |s, b| s.at(u64::from(b)))
    }
}

impl Stream {
    /// The sub-stream with this index (layer, particle, sample, step ...).
    pub fn at(self, index: u64) -> Stream {
        let mut key = self.key;
        let mut carry = index.wrapping_add(0x9e37_79b9_7f4a_7c15);
        for (i, k) in key.iter_mut().enumerate() {
            carry = mix64(carry ^ k.rotate_left(17 * i as u32 + 5)).wrapping_add(0x9e37_79b9_7f4a_7c15);
            *k = mix64(*k ^ carry);
        }
        Stream { key }
    }

    /// Opens the generator.
    pub fn open(self) -> Draws {
        let mut bytes = [0u8; 32];
        for (chunk, k) in bytes.chunks_exact_mut(8).zip(self.key) {
            chunk.copy_from_slice(&k.to_le_bytes());
        }
        Draws(ChaCha8Rng::from_seed(bytes))
    }

    /// 64 bits that identify this stream, for cheap non-cryptographic generators (dropout masks).
    pub fn word(self) -> u64 {
        self.key[0] ^ self.key[2].rotate_left(32)
    }
}

impl Draws {
    /// Uniform on [0, 1).
    pub fn uniform(&mut self) -> f64 {
        StandardUniform.sample(&mut self.0)
    }

    /// Standard normal.
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// Uniform integer in 0..n (n > 0), by rejection-free 128-bit scaling (bias below n / 2^64).
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }

    /// Number of successes among `n` trials of probability `p` in [0, 1].
    pub fn binomial(&mut self, n: u64, p: f64) -> u64 {
        Binomial::new(n, p.clamp(0.0, 1.0)).map_or(0, |b| b.sample(&mut self.0))
    }

    /// Fills `out` with standard normal numbers.
    pub fn fill_normal(&mut self, out: &mut [f64]) {
        out.iter_mut().for_each(|x| *x = self.normal());
    }

    /// A random permutation of 0..n (Fisher-Yates).
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut p: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            p.swap(i, self.below(i + 1));
        }
        p
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_name_same_numbers_other_name_other_numbers() {
        let draw = |seed: u64, name: &str, i: u64| Seed(seed).stream(name).at(i).open().uniform();
        assert_eq!(draw(1, "init", 3), draw(1, "init", 3));
        for other in [draw(2, "init", 3), draw(1, "data", 3), draw(1, "init", 4)] {
            assert_ne!(draw(1, "init", 3), other);
        }
    }

    #[test]
    fn normal_moments() {
        let mut g = Seed(7).stream("moments").open();
        let (n, mut m1, mut m2) = (200_000, 0.0, 0.0);
        for _ in 0..n {
            let x = g.normal();
            m1 += x;
            m2 += x * x;
        }
        assert!((m1 / n as f64).abs() < 4.0 / (n as f64).sqrt());
        assert!((m2 / n as f64 - 1.0).abs() < 4.0 * (2.0 / n as f64).sqrt());
    }

    #[test]
    fn permutation_is_a_permutation() {
        let mut p = Seed(1).stream("perm").open().permutation(101);
        assert_ne!(p[..5], [0, 1, 2, 3, 4]);
        p.sort_unstable();
        assert!(p.iter().copied().eq(0..101));
    }
}
