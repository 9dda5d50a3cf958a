//! Networks drawn from a law of K atoms: which atom each particle is, or how many particles each atom has.
//!
//! Maths: particles of equal value stay equal under the flow (DERIVED from eqs 2.7-2.8 of Gao et al.: their velocities agree), so a
//! network of width M is one of K particles with weights counts/M, exactly.
//! Shapes: indices (M), counts (K).
//! Cost: indices O(M); counts O(min(M, PLAIN) + K).
//! Checked: tests below; `mckean-dynamics/tests/limit_finite.rs` (the reduction).

use mckean_num::rng::{Seed, Stream};

/// Up to this width counts are those of the plain network of the same seed; beyond it they are drawn by binomials.
pub const PLAIN: usize = 1 << 16;

fn stream(seed: Seed, block: usize) -> Stream {
    seed.stream("init.atom").at(block as u64)
}

/// Atom of each of the first `width` particles of a block; a narrower network's are the first of a wider one's.
pub fn indices(seed: Seed, block: usize, width: usize, atoms: usize) -> Vec<usize> {
    let mut draws = stream(seed, block).open();
    (0..width).map(|_| draws.below(atoms)).collect()
}

/// Particles of each atom in a block of `width`: of the same law as those of [`indices`], and the same numbers up to [`PLAIN`].
pub fn counts(seed: Seed, block: usize, width: usize, atoms: usize) -> Vec<u64> {
    let mut counts = vec![0; atoms];
    let plain = width.min(PLAIN);
    indices(seed, block, plain, atoms).into_iter().for_each(|k| counts[k] += 1);
    let mut left = (width - plain) as u64;
    let mut draws = stream(seed, block).at(1).open();
    for (k, count) in counts.iter_mut().enumerate() {
        let own = draws.binomial(left, 1.0 / (atoms - k) as f64);
        *count += own;
        left -= own;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_the_plain_network_and_add_up() {
        for width in [1, 7, 1000] {
            let mut plain = vec![0; 5];
            indices(Seed(3), 2, width, 5).into_iter().for_each(|k| plain[k] += 1);
            assert_eq!(counts(Seed(3), 2, width, 5), plain);
        }
        assert_ne!(counts(Seed(3), 1, 1000, 5), counts(Seed(3), 2, 1000, 5));
        assert_eq!(counts(Seed(3), 0, 1_000_000, 8).iter().sum::<u64>(), 1_000_000);
    }

    #[test]
    fn wide_counts_have_the_variance_of_the_multinomial_law() {
        let (width, atoms, seeds) = (1_000_000, 4, 400);
        let expected = width as f64 * 0.25 * 0.75;
        let of = |s: u64| (counts(Seed(s), 0, width, atoms)[1] as f64 - 250_000.0).powi(2);
        let variance = (0..seeds).map(of).sum::<f64>() / seeds as f64;
        assert!((variance / expected - 1.0).abs() < 0.25, "{variance} {expected}");
    }
}
