//! How much R(5) errs by the depth steps of every method, with the same particles at every depth.
//!
//! Maths: relative difference to 32 steps of the classical Runge-Kutta method; orders from halved steps.
//! Shapes: one line a method, one column a number of steps.
//! Cost: flows of 128 particles a slice.
//! Checked: acceptance (one step, mild, mid, strong): at most 1e-6, 5e-5, 5e-3, and order 4 where the ladder is regular.

use crate::problems;
use mckean_dynamics::limit::{Problem, sobol_particles, trace};
use mckean_engine::Network;
use mckean_model::{DepthMethod, ModelConfig, init};
use mckean_num::par::Par;
use mckean_num::rng::Seed;
use std::sync::Arc;
use std::time::Instant;

/// Particles a slice, and the tolerance of a step in training time.
const PARTICLES: usize = 128;
const TOLERANCE: f64 = 1e-10;

fn one(p: &Problem, depth_method: DepthMethod, depth: usize) -> f64 {
    let m = ModelConfig { depth_method, depth, heads: PARTICLES, neurons: PARTICLES, ..p.model.clone() };
    let net = Arc::new(Network::new(&m, p.shape).expect("a sound model"));
    let mut start = init::shared(&net.layout, Seed(0));
    let own = sobol_particles(&p.law().expect("a law").at(0.0), 1, 1, 0..PARTICLES / 2);
    for slice in 0..m.slices() {
        let slots = init::Slots::new(&net.layout, slice);
        own.iter().enumerate().for_each(|(j, x)| slots.place(j, x, &mut start));
    }
    trace(p, &net, &start, (&[5.0], &[]), (TOLERANCE, 1)).expect("a flow").series.risk[0]
}

/// Methods, their names, the number of steps of their first column.
const METHODS: [(&str, DepthMethod, usize); 5] = [
    ("splitting", DepthMethod::Splitting, 8),
    ("midpoint", DepthMethod::Midpoint, 2),
    ("rk4", DepthMethod::Rk4, 1),
    ("rk38", DepthMethod::Rk38, 1),
    ("gauss2", DepthMethod::Gauss2, 1),
];

pub fn measure(par: &Par) {
    for (name, scale) in [("mild", 0.5), ("mid", 0.75), ("strong", 1.0)] {
        let (p, begun) = (problems::example(scale, 0), Instant::now());
        let mut jobs = vec![(DepthMethod::Rk4, 32, 0.0)];
        jobs.extend(METHODS.iter().flat_map(|&(_, m, first)| (0..4).map(move |k| (m, first << k, 0.0))));
        par.each(&mut jobs, |_, (method, steps, risk)| *risk = one(&p, *method, *steps));
        let exact = jobs[0].2;
        println!("{name}: R(5) = {exact:.6}, {:.0} s", begun.elapsed().as_secs_f64());
        for ((method, _, first), own) in METHODS.iter().zip(jobs[1..].chunks(4)) {
            let errors: Vec<f64> = own.iter().map(|j| (j.2 / exact - 1.0).abs()).collect();
            let orders: Vec<String> = errors.windows(2).map(|e| format!("{:.2}", (e[0] / e[1]).log2())).collect();
            let errors: Vec<String> = errors.iter().map(|e| format!("{e:.1e}")).collect();
            println!(
                "  {method}, {first} steps and twice as many: {}; orders {}",
                errors.join(", "),
                orders.join(", ")
            );
        }
    }
}
