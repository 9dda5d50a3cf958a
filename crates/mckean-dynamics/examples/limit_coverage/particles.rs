//! How much R(5) scatters between randomisations: scrambled, mirrored Sobol points, whitened as the solver does it and not, against
//! independent particles.
//!
//! Maths: standard deviation of R(5) over independent randomisations, 4 slices of 768 particles, one step of the 3/8 rule in depth.
//! Shapes: scalars.
//! Cost: one flow a run.
//! Checked: acceptance (mid regime): at most 2e-3 relative, and at most half of that of independent particles.

use crate::problems;
use mckean_dynamics::limit::{Problem, most_whitened, sobol_particles, trace, whiten};
use mckean_engine::Network;
use mckean_model::{DepthMethod, ModelConfig, init};
use mckean_num::par::Par;
use mckean_num::rng::Seed;
use std::sync::Arc;
use std::time::Instant;

/// Mean and standard deviation.
pub fn spread(x: &[f64]) -> (f64, f64) {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let square: f64 = x.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, (square / (x.len() - 1) as f64).sqrt())
}

/// Where particles come from.
#[derive(Clone, Copy, PartialEq)]
pub enum Points {
    Independent,
    Sobol,
    White,
}

fn one(p: &Problem, width: usize, points: Points, seed: u64) -> f64 {
    let m = ModelConfig { depth_method: DepthMethod::Rk38, depth: 1, heads: width, neurons: width, ..p.model.clone() };
    let net = Arc::new(Network::new(&m, p.shape).expect("a sound model"));
    let mut start = init::draw(&m, &p.init, &net.layout, Seed(seed));
    if points != Points::Independent {
        let law = p.law().expect("a law");
        for slice in 0..m.slices() {
            let slots = init::Slots::new(&net.layout, slice);
            let law = law.at(m.depth_method.time(m.depth, slice));
            let mut own = sobol_particles(&law, seed, slice + 1, 0..width / 2);
            if points == Points::White {
                whiten(&law, most_whitened(width), &mut own);
            }
            own.iter().enumerate().for_each(|(j, x)| slots.place(j, x, &mut start));
        }
    }
    trace(p, &net, &start, (&[5.0], &[]), (1e-4, 1)).expect("a flow").series.risk[0]
}

/// R(5) of `runs` randomisations.
pub fn many(p: &Problem, width: usize, points: Points, runs: u64, par: &Par) -> Vec<f64> {
    let mut all: Vec<(u64, f64)> = (0..runs).map(|r| (900 + r, 0.0)).collect();
    par.each(&mut all, |_, (seed, r)| *r = one(p, width, points, *seed));
    all.into_iter().map(|(_, r)| r).collect()
}

pub fn measure(runs: u64, par: &Par) {
    for (name, scale) in [("mild", 0.5), ("mid", 0.75), ("strong", 1.0)] {
        let (p, begun) = (problems::example(scale, 0), Instant::now());
        let all = [Points::White, Points::Sobol, Points::Independent];
        let [(mean, white), (_, sobol), (_, plain)] = all.map(|s| spread(&many(&p, 768, s, runs, par)));
        println!(
            "{name}: R(5) = {mean:.5}, relative std of {runs} runs at 4 x 768: whitened {:.2e}, Sobol {:.2e}, independent {:.2e}, ratios {:.2} {:.2}; {:.0} s",
            white / mean,
            sobol / mean,
            plain / mean,
            white / plain,
            sobol / plain,
            begun.elapsed().as_secs_f64()
        );
    }
}
