//! How much R(5) scatters between randomisations: scrambled, mirrored Sobol points against independent particles.
//!
//! Maths: standard deviation of R(5) over independent randomisations, 4 slices of 768 particles, one step of the 3/8 rule in depth.
//! Shapes: scalars.
//! Cost: one flow a run.
//! Checked: acceptance (mid regime): at most 2e-3 relative, and at most half of that of independent particles.

use crate::problems;
use mckean_dynamics::limit::{Problem, sobol_particles, trace};
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

fn one(p: &Problem, width: usize, sobol: bool, seed: u64) -> f64 {
    let m = ModelConfig { depth_method: DepthMethod::Rk38, depth: 1, heads: width, neurons: width, ..p.model.clone() };
    let net = Arc::new(Network::new(&m, p.shape).expect("a sound model"));
    let mut start = init::draw(&m, &p.init, &net.layout, Seed(seed));
    if sobol {
        let law = p.law().expect("a law");
        for slice in 0..m.slices() {
            let slots = init::Slots::new(&net.layout, slice);
            let own = sobol_particles(&law.at(m.depth_method.time(m.depth, slice)), seed, slice + 1, 0..width / 2);
            own.iter().enumerate().for_each(|(j, x)| slots.place(j, x, &mut start));
        }
    }
    trace(p, &net, &start, (&[5.0], &[]), (1e-4, 1)).expect("a flow").series.risk[0]
}

/// R(5) of `runs` randomisations.
pub fn many(p: &Problem, width: usize, sobol: bool, runs: u64, par: &Par) -> Vec<f64> {
    let mut all: Vec<(u64, f64)> = (0..runs).map(|r| (900 + r, 0.0)).collect();
    par.each(&mut all, |_, (seed, r)| *r = one(p, width, sobol, *seed));
    all.into_iter().map(|(_, r)| r).collect()
}

pub fn measure(runs: u64, par: &Par) {
    for (name, scale) in [("mild", 0.5), ("mid", 0.75), ("strong", 1.0)] {
        let (p, begun) = (problems::example(scale, 0), Instant::now());
        let [(mean, sobol), (_, plain)] = [true, false].map(|s| spread(&many(&p, 768, s, runs, par)));
        println!(
            "{name}: R(5) = {mean:.5}, relative std of {runs} runs at 4 x 768: Sobol {:.2e}, independent {:.2e}, ratio {:.2}; {:.0} s",
            sobol / mean,
            plain / mean,
            sobol / plain,
            begun.elapsed().as_secs_f64()
        );
    }
}
