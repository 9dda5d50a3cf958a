//! A4: encoders are homogeneous in part of their parameters, and rich enough.
//!
//! Maths: (i) g(T, c a_1, a_2) = c g(T, a_1, a_2); (ii) their span over a_2 in a compact K is dense in the continuous maps of states (A4 of Gao et al. 2024).
//! Derived: with n > 1 tokens (ii) as stated is false for token-wise neurons (column i sees column i only) and for softmax heads (linear where all
//! tokens are equal). The proof (F.7) needs less: -p(., t*) approximated on the image of the samples, which is a least-squares fit on
//! random features with |a_2| <= 1. Features of full rank fit anything that tokens determine: then a fit on half of the samples is held
//! against the other half, and where that fails too, these samples cannot tell.
//! Shapes: three conditions a kind of particle.
//! Cost: two singular value decompositions of (samples n, features) a sublayer.
//! Checked: tests below (planted targets are fitted and predicted, noise is neither), `tests/failures.rs`.

use super::features::{Features, terms};
use super::growth;
use crate::certificate::View;
use crate::certificate::probe::outer;
use crate::verdict::{Condition, Verdict};
use mckean_engine::Cloud;
use mckean_model::Role;
use mckean_num::rng::Seed;
use nalgebra::DMatrix;

/// Most features and most tokens of a fit.
const FEATURES: usize = 320;
const TOKENS: usize = 256;
/// Residual, relative to p, that counts as approximated.
const APPROXIMATED: f64 = 0.05;

/// The clauses for one kind of particle, `g` the paper's letter.
pub fn conditions(view: &View, role: Role, g: &str) -> Vec<Condition> {
    let homogeneous =
        Condition::at_most(&format!("A4 (i) {g}"), "g(T, c a_1, a_2) = c g(T, a_1, a_2)", defect(view, role), 1e-12);
    vec![homogeneous.words("relative defect"), literal(view, role, g), image(view, role, g)]
}

/// (ii) on the data, at the depth that speaks best for it.
fn image(view: &View, role: Role, g: &str) -> Condition {
    let (name, asks) =
        (format!("A4 (ii) on the data, {g}"), "-p(., t*) in the closed span of g(., a), |a_2| <= 1, at the samples");
    let order = |a: &Fit, b: &Fit| {
        let fits = |f: &Fit| f.residual <= APPROXIMATED;
        fits(b).cmp(&fits(a)).then(if fits(a) {
            a.held_out.total_cmp(&b.held_out)
        } else {
            a.residual.total_cmp(&b.residual)
        })
    };
    let Some(best) = fits(view, role, FEATURES).into_iter().min_by(order) else {
        return Condition::not_testable(&name, asks, "no such sublayer");
    };
    let place =
        format!("t* = {:.3}: {} tokens, {} of them distinct", view.depth(best.sublayer), best.tokens, best.distinct);
    let row = Condition::at_most(&name, asks, best.residual, APPROXIMATED);
    let held = format!("on samples left out the relative residual is {:.2}", best.held_out);
    match (row.verdict, best.is_trivial(), best.held_out <= APPROXIMATED) {
        (Verdict::Fails, ..) => row.words(format!("relative residual of -p at {place}; {held}")),
        (_, false, _) => row.words(format!("relative residual with features of rank {} at {place}; {held}", best.rank)),
        (_, true, true) => row.words(format!("at {place}, the fit interpolates; {held}")),
        (_, true, false) => {
            let words = format!("not testable on this data: at {place}, the fit interpolates whatever -p is; {held}");
            Condition { verdict: Verdict::NotTestable, ..row }.words(words)
        }
    }
}

/// (ii) as stated.
fn literal(view: &View, role: Role, g: &str) -> Condition {
    let (name, asks) = (format!("A4 (ii) as stated, {g}"), "the span is dense in the continuous maps of states");
    let (mixing, nonlinear) = richness(view, role);
    let fails = |value: f64, words: &str| {
        let condition = Condition::at_least(&name, asks, value, 1e-9);
        Condition { verdict: Verdict::Fails, ..condition }.words(words)
    };
    if view.net().tokens > 1 && mixing < 1e-9 {
        return fails(mixing, "column i depends on column i only (change of column 1 when all others change)");
    }
    if nonlinear < 1e-9 {
        return fails(nonlinear, "linear where all tokens are equal (relative defect of additivity)");
    }
    Condition::not_testable(&name, asks, "density in all continuous maps is not decided by finitely many numbers")
}

