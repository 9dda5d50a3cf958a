//! Certificates over depth: the adjoint between its bounds, the optimality gap of heads and neurons.
//!
//! Maths: F.7 of Gao et al. 2024 (corrected) and the first variation of eq. (3.4), as `mckean_analysis::certificate` has them.
//! Shapes: one entry a sublayer; two figures.
//! Cost: none of its own.
//! Checked: `tests/certify.rs`; looked at as pictures.

use mckean_analysis::View;
use mckean_analysis::certificate::conditions::Profile;
use mckean_report::{Axis, Colour, Figure, Series, Style};
use serde::{Deserialize, Serialize};

/// In front of one sublayer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Depth {
    /// Depth t.
    pub t: f64,
    /// Whether the sublayer has heads (neurons otherwise).
    pub heads: bool,
    /// Lower bound, value and upper bound of E|p(t)|^2, where all are finite.
    pub adjoint: Option<[f64; 3]>,
    /// Mean first variation minus its least value; unknown without weight decay.
    pub gap: Option<f64>,
}

/// One entry a sublayer.
pub(super) fn list(view: &View, profile: &Profile) -> Vec<Depth> {
    let adjoint = |k: usize| {
        let b = profile.bounds.as_ref().ok()?.get(k)?;
        Some([b.low, b.value, b.high]).filter(|x| x.iter().all(|x| x.is_finite()))
    };
    let gap = |k: usize| Some(profile.gaps.as_ref().ok()?.get(k)?.gap).filter(|x| x.is_finite());
    let heads = |k: usize| view.net().sublayers[k].role == mckean_model::Role::Head;
    let one = |k: usize| Depth { t: view.depth(k), heads: heads(k), adjoint: adjoint(k), gap: gap(k) };
    (0..view.net().sublayers.len()).map(one).collect()
}

/// The figures that have something to show.
pub(super) fn figures(depths: &[Depth]) -> Vec<Figure> {
    let mut all = vec![];
    let seen: Vec<(f64, [f64; 3])> = depths.iter().filter_map(|d| Some((d.t, d.adjoint?))).collect();
    if !seen.is_empty() {
        let column = |i: usize| seen.iter().map(|s| s.1[i]).collect::<Vec<f64>>();
        let t: Vec<f64> = seen.iter().map(|s| s.0).collect();
        let curve =
            |label: &str, i, style| Series::line(label, t.clone(), column(i)).style(style).colour(Colour::Index(i));
        let series = vec![
            curve("upper bound", 2, Style::Dashed),
            curve("E|p|²", 1, Style::Line),
            curve("lower bound", 0, Style::Dashed),
        ];
        let caption =
            "The adjoint between its bounds (F.7, corrected): a risk cannot be positive with a vanishing adjoint.";
        all.push(figure("adjoint", "Adjoint over depth", caption, Axis::log("E|p|²", "squared adjoint"), series));
    }
    let mut series = vec![];
    for (heads, label) in [(true, "heads"), (false, "neurons")] {
        let own = depths.iter().filter(|d| d.heads == heads).filter_map(|d| Some((d.t, d.gap?)));
        let (x, y): (Vec<f64>, Vec<f64>) = own.unzip();
        let points = Series::line(label, x, y).style(Style::Points).colour(Colour::Index(usize::from(heads)));
        series.extend(Some(points).filter(|s| !s.x.is_empty()));
    }
    if !series.is_empty() {
        let caption = "How much the best single particle at each depth would lower Q (mean first variation minus its least value): 0 at a global minimum.";
        all.push(figure("gap", "Optimality gap over depth", caption, Axis::log("", "gap"), series));
    }
    all
}

fn figure(id: &str, title: &str, caption: &str, y: Axis, series: Vec<Series>) -> Figure {
    let x = Axis::linear("t", "depth");
    Figure { id: format!("certify-{id}"), title: title.into(), caption: caption.into(), x, y, series, marks: vec![] }
}
