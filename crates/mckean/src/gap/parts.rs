//! The gap of networks of one size to the limit, taken apart into noise of width and bias of depth, and what it would be at larger sizes.
//!
//! Maths: gap^2 = noise^2 + bias^2 over seeds; noise is the gap to the infinitely wide network of the same depth, bias that of the latter to the limit
//! (see `rates`). DERIVED, not the paper's: noise falls as (M L)^-1/2 (layers are independent) and bias as 1/L, so that one size foretells
//! others; Theorem 3.1 of Gao et al. 2024 bounds the gap by C (1/L + sqrt(log(L + 1)/M)), and `constant` is the C that this size needs.
//! Shapes: one part a quantity, one forecast a size; intervals 95 %.
//! Cost: none.
//! Checked: `tests/gap.rs` (forecasts against networks of those sizes), tests below.

use crate::rates::{Entry, Quantity, RatesConfig, Reference, Rung, Summary, bias, grid_cells, noise, summary};
use mckean_analysis::verdict::larger;
use mckean_dynamics::limit::student;
use serde::Serialize;

/// One quantity at one size.
#[derive(Clone, Debug, Serialize)]
pub struct Part {
    /// Which one.
    pub quantity: Quantity,
    /// Gap to the limit, largest over training time, root mean square over seeds; none with fewer than two.
    pub gap: Option<Summary>,
    /// The same to the infinitely wide network of this depth, whose own error is taken off.
    pub noise: Option<Summary>,
    /// Why there is no noise.
    pub problem: Option<String>,
    /// Gap of that network to the limit with the same particles.
    pub bias: Option<Rung>,
    /// Known error of what is compared with, 95 %.
    pub known: f64,
    /// C of Theorem 3.1 that this size needs.
    pub constant: Option<f64>,
}

impl Part {
    /// Half width of the interval of the bias.
    pub fn bias_half(&self) -> f64 {
        let of = |b: &Rung| {
            b.error + if b.scramblings.len() > 1 { student(b.scramblings.len() - 1) } else { 0.0 } * b.scatter()
        };
        self.bias.as_ref().map_or(0.0, of)
    }

    /// Share of noise in the sum of the squares of noise and bias.
    pub fn share(&self) -> Option<f64> {
        let (noise, bias) = (self.noise?.rms.powi(2), self.bias.as_ref()?.gap.powi(2));
        Some(noise / (noise + bias))
    }
}

/// A size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Size {
    /// M; none is infinity.
    pub width: Option<usize>,
    /// L.
    pub depth: usize,
}

/// A gap that was not measured.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Predicted {
    /// Which one.
    pub quantity: Quantity,
    /// Its root mean square.
    pub value: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// What networks of another size would do.
#[derive(Clone, Debug, Serialize)]
pub struct Forecast {
    /// Their size.
    pub size: Size,
    /// Their cost in training over that of the measured ones, M L; none for infinite widths.
    pub cost: Option<f64>,
    /// Their gaps.
    pub gaps: Vec<Predicted>,
}

/// Every quantity that was measured at the one size of `grid`.
pub(super) fn parts(entries: &[Entry], grid: &RatesConfig, reference: &Reference) -> Vec<Part> {
    let (m, l) = (grid.widths[0] as f64, grid.depths[0] as f64);
    let own = entries.iter().find(|e| e.width == 0);
    let bound = 1.0 / l + ((l + 1.0).ln() / m).sqrt();
    let there = |q: &&Quantity| entries.iter().any(|e| e.width > 0 && e.limit.get(**q).is_some());
    let one = |&quantity: &Quantity| {
        let gap = grid_cells(entries, grid, |e| e.limit.get(quantity)).first().map(summary);
        let noise = noise(quantity, entries, grid).map(|cells| cells.first().map(summary));
        Part {
            quantity,
            gap,
            problem: noise.as_ref().err().map(ToString::to_string),
            noise: noise.ok().flatten(),
            bias: bias(quantity, entries, grid).into_iter().next(),
            known: reference.error.of(quantity) + own.map_or(0.0, |e| e.error.of(quantity)),
            constant: gap.map(|g| g.rms / bound),
        }
    };
    Quantity::ALL.iter().filter(there).map(one).collect()
}