/// Relative defect of homogeneity in the output map over random probes.
pub fn defect(view: &View, role: Role) -> f64 {
    let (mut draws, outer) = (Seed(0).stream("assumption.universal").open(), outer(view, role));
    let value = |alpha: &[f64], x: &[f64]| view.maps.forward(Cloud { role, theta: alpha, scales: &[1.0] }, x);
    let mut worst = 0.0f64;
    for c in [-2.0, 0.5, 3.0, 0.0] {
        let (x, alpha) = (growth::state(view, &mut draws, 2.0), growth::particle(view, role, &mut draws, 2.0));
        let scaled: Vec<f64> = alpha.iter().zip(&outer).map(|(a, o)| if *o { c * a } else { *a }).collect();
        let (one, other) = (value(&alpha, &x), value(&scaled, &x));
        let size = one.iter().map(|x| x * x).sum::<f64>().sqrt().max(1e-300);
        let gap = one.iter().zip(&other).map(|(a, b)| (c * a - b).powi(2)).sum::<f64>().sqrt();
        worst = worst.max(gap / size);
    }
    worst
}

/// Change of the first column when all others change, and the defect of additivity on states of equal tokens (both relative).
pub fn richness(view: &View, role: Role) -> (f64, f64) {
    let (n, d) = (view.net().tokens, view.net().dim);
    let mut draws = Seed(0).stream("assumption.richness").open();
    let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let (mut mixing, mut nonlinear) = (0.0f64, 0.0f64);
    for _ in 0..20 {
        let alpha = growth::particle(view, role, &mut draws, 3.0);
        let value = |x: &[f64]| view.maps.forward(Cloud { role, theta: &alpha, scales: &[1.0] }, x);
        let (x, mut other) = (growth::state(view, &mut draws, 2.0), growth::state(view, &mut draws, 2.0));
        other[..d].copy_from_slice(&x[..d]);
        let (a, b) = (value(&x), value(&other));
        let gap: Vec<f64> = a[..d].iter().zip(&b[..d]).map(|(a, b)| a - b).collect();
        mixing = mixing.max(norm(&gap) / norm(&a).max(1e-300));
        let equal = |c: &[f64]| value(&c.repeat(n));
        let (c, e) = (&x[..d], &other[(n - 1) * d..]);
        let sum: Vec<f64> = c.iter().zip(e).map(|(a, b)| a - 2.0 * b).collect();
        let (whole, c, e) = (equal(&sum), equal(c), equal(e));
        let gap: Vec<f64> = whole.iter().zip(&c).zip(&e).map(|((w, c), e)| w - c + 2.0 * e).collect();
        nonlinear = nonlinear.max(norm(&gap) / (norm(&c) + norm(&e)).max(1e-300));
    }
    (mixing, nonlinear)
}

/// -p fitted by features at one sublayer.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    /// Sublayer.
    pub sublayer: usize,
    /// |p - fit|/|p|.
    pub residual: f64,
    /// The same on the odd samples of a fit to the even ones, at its best truncation; missing with one sample.
    pub held_out: f64,
    /// Rank of the features.
    pub rank: usize,
    /// Tokens of the fit.
    pub tokens: usize,
    /// Different ones among them.
    pub distinct: usize,
}

impl Fit {
    /// Whether the features fit anything that tokens determine.
    pub fn is_trivial(&self) -> bool {
        self.rank >= self.distinct
    }
}

/// Fits of -p at every sublayer of this kind, with at most `most` features.
pub fn fits(view: &View, role: Role, most: usize) -> Vec<Fit> {
    let own = |k: &usize| view.net().sublayers[*k].role == role;
    let all = (0..view.net().sublayers.len()).filter(own);
    all.map(|k| fit(view, k, &view.trace.adjoints[k + 1], most)).collect()
}

/// Samples of a fit.
fn used(view: &View) -> usize {
    view.data.samples.min((TOKENS / view.net().tokens).max(1))
}

