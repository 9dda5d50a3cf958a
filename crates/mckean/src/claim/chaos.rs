//! Propagation of chaos: particles of a finite network against the same particles driven by the fields of an infinitely wide one.
//!
//! Maths: inside the proof of Theorem 3.1 of Gao et al. 2024: sup over s <= tau, depths and particles of |beta - beta~| is at most a constant
//! times 1/L + sqrt((delta + log(L + 1))/M), beta~ with the same start, driven by the limit. The part of the width at equal depth, where 1/L
//! cancels: there the driven particles are the atoms of the infinitely wide network (DERIVED). The part of the depth without width.
//! Shapes: `widths`, `depths`, `seeds`, or a `ladder`, as in `rate`; laws of atoms only.
//! Cost: one flow a network.
//! Checked: `tests/claims.rs`.

use super::rate::parts;
use super::{Context, Found, sample};
use crate::error::Error;
use crate::rates::{Quantity, Rung, Shared, Target, ladder};
use mckean_analysis::fit::{Axis, Cell, power_law};

/// Exponent in M of the largest distance between particles and driven particles.
pub fn width(c: &Context<'_>) -> Result<Found, Error> {
    let (problem, settings, grid) = parts(c, &["widths", "depths"])?;
    let shared = Shared::new(&problem, &settings, &grid);
    let mut cells = vec![];
    for &l in &grid.depths {
        let Some(driven) = shared.wide(l)?.atoms else {
            return Ok(no_atoms());
        };
        for &m in &grid.widths {
            let mut all: Vec<_> = (0..grid.seeds).map(|s| (s, None)).collect();
            let one = |s: usize| -> Result<f64, Error> {
                let own = shared.finite(m, l, s)?;
                Ok(shared.compare(&own.side(), &driven.side())?.gaps().of(Quantity::Particles))
            };
            c.par.each(&mut all, |_, (s, slot)| *slot = Some(one(*s)));
            let gaps = all.into_iter().filter_map(|a| a.1).collect::<Result<Vec<f64>, Error>>()?;
            cells.push(Cell { width: m as f64, depth: l as f64, gaps });
        }
    }
    let slope = power_law(&cells, Axis::Width)?.slope;
    let list: Vec<String> = cells.iter().map(|c| format!("({}, {}) {:.1e}", c.width, c.depth, c.rms())).collect();
    let tail = sample::tail_of(&cells);
    let (heavy, list) = (sample::tail_words(tail), list.join(", "));
    let words = format!("{} seeds each; {heavy}; rms of the largest distance by (M, L): {list}", grid.seeds);
    Ok(Found { value: slope.value, interval: Some((slope.low, slope.high)), tail, words, ..Default::default() })
}

/// Exponent in L of the largest distance between atoms of infinitely wide networks and atoms driven by the limit.
pub fn depth(c: &Context<'_>) -> Result<Found, Error> {
    let (problem, settings, grid) = parts(c, &["ladder"])?;
    let shared = Shared::new(&problem, &settings, &grid);
    let mut all: Vec<_> = grid.ladder.iter().map(|&l| (l, None)).collect();
    c.par.each(&mut all, |_, (l, slot)| *slot = Some(Target::new(&shared, *l).and_then(|t| t.particles(&shared))));
    let mut points = vec![];
    for (l, found) in all {
        let Some(Some((gaps, error))) = found.transpose()? else { return Ok(no_atoms()) };
        points.push(Rung::new(l, vec![gaps.of(Quantity::Particles)], error.of(Quantity::Particles)));
    }
    let list: Vec<String> = points.iter().map(|p| format!("{} {:.2e}", p.depth, p.gap)).collect();
    let words = format!(
        "largest distance by L: {}; known error at most {:.0e}",
        list.join(", "),
        sample::largest(0.0, points.iter().map(|p| p.error))
    );
    Ok(match ladder::exponent(&points) {
        Some(e) => Found { value: e.value, interval: Some((e.low, e.high)), words, ..Default::default() },
        None => Found::not_testable(format!("a distance is not above its known error. {words}")),
    })
}

pub(super) fn no_atoms() -> Found {
    Found::not_testable("particles are driven one by one for laws of atoms only: set init.atoms")
}
