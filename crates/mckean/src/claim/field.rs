//! The velocity field of a finite network against that of its own empirical measure.
//!
//! Maths: Lemma D.3 of Gao et al. 2024: for Theta drawn from rho, |Ghat(beta, Theta, t) - G(beta, rhohat, t)| is at most C/L, without a part of
//! the width. DERIVED: rhohat is the law whose slice on [l/L, (l+1)/L) is block l, so G(., rhohat, .) is the velocity in the network with every
//! block repeated, as the repetitions grow; two numbers of them are extrapolated.
//! Shapes: `widths`, `depths`, `seeds`; probes are the atoms, in every block.
//! Cost: one gradient of the repeated networks a seed.
//! Checked: `tests/claims.rs`.

use super::rate::parts;
use super::{Context, Found};
use crate::error::Error;
use crate::rates::Shared;
use mckean_analysis::fit::{Axis, Cell, Estimate, power_law};
use mckean_dynamics::limit::{Problem, blocks, joint};
use mckean_dynamics::objective::Objective;
use mckean_engine::{Network, Risk};
use mckean_model::{ParticleWeights, init};
use mckean_num::par::Par;
use std::sync::Arc;

/// Repetitions of a block in the finer of the two networks that stand for the empirical measure.
const REPEATS: usize = 16;

/// Exponent in L of the root mean square distance of velocities, over depths and probes: the lemma speaks of each of them, and a largest
/// one over more and more depths would carry a logarithm of its own.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let (problem, settings, grid) = parts(c, &["widths", "depths"])?;
    let shared = Shared::new(&problem, &settings, &grid);
    let mut cells = vec![];
    for &l in &grid.depths {
        for &m in &grid.widths {
            let mut all: Vec<_> = (0..grid.seeds).map(|s| (s, None)).collect();
            let one = |s: usize| -> Result<f64, Error> {
                let (net, start) = shared.network(m, l, s)?;
                apart(&problem, &net, &start)
            };
            c.par.each(&mut all, |_, (s, slot)| *slot = Some(one(*s)));
            let gaps = all.into_iter().filter_map(|a| a.1).collect::<Result<Vec<f64>, Error>>()?;
            cells.push(Cell { width: m as f64, depth: l as f64, gaps });
        }
    }
    let (depth, width) = (slope_in_depth(&cells)?, power_law(&cells, Axis::Width)?.slope);
    let list: Vec<String> = cells.iter().map(|c| format!("({}, {}) {:.1e}", c.width, c.depth, c.rms())).collect();
    let words = format!(
        "exponent in M {:.3} [{:.3}, {:.3}] (none is stated); {} seeds each; rms distance by (M, L): {}",
        width.value,
        width.low,
        width.high,
        grid.seeds,
        list.join(", ")
    );
    Ok(Found { value: depth.value, interval: Some((depth.low, depth.high)), words, ..Default::default() })
}

/// The slope in L, its interval of chance widened by the shift when the shallowest networks are left out: log gap is no line, but bends as
/// 1/L, and chance alone is smaller than that.
fn slope_in_depth(cells: &[Cell]) -> Result<Estimate, Error> {
    let shallowest = cells.iter().map(|c| c.depth).fold(f64::INFINITY, f64::min);
    let deeper: Vec<Cell> = cells.iter().filter(|c| c.depth > shallowest).cloned().collect();
    let all = power_law(cells, Axis::Depth)?.slope;
    let shift = (all.value - power_law(&deeper, Axis::Depth)?.slope.value).abs();
    Ok(Estimate { low: all.low - shift, high: all.high + shift, ..all })
}

/// Root mean square distance between velocities in a network and in its empirical measure, over blocks and atoms.
fn apart(problem: &Problem, net: &Network, start: &[f64]) -> Result<f64, Error> {
    let own = velocities(problem, net, start, 1)?;
    let (half, whole) = (velocities(problem, net, start, REPEATS / 2)?, velocities(problem, net, start, REPEATS)?);
    let far = own.iter().zip(half.iter().zip(whole)).map(|(v, (a, b))| (v - (2.0 * b - a)).powi(2));
    Ok((far.sum::<f64>() / (net.config.depth * net.config.heads) as f64).sqrt())
}

/// Velocities of all particles of all blocks, each block `repeats` times: those of its first copy.
fn velocities(problem: &Problem, net: &Network, start: &[f64], repeats: usize) -> Result<Vec<f64>, Error> {
    let (depth, width) = (net.config.depth, net.config.heads);
    let copies = |all: &[Vec<f64>]| match all.len() {
        1 => all.to_vec(),
        _ => all.iter().flat_map(|w| std::iter::repeat_n(w.clone(), repeats)).collect(),
    };
    let weights = ParticleWeights { heads: copies(&net.weights.heads), neurons: copies(&net.weights.neurons) };
    let deep = Arc::new(Network::weighted(&blocks(problem, width, depth * repeats), problem.shape, weights)?);
    let mut beta = vec![0.0; deep.layout.len];
    for block in 0..depth * repeats {
        let slots = init::Slots::new(&deep.layout, block);
        let from = joint(net, start, block / repeats, 0..width);
        from.chunks(from.len() / width).enumerate().for_each(|(j, p)| slots.place(j, p, &mut beta));
    }
    let mut velocity = vec![0.0; beta.len()];
    let risk = Risk::<f64>::new(deep.clone(), problem.data.clone(), Par::serial())?;
    Objective::new(risk, problem.lambda).velocity(&beta, &mut velocity);
    Ok((0..depth).flat_map(|l| joint(&deep, &velocity, l * repeats, 0..width)).collect())
}
