//! The figure of quantiles over seeds, with the growth that Theorem 3.1 of Gao et al. 2024 allows.
//!
//! Maths: see `mckean_analysis::fit::tail`; powers are drawn through the geometric centre of the quantiles.
//! Shapes: one figure of a quantity, where there are seeds enough.
//! Cost: none.
//! Checked: looked at as a picture; `tests/rates.rs` looks for it.

use super::power;
use crate::rates::Found;
use mckean_report::{Axis, Colour, Figure, Series, Style};

/// Quantiles over seeds, in the cell of smallest width and depth.
pub(super) fn figure(f: &Found) -> Option<Figure> {
    let (t, cell) = (f.tail.as_ref()?, f.noise.first()?);
    let (x, e) = (t.deltas.clone(), t.exponent);
    let bound = power("theorem's bound: sqrt(δ)".into(), &x, &t.quantiles, 0.5);
    let label = format!("fitted: δ^{:.2} [{:.2}, {:.2}]", e.value, e.low, e.high);
    let quantiles = Series::line("quantiles over seeds", x.clone(), t.quantiles.clone());
    let normal = Series::line("normal tail: δ^0.50", x.clone(), t.curve(0.5));
    let series = vec![
        quantiles.style(Style::Points).colour(Colour::Index(0)),
        Series::line(label, x, t.curve(e.value)).colour(Colour::Index(0)),
        normal.style(Style::Dashed).colour(Colour::Index(2)),
        bound.style(Style::Dashed).colour(Colour::Index(1)),
    ];
    let caption = format!(
        "The gap that a seed exceeds with probability e^-δ: noise of {} seeds at M = {}, L = {}. Line: a power of the quantiles of |N(0, 1)|, which \
         themselves grow like sqrt(δ), but only for large δ. Dashed: these, and the sqrt(δ) that Theorem 3.1 allows, through the same centre; a tail \
         that is steeper than both is heavier.",
        cell.seeds, cell.width, cell.depth
    );
    Some(super::figure(f, "tail", "Tail over seeds", &caption, Axis::log("δ", "minus log of the probability"), series))
}
