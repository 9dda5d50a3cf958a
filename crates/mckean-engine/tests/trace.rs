//! States and adjoints of the trace against the plain reference, differences of it and the gradient of the fast pass.

mod common;

use common::{data, dot, network, parameters, settings};
use mckean_data::Dataset;
use mckean_engine::reference::Plain;
use mckean_engine::{Batch, Maps, Network, Risk};
use mckean_model::config::{Embedding, Norm};
use mckean_num::par::Par;
use mckean_num::rng::Seed;
use std::sync::Arc;

struct Case {
    name: String,
    net: Arc<Network>,
    data: Dataset,
    theta: Vec<f64>,
    maps: Maps,
}

/// Settings whose sublayers are plain averages.
fn cases() -> Vec<Case> {
    let plain = settings().into_iter().filter(|(_, m, _)| m.norm == Norm::None && !m.bias);
    let case = |(name, m, outputs): (String, _, _)| {
        let data = data(&m, 5, outputs);
        let net = network(&m, &data);
        let theta = parameters(&net, &name);
        Case { maps: Maps::new(net.clone()).unwrap(), name, net, data, theta }
    };
    plain.map(case).collect()
}

#[test]
fn outputs_and_losses_are_those_of_the_plain_reference() {
    for c in cases() {
        let (trace, plain) = (c.maps.trace(&c.theta, &c.data), Plain { net: &c.net, theta: &c.theta });
        let wanted: Vec<f64> = (0..c.data.samples).flat_map(|i| plain.outputs(c.data.inputs_of(i))).collect();
        let gap = wanted.iter().zip(&trace.outputs).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
        assert!(gap < 1e-12 && wanted.len() == trace.outputs.len(), "{}: {gap:e}", c.name);
        assert!((trace.risk() - plain.risk(&c.data)).abs() < 1e-12, "{}", c.name);
    }
}

#[test]
fn the_first_adjoint_is_the_difference_of_the_loss_in_the_data() {
    for c in cases().into_iter().filter(|c| c.net.config.embedding == Embedding::None) {
        let trace = c.maps.trace(&c.theta, &c.data);
        let mut g = Seed(3).stream("trace").open();
        let u: Vec<f64> = c.data.inputs.iter().map(|_| g.normal()).collect();
        let at = |h: f64| {
            let inputs = c.data.inputs.iter().zip(&u).map(|(x, u)| x + h * u).collect();
            Plain { net: &c.net, theta: &c.theta }.risk(&Dataset { inputs, ..c.data.clone() })
        };
        let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
        let exact = dot(&trace.adjoints[0], &u) / c.data.samples as f64;
        assert!((difference - exact).abs() < 1e-7 * (1.0 + exact.abs()), "{}: {difference} {exact}", c.name);
    }
}

#[test]
fn states_meet_the_adjoint_behind_their_sublayer() {
    for c in cases() {
        let trace = c.maps.trace(&c.theta, &c.data);
        let mut risk = Risk::<f64>::new(c.net.clone(), Arc::new(c.data.clone()), Par::serial()).unwrap();
        let mut grad = vec![0.0; c.theta.len()];
        risk.value_and_grad(&c.theta, &Batch::first(c.data.samples), &mut grad);
        for (k, sub) in c.net.sublayers.iter().enumerate() {
            let own = c.maps.pull(c.maps.cloud(&c.theta, k), &trace.states[k], &trace.adjoints[k + 1]).1;
            let gap = grad[sub.theta.clone()].iter().zip(&own);
            let gap = gap.fold(0.0, |m: f64, (a, b)| m.max((a - b / c.data.samples as f64).abs()));
            assert!(gap < 1e-12, "{} sublayer {k}: {gap:e}", c.name);
        }
    }
}

#[test]
fn one_particle_is_taken_out_of_its_cloud() {
    let c = &cases()[0];
    let (k, x) = (1, c.maps.states(&c.theta, &c.data).states[1].clone());
    let cloud = c.maps.cloud(&c.theta, k);
    let mut sum = vec![0.0; x.len()];
    for (j, &scale) in cloud.scales.iter().enumerate() {
        let particle = c.maps.particle(&c.theta, k, j);
        let one = mckean_engine::Cloud { role: cloud.role, theta: &particle, scales: &[scale] };
        c.maps.forward(one, &x).iter().zip(&mut sum).for_each(|(a, b)| *b += a);
    }
    let all = c.maps.forward(cloud, &x);
    assert!(all.iter().zip(&sum).all(|(a, b)| (a - b).abs() < 1e-13));
}

#[test]
fn networks_that_are_no_plain_averages_are_refused() {
    let m = common::practical();
    let text = Maps::new(network(&m, &data(&m, 2, 3))).err().unwrap().to_string();
    assert!(text.contains("model.norm"), "{text}");
}