/// Sizes foretold, as multiples of M (0 is infinity) and L.
const LARGER: [(usize, usize); 6] = [(2, 1), (0, 1), (1, 2), (2, 2), (4, 2), (4, 4)];

/// What larger networks than (M, L) would do; empty while noise or bias are not known.
pub(super) fn forecasts(parts: &[Part], (m, l): (usize, usize)) -> Vec<Forecast> {
    let one = |&(wider, deeper): &(usize, usize)| {
        let size = Size { width: (wider > 0).then(|| m.saturating_mul(wider)), depth: l.saturating_mul(deeper) };
        let grown = if wider > 0 { wider as f64 } else { f64::INFINITY };
        let gaps: Vec<Predicted> = parts.iter().filter_map(|p| predict(p, grown, deeper as f64)).collect();
        (!gaps.is_empty()).then(|| Forecast { size, cost: (wider > 0).then_some(grown * deeper as f64), gaps })
    };
    LARGER.iter().filter_map(one).collect()
}

/// The gap of networks `wider` times as wide and `deeper` times as deep; none where noise or bias are not known.
pub(crate) fn predict(p: &Part, wider: f64, deeper: f64) -> Option<Predicted> {
    let (noise, bias) = (p.noise?, p.bias.as_ref()?);
    let ([in_m, in_l, noise_l], _) = p.quantity.predicted();
    let (n, b, half) = (wider.powf(in_m) * deeper.powf(noise_l), deeper.powf(in_l), p.bias_half());
    let of = |noise: f64, bias: f64| (n * noise).hypot(b * larger(0.0, bias));
    let (value, spread) = (of(noise.rms, bias.gap), 1.0 + noise.relative);
    let (low, high) = (of(noise.rms / spread, bias.gap - half), of(noise.rms * spread, bias.gap + half));
    Some(Predicted { quantity: p.quantity, value, low, high })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_grow_apart_as_their_laws_say() {
        let noise = Summary { width: 8.0, depth: 4.0, seeds: 9, rms: 0.3, relative: 0.5 };
        let part = Part {
            quantity: Quantity::Output,
            gap: Some(Summary { rms: 0.5, ..noise }),
            noise: Some(noise),
            problem: None,
            bias: Some(Rung::new(4, vec![0.4, 0.4], 0.1)),
            known: 0.0,
            constant: None,
        };
        let at = |wider, deeper| predict(&part, wider, deeper).unwrap();
        assert!((at(1.0, 1.0).value - 0.5).abs() < 1e-15 && (part.share().unwrap() - 0.36).abs() < 1e-15);
        assert!((at(4.0, 1.0).value - 0.15f64.hypot(0.4)).abs() < 1e-15, "width does nothing to the bias");
        assert!((at(1.0, 4.0).value - 0.15f64.hypot(0.1)).abs() < 1e-15, "depth lowers both");
        assert!((at(2.0, 2.0).value - 0.25).abs() < 1e-15, "both doubled halve the gap");
        assert!((at(f64::INFINITY, 1.0).value - 0.4).abs() < 1e-15);
        assert!(
            (at(1.0, 1.0).low - 0.2f64.hypot(0.3)).abs() < 1e-15
                && (at(1.0, 1.0).high - 0.45f64.hypot(0.5)).abs() < 1e-15
        );
        let all = forecasts(std::slice::from_ref(&part), (8, 4));
        assert_eq!(
            all.iter().map(|f| f.cost).collect::<Vec<_>>(),
            [2.0, 0.0, 2.0, 4.0, 8.0, 16.0].map(|c| (c > 0.0).then_some(c))
        );
        assert_eq!(all[1].size, Size { width: None, depth: 4 });
        assert!(forecasts(&[Part { noise: None, ..part }], (8, 4)).is_empty());
    }
}
