//! The plateau: which part of the risk at rest is left at infinite size, and which comes from finite width and depth.
//!
//! Maths: Theorem 4.1 of Gao et al. 2024 bounds the late risk by eps + C_1 E + C_2 lambda. Here R = floor + C_1 E(M, L) is fitted at each weight decay, as
//! if the bound were the law (`fit/plateau.rs`), for the theorem's E and derived ones; the power of the floors in lambda takes one curve a seed.
//! Shapes: one entry an E, one fit a weight decay at which three or more widths or depths rest.
//! Cost: milliseconds.
//! Checked: `tests/plateau.rs`, `tests/stationary.rs`.

use super::cells::Size;
use super::ends::End;
use mckean_analysis::fit::{Cell, Paired, Plateau, Shape, paired, plateau};
use serde::{Deserialize, Serialize};

/// One E at all weight decays.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plateaus {
    /// E.
    pub shape: Shape,
    /// Fits, largest weight decay first.
    pub fits: Vec<Level>,
    /// Root-mean-square relative error at sizes left out, over all weight decays.
    pub left_out: f64,
    /// Power of the floors in lambda, from three weight decays on.
    pub floors: Option<Paired>,
    /// Why there is none.
    pub problem: Option<String>,
}

/// The fit at one weight decay.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Level {
    /// Weight decay.
    pub lambda: f64,
    /// Sizes (M, L).
    pub sizes: Vec<(usize, usize)>,
    /// Floor and C_1.
    pub fit: Plateau,
}

/// Every E that can be fitted, the one that predicts best first; none without three widths or three depths.
pub fn plateaus(ends: &[End]) -> Vec<Plateaus> {
    let mut lambdas: Vec<f64> = ends.iter().map(|e| e.cell.lambda).collect();
    lambdas.sort_by(|a, b| b.total_cmp(a));
    lambdas.dedup();
    let grids: Vec<(f64, Vec<Cell>)> = lambdas.into_iter().filter_map(|l| Some((l, grid(ends, l)?))).collect();
    let mut all: Vec<Plateaus> = Shape::ALL.into_iter().filter_map(|shape| one(shape, &grids)).collect();
    let rank = |p: &Plateaus| (grids.len() - p.fits.len(), (1e6 * p.left_out).round()); // equal up to rounding: in their order
    all.sort_by(|a, b| rank(a).0.cmp(&rank(b).0).then(rank(a).1.total_cmp(&rank(b).1)));
    all
}

/// Final R by size at this weight decay, where all seeds rest; none unless three widths or three depths are there.
fn grid(ends: &[End], lambda: f64) -> Option<Vec<Cell>> {
    let mut own: Vec<((usize, usize), &End)> = vec![];
    for e in ends.iter().filter(|e| e.cell.lambda == lambda) {
        if let Size::Finite(m, l) = e.cell.size {
            own.push(((m, l), e));
        }
    }
    own.sort_by_key(|(size, e)| (*size, e.cell.seed));
    let groups: Vec<_> = own.chunk_by(|a, b| a.0 == b.0).collect();
    let seeds = groups.iter().map(|g| g.len()).max()?;
    let whole = groups.into_iter().filter(|g| g.len() == seeds && g.iter().all(|(_, e)| e.is_at_rest()));
    let cells: Vec<Cell> = whole.map(cell).collect();
    let many = |size: fn(&Cell) -> f64| {
        let mut all: Vec<f64> = cells.iter().map(size).collect();
        all.sort_by(f64::total_cmp);
        all.dedup();
        all.len() > 2
    };
    (many(|c| c.width) || many(|c| c.depth)).then_some(cells)
}

fn cell(group: &[((usize, usize), &End)]) -> Cell {
    let (m, l) = group[0].0;
    Cell { width: m as f64, depth: l as f64, gaps: group.iter().map(|(_, e)| e.last.risk).collect() }
}

fn one(shape: Shape, grids: &[(f64, Vec<Cell>)]) -> Option<Plateaus> {
    let level = |(lambda, cells): &(f64, Vec<Cell>)| {
        let sizes = cells.iter().map(|c| (c.width as usize, c.depth as usize)).collect();
        Some(Level { lambda: *lambda, sizes, fit: plateau(shape, cells).ok()? })
    };
    let fits: Vec<Level> = grids.iter().filter_map(level).collect();
    let square: f64 = fits.iter().map(|f| f.fit.left_out.powi(2)).sum();
    let left_out = (square / fits.len() as f64).sqrt();
    let floors = floors(&fits);
    let problem = floors.as_ref().err().cloned();
    (!fits.is_empty()).then_some(Plateaus { shape, fits, left_out, floors: floors.ok(), problem })
}

/// Power of the floors in lambda: every seed has a floor of its own at every weight decay.
fn floors(fits: &[Level]) -> Result<Paired, String> {
    if fits.len() < 3 {
        return Err("three weight decays are needed".into());
    }
    let seeds = fits[0].fit.floors.len();
    let all = || fits.iter().flat_map(|f| &f.fit.floors);
    if all().count() != seeds * fits.len() || all().any(|f| *f <= 0.0) {
        return Err("a seed has no floor, or a floor of 0, at some weight decay".into());
    }
    let lambdas: Vec<f64> = fits.iter().map(|f| f.lambda).collect();
    let curves: Vec<Vec<f64>> = (0..seeds).map(|s| fits.iter().map(|f| f.fit.floors[s]).collect()).collect();
    paired(&lambdas, &curves).map_err(|e| e.to_string())
}
