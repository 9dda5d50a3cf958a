//! Work of the solver against the work of a plain network of equal error, from measured constants.
//!
//! Maths: a plain network (M, L) trained by n Euler steps errs by b/sqrt(M L) (its standard deviation), a/L and c/n, relative to R(5). Its
//! 95 % half width is at least eps only if M L >= (1.96 b/eps)^2 and n >= c/eps; the product of both is a lower bound on its work. Ours is
//! what `Limit::work` counted, pilot and ladder included. Beside the bound, for the continuous law, both are run: root mean square errors
//! over seeds against a tighter limit, the plain network as wide, deep and long as makes its error 1.5 times that of the solver at least work. Unit: one particle, one evaluation of its field and gradient on all samples.
//! Shapes: scalars.
//! Cost: the flows it follows.
//! Checked: acceptance: 20 at 1e-3 (mid), 1e4 at 1e-4 (atoms).

use crate::particles::spread;
use crate::problems;
use mckean_dynamics::config::Scheme;
use mckean_dynamics::flow::Flow;
use mckean_dynamics::limit::{Finite, Problem, Settings, coupled, solve};
use mckean_dynamics::{DynamicsConfig, Evolution, Limit};
use mckean_engine::Risk;
use mckean_num::par::Par;

/// R(5) of a finite network by Euler steps.
fn euler(p: &Problem, finite: Finite, steps: usize) -> f64 {
    let (net, start) = coupled(p, finite).expect("a sound model");
    let (integrator, step, weight_decay) = (Scheme::Euler, 5.0 / steps as f64, p.lambda);
    let config = DynamicsConfig { integrator, step, weight_decay, until: 5.0, ..Default::default() };
    let risk = Risk::<f64>::new(net, p.data.clone(), Par::serial()).expect("known encoders");
    let mut flow = Flow::new(&config, risk, start);
    flow.advance(5.0);
    flow.measure().risk
}

fn exact(p: &Problem, finite: Finite) -> f64 {
    finite.trace(p, &[5.0], 1e-5).expect("a flow").series.risk[0]
}

/// a, b, c relative to R(5).
fn constants(p: &Problem, limit: f64, par: &Par) -> [f64; 3] {
    let of = |width: usize, depth: usize, runs: u64| {
        let mut all: Vec<(u64, f64)> = (0..runs).map(|r| (500 + r, 0.0)).collect();
        par.each(&mut all, |_, (seed, r)| *r = exact(p, Finite { width, depth, seed: *seed }));
        all.into_iter().map(|(_, r)| r).collect::<Vec<f64>>()
    };
    let (_, std) = spread(&of(64, 8, 32));
    let wide = Finite { width: 64, depth: 8, seed: 1 };
    let steps = 100;
    let c = (euler(p, wide, steps) - exact(p, wide)).abs() * steps as f64 / limit;
    let (mean, _) = spread(&of(2048, 4, 8));
    [(mean - limit).abs() * 4.0 / limit, std * (64.0f64 * 8.0).sqrt() / limit, c]
}

/// The limit at an asked tolerance.
fn limit(p: &Problem, rtol: f64, seed: u64, par: &Par) -> Limit {
    let taus = vec![1.0, 2.0, 3.0, 4.0, 5.0];
    let s = Settings { taus, rtol, budget: 120.0, seed, ..Settings::default() };
    solve(p, &s, par, &mut |_| {}).expect("a sound problem")
}

fn rms(x: &[f64], of: f64) -> f64 {
    (x.iter().map(|x| (x / of - 1.0).powi(2)).sum::<f64>() / x.len() as f64).sqrt()
}

/// The plain network is meant to err that much more than the solver, to keep the measurement short.
const FARTHER: f64 = 1.5;

/// Errors that were measured, of the solver and of the cheapest plain network of that error, and the work of both.
fn equal(p: &Problem, reference: f64, [a, b, c]: [f64; 3], par: &Par) {
    let ours: Vec<Limit> = (0..8).map(|s| limit(p, 2e-3, 100 + s, par)).collect();
    let found = rms(&ours.iter().map(|l| l.risk.value[4]).collect::<Vec<f64>>(), reference);
    let work = ours.iter().map(|l| l.work).sum::<f64>() / ours.len() as f64;
    println!("  measured: solver asked for 2e-3, error {found:.1e} (8 seeds), work {work:.2e}");
    // least work for a square error that is half chance and half bias, the latter half depth and half time
    let aim = FARTHER * found;
    let (depth, steps) = ((2.0 * a / aim).ceil() as usize, (2.0 * c / aim).ceil() as usize);
    let width = (2.0 * (b / aim).powi(2) / depth as f64).ceil() as usize;
    let mut all: Vec<(u64, f64)> = (0..4).map(|r| (700 + r, 0.0)).collect();
    par.each(&mut all, |_, (seed, r)| *r = euler(p, Finite { width, depth, seed: *seed }, steps));
    let plain = rms(&all.iter().map(|x| x.1).collect::<Vec<f64>>(), reference);
    let ratio = (width * depth * steps) as f64 / work;
    println!(
        "  plain network M = {width}, L = {depth}, {steps} Euler steps, meant to err by {aim:.1e}: error {plain:.1e} (4 seeds)"
    );
    println!("  ratio {ratio:.0}; at equal errors, as error^-3, {:.0}", ratio * (plain / found).powi(3));
}

pub fn measure(par: &Par) {
    for (name, scale, atoms, rtol) in [("mid", 0.75, 0, 1e-3), ("atoms", 0.75, 8, 1e-4)] {
        let p = problems::example(scale, atoms);
        let l = limit(&p, rtol, 1, par);
        let constants = constants(&p, l.risk.value[4], par);
        let [a, b, c] = constants;
        let (particles, steps) = ((1.96 * b / l.error).powi(2), c / l.error);
        println!(
            "{name}: R(5) = {:.6}, error {:.1e} ({}), work {:.2e}, {:.1} s; a = {a:.3}, b = {b:.3}, c = {c:.3}",
            l.risk.value[4],
            l.error,
            if l.reached { "reached" } else { "not reached" },
            l.work,
            l.seconds
        );
        println!(
            "  plain network of this half width: M L >= {particles:.2e} (L >= {:.0}), {steps:.0} Euler steps, work >= {:.2e}: ratio {:.0}",
            a / l.error,
            particles * steps,
            particles * steps / l.work
        );
        if atoms == 0 {
            equal(&p, limit(&p, 2.5e-4, 7, par).risk.value[4], constants, par);
        }
    }
}
