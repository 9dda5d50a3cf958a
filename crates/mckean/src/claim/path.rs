//! A gap to the limit along a path of sizes, width and depth growing together: does it shrink?
//!
//! Maths: Theorem 3.1 of Gao et al. 2024 bounds gaps by C (1/L + sqrt((delta + log(L + 1))/M)), which shrinks only if M/log L -> infinity. DERIVED for
//! laws of atoms: raw W2 is of order M^-1/4 whatever the depth, so that along M ~ log L it all but stalls; the noise of outputs averages over
//! layers, (M L)^-1/2, and falls along any path.
//! Shapes: `widths` and `depths` of the same length, size by size; `seeds` networks each; `quantity` is "cloud" or "output".
//! Cost: a limit and an infinitely wide network a depth, and one flow a network.
//! Checked: `tests/claims.rs` (holds; fails along M ~ L).

use super::chaos::no_atoms;
use super::rate::{limit, parts};
use super::{Context, Found, sample};
use crate::error::Error;
use crate::rates::{Measured, Quantity, RatesConfig, Shared, Target};
use mckean_analysis::fit::{Axis, Cell, power_law};
use mckean_dynamics::limit::Series;
use mckean_num::par::Par;

/// Exponent in L of the gap to the limit.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let quantity = quantity(c)?;
    let (problem, settings, grid) = parts(c, &["widths", "depths"])?;
    let path = path(c, &grid)?;
    if problem.init.atoms == 0 {
        return Ok(no_atoms());
    }
    let limit = match limit(&problem, &settings, c.par)? {
        Ok((curves, _)) => curves,
        Err(ended) => return Ok(ended),
    };
    let all = follow(&Shared::new(&problem, &settings, &grid), &path, &limit, (c.par, grid.seeds))?;
    let raw = cells(&all, |m| m.limit.get(quantity));
    let noise = cells(&all, |m| m.wide.get(quantity));
    let slope = power_law(&raw, Axis::Depth)?.slope;
    let own = power_law(&noise, Axis::Depth)?.slope;
    let list: Vec<String> = path.iter().zip(&raw).map(|((m, l), c)| format!("({m}, {l}) {:.3e}", c.rms())).collect();
    let words = format!(
        "{} seeds each, rms of the {} gap to the limit by (M, L): {}; noise alone {:.3} [{:.3}, {:.3}], derived {:.3}",
        grid.seeds,
        quantity.words(),
        list.join(", "),
        own.value,
        own.low,
        own.high,
        derived(quantity, &path)
    );
    Ok(Found { value: slope.value, interval: Some((slope.low, slope.high)), words, ..Default::default() })
}

fn quantity(c: &Context<'_>) -> Result<Quantity, Error> {
    match c.text("quantity")?.as_str() {
        "cloud" => Ok(Quantity::Cloud),
        "output" => Ok(Quantity::Output),
        _ => Err(c.wrong("quantity", "\"cloud\" or \"output\"")),
    }
}

/// Sizes (M, L), one after the other.
fn path(c: &Context<'_>, grid: &RatesConfig) -> Result<Vec<(usize, usize)>, Error> {
    match grid.widths.len() == grid.depths.len() {
        true => Ok(grid.widths.iter().copied().zip(grid.depths.iter().copied()).collect()),
        false => Err(c.wrong("widths", "as many widths as depths")),
    }
}

/// A size (M, L) and the gaps of all its seeds.
type Sized = ((usize, usize), Vec<Measured>);

/// All seeds of every size against the limit and the infinitely wide network of their depth.
fn follow(
    shared: &Shared<'_>,
    path: &[(usize, usize)],
    limit: &Series,
    (par, seeds): (&Par, usize),
) -> Result<Vec<Sized>, Error> {
    let size = |&(m, l): &(usize, usize)| -> Result<Sized, Error> {
        let target = Target::new(shared, l)?;
        let mut all: Vec<_> = (0..seeds).map(|s| (s, None)).collect();
        let one = |s: usize| target.measure(shared, &shared.finite(m, l, s)?, limit);
        par.each(&mut all, |_, (s, slot)| *slot = Some(one(*s)));
        Ok(((m, l), all.into_iter().filter_map(|a| a.1).collect::<Result<Vec<_>, Error>>()?))
    };
    path.iter().map(size).collect()
}

/// One cell a size, all of one path: the width is no axis of its own, and the same number everywhere.
fn cells(all: &[Sized], gap: impl Fn(&Measured) -> Option<f64>) -> Vec<Cell> {
    let gaps = |seeds: &[Measured]| seeds.iter().filter_map(&gap).collect();
    all.iter().map(|((_, l), seeds)| Cell { width: 1.0, depth: *l as f64, gaps: gaps(seeds) }).collect()
}

/// The exponent in L that noise has along the path, from those in M and L apart.
fn derived(q: Quantity, path: &[(usize, usize)]) -> f64 {
    let [in_m, _, in_l] = q.predicted().0;
    let (widths, depths): (Vec<f64>, Vec<f64>) = path.iter().map(|(m, l)| (*m as f64, *l as f64)).unzip();
    in_l + in_m * sample::slope(&depths, &widths)
}
