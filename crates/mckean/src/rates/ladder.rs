//! The exponent in depth from gaps without chance: networks of infinite width at rising depth.
//!
//! Maths: gap(L) = exp(c) L^s (1 + d/L + ...): a splitting scheme has an expansion in 1/L (DERIVED), so log gap is fitted by c + s log L + d/L.
//! The interval is not one of chance: it adds Student's interval of the residuals (what the expansion leaves out), the shift when the
//! shallowest network is left out, and what errors of the gaps can do to the slope.
//! Shapes: (L, gap, error of the gap) of four or more depths.
//! Cost: none.
//! Checked: tests below.

use mckean_analysis::fit::Estimate;
use mckean_dynamics::limit::student;

/// The exponent s with its interval; `None` with fewer than four depths, or gaps without logarithm.
pub fn exponent(points: &[(f64, f64, f64)]) -> Option<Estimate> {
    let usable = points.iter().all(|p| p.1 > 0.0 && p.1.is_finite() && p.2 >= 0.0 && p.2 < p.1);
    if points.len() < 4 || !usable {
        return None;
    }
    let all = fit(points);
    let without = if points.len() > 4 { fit(&points[1..]) } else { plain(points) };
    let chance = student(points.len() - 3) * all.error;
    let given: f64 = all.weights.iter().zip(points).map(|(w, p)| w.abs() * p.2 / p.1).sum();
    let half = chance + (all.slope - without.slope).abs() + given;
    let (low, high) = (all.slope - half, all.slope + half);
    half.is_finite().then_some(Estimate { value: all.slope, low, high })
}

/// A slope, its standard error by the residuals, and its weights on the log gaps.
struct Fit {
    slope: f64,
    error: f64,
    weights: Vec<f64>,
}

fn fit(points: &[(f64, f64, f64)]) -> Fit {
    let next = centred(points.iter().map(|p| 1.0 / p.0).collect());
    solve(points, Some(&next))
}

/// Without the next term of the expansion.
fn plain(points: &[(f64, f64, f64)]) -> Fit {
    solve(points, None)
}

fn solve(points: &[(f64, f64, f64)], next: Option<&Vec<f64>>) -> Fit {
    let free = |v: Vec<f64>| {
        let v = centred(v);
        match next {
            Some(n) => {
                let part = dot(&v, n) / dot(n, n);
                v.iter().zip(n).map(|(v, n)| v - part * n).collect()
            }
            None => v,
        }
    };
    let x: Vec<f64> = free(points.iter().map(|p| p.0.ln()).collect());
    let y: Vec<f64> = free(points.iter().map(|p| p.1.ln()).collect());
    let square = dot(&x, &x);
    let slope = dot(&x, &y) / square;
    let left: f64 = x.iter().zip(&y).map(|(x, y)| (y - slope * x).powi(2)).sum();
    let freedom = points.len() as f64 - if next.is_some() { 3.0 } else { 2.0 };
    let error = if freedom > 0.0 { (left / freedom / square).sqrt() } else { 0.0 };
    Fit { slope, error, weights: x.iter().map(|x| x / square).collect() }
}

fn centred(v: Vec<f64>) -> Vec<f64> {
    let mean = v.iter().sum::<f64>() / v.len() as f64;
    v.into_iter().map(|x| x - mean).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(gap: impl Fn(f64) -> f64, error: f64) -> Vec<(f64, f64, f64)> {
        [8.0, 16.0, 32.0, 64.0, 128.0].map(|l: f64| (l, gap(l), error * gap(l))).to_vec()
    }

    #[test]
    fn expansions_in_one_over_depth_give_their_exponent() {
        for order in [1.0, 2.0] {
            let s = exponent(&points(|l| 0.3 * l.powf(-order) * (1.0 + 2.0 / l), 0.0)).unwrap();
            assert!(s.low <= -order && -order <= s.high && s.half_width() < 0.06, "{order}: {s:?}");
        }
        let s = exponent(&points(|l| 0.3 * l.powf(-0.7), 0.0)).unwrap();
        assert!((s.value + 0.7).abs() < 1e-12 && s.half_width() < 1e-10);
    }

    #[test]
    fn errors_of_the_gaps_and_other_powers_widen_the_interval() {
        let exact = exponent(&points(|l| 1.0 / l, 0.0)).unwrap();
        let rough = exponent(&points(|l| 1.0 / l, 0.01)).unwrap();
        assert!(rough.half_width() > exact.half_width() + 0.01);
        let mixed = exponent(&points(|l| 1.0 / l + 0.4 / l.sqrt(), 0.0)).unwrap();
        assert!(mixed.high < -0.5 && mixed.high - mixed.low > 0.02, "{mixed:?}");
        assert!(mixed.low > -1.0, "a law between two powers is not taken for 1/L: {mixed:?}");
        assert!(exponent(&points(|l| 1.0 / l, 0.0)[..3]).is_none());
        assert!(exponent(&points(|_| 0.0, 0.0)).is_none() && exponent(&points(|l| 1.0 / l, 2.0)).is_none());
    }
}
