//! Saved and restored evolutions continue to the same bits, for flows and optimisers, with dropout and in f32.

mod common;

use common::problem;
use mckean_dynamics::config::{Kind, Precision, Rule, Schedule, Scheme};
use mckean_dynamics::{DynamicsConfig, Saved};
use mckean_model::ModelConfig;

fn configs() -> Vec<DynamicsConfig> {
    let flow = |integrator| DynamicsConfig { integrator, step: 0.07, weight_decay: 0.01, ..Default::default() };
    let descent = |optimizer| DynamicsConfig {
        kind: Kind::Descent,
        optimizer,
        batch: 4,
        schedule: Schedule::Cosine,
        precision: Precision::F32,
        ..Default::default()
    };
    vec![flow(Scheme::Euler), flow(Scheme::Rk4), flow(Scheme::Adaptive), descent(Rule::Momentum), descent(Rule::Adamw)]
}

#[test]
fn a_restored_evolution_continues_to_the_same_bits() {
    let m = ModelConfig { depth: 2, heads: 2, neurons: 3, dropout: 0.2, ..Default::default() };
    let p = problem(&m, 10, 1);
    for c in configs() {
        let mut whole = p.evolution(&c);
        whole.advance(1.0);
        let saved = whole.save();
        whole.advance(2.0);
        let mut resumed = p.evolution(&c);
        resumed.restore(&saved).unwrap();
        resumed.advance(2.0);
        assert_eq!(whole.save(), resumed.save(), "{c:?}");
    }
}

#[test]
fn foreign_checkpoints_are_refused() {
    let p = problem(&ModelConfig { depth: 1, heads: 2, neurons: 3, ..Default::default() }, 5, 1);
    let mut e = p.evolution(&configs()[0]);
    let error = e.restore(&Saved { parameters: vec![0.0; 3], ..Default::default() }).unwrap_err().to_string();
    assert!(error.contains("3 numbers, not"), "{error}");
}
