//! Random features of one sublayer, and the terms of a least-squares fit by them.
//!
//! Maths: features g(T, a) with a_2 random in the unit ball K of A4 (ii) (Gao et al. 2024) and unit columns as output map; singular value decomposition.
//! Shapes: rows are the tokens of all samples; a particle has as many features as its output map has columns.
//! Cost: one forward map of one particle a feature; one decomposition of (rows, features).
//! Checked: `universal.rs` (planted targets are fitted), `certificate/descent.rs` (fits turned into particles).

use crate::certificate::View;
use crate::certificate::probe::outer;
use crate::error::AnalysisError;
use mckean_engine::Cloud;
use mckean_num::rng::Seed;
use nalgebra::{DMatrix, DVector, RowDVector};

/// Singular values below this share of the largest are left out.
const CUT: f64 = 1e-12;

/// One direction of a fit: coefficients of the features, multiples of them for each column of the target.
pub(crate) type Term = (DVector<f64>, RowDVector<f64>);

/// Random features of one sublayer.
pub(crate) struct Features {
    /// Particles: a_2 random in the unit ball, no output map.
    pub inner: Vec<Vec<f64>>,
    /// Where the output map begins in a particle, and its columns.
    pub first: usize,
    pub columns: usize,
    /// (samples n, particles columns): the first entry of the output when that column's first entry is one.
    pub values: DMatrix<f64>,
}

impl Features {
    /// About `most` of them, at the states `x` in front of sublayer `k`.
    pub fn new(view: &View, k: usize, x: &[f64], most: usize) -> Features {
        let (d, role) = (view.net().dim, view.net().sublayers[k].role);
        let outer = outer(view, role);
        let tensor =
            view.maps.tensors(role).iter().find(|t| t.sums_particles).expect("every encoder has an output map");
        let (columns, first) = (tensor.len() / tensor.shape[0], outer.iter().position(|o| *o).unwrap_or(0));
        let inner = inner(&outer, k, most.div_ceil(columns).max(1));
        let mut values = DMatrix::zeros(x.len() / d, inner.len() * columns);
        for (p, column) in (0..inner.len()).flat_map(|p| (0..columns).map(move |c| (p, c))) {
            let mut alpha = inner[p].clone();
            alpha[first + column] = 1.0;
            let out = view.maps.forward(Cloud { role, theta: &alpha, scales: &[1.0] }, x);
            out.iter().step_by(d).enumerate().for_each(|(row, o)| values[(row, p * columns + column)] = *o);
        }
        Features { inner, first, columns, values }
    }
}

/// Particles with a_2 random in the unit ball.
fn inner(outer: &[bool], k: usize, count: usize) -> Vec<Vec<f64>> {
    let mut draws = Seed(0).stream("assumption.features").at(k as u64).open();
    let mut one = |_| {
        let mut alpha: Vec<f64> = outer.iter().map(|o| if *o { 0.0 } else { draws.normal() }).collect();
        let size = draws.uniform().sqrt() / alpha.iter().map(|a| a * a).sum::<f64>().sqrt();
        alpha.iter_mut().for_each(|a| *a *= size);
        alpha
    };
    (0..count).map(&mut one).collect()
}

/// Terms of the least-squares fit of `target`, largest singular value first: features times the first of a pair times the second is what one adds.
///
/// # Errors
/// Features that are not finite: their decomposition would not end.
pub(crate) fn terms(features: &DMatrix<f64>, target: &DMatrix<f64>) -> Result<Vec<Term>, AnalysisError> {
    if !features.iter().all(|x| x.is_finite()) {
        return Err(AnalysisError::NotTestable("random features of these states are not finite".into()));
    }
    let svd = features.clone().svd(true, true);
    let (u, v) = (svd.u.expect("asked for"), svd.v_t.expect("asked for"));
    let cut = CUT * svd.singular_values.max();
    let kept = svd.singular_values.iter().enumerate().filter(|(_, s)| **s > cut);
    Ok(kept.map(|(i, s)| (v.row(i).transpose() / *s, u.column(i).tr_mul(target))).collect())
}
