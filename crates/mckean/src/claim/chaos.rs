//! Propagation of chaos: particles of a finite network against the same particles driven by the fields of an infinitely wide one.
//!
//! Maths: inside the proof of Theorem 3.1 of Gao et al. 2024: sup over s <= tau, depths and particles of |beta - beta~| is at most a constant
//! times 1/L + sqrt((delta + log(L + 1))/M), beta~ with the same start, driven by the limit. Compared at equal depth, where the part 1/L
//! cancels: atoms of the infinitely wide network of the same depth are exactly the driven particles (DERIVED).
//! Shapes: `widths`, `depths`, `seeds`, as in `rate`; laws of atoms only.
//! Cost: one flow a network.
//! Checked: `tests/claims.rs`.

use super::rate::{parts, shared};
use super::{Context, Found};
use crate::error::Error;
use mckean_analysis::fit::{Axis, Cell, power_law};
use mckean_engine::Network;
use mckean_model::Role;

/// Exponent in M of the largest distance between particles and driven particles.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let (problem, taus, grid) = parts(c, &["widths", "depths"])?;
    let shared = shared(c, &problem, &taus, &grid)?;
    let mut cells = vec![];
    for &l in &grid.depths {
        let driven = shared.atoms(0, l, 0)?.1;
        for &m in &grid.widths {
            let mut all: Vec<_> = (0..grid.seeds).map(|s| (s, None)).collect();
            let one = |s: usize| shared.atoms(m, l, s).map(|(net, own)| farthest(&net, &own, &driven));
            c.par.each(&mut all, |_, (s, slot)| *slot = Some(one(*s)));
            let gaps = all.into_iter().filter_map(|a| a.1).collect::<Result<Vec<f64>, Error>>()?;
            cells.push(Cell { width: m as f64, depth: l as f64, gaps });
        }
    }
    let slope = power_law(&cells, Axis::Width)?.slope;
    let list: Vec<String> = cells.iter().map(|c| format!("({}, {}) {:.1e}", c.width, c.depth, c.rms())).collect();
    let words = format!("{} seeds each; rms of the largest distance by (M, L): {}", grid.seeds, list.join(", "));
    Ok(Found { value: slope.value, interval: Some((slope.low, slope.high)), words, ..Default::default() })
}

/// Largest distance over times, blocks and joint particles (head and neuron together).
pub(super) fn farthest(net: &Network, a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    let mut most = 0.0f64;
    for (a, b) in a.iter().zip(b) {
        for l in 0..net.config.depth {
            let tensors: Vec<_> =
                [Role::Head, Role::Neuron].into_iter().flat_map(|r| net.layout.particles(l, r)).collect();
            for j in 0..net.config.heads {
                let places = tensors.iter().flat_map(|t| t.particle(j));
                most = most.max(places.map(|i| (a[i] - b[i]).powi(2)).sum::<f64>().sqrt());
            }
        }
    }
    most
}
