//! Distances between particle clouds.
//!
//! Maths: W2 on slices at fixed depth, the metric of Gao et al. 2024, section 2 (conditional in t): W2^2 = min over couplings of the mean squared
//! distance; between equal numbers of equal weights it is an assignment, else a transportation problem (`transport/flow.rs`).
//! Shapes: a cloud is (points, dim) row-major; weights sum to one.
//! Cost: exact n^3 at worst (1000 points 0.1 s), sliced n log n a direction.
//! Checked: tests below (brute force over permutations, one dimension, shifts, Gaussians), `transport/sliced.rs`, `transport/flow.rs`.

pub mod flow;
mod sliced;

pub use sliced::{Weighted, directions, sliced, weighted};

use crate::error::AnalysisError;
use lapjv::{Matrix, lapjv};

/// Most points that are matched exactly.
pub const EXACT: usize = 4096;

/// Exact W2 between two clouds of equally many points of equal weight.
///
/// # Errors
/// Clouds of different size, empty, not finite, or larger than [`EXACT`].
pub fn exact(a: &[f64], b: &[f64], dim: usize) -> Result<f64, AnalysisError> {
    let points = check(a, b, dim)?;
    if points > EXACT {
        return Err(AnalysisError::data("exact W2", format!("at most {EXACT} points (use sliced W2)"), points));
    }
    let square = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>();
    let costs: Vec<f64> = a.chunks(dim).flat_map(|x| b.chunks(dim).map(move |y| square(x, y))).collect();
    finite("exact W2", &costs)?;
    let costs = Matrix::from_shape_vec((points, points), costs).expect("points times points costs");
    let (columns, _) = lapjv(&costs).map_err(|e| AnalysisError::NotTestable(format!("assignment: {e}")))?;
    let total: f64 = columns.iter().enumerate().map(|(i, &j)| costs[(i, j)]).sum();
    Ok((total / points as f64).sqrt())
}

/// Exact W2 between weighted clouds on the line, by quantiles; O(n log n).
///
/// # Errors
/// Empty clouds, weights that are not positive.
pub fn on_line(a: &[(f64, f64)], b: &[(f64, f64)]) -> Result<f64, AnalysisError> {
    let usable = |c: &[(f64, f64)]| !c.is_empty() && c.iter().all(|(x, w)| x.is_finite() && *w > 0.0 && w.is_finite());
    if !usable(a) || !usable(b) {
        return Err(AnalysisError::data("W2 on the line", "points with positive weights", "others"));
    }
    let (a, b) = (sorted(a), sorted(b));
    let (mut i, mut j, mut sum) = (0, 0, 0.0);
    let (mut left_a, mut left_b) = (a[0].1, b[0].1);
    while i < a.len() && j < b.len() {
        let mass = left_a.min(left_b);
        sum += mass * (a[i].0 - b[j].0).powi(2);
        (left_a, left_b) = (left_a - mass, left_b - mass);
        if left_a <= f64::EPSILON * a[i].1 {
            i += 1;
            left_a = a.get(i).map_or(0.0, |p| p.1);
        }
        if left_b <= f64::EPSILON * b[j].1 {
            j += 1;
            left_b = b.get(j).map_or(0.0, |p| p.1);
        }
    }
    Ok(sum.sqrt())
}

/// Points in order, weights summing to one.
fn sorted(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let total: f64 = points.iter().map(|p| p.1).sum();
    let mut own: Vec<(f64, f64)> = points.iter().map(|(x, w)| (*x, w / total)).collect();
    own.sort_by(|p, q| p.0.total_cmp(&q.0));
    own
}

/// Refuses squared distances that overflow: no plan between such points means anything.
fn finite(what: &'static str, costs: &[f64]) -> Result<(), AnalysisError> {
    match costs.iter().find(|c| !c.is_finite()) {
        Some(odd) => Err(AnalysisError::data(what, "finite squared distances", odd)),
        None => Ok(()),
    }
}

