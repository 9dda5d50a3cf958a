//! Networks of growing width against a wide one at the same depth: states at initialisation.
//!
//! Maths: Lemma D.6 of Gao et al. 2024 bounds |That(H, t) - T_rho(H, t)|_F by C (1/L + sqrt((delta + log(L + 1))/M)): at fixed depth the part that
//! depends on the width has slope -1/2. The reference has the same depth, so the 1/L part cancels; its own error, estimated from two of
//! them, is taken off in quadrature.
//! Shapes: `widths`, `seeds` a width, two references of width `reference`; networks share no draws.
//! Cost: forward passes; the references dominate.
//! Checked: `tests/claims.rs`.

use super::{Context, Found, sample};
use crate::config::Config;
use crate::error::Error;
use crate::problem::Problem;
use mckean_analysis::fit::{Axis, Cell, corrected, power_law};
use mckean_analysis::verdict::larger;
use mckean_data::Dataset;
use mckean_engine::Maps;
use std::sync::Arc;

/// Slope of log sup error on log M, with its interval.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let (widths, wide) = (c.sizes("widths", 2)?, c.count("reference")?);
    let (seeds, config) = (c.count("seeds")?, c.claim.problem(&[])?);
    let data = Problem::new(&config)?.train;
    let references = [states(&config, &data, wide, seeds)?, states(&config, &data, wide, seeds + 1)?];
    let apart = gap(&references[0], &references[1], &data) / 2f64.sqrt();
    let mut grid = vec![];
    for &width in &widths {
        let one = |s: usize| Ok(gap(&states(&config, &data, width, s)?, &references[0], &data));
        let gaps = (0..seeds).map(one).collect::<Result<Vec<f64>, Error>>()?;
        grid.push(Cell { width: width as f64, depth: config.model.depth as f64, gaps });
    }
    let corrected = corrected(&grid, apart)?;
    let (fit, tail) = (power_law(&corrected, Axis::Width)?, sample::tail_of(&corrected));
    let curve: Vec<String> = grid.iter().map(|c| format!("{}: {:.2e}", c.width, c.rms())).collect();
    let words = format!(
        "rms over {seeds} seeds of the largest error over depths and samples by width: {}; reference of width {wide}, own error {apart:.1e}; {}",
        curve.join(", "),
        sample::tail_words(tail)
    );
    let interval = Some((fit.slope.low, fit.slope.high));
    Ok(Found { value: fit.slope.value, interval, tail, words, ..Default::default() })
}

/// States of every depth, at initialisation, of network number `s` of this width.
fn states(config: &Config, data: &Arc<Dataset>, width: usize, s: usize) -> Result<Vec<Vec<f64>>, Error> {
    let p = Problem::on(&sample::network(config, width, s), data.clone(), None)?;
    Ok(Maps::new(p.net.clone())?.states(&p.start, data).states)
}

/// Largest Frobenius distance over depths and samples.
fn gap(a: &[Vec<f64>], b: &[Vec<f64>], data: &Dataset) -> f64 {
    let size = a[0].len() / data.samples;
    let far = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>();
    let depth =
        |x: &Vec<f64>, y: &Vec<f64>| x.chunks(size).zip(y.chunks(size)).map(|(x, y)| far(x, y)).fold(0.0, larger);
    a.iter().zip(b).map(|(x, y)| depth(x, y)).fold(0.0, larger).sqrt()
}
