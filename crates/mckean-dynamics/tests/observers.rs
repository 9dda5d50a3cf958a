//! The exact checks hold along accurate flows, and each fires when its identity is broken.

mod common;

use common::problem;
use mckean_dynamics::config::Scheme;
use mckean_dynamics::observe::{self, Log};
use mckean_dynamics::{DynamicsConfig, State};
use mckean_model::{Activation, AttentionKernel, ModelConfig};

fn value(log: &Log, name: &str) -> f64 {
    log.values.iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("no {name}")).1
}

#[test]
fn identities_hold_along_an_accurate_flow() {
    let lambda = 0.05;
    for (attention, kernel) in [
        ("qkvo", AttentionKernel::Softmax),
        ("qkvo", AttentionKernel::Gaussian),
        ("qkv", AttentionKernel::Softmax),
        ("vw", AttentionKernel::Softmax),
    ] {
        let m = ModelConfig {
            depth: 2,
            heads: 3,
            neurons: 4,
            head_dim: if attention == "qkv" { 4 } else { 2 },
            attention: attention.into(),
            kernel,
            activation: Activation::Relu,
            hidden: 2,
            ..Default::default()
        };
        let p = problem(&m, 1, 1); // one sample: kinks are crossed rarely, so the order survives
        let c = DynamicsConfig { weight_decay: lambda, integrator: Scheme::Rk4, step: 0.02, ..Default::default() };
        let (mut e, mut observers) = (p.evolution(&c), observe::all(&p.net, lambda));
        assert!(p.look(&mut *e, lambda, &mut observers).violations.is_empty());
        e.advance(2.0);
        let log = p.look(&mut *e, lambda, &mut observers);
        assert_eq!(log.violations, vec![]);
        assert!(value(&log, "energy_residual") < 2e-3);
        assert!(value(&log, "balance_drift") < 1e-6, "{attention} {kernel:?} {}", value(&log, "balance_drift"));
        assert!(value(&log, "kinetic_ratio") > 0.05 && value(&log, "kinetic_ratio") <= 1.0);
        assert!(value(&log, "second_moment") <= value(&log, "second_moment_bound"));
        if kernel == AttentionKernel::Softmax {
            assert!(value(&log, "token_norm") <= value(&log, "token_norm_bound"));
        }
    }
}

#[test]
fn each_check_fires_when_its_identity_is_broken() {
    let lambda = 0.05;
    let m = ModelConfig { depth: 2, heads: 2, neurons: 4, activation: Activation::Relu, ..Default::default() };
    let p = problem(&m, 8, 1);
    let mut e = p.evolution(&DynamicsConfig { weight_decay: lambda, ..Default::default() });
    let (beta, speeds) = (e.parameters(), p.net.speeds());
    let now = e.measure();
    let moved: Vec<f64> = beta.iter().enumerate().map(|(i, b)| b + 0.3 * (i % 5) as f64).collect();
    for mut o in observe::all(&p.net, lambda).into_iter().filter(|o| o.name() != "radius") {
        let state = |beta, now| State { net: &p.net, beta, speeds: &speeds, lambda, now, data_norm: p.data_norm() };
        let mut log = Log::default();
        o.observe(state(&beta, now), &mut log);
        assert!(log.violations.is_empty(), "{}: {:?}", o.name(), log.violations);
        let mut later = now;
        later.tau = 0.1;
        later.dissipated = 0.5 * now.objective;
        later.token_norm = 1e6;
        let far: Vec<f64> = moved.iter().map(|b| 1e3 * b).collect();
        let beta = if o.name() == "second_moment" { &far } else { &moved };
        o.observe(state(beta, later), &mut log);
        assert_eq!(log.violations.len(), 1, "{}", o.name());
    }
}
