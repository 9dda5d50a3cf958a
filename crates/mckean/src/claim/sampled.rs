//! Second moment of sampled particles against that of their law.
//!
//! Maths: Lemma C.7 of Gao et al. 2024: |mean |beta|^2 - int |beta|^2 rho| <= C (1/L + sqrt((delta + log(L + 1))/M)) with probability 1 - e^-delta.
//! For independent particles (derived) the gap has slope -1/2 in M and in L; the law's own moment is known exactly (`Law`).
//! Shapes: `widths`, `seeds` a width; draws share nothing; the tail is that of all widths together.
//! Cost: drawing particles; no network is evaluated.
//! Checked: `tests/claims.rs`, the exact moments below.

use super::{Context, Found, sample};
use crate::error::Error;
use crate::problem::Problem;
use mckean_analysis::fit::{Axis, Cell, power_law};
use mckean_dynamics::objective::second_moment;
use mckean_model::init;

/// Slope of log rms gap on log M, with its interval.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let (widths, seeds, base) = (c.sizes("widths", 2)?, c.count("seeds")?, c.claim.problem(&[])?);
    let (data, depth) = (Problem::new(&base)?.train, base.model.depth);
    let mut grid = vec![];
    for &width in &widths {
        let mut gaps = vec![];
        for s in 0..seeds {
            let p = Problem::on(&sample::network(&base, width, s), data.clone(), None)?;
            if let Err(e) = init::law(&p.init, &p.net.layout).check_limit() {
                return Ok(Found::not_testable(e.to_string()));
            }
            gaps.push((second_moment(&p.start, &p.net.speeds()) - exact(&p)).abs());
        }
        grid.push(Cell { width: width as f64, depth: depth as f64, gaps });
    }
    let (fit, tail, last) = (power_law(&grid, Axis::Width)?, sample::tail_of(&grid), &grid[grid.len() - 1]);
    let bound = 1.0 / last.depth + ((3.0 + (last.depth + 1.0).ln()) / last.width).sqrt(); // delta = 3: one in twenty
    let words = format!(
        "{seeds} seeds; at M = {} the rms gap is {:.2e}, E(3) = {bound:.2e}; {}",
        last.width,
        last.rms(),
        sample::tail_words(tail)
    );
    let interval = Some((fit.slope.low, fit.slope.high));
    Ok(Found { value: fit.slope.value, interval, tail, words, ..Default::default() })
}

/// E of the mean of |beta|^2 over particles and blocks: that of the law of each block's depth.
fn exact(p: &Problem) -> f64 {
    let (law, m) = (init::law(&p.init, &p.net.layout), &p.net.config);
    let one =
        |l: usize| law.at(m.depth_method.time(m.depth, l)).second_moment() / m.depth_method.inverse_weight(m.depth, l);
    (0..m.slices()).map(one).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn moments_of_laws_are_those_of_many_draws() {
        let depth = "depth_scale = [[0.0, 1.0], [1.0, 3.0]]";
        let mixture = "[[init.mixture]]\nlaw = \"box\"\nshift = { w = [0.5] }\n[[init.mixture]]\nscale = 0.2";
        for law in ["gaussian", "ball", "normal", "box", "truncated", "fan_in", "mixture"] {
            let mixture = if law == "mixture" { mixture } else { "" };
            let text = format!(
                "[data]\nname = \"in_context\"\n[model]\ndepth = 2\nheads = 4000\nneurons = 4000\n[init]\nlaw = \"{law}\"\nscale = 1.5\n\
                {depth}\n{mixture}"
            );
            let p = Problem::new(&Config::parse(&text, "test", &[]).unwrap()).unwrap();
            let (seen, exact) = (second_moment(&p.start, &p.net.speeds()), exact(&p));
            assert!((seen / exact - 1.0).abs() < 0.03, "{law}: {seen} {exact}");
        }
    }
}
