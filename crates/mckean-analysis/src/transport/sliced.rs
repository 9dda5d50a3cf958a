//! Sliced W2: for clouds too large to match exactly.
//!
//! Maths: mean over directions u of W2^2 between the projections on u, times the dimension, so that a shift counts its whole length;
//! directions come from one named stream, the same in every call.
//! Shapes: clouds (points, dim) row-major, any two sizes.
//! Cost: n log n a direction.
//! Checked: tests below (shifts, scalings of a Gaussian, agreement with the exact distance in one dimension).

use super::{is_whole, on_line};
use crate::error::AnalysisError;
use mckean_num::rng::Seed;

/// `count` fixed unit vectors in R^dim; in pairs of orthogonal blocks, so that few of them already average well.
pub fn directions(count: usize, dim: usize) -> Vec<Vec<f64>> {
    let mut draws = Seed(0).stream("transport.directions").at(dim as u64).open();
    let mut all: Vec<Vec<f64>> = vec![];
    while all.len() < count {
        let block = all.len() / dim * dim;
        let mut u: Vec<f64> = (0..dim).map(|_| draws.normal()).collect();
        for v in &all[block..] {
            let along: f64 = u.iter().zip(v).map(|(a, b)| a * b).sum();
            u.iter_mut().zip(v).for_each(|(a, b)| *a -= along * b);
        }
        let norm = u.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm > 1e-6 {
            all.push(u.into_iter().map(|x| x / norm).collect());
        }
    }
    all
}

/// Points (points, dim) row-major with their weights.
pub type Weighted<'a> = (&'a [f64], &'a [f64]);

/// Sliced W2 between equally weighted clouds along `count` directions (rounded up to whole orthogonal frames).
///
/// # Errors
/// Empty clouds or points that are not finite.
pub fn sliced(a: &[f64], b: &[f64], dim: usize, count: usize) -> Result<f64, AnalysisError> {
    let even = |x: &[f64]| vec![1.0; x.len() / dim.max(1)];
    weighted((a, &even(a)), (b, &even(b)), dim, count)
}

/// As [`sliced`] for weighted points.
///
/// # Errors
/// Empty clouds, points that are not finite, weights that are not positive or not one a point.
pub fn weighted(a: Weighted<'_>, b: Weighted<'_>, dim: usize, count: usize) -> Result<f64, AnalysisError> {
    if !is_whole(a, dim) || !is_whole(b, dim) {
        let found = format!("{} and {} numbers, {} and {} weights", a.0.len(), b.0.len(), a.1.len(), b.1.len());
        return Err(AnalysisError::data("sliced W2", "whole points with a weight each", found));
    }
    let frames = directions(count.max(1).div_ceil(dim) * dim, dim);
    let mut sum = 0.0;
    for u in &frames {
        let along = |p: &[f64]| p.iter().zip(u).map(|(p, u)| p * u).sum();
        let project =
            |x: Weighted<'_>| -> Vec<(f64, f64)> { x.0.chunks(dim).zip(x.1).map(|(p, w)| (along(p), *w)).collect() };
        sum += on_line(&project(a), &project(b))?.powi(2);
    }
    Ok((sum * dim as f64 / frames.len() as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::exact;

    fn cloud(points: usize, dim: usize, index: u64) -> Vec<f64> {
        let mut draws = Seed(2).stream("transport.sliced.test").at(index).open();
        (0..points * dim).map(|_| draws.normal()).collect()
    }

    #[test]
    fn frames_are_orthonormal_and_always_the_same() {
        let u = directions(6, 3);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        for (i, a) in u.iter().enumerate() {
            for (j, b) in u.iter().enumerate().filter(|(j, _)| i / 3 == j / 3) {
                assert!((dot(a, b) - f64::from(i == j)).abs() < 1e-12);
            }
        }
        assert_eq!(u, directions(6, 3));
    }

    #[test]
    fn shifts_count_their_whole_length_and_scalings_theirs() {
        let a = cloud(500, 5, 1);
        let moved: Vec<f64> = a.iter().enumerate().map(|(i, x)| x + if i % 5 == 2 { 0.7 } else { 0.0 }).collect();
        assert!((sliced(&a, &moved, 5, 20).unwrap() - 0.7).abs() < 1e-12);
        let scaled: Vec<f64> = a.iter().map(|x| 1.5 * x).collect(); // W2 = 0.5 (E|x|^2)^(1/2)
        let length = (a.iter().map(|x| x * x).sum::<f64>() / 500.0).sqrt();
        assert!((sliced(&a, &scaled, 5, 20).unwrap() / (0.5 * length) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn weights_are_repetitions() {
        let (a, b) = (cloud(20, 3, 5), cloud(20, 3, 6));
        let twice: Vec<f64> = [&a[..], &a[..30]].concat(); // the first ten points count double
        let weights: Vec<f64> = (0..20).map(|i| if i < 10 { 2.0 } else { 1.0 }).collect();
        let one = weighted((&a, &weights), (&b, &[0.3; 20]), 3, 30).unwrap();
        assert!((one - sliced(&twice, &b, 3, 30).unwrap()).abs() < 1e-12);
        assert!(weighted((&a, &weights[1..]), (&b, &weights), 3, 30).is_err());
    }

    #[test]
    fn it_is_never_above_the_exact_distance_and_equal_on_the_line() {
        let (a, b) = (cloud(100, 3, 1), cloud(100, 3, 2));
        let whole = exact(&a, &b, 3).unwrap();
        let part = sliced(&a, &b, 3, 300).unwrap();
        assert!(part <= whole && part > 0.2 * whole, "{part} {whole}");
        let (a, b) = (cloud(60, 1, 3), cloud(60, 1, 4));
        assert!((sliced(&a, &b, 1, 1).unwrap() - exact(&a, &b, 1).unwrap()).abs() < 1e-12);
        assert!(sliced(&a, &[], 1, 1).is_err());
    }
}
