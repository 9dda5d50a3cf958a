//! The bias of depth extrapolated from pairs of depths L and 2L.
//!
//! Maths: R_L = R + a/L + b/L^2 + ... (DERIVED, see `ladder`), so 2 R_2L - R_L = R - b/(2 L^2) + ...: Richardson's extrapolation, whose bias should
//! fall as L^-2. The differences to the limit are those with the same particles.
//! Shapes: pairs of the ladder of infinitely wide networks; one rung a pair, at L.
//! Cost: none.
//! Checked: `tests/rates.rs`.

use super::analyse::{Exponent, FEW_DEPTHS};
use super::gaps::{Gaps, Quantity};
use super::ladder::{self, Rung};
use super::log::Entry;
use super::paired::{Bias, Paired};
use super::settings::RatesConfig;
use mckean_dynamics::limit::Series;
use serde::Serialize;

/// The extrapolated bias of one quantity.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Richardson {
    /// Its exponent in L, from four pairs on.
    pub exponent: Exponent,
    /// Gap of 2 R_2L - R_L to the limit, by L.
    pub pairs: Vec<Rung>,
}

const OF: &str = "bias of 2 R_2L - R_L, R_L the infinitely wide network of depth L; interval as that of the bias";

/// Of `q`, from outputs of `samples` samples; none for distances of particles, or without a pair of depths.
pub(super) fn richardson(q: Quantity, entries: &[Entry], grid: &RatesConfig, samples: usize) -> Option<Richardson> {
    let bias = |l: usize| {
        let own = entries.iter().find(|e| e.width == 0 && e.depth == l && grid.ladder.contains(&l));
        own.and_then(|e| e.bias.as_ref()).filter(|_| Quantity::CURVES.contains(&q))
    };
    let pair = |&l: &usize| Some(rung(q, l, bias(l)?, bias(2 * l)?, samples));
    let pairs: Vec<Rung> = grid.ladder.iter().filter_map(pair).collect();
    let found = ladder::exponent(&pairs);
    let problem =
        found.is_none().then(|| "four pairs of depths L and 2L with a bias above its known error are needed".into());
    let exponent = Exponent { predicted: -2.0, by: "derived", of: OF, measured: found, problem }.told(FEW_DEPTHS);
    (!pairs.is_empty()).then_some(Richardson { exponent, pairs })
}

fn rung(q: Quantity, l: usize, one: &Bias, two: &Bias, samples: usize) -> Rung {
    let gap = |(one, two): (&Paired, &Paired)| {
        Gaps::size(&Series::combined(&[(2.0, &two.difference), (-1.0, &one.difference)]), samples).of(q)
    };
    let gaps = one.scramblings.iter().zip(&two.scramblings).map(gap).collect();
    Rung::new(l, gaps, 2.0 * two.error.of(q) + one.error.of(q))
}
