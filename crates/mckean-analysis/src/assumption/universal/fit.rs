//! -p fitted by random features at the states of the samples, and held against samples left out.
//!
//! Maths: least squares on features g(T, a) with |a_2| <= 1 (`features.rs`), by singular values; relative residuals in the Frobenius norm.
//! Shapes: rows are the tokens of all samples, even samples against odd ones.
//! Cost: two singular value decompositions of (samples n, features) a sublayer.
//! Checked: tests below (planted targets are fitted and predicted, noise is neither).

use crate::assumption::features::{Features, terms};
use crate::certificate::View;
use mckean_model::Role;
use nalgebra::DMatrix;

/// Most tokens of a fit.
const TOKENS: usize = 256;

/// -p fitted by features at one sublayer.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    /// Sublayer.
    pub sublayer: usize,
    /// |p - fit|/|p|; NaN where p vanishes or a feature is not finite.
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
    let Ok(terms) = terms(features, target) else { return Left { last: f64::NAN, best: f64::NAN, rank: 0 } };
    for (direction, along) in terms {
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
    use mckean_engine::Cloud;
    use mckean_num::rng::Seed;

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
    fn fits_without_numbers_have_none() {
        let v = view(&small(), 4, 0.5, 0.0);
        assert!(fit(&v, 0, &[0.0; 36], 20).residual.is_nan(), "nothing to fit");
        assert!(fits(&view(&small(), 4, 1e200, 0.0), Role::Neuron, 20).iter().all(|f| f.residual.is_nan()));
    }
}
