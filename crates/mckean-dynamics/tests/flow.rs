//! The flow on a real network: velocity, orders of the integrators, adaptive tolerance, stability estimate, outcomes.

mod common;

use common::problem;
use mckean_dynamics::config::Scheme;
use mckean_dynamics::{DynamicsConfig, Outcome, stability};
use mckean_model::{Activation, ModelConfig};
use mckean_num::par::Par;

fn smooth() -> ModelConfig {
    ModelConfig { depth: 2, heads: 3, neurons: 4, activation: Activation::Gelu, ..Default::default() }
}

#[test]
fn velocity_is_minus_width_times_depth_times_the_gradient_of_q() {
    let p = problem(&smooth(), 9, 1);
    let lambda = 0.3;
    let c = DynamicsConfig { weight_decay: lambda, integrator: Scheme::Euler, step: 1e-6, ..Default::default() };
    let mut e = p.evolution(&c);
    e.advance(1e-6);
    let moved = e.parameters();
    let objective = |i: usize, h: f64| {
        let mut q = p.start.clone();
        q[i] += h;
        mckean_dynamics::build(&c, &p.net, &p.data, &q, mckean_num::rng::Seed(1), &Par::serial())
            .unwrap()
            .measure()
            .objective
    };
    for t in &p.net.layout.tensors {
        let i = t.range.start + 1;
        let width = if t.name.contains("attention") { 3.0 } else { 4.0 };
        let difference = (objective(i, 1e-4) - objective(i, -1e-4)) / 2e-4;
        let velocity = (moved[i] - p.start[i]) / 1e-6;
        assert!(
            (velocity + width * 2.0 * difference).abs() < 1e-7 * (1.0 + velocity.abs()),
            "{}: {velocity} {difference}",
            t.name
        );
    }
}

#[test]
fn integrators_have_their_orders_on_the_network() {
    let p = problem(&smooth(), 8, 1);
    let run = |integrator, step, rtol| {
        let c = DynamicsConfig { integrator, step, rtol, atol: rtol, weight_decay: 0.1, ..Default::default() };
        let mut e = p.evolution(&c);
        assert_eq!(e.advance(4.0), Outcome::Finished);
        assert_eq!(e.tau(), 4.0);
        e.parameters()
    };
    let exact = run(Scheme::Rk4, 0.01, 1.0);
    let error = |integrator, step| {
        let y = run(integrator, step, 1.0);
        y.iter().zip(&exact).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    };
    for (scheme, step, order) in [(Scheme::Euler, 0.02, 1.0), (Scheme::Heun, 0.1, 2.0), (Scheme::Rk4, 0.4, 4.0)] {
        let measured = (error(scheme, step) / error(scheme, step / 2.0)).log2();
        assert!((measured - order).abs() < 0.15, "{scheme:?}: {measured}");
    }
    let loose = run(Scheme::Adaptive, 0.5, 1e-4);
    let tight = run(Scheme::Adaptive, 0.5, 1e-8);
    let gap = |y: &[f64]| y.iter().zip(&exact).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(gap(&loose) < 1e-2 && gap(&tight) < 1e-6 && gap(&tight) < gap(&loose), "{} {}", gap(&loose), gap(&tight));
}

#[test]
fn stability_estimate_separates_decreasing_from_exploding_steps() {
    let p = problem(&smooth(), 8, 1);
    let lambda = 0.5;
    let mut flow = p.evolution(&DynamicsConfig { weight_decay: lambda, step: 0.05, ..Default::default() });
    flow.advance(40.0);
    let beta = flow.parameters();
    let rate = stability::largest_rate(&p.net, &p.data, &beta, lambda, 60, &Par::serial()).unwrap();
    let q_after = |step: f64| {
        let c = DynamicsConfig { weight_decay: lambda, integrator: Scheme::Euler, step, ..Default::default() };
        let nudged: Vec<f64> = beta.iter().enumerate().map(|(i, b)| b + 1e-4 * ((i % 7) as f64 - 3.0)).collect();
        let mut e =
            mckean_dynamics::build(&c, &p.net, &p.data, &nudged, mckean_num::rng::Seed(1), &Par::serial()).unwrap();
        let before = e.measure().objective;
        e.advance(60.0 * step);
        e.measure().objective - before
    };
    assert!(q_after(1.8 / rate) < 0.0 && q_after(2.3 / rate) > 0.0, "rate {rate}");
}

#[test]
fn adaptive_steps_never_raise_the_objective_however_loose_the_tolerance() {
    let p = problem(&smooth(), 8, 1);
    let c = DynamicsConfig { integrator: Scheme::Adaptive, step: 50.0, rtol: 1e3, atol: 1e3, ..Default::default() };
    let mut e = p.evolution(&c);
    let mut before = e.measure().objective;
    for k in 1..=20 {
        assert_eq!(e.advance(20.0 * f64::from(k)), Outcome::Finished);
        let now = e.measure().objective;
        assert!(now <= before * (1.0 + 1e-5), "{now} after {before}");
        before = now;
    }
    assert!(e.work().rejected > 0);
}

#[test]
fn a_diverging_flow_is_an_outcome() {
    let p = problem(&smooth(), 8, 1);
    let c = DynamicsConfig { integrator: Scheme::Euler, step: 1e4, ..Default::default() };
    assert!(matches!(p.evolution(&c).advance(1e7), Outcome::Diverged { .. }));
    let few = DynamicsConfig { max_steps: 3, ..Default::default() };
    assert!(matches!(p.evolution(&few).advance(10.0), Outcome::MaxSteps { .. }));
}
