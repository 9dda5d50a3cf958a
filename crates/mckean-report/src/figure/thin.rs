//! Fewer points, same picture.
//!
//! Maths: extremes per bucket of the index, then removal of points nearer than a tolerance to the chord (Ramer 1972,
//! Douglas and Peucker 1973).
//! Shapes: indices into a series; polylines in pixels.
//! Cost: linear; the second step is quadratic at worst in at most 1000 points.
//! Checked: unit tests below (bounds, extremes and gaps kept, tolerance respected).

/// At most `most` indices of `values` (all of them when they are few): first, last, lowest, highest and first gap of every
/// bucket.
pub(super) fn keep(values: &[Option<f64>], most: usize) -> Vec<usize> {
    let n = values.len();
    if n <= most {
        return (0..n).collect();
    }
    let buckets = (most / 5).max(1);
    let mut kept: Vec<usize> = Vec::with_capacity(5 * buckets);
    for bucket in 0..buckets {
        let range = bucket * n / buckets..(bucket + 1) * n / buckets;
        kept.extend(landmarks(values, range));
    }
    kept.sort_unstable();
    kept.dedup();
    kept.truncate(most);
    kept
}

fn landmarks(values: &[Option<f64>], range: std::ops::Range<usize>) -> impl Iterator<Item = usize> {
    let by_value = |a: &usize, b: &usize| values[*a].unwrap_or(0.0).total_cmp(&values[*b].unwrap_or(0.0));
    let there = || range.clone().filter(|&i| values[i].is_some());
    let gap = range.clone().find(|&i| values[i].is_none());
    let ends = [Some(range.start), Some(range.end - 1)];
    let extremes = [there().min_by(by_value), there().max_by(by_value)];
    ends.into_iter().chain(extremes).chain([gap]).flatten()
}

/// A polyline that stays within `tolerance` of the given one.
pub(super) fn simplify(line: &[(f64, f64)], tolerance: f64) -> Vec<(f64, f64)> {
    let mut kept = vec![false; line.len()];
    let mut open = vec![(0, line.len().saturating_sub(1))];
    while let Some((from, to)) = open.pop() {
        if from < line.len() {
            (kept[from], kept[to]) = (true, true);
        }
        let farthest = (from + 1..to).map(|i| (distance(line[i], line[from], line[to]), i));
        if let Some((_, i)) = farthest.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(d, _)| *d > tolerance) {
            open.extend([(from, i), (i, to)]);
        }
    }
    line.iter().zip(kept).filter(|(_, keep)| *keep).map(|(point, _)| *point).collect()
}

/// Distance of a point from a segment.
fn distance((x, y): (f64, f64), (x0, y0): (f64, f64), (x1, y1): (f64, f64)) -> f64 {
    let (dx, dy) = (x1 - x0, y1 - y0);
    let along = ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy);
    let at = if along.is_finite() { along.clamp(0.0, 1.0) } else { 0.0 };
    (x - x0 - at * dx).hypot(y - y0 - at * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_and_gaps_survive() {
        let mut values: Vec<Option<f64>> = (0..100_000).map(|i| Some((i as f64 * 0.01).sin())).collect();
        values[54_321] = Some(9.0);
        values[12_345] = None;
        let kept = keep(&values, 1000);
        assert!(kept.len() <= 1000 && kept.windows(2).all(|pair| pair[0] < pair[1]));
        for i in [0, 12_345, 54_321, 99_999] {
            assert!(kept.contains(&i), "{i}");
        }
        assert_eq!(keep(&values[..7], 1000).len(), 7);
        assert!(keep(&values, 3).len() <= 3);
    }

    #[test]
    fn smooth_curves_need_few_points() {
        let line: Vec<(f64, f64)> = (0..1000).map(|i| (f64::from(i), 300.0 * (-0.01 * f64::from(i)).exp())).collect();
        let thin = simplify(&line, 0.05);
        assert!(thin.len() < 150, "{}", thin.len());
        for &(x, y) in &line {
            let segments = thin.windows(2).map(|pair| distance((x, y), pair[0], pair[1]));
            assert!(segments.fold(f64::INFINITY, f64::min) <= 0.05 + 1e-12);
        }
        assert!(simplify(&[], 0.1).is_empty());
        assert_eq!(simplify(&[(1.0, 1.0); 5], 0.1).len(), 2);
        assert_eq!(simplify(&[(1.0, 1.0)], 0.1).len(), 1);
    }
}
