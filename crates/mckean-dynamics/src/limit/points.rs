//! Particles of one slice from randomised quasi-random points.
//!
//! Maths: Owen-scrambled Sobol points (hash-based scrambling of Burley 2020) through the inverse of the initial law, each with its
//! mirror image (V, W) -> (-V, W), (W1, W2) -> (W1, -W2), or twice the points where the law is not its own mirror image; dimensions in the
//! order of `dimensions`. DERIVED.
//! Shapes: K particles, mirrored ones next to each other; dimensions beyond 256 are padded with scramblings of their own.
//! Cost: 10 ns a number and its inverse transform.
//! Checked: tests below (balance of the points, mirror, independence of seeds).

use super::dimensions::ORDER;
use mckean_model::LawAt;
use mckean_num::rng::mix64;
use std::ops::Range;

/// One 32-bit seed of a scrambling.
fn seed32(seed: u64, slice: usize, pad: u32) -> u32 {
    mix64(mix64(seed.wrapping_add(0x9e37_79b9_7f4a_7c15)) ^ mix64(slice as u64 + 1) ^ (u64::from(pad) << 40)) as u32
}

/// From the lower end of a cell to its middle: coordinates have 23 bits.
const MIDDLE: f64 = 1.0 / (1 << 24) as f64;

/// Point `i` of the scrambling `seed` of a slice, in the open cube.
fn point(seed: u64, slice: usize, i: usize, dim: usize) -> Vec<f64> {
    let one = |d: usize| {
        let (pad, d) = ((d / ORDER.len()) as u32, ORDER[d % ORDER.len()]);
        f64::from(sobol_burley::sample(i as u32, d, seed32(seed, slice, pad))) + MIDDLE
    };
    (0..dim).map(one).collect()
}

/// Two particles for each of `base` (of at most 65536, and half of that for laws that are not their own mirror image), from the
/// scrambling `seed` of a slice: point i and its mirror image, or points 2 i and 2 i + 1.
pub fn sobol_particles(law: &LawAt<'_>, seed: u64, slice: usize, base: Range<usize>) -> Vec<Vec<f64>> {
    let at = |i: usize| law.from_cube(&point(seed, slice, i, law.cube_dim()));
    if !law.is_mirrored() {
        return (2 * base.start..2 * base.end).map(at).collect();
    }
    let pair = |i: usize| {
        let particle = at(i);
        let mut image = particle.clone();
        law.mirror(&mut image);
        [particle, image]
    };
    base.flat_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mckean_model::{Component, InitConfig, InitialLaw, Law, Layout, Role, TensorSpec};

    #[test]
    fn both_halves_of_every_coordinate_are_balanced_and_seeds_differ() {
        for range in [0..64, 64..128, 0..128] {
            for d in [0, 3, 255, 300] {
                let low = range.clone().filter(|&i| point(7, 1, i, 301)[d] < 0.5).count();
                assert_eq!(2 * low, range.len(), "{range:?} {d}");
            }
        }
        assert_ne!(point(7, 1, 0, 4), point(8, 1, 0, 4));
        assert_ne!(point(7, 1, 0, 4), point(7, 2, 0, 4));
        let far = point(7, 1, 0, 260);
        assert_ne!(far[..4], far[256..]);
    }

    #[test]
    fn coordinates_are_the_middles_of_cells() {
        let last: Vec<u64> = (0..64).map(|i| (point(7, 1, i, 3)[2] * f64::from(1 << 24)) as u64).collect();
        assert!(last.iter().all(|x| x % 2 == 1) && last.iter().any(|x| x % 4 == 1) && last.iter().any(|x| x % 4 == 3));
        assert!((0..64).all(|i| (point(7, 1, i, 3)[2] * f64::from(1 << 24)).fract() == 0.0));
    }

    fn layout() -> Layout {
        let spec = |name, sums| TensorSpec { name, shape: vec![3], fan_in: 3, sums_particles: sums };
        let mut layout = Layout::default();
        layout.push_particles(0, "attention", Role::Head, 1, &[spec("v", true), spec("w", false)]);
        layout
    }

    /// A quarter around v = (m, m, m), the rest around 0; standard deviation 1/10.
    fn mixture(m: f64, symmetric: bool) -> Law {
        let of = |weight, m: f64| {
            let shift = [("v".to_string(), vec![m])].into();
            Component { weight, law: InitialLaw::Normal, scale: 0.1, shift, ..Default::default() }
        };
        let init = InitConfig {
            law: InitialLaw::Mixture,
            mixture: vec![of(1.0, m), of(3.0, 0.0)],
            symmetric,
            ..Default::default()
        };
        Law::new(&init, &layout().tensors)
    }

    #[test]
    fn points_stratify_the_components_and_shifted_maps_have_no_mirror() {
        for (m, symmetric) in [(2.0, false), (2.0, true), (0.0, false)] {
            let law = mixture(m, symmetric);
            let all = sobol_particles(&law.at(0.0), 3, 0, 0..256);
            let far = |sign: f64| all.iter().filter(|p| sign * p[0] > 1.0).count();
            let expected = if m == 0.0 {
                (0, 0)
            } else if symmetric {
                (64, 64)
            } else {
                (128, 0)
            };
            assert_eq!((far(1.0), far(-1.0)), expected, "{m} {symmetric}");
            let mean = all.iter().map(|p| p[0]).sum::<f64>() / 512.0;
            assert!((mean - if symmetric { 0.0 } else { m / 4.0 }).abs() < 1e-3, "{mean}");
            assert_eq!(
                all,
                [sobol_particles(&law.at(0.0), 3, 0, 0..128), sobol_particles(&law.at(0.0), 3, 0, 128..256)].concat()
            );
        }
    }

    #[test]
    fn mirrored_particles_cancel_and_quasi_random_means_are_small() {
        let init = InitConfig { law: InitialLaw::Normal, ..Default::default() };
        let law = Law::new(&init, &layout().tensors);
        let all = sobol_particles(&law.at(0.0), 3, 0, 0..512);
        let mean = |d: usize, f: fn(f64) -> f64| all.iter().map(|p| f(p[d])).sum::<f64>() / all.len() as f64;
        for d in 0..6 {
            assert!(d >= 3 || mean(d, |x| x) == 0.0, "output maps cancel exactly");
            assert!(mean(d, |x| x).abs() < 0.01 && (mean(d, |x| x * x) - 1.0).abs() < 0.02, "{d}");
        }
    }
}
