//! Update rules against recursions written out by hand; descent equals the Euler flow where it should.

mod common;

use common::problem;
use mckean_dynamics::config::{Kind, Rule, Scheme};
use mckean_dynamics::{DynamicsConfig, Outcome, build};
use mckean_model::ModelConfig;
use mckean_num::par::Par;
use mckean_num::rng::Seed;

fn model() -> ModelConfig {
    ModelConfig { depth: 2, heads: 2, neurons: 3, ..Default::default() }
}

fn descent(optimizer: Rule) -> DynamicsConfig {
    DynamicsConfig {
        kind: Kind::Descent,
        optimizer,
        learning_rate: 0.05,
        weight_decay: 0.1,
        batch: 0,
        ..Default::default()
    }
}

#[test]
fn gradient_descent_is_the_euler_flow() {
    let p = problem(&model(), 10, 1);
    let mut gd = p.evolution(&descent(Rule::Gd));
    gd.advance(5.0);
    let flow = DynamicsConfig { integrator: Scheme::Euler, step: 0.05, weight_decay: 0.1, ..Default::default() };
    let mut euler = p.evolution(&flow);
    euler.advance(0.25);
    let worst = gd.parameters().iter().zip(euler.parameters()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(worst < 1e-13, "{worst:e}");
}

#[test]
fn rules_follow_their_recursions() {
    let p = problem(&model(), 10, 1);
    // Mean-field gradients speed * grad R + lambda beta from one tiny gradient-descent step.
    let gradient = |beta: &[f64]| {
        let c = DynamicsConfig { learning_rate: 1.0, weight_decay: 0.0, ..descent(Rule::Gd) };
        let mut e = mckean_dynamics::build(
            &c,
            &p.net,
            &p.data,
            beta,
            mckean_num::rng::Seed(1),
            &mckean_num::par::Par::serial(),
        )
        .unwrap();
        e.advance(1.0);
        beta.iter().zip(e.parameters()).map(|(a, b)| a - b).collect::<Vec<f64>>()
    };
    for rule in [Rule::Momentum, Rule::Sign, Rule::Adam, Rule::Adamw] {
        let c = descent(rule);
        let mut e = p.evolution(&c);
        assert_eq!(e.advance(3.0), Outcome::Finished);
        let (mut beta, n) = (p.start.clone(), p.start.len());
        let (mut m, mut v) = (vec![0.0; n], vec![0.0; n]);
        for step in 1..=3 {
            let g = gradient(&beta);
            for i in 0..n {
                let coupled = g[i] + c.weight_decay * beta[i];
                beta[i] -= c.learning_rate
                    * match rule {
                        Rule::Momentum => {
                            m[i] = 0.9 * m[i] + coupled;
                            m[i]
                        }
                        Rule::Sign => coupled.signum(),
                        _ => {
                            let x = if rule == Rule::Adam { coupled } else { g[i] };
                            m[i] = 0.9 * m[i] + 0.1 * x;
                            v[i] = 0.999 * v[i] + 0.001 * x * x;
                            let (a, b) = (m[i] / (1.0 - 0.9f64.powi(step)), v[i] / (1.0 - 0.999f64.powi(step)));
                            a / (b.sqrt() + 1e-8) + if rule == Rule::Adamw { c.weight_decay * beta[i] } else { 0.0 }
                        }
                    };
            }
        }
        let worst = e.parameters().iter().zip(&beta).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-9, "{rule:?}: {worst:e}");
    }
}

#[test]
fn mini_batches_visit_every_sample_once_an_epoch() {
    let p = problem(&model(), 10, 1);
    let mut e = p.evolution(&DynamicsConfig { batch: 4, ..descent(Rule::Sgd) });
    e.advance(2.0);
    assert_eq!((e.work().steps, e.work().samples), (6, 20));
}

#[test]
fn damage_done_by_the_last_step_is_divergence() {
    let p = problem(&model(), 10, 1);
    let c = DynamicsConfig { learning_rate: 1e308, weight_decay: 1e10, ..descent(Rule::Gd) };
    assert!(matches!(p.evolution(&c).advance(1.0), Outcome::Diverged { .. }));
}

#[test]
fn threads_that_share_the_update_change_no_bit() {
    let p = problem(&ModelConfig { depth: 3, heads: 300, neurons: 20, ..Default::default() }, 6, 1);
    assert!(p.start.len() > 1 << 14, "more than one piece");
    for optimizer in [Rule::Gd, Rule::Momentum, Rule::Adam, Rule::Adamw] {
        let c = DynamicsConfig { kind: Kind::Descent, optimizer, batch: 2, weight_decay: 0.1, ..Default::default() };
        let [one, two] = [1, 2].map(|threads| {
            let mut e = build(&c, &p.net, &p.data, &p.start, Seed(1), &Par::new(threads)).unwrap();
            e.advance(2.0);
            e.save()
        });
        assert_eq!(one, two, "{optimizer:?}");
        assert!(one.parameters.iter().zip(&p.start).all(|(a, b)| a != b), "every coordinate moved");
    }
}