/// `target` (samples, n, D) fitted by features at the states of sublayer `k`.
fn fit(view: &View, k: usize, target: &[f64], most: usize) -> Fit {
    let (n, d) = (view.net().tokens, view.net().dim);
    let samples = used(view);
    let (x, target) = (&view.trace.states[k][..samples * n * d], &target[..samples * n * d]);
    let features = Features::new(view, k, x, most.min(2 * samples * n)).values;
    let target = DMatrix::from_row_slice(samples * n, d, target);
    let rows = |odd: usize| (0..samples * n).filter(|r| r / n % 2 == odd).collect::<Vec<usize>>();
    let part = |m: &DMatrix<f64>, odd: usize| m.select_rows(&rows(odd));
    let held_out = match samples {
        1 => f64::NAN,
        _ => least_squares(&part(&features, 0), &part(&target, 0), &part(&features, 1), &part(&target, 1)).best,
    };
    let own = least_squares(&features, &target, &features, &target);
    Fit { sublayer: k, residual: own.last, held_out, rank: own.rank, tokens: samples * n, distinct: distinct(x, d) }
}

/// Relative residuals of a fit on other rows.
struct Left {
    /// With all singular values.
    last: f64,
    /// With as many of the largest as predict best.
    best: f64,
    rank: usize,
}

/// Least squares of `target` on `features`, judged on other rows.
fn least_squares(features: &DMatrix<f64>, target: &DMatrix<f64>, at: &DMatrix<f64>, wanted: &DMatrix<f64>) -> Left {
    let (mut left, size) = (wanted.clone(), wanted.norm());
    let mut found = Left { last: 1.0, best: 1.0, rank: 0 };
    for (direction, along) in terms(features, target) {
        left -= at * direction * along;
        found.last = left.norm() / size;
        found.best = found.best.min(found.last);
        found.rank += 1;
    }
    found
}

/// Different tokens among those of `x` (dimension d), to nine digits.
fn distinct(x: &[f64], d: usize) -> usize {
    let key = |t: &[f64]| t.iter().map(|x| (x * 1e9).round() as i64).collect::<Vec<i64>>();
    x.chunks(d).map(key).collect::<std::collections::HashSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::tests::{small, view};
    use mckean_model::ModelConfig;

    #[test]
    fn encoders_are_homogeneous_in_their_output_map_only() {
        for m in [small(), ModelConfig { attention: "qkvo".into(), head_dim: 2, hidden: 3, ..small() }] {
            let v = view(&m, 2, 0.5, 0.0);
            assert!(defect(&v, Role::Head) < 1e-13 && defect(&v, Role::Neuron) < 1e-13);
        }
    }

    #[test]
    fn what_particles_can_do_is_fitted_and_predicted_and_noise_is_neither() {
        let (many, few) = (view(&small(), 80, 0.5, 0.0), view(&small(), 20, 0.5, 0.0));
        for k in [0, 1] {
            let role = many.net().sublayers[k].role;
            let alpha = many.maps.particle(&many.theta, k, 0);
            let planted = many.maps.forward(Cloud { role, theta: &alpha, scales: &[1.0] }, &many.trace.states[k]);
            let mut draws = Seed(1).stream("universal.test").open();
            let noise: Vec<f64> = planted.iter().map(|_| draws.normal()).collect();
            let (fits, noisy) = (fit(&many, k, &planted, 180), fit(&many, k, &noise, 20));
            assert!(fits.residual < 0.05 && fits.held_out < 0.3 && !fits.is_trivial(), "sublayer {k}: {fits:?}");
            assert!(noisy.residual > 0.8 && noisy.held_out > 0.8, "sublayer {k}: {noisy:?}");
            let all = fit(&few, k, &noise, 320);
            assert!(
                all.residual < 1e-6 && all.is_trivial() && all.held_out > 0.5,
                "interpolated, not predicted: {all:?}"
            );
        }
    }

    #[test]
    fn neurons_do_not_mix_and_heads_are_linear_on_equal_tokens() {
        let v = view(&small(), 2, 0.5, 0.0);
        let (head, neuron) = (richness(&v, Role::Head), richness(&v, Role::Neuron));
        assert!(head.0 > 1e-3 && head.1 < 1e-12, "{head:?}");
        assert!(neuron.0 == 0.0 && neuron.1 > 1e-2, "{neuron:?}");
    }
}
