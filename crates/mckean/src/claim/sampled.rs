//! Second moment of sampled particles against that of their law.
//!
//! Maths: Lemma C.7 of Gao et al. 2024: |mean |beta|^2 - int |beta|^2 rho| <= C (1/L + sqrt((delta + log(L + 1))/M)) with probability 1 - e^-delta.
//! For independent particles (derived) the gap has slope -1/2 in M and in L; the law's own moment is known exactly.
//! Shapes: `widths`, `seeds` a width; the tail is taken at the largest width.
//! Cost: drawing particles; no network is evaluated.
//! Checked: `tests/claims.rs`, the exact moments below.

use super::{Context, Found};
use crate::config::Config;
use crate::error::Error;
use crate::problem::Problem;
use mckean_analysis::fit::{Axis, Cell, power_law, tail};
use mckean_dynamics::objective::second_moment;
use mckean_model::{InitialLaw, Layout, Role};

/// Slope of log rms gap on log M, with its interval.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let (widths, seeds) = (c.list("widths")?, c.seeds()?);
    let data = Problem::new(&seeds[0])?.train;
    let mut grid = vec![];
    for &width in &widths {
        let mut gaps = vec![];
        for seed in &seeds {
            let mut config = seed.clone();
            (config.model.heads, config.model.neurons) = (width as usize, width as usize);
            let p = Problem::on(&config, data.clone(), None)?;
            let Some(exact) = exact(&config, &p.net.layout) else {
                let why =
                    "the moment of this initial law is not known in closed form, or depends on the width".to_string();
                return Ok(Found { not_testable: Some(why), ..Default::default() });
            };
            gaps.push((second_moment(&p.start, &p.net.speeds()) - exact).abs());
        }
        grid.push(Cell { width, depth: seeds[0].model.depth as f64, gaps });
    }
    let fit = power_law(&grid, Axis::Width)?;
    let last = &grid[grid.len() - 1];
    let heavy = match tail(last) {
        Ok(t) => format!(
            "exponent of the tail in delta {:.2} [{:.2}, {:.2}]",
            t.exponent.value, t.exponent.low, t.exponent.high
        ),
        Err(e) => format!("tail: {e}"),
    };
    let bound = 1.0 / last.depth + ((3.0 + (last.depth + 1.0).ln()) / last.width).sqrt(); // delta = 3: one in twenty
    let words = format!(
        "{} seeds; at M = {} the rms gap is {:.2e}, E(3) = {bound:.2e}; {heavy} (1/2 is allowed)",
        seeds.len(),
        last.width,
        last.rms()
    );
    Ok(Found { value: fit.slope.value, interval: Some((fit.slope.low, fit.slope.high)), words, ..Default::default() })
}

/// int |beta|^2 rho of the initial law: tensors times scale^2, or scale^2 d/(d + 2) on a ball of dimension d.
fn exact(config: &Config, layout: &Layout) -> Option<f64> {
    let scale = config.init.scale;
    let own = || [Role::Head, Role::Neuron].into_iter().flat_map(|role| layout.particles(0, role));
    let numbers = own().filter(|t| t.fan_in > 0).map(|t| t.particle_len()).sum::<usize>() as f64;
    if config.init.atoms > 0 {
        return None;
    }
    match config.init.law {
        InitialLaw::Gaussian => Some(scale * scale * own().filter(|t| t.fan_in > 0).count() as f64),
        InitialLaw::Ball => Some(scale * scale * numbers / (numbers + 2.0)),
        InitialLaw::Normal => Some(scale * scale * numbers),
        InitialLaw::Box => Some(scale * scale * numbers / 3.0),
        InitialLaw::Truncated | InitialLaw::FanIn => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_laws_are_those_of_many_draws() {
        for law in ["gaussian", "ball", "normal", "box"] {
            let text = format!(
                "[data]\nname = \"in_context\"\n[model]\ndepth = 1\nheads = 4000\nneurons = 4000\n[init]\nlaw = \"{law}\"\nscale = 1.5"
            );
            let config = Config::parse(&text, "test", &[]).unwrap();
            let p = Problem::new(&config).unwrap();
            let (seen, exact) = (second_moment(&p.start, &p.net.speeds()), exact(&config, &p.net.layout).unwrap());
            assert!((seen / exact - 1.0).abs() < 0.03, "{law}: {seen} {exact}");
        }
    }
}
