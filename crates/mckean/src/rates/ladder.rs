//! The exponent in depth from gaps without chance: networks of infinite width at rising depth.
//!
//! Maths: gap(L) = exp(c) L^s (1 + d/L + ...): a splitting scheme has an expansion in 1/L (DERIVED), so log gap is fitted by c + s log L + d/L.
//! The interval is not one of chance: it adds Student's interval of the residuals (what the expansion leaves out), the shift when the
//! shallowest network is left out, and what errors of the gaps can do to the slope. Gaps of several scramblings err alike at all depths, so
//! theirs is Student's interval of the slopes of single scramblings.
//! Shapes: one rung a depth, four or more.
//! Cost: none.
//! Checked: tests below.

use mckean_analysis::fit::Estimate;
use mckean_dynamics::limit::student;
use serde::Serialize;

/// A gap at one depth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rung {
    /// L.
    pub depth: f64,
    /// Mean over scramblings.
    pub gap: f64,
    /// Known error, that of scramblings apart.
    pub error: f64,
    /// By scrambling; one for laws of atoms, which need none.
    pub scramblings: Vec<f64>,
}

impl Rung {
    /// The mean of `scramblings`.
    pub fn new(depth: usize, scramblings: Vec<f64>, error: f64) -> Rung {
        let gap = scramblings.iter().sum::<f64>() / scramblings.len() as f64;
        Rung { depth: depth as f64, gap, error, scramblings }
    }

    /// Standard error of the mean over scramblings, 0 for one.
    pub fn scatter(&self) -> f64 {
        scatter(&self.scramblings)
    }
}

/// Standard error of a mean, 0 for one number.
fn scatter(x: &[f64]) -> f64 {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let squares: f64 = x.iter().map(|x| (x - mean).powi(2)).sum();
    if x.len() > 1 { (squares / (n * (n - 1.0))).sqrt() } else { 0.0 }
}

/// The exponent s with its interval; `None` with fewer than four depths, or gaps without logarithm.
pub fn exponent(rungs: &[Rung]) -> Option<Estimate> {
    let above = |r: &Rung| r.gap.is_finite() && r.error >= 0.0 && r.error < r.gap;
    let usable = rungs.iter().all(|r| above(r) && r.scramblings.iter().all(|g| *g > 0.0));
    if rungs.len() < 4 || !usable {
        return None;
    }
    let points: Vec<(f64, f64)> = rungs.iter().map(|r| (r.depth, r.gap)).collect();
    let all = fit(&points);
    let without = if points.len() > 4 { fit(&points[1..]) } else { plain(&points) };
    let residuals = student(points.len() - 3) * all.error;
    let given: f64 = all.weights.iter().zip(rungs).map(|(w, r)| w.abs() * r.error / r.gap).sum();
    let half = residuals + (all.slope - without.slope).abs() + given + chance(rungs);
    let (low, high) = (all.slope - half, all.slope + half);
    half.is_finite().then_some(Estimate { value: all.slope, low, high })
}

/// The fitted exp(c) L^s (1 + d/L + ...), as exp(c + d/L) L^s, at `depths`.
pub fn curve(rungs: &[Rung], depths: &[f64]) -> Vec<f64> {
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let points: Vec<(f64, f64)> = rungs.iter().map(|r| (r.depth, r.gap)).collect();
    let slope = fit(&points).slope;
    let next: Vec<f64> = points.iter().map(|p| 1.0 / p.0).collect();
    let rest: Vec<f64> = points.iter().map(|p| p.1.ln() - slope * p.0.ln()).collect();
    let centre = centred(next.clone());
    let d = dot(&centre, &rest) / dot(&centre, &centre);
    let c = mean(&rest) - d * mean(&next);
    depths.iter().map(|l| (c + d / l).exp() * l.powf(slope)).collect()
}

/// Half width of the 95 % interval of the mean slope of single scramblings.
fn chance(rungs: &[Rung]) -> f64 {
    let n = rungs.iter().map(|r| r.scramblings.len()).min().unwrap_or(0);
    let one = |i: usize| fit(&rungs.iter().map(|r| (r.depth, r.scramblings[i])).collect::<Vec<_>>()).slope;
    if n > 1 { student(n - 1) * scatter(&(0..n).map(one).collect::<Vec<f64>>()) } else { 0.0 }
}

/// A slope, its standard error by the residuals, and its weights on the log gaps.
struct Fit {
    slope: f64,
    error: f64,
    weights: Vec<f64>,
}

fn fit(points: &[(f64, f64)]) -> Fit {
    let next = centred(points.iter().map(|p| 1.0 / p.0).collect());
    solve(points, Some(&next))
}

/// Without the next term of the expansion.
fn plain(points: &[(f64, f64)]) -> Fit {
    solve(points, None)
}

fn solve(points: &[(f64, f64)], next: Option<&Vec<f64>>) -> Fit {
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

    fn points(gap: impl Fn(f64) -> f64, error: f64) -> Vec<Rung> {
        scrambled(1, |l, _| gap(l), error)
    }

    fn scrambled(n: usize, gap: impl Fn(f64, usize) -> f64, error: f64) -> Vec<Rung> {
        let one = |l: usize| Rung::new(l, (0..n).map(|r| gap(l as f64, r)).collect(), error * gap(l as f64, 0));
        [8, 16, 32, 64, 128].map(one).to_vec()
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
    fn the_drawn_curve_goes_through_gaps_of_its_own_form_where_a_plain_power_does_not() {
        let gap = |l: f64| 0.3 / l * (2.0 / l).exp();
        let rungs = points(gap, 0.0);
        let depths = [8.0, 20.0, 128.0, 512.0];
        let drawn = curve(&rungs, &depths);
        assert!(drawn.iter().zip(depths).all(|(y, l)| (y / gap(l) - 1.0).abs() < 1e-9), "{drawn:?}");
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

    #[test]
    fn scramblings_that_err_alike_at_all_depths_cost_nothing_and_others_widen_the_interval() {
        let noise = |r: usize| 0.1 * [1.0, -1.0, 0.5, -0.5][r];
        let alike = exponent(&scrambled(4, |l, r| (1.0 + noise(r)) / l, 0.0)).unwrap();
        assert!((alike.value + 1.0).abs() < 1e-12 && alike.half_width() < 1e-10, "{alike:?}");
        let single = exponent(&scrambled(4, |l, r| (1.0 + noise(r) / l.sqrt()) / l, 0.0)).unwrap();
        assert!(single.half_width() > 0.005 && single.low < -1.0 && single.high > -1.0, "{single:?}");
        let rung = Rung::new(4, vec![1.0, 2.0, 3.0], 0.0);
        assert!(rung.gap == 2.0 && (rung.scatter() - (1.0f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(Rung::new(4, vec![1.0], 0.0).scatter(), 0.0);
    }
}
