//! Which dimensions of the Sobol sequence a particle's numbers are taken from, best first.
//!
//! Maths: scrambling leaves the structure of a digital net as it is, and some pairs of dimensions repeat each other over hundreds of points:
//! there, the variance of a product of two numbers is many times that of independent points. That factor is the gain of the pair, the sum of
//! w(l_a) w(l_b) over the points, l the number of leading digits a point shares with the first one, w(l) = 3/4 (sum_{k<l} 4^-k - 4^-l), the
//! share of the variance of a linear function in digits k (Owen 1998). DERIVED: dimensions are taken one by one, each with the least sum of
//! squared gains with those before, at 32, 128 and 512 points together.
//! Shapes: a permutation of the dimensions of the sequence.
//! Cost: 0.1 s, once a process.
//! Checked: tests below.

use std::sync::LazyLock;

const ALL: usize = sobol_burley::NUM_DIMENSIONS as usize;
const POINTS: [usize; 3] = [32, 128, 512];

/// The dimensions, best first.
pub(super) static ORDER: LazyLock<Vec<u32>> = LazyLock::new(order);

/// Weight of every point in one dimension.
fn weights(dim: u32) -> Vec<f64> {
    let digits = |i: usize| (f64::from(sobol_burley::sample(i as u32, dim, 1)) * f64::from(1 << 24)) as u32;
    let first = digits(0);
    let shared = |i: usize| (digits(i) ^ first).leading_zeros() as i32 - 8;
    let below = |l: i32| (0..l).map(|k| 0.25f64.powi(k)).sum::<f64>();
    (0..POINTS[2]).map(|i| 0.75 * (below(shared(i)) - if i == 0 { 0.0 } else { 0.25f64.powi(shared(i)) })).collect()
}

/// Sum of the squared gains of a pair.
fn badness(a: &[f64], b: &[f64]) -> f64 {
    let gain = |n: usize| a[..n].iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    POINTS.iter().map(|n| gain(*n).powi(2)).sum()
}

fn order() -> Vec<u32> {
    let weights: Vec<Vec<f64>> = (0..ALL as u32).map(weights).collect();
    let mut cost = vec![0.0f64; ALL];
    let mut left: Vec<usize> = (0..ALL).collect();
    let mut order = vec![];
    while let Some(best) = (0..left.len()).min_by(|&a, &b| cost[left[a]].total_cmp(&cost[left[b]])) {
        let last = left.remove(best);
        left.iter().for_each(|&d| cost[d] += badness(&weights[d], &weights[last]));
        order.push(last as u32);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gain(a: u32, b: u32, n: usize) -> f64 {
        weights(a)[..n].iter().zip(&weights(b)).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn gains_are_the_variance_of_products_over_that_of_independent_points() {
        for (a, b) in [(0, 1), (3, 19)] {
            let n = 64;
            let mean = |seed: u32| {
                let x = |d: u32, i: usize| f64::from(sobol_burley::sample(i as u32, d, seed)) - 0.5;
                (0..n).map(|i| x(a, i) * x(b, i)).sum::<f64>() / n as f64
            };
            let square = (1..4000u32).map(|s| mean(s.wrapping_mul(0x9e37_79b9)).powi(2)).sum::<f64>() / 3999.0;
            let found = square * n as f64 * 144.0;
            assert!((found / gain(a, b, n) - 1.0).abs() < 0.1, "{a} {b}: {found} {}", gain(a, b, n));
        }
    }

    #[test]
    fn every_dimension_comes_once_and_the_first_repeat_each_other_less() {
        let mut sorted = ORDER.clone();
        sorted.sort_unstable();
        assert!(sorted.iter().enumerate().all(|(i, d)| i as u32 == *d));
        let squares = |dims: &[u32], n: usize| {
            let pairs = (0..dims.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
            pairs.map(|(i, j)| gain(dims[i], dims[j], n).powi(2)).sum::<f64>()
        };
        let natural: Vec<u32> = (0..40).collect();
        for (take, n, better) in [(20, 128, 5.0), (40, 128, 2.0), (40, 64, 1.2)] {
            let (plain, chosen) = (squares(&natural[..take], n), squares(&ORDER[..take], n));
            assert!(chosen * better < plain, "{take} {n}: {plain} {chosen}");
        }
    }
}