/// Whether a cloud is whole points with a weight each.
fn is_whole(x: Weighted<'_>, dim: usize) -> bool {
    dim > 0 && x.0.len() == dim * x.1.len()
}

/// Number of points, when both clouds are usable.
fn check(a: &[f64], b: &[f64], dim: usize) -> Result<usize, AnalysisError> {
    if dim == 0 || a.len() != b.len() || a.is_empty() || !a.len().is_multiple_of(dim) {
        let found = format!("{} and {} numbers in dimension {dim}", a.len(), b.len());
        return Err(AnalysisError::data("W2", "two clouds of equally many points", found));
    }
    if !a.iter().chain(b).all(|x| x.is_finite()) {
        return Err(AnalysisError::data("W2", "finite points", "others"));
    }
    Ok(a.len() / dim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mckean_num::rng::Seed;

    fn cloud(points: usize, dim: usize, index: u64) -> Vec<f64> {
        let mut draws = Seed(1).stream("transport.test").at(index).open();
        (0..points * dim).map(|_| draws.normal()).collect()
    }

    /// The least mean square over all permutations.
    fn brute(a: &[f64], b: &[f64], dim: usize) -> f64 {
        fn go(a: &[f64], b: &[f64], dim: usize, used: &mut Vec<usize>) -> f64 {
            let i = used.len();
            if i == a.len() / dim {
                return 0.0;
            }
            let mut best = f64::INFINITY;
            for j in 0..b.len() / dim {
                if !used.contains(&j) {
                    used.push(j);
                    let own: f64 = (0..dim).map(|k| (a[i * dim + k] - b[j * dim + k]).powi(2)).sum();
                    best = best.min(own + go(a, b, dim, used));
                    used.pop();
                }
            }
            best
        }
        (go(a, b, dim, &mut vec![]) * dim as f64 / a.len() as f64).sqrt()
    }

    #[test]
    fn assignments_agree_with_all_permutations() {
        for index in 0..20 {
            let (a, b) = (cloud(6, 3, index), cloud(6, 3, 100 + index));
            assert!((exact(&a, &b, 3).unwrap() - brute(&a, &b, 3)).abs() < 1e-12);
        }
        let equal = cloud(6, 3, 1).repeat(2);
        assert!(exact(&equal, &equal, 3).unwrap() < 1e-12, "ties");
    }

    #[test]
    fn shifts_move_by_their_length_and_order_does_not_matter() {
        let a = cloud(200, 4, 1);
        let mut b: Vec<f64> = a.iter().enumerate().map(|(i, x)| x + [0.3, 0.0, -0.4, 0.0][i % 4]).collect();
        b.rotate_left(4 * 37);
        assert!((exact(&a, &b, 4).unwrap() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn the_line_agrees_with_the_assignment_and_weights_with_repetition() {
        let (a, b) = (cloud(50, 1, 1), cloud(50, 1, 2));
        let even = |x: &[f64]| x.iter().map(|x| (*x, 1.0)).collect::<Vec<_>>();
        assert!((exact(&a, &b, 1).unwrap() - on_line(&even(&a), &even(&b)).unwrap()).abs() < 1e-12);
        let heavy = [(0.0, 1.0), (1.0, 3.0)];
        assert!((on_line(&heavy, &even(&[0.0, 1.0, 1.0, 1.0])).unwrap()).abs() < 1e-12);
        assert!((on_line(&heavy, &[(0.0, 1.0)]).unwrap() - 0.75f64.sqrt()).abs() < 1e-12);
        assert!(on_line(&heavy, &[(0.0, -1.0)]).is_err());
    }

    #[test]
    fn clouds_that_cannot_be_matched_are_refused() {
        assert!(exact(&[1.0], &[1.0, 2.0], 1).is_err() && exact(&[f64::NAN], &[1.0], 1).is_err());
        assert!(exact(&[1e200, 0.0], &[0.0, -1e200], 1).is_err(), "squared distances overflow");
        assert!(exact(&vec![0.0; EXACT + 1], &vec![0.0; EXACT + 1], 1).is_err());
    }
}
