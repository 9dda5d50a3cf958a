//! Particles and clouds of the cells of a grid: growth in training time, distances by depth, with and without the floor of sampling.
//!
//! Maths: root mean squares over seeds. The floor is taken off in two ways: `above` compares with the same draws driven by the limit;
//! `removed` is sqrt(mean raw^2 - mean floor^2). DERIVED: for atoms their difference has a part of order M^-1/2 times |beta - beta~|, of either
//! sign, so `removed` is missing or rough where M^-1/2 is above |beta - beta~|, and `above` is what exponents are fitted to.
//! Shapes: one profile a cell (M, L); width 0 is the infinitely wide network.
//! Cost: none.
//! Checked: `tests/rates_clouds.rs`.

use super::clouds::{Clouds, Distances};
use super::log::Entry;
use serde::Serialize;

/// One cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Profile {
    /// M, 0 for infinity.
    pub width: usize,
    /// L.
    pub depth: usize,
    /// Seeds.
    pub seeds: usize,
    /// Rms |beta - beta~| at every training time.
    pub growth: Vec<f64>,
    /// sqrt(int W2^2 dt) at every snapshot.
    pub whole: Vec<Distances>,
    /// The same with the floor taken off in quadrature; none where nothing is left.
    pub removed: Vec<Option<f64>>,
    /// By snapshot and depth (`clouds::DEPTHS`).
    pub depths: Vec<Vec<Distances>>,
}

/// The profiles of all cells of `entries`, in their order.
pub fn profiles(entries: &[Entry]) -> Vec<Profile> {
    let groups = entries.chunk_by(|a, b| (a.depth, a.width) == (b.depth, b.width));
    groups
        .filter_map(|g| profile(g[0].width, g[0].depth, g.iter().filter_map(|e| e.clouds.as_ref()).collect()))
        .collect()
}

fn profile(width: usize, depth: usize, all: Vec<&Clouds>) -> Option<Profile> {
    let first = all.first()?;
    let rms =
        |one: &dyn Fn(&Clouds) -> f64| (all.iter().map(|c| one(c).powi(2)).sum::<f64>() / all.len() as f64).sqrt();
    let distances = |one: &dyn Fn(&Clouds) -> Distances| Distances {
        raw: rms(&|c| one(c).raw),
        floor: rms(&|c| one(c).floor),
        above: rms(&|c| one(c).above),
    };
    let growth = (0..first.rms.len()).map(|i| rms(&|c| c.rms[i])).collect();
    let whole: Vec<Distances> = (0..first.whole.len()).map(|i| distances(&|c| c.whole[i])).collect();
    let left = |d: &Distances| d.raw.powi(2) - d.floor.powi(2);
    let removed = whole.iter().map(|d| (left(d) > 0.0).then(|| left(d).sqrt())).collect();
    let shown = |i: usize| (0..first.depths[i].len()).map(|k| distances(&|c| c.depths[i][k])).collect();
    let depths = (0..first.depths.len()).map(shown).collect();
    Some(Profile { width, depth, seeds: all.len(), growth, whole, removed, depths })
}
