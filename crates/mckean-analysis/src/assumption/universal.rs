//! A4: encoders are homogeneous in part of their parameters, and rich enough.
//!
//! Maths: (i) g(T, c a_1, a_2) = c g(T, a_1, a_2); (ii) their span over a_2 in a compact K is dense in the continuous maps of states (A4 of Gao et al. 2024).
//! Derived: with n > 1 tokens (ii) as stated is false for token-wise neurons (column i sees column i only) and for softmax heads (linear where all
//! tokens are equal). The proof (F.7) needs less: -p(., t*) approximated on the image of the samples, which is a least-squares fit on
//! random features with |a_2| <= 1. Features of full rank fit anything that tokens determine: then a fit on half of the samples is held
//! against the other half, and where that fails too, these samples cannot tell.
//! Shapes: three conditions a kind of particle.
//! Cost: two singular value decompositions of (samples n, features) a sublayer.
//! Checked: tests below, `universal/fit.rs` (planted targets are fitted and predicted, noise is neither), `tests/failures.rs`.

use super::draws;
use crate::certificate::View;
use crate::certificate::probe::outer;
use crate::verdict::{Condition, Verdict, larger};
use mckean_engine::Cloud;
use mckean_model::Role;
use mckean_num::rng::Seed;

mod fit;

pub use fit::{Fit, fits};

/// Most features of a fit.
const FEATURES: usize = 320;
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
    if let Err(e) = view.check() {
        return Condition::not_testable(&name, asks, e);
    }
    let all = fits(view, role, FEATURES).into_iter().filter(|f| f.residual.is_finite());
    let Some(best) = all.min_by(order) else {
        return Condition::not_testable(&name, asks, "-p vanishes, or no fit of it is finite, at every depth");
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
            Condition::not_testable(&name, asks, words) // no number: a residual of such a fit says nothing
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
        let (x, alpha) = (draws::state(view, &mut draws, 2.0), draws::particle(view, role, &mut draws, 2.0));
        let scaled: Vec<f64> = alpha.iter().zip(&outer).map(|(a, o)| if *o { c * a } else { *a }).collect();
        let (one, other) = (value(&alpha, &x), value(&scaled, &x));
        let size = one.iter().map(|x| x * x).sum::<f64>().sqrt().max(1e-300);
        let gap = one.iter().zip(&other).map(|(a, b)| (c * a - b).powi(2)).sum::<f64>().sqrt();
        worst = larger(worst, gap / size);
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
        let alpha = draws::particle(view, role, &mut draws, 3.0);
        let value = |x: &[f64]| view.maps.forward(Cloud { role, theta: &alpha, scales: &[1.0] }, x);
        let (x, mut other) = (draws::state(view, &mut draws, 2.0), draws::state(view, &mut draws, 2.0));
        other[..d].copy_from_slice(&x[..d]);
        let (a, b) = (value(&x), value(&other));
        let gap: Vec<f64> = a[..d].iter().zip(&b[..d]).map(|(a, b)| a - b).collect();
        mixing = larger(mixing, norm(&gap) / norm(&a).max(1e-300));
        let equal = |c: &[f64]| value(&c.repeat(n));
        let (c, e) = (&x[..d], &other[(n - 1) * d..]);
        let sum: Vec<f64> = c.iter().zip(e).map(|(a, b)| a - 2.0 * b).collect();
        let (whole, c, e) = (equal(&sum), equal(c), equal(e));
        let gap: Vec<f64> = whole.iter().zip(&c).zip(&e).map(|((w, c), e)| w - c + 2.0 * e).collect();
        nonlinear = larger(nonlinear, norm(&gap) / (norm(&c) + norm(&e)).max(1e-300));
    }
    (mixing, nonlinear)
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
    fn interpolation_and_nothing_to_fit_carry_no_number() {
        let mut v = view(&small(), 8, 0.5, 0.0);
        let told = |c: Condition, words: &str| {
            let bare = c.verdict == Verdict::NotTestable && c.value.is_none() && c.limit.is_none();
            assert!(bare && c.words.contains(words), "{c:?}");
        };
        told(image(&v, Role::Neuron, "h"), "interpolates whatever -p is; on samples left out the relative residual is");
        v.trace.adjoints.iter_mut().flatten().for_each(|p| *p = 0.0);
        told(image(&v, Role::Neuron, "h"), "-p vanishes");
        v.trace.adjoints[0][0] = f64::NAN;
        told(image(&v, Role::Head, "f"), "not finite");
    }

    #[test]
    fn neurons_do_not_mix_and_heads_are_linear_on_equal_tokens() {
        let v = view(&small(), 2, 0.5, 0.0);
        let (head, neuron) = (richness(&v, Role::Head), richness(&v, Role::Neuron));
        assert!(head.0 > 1e-3 && head.1 < 1e-12, "{head:?}");
        assert!(neuron.0 == 0.0 && neuron.1 > 1e-2, "{neuron:?}");
    }
}
