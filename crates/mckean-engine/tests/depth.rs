//! Depth methods: value against the plain definition, gradient as the exact transpose, orders, slice weights, per-slice particle weights.

mod common;

use common::*;
use mckean_data::Dataset;
use mckean_engine::reference::Plain;
use mckean_engine::{Batch, DataShape, Network, Risk};
use mckean_model::config::Norm;
use mckean_model::{Activation, DepthMethod, ModelConfig, Parametrisation, ParticleWeights};
use mckean_num::lane::{Dual, Scalar};
use mckean_num::par::Par;
use std::sync::Arc;

const METHODS: [DepthMethod; 4] = [DepthMethod::Midpoint, DepthMethod::Rk4, DepthMethod::Rk38, DepthMethod::Gauss2];

fn settings_of(method: DepthMethod) -> Vec<(String, ModelConfig, usize)> {
    let fits = |m: &ModelConfig| m.norm == Norm::None && !m.bias && m.parametrisation == Parametrisation::MeanField;
    let all = settings().into_iter().filter(|(_, m, _)| fits(m));
    all.map(|(name, m, outputs)| {
        (format!("{name} {method:?}"), ModelConfig { depth_method: method, depth: 2, ..m }, outputs)
    })
    .collect()
}

fn risk_of(net: &Arc<Network>, data: &Arc<Dataset>, theta: &[f64]) -> f64 {
    let mut risk = Risk::<f64>::new(net.clone(), data.clone(), Par::serial()).unwrap();
    risk.value(theta, &Batch::first(data.samples)).risk
}

#[test]
fn value_and_transpose_match_the_plain_definition() {
    for method in METHODS {
        for (name, m, outputs) in settings_of(method) {
            let data = Arc::new(data(&m, 13, outputs));
            let net = network(&m, &data);
            let (mut theta, v) = (parameters(&net, "theta"), parameters(&net, "direction"));
            theta.iter_mut().for_each(|t| *t *= 0.5); // states that grow without bound say nothing
            let duals: Vec<Dual<f64>> = theta.iter().zip(&v).map(|(&t, &v)| Dual::new(t, v)).collect();
            let plain = Plain { net: &net, theta: &duals }.risk(&data);
            let mut grad = vec![0.0; theta.len()];
            let mut risk = Risk::<f64>::new(net.clone(), data.clone(), Par::serial()).unwrap();
            let value = risk.value_and_grad(&theta, &Batch::first(13), &mut grad).risk;
            assert!((value - plain.re).abs() < 1e-12 * (1.0 + plain.re), "{name}: {value} {}", plain.re);
            assert!((dot(&grad, &v) - plain.eps).abs() < 1e-11 * (1.0 + plain.eps.abs()), "{name} tangent");
            assert_eq!(value, risk.value(&theta, &Batch::first(13)).risk, "{name}: value with and without gradient");
        }
    }
}

#[test]
fn tokens_in_lanes_agree() {
    for method in METHODS {
        let m = ModelConfig { depth_method: method, ..theory() };
        let data = Arc::new(data(&m, 5, 1));
        let long = ModelConfig { lanes: mckean_model::config::Lanes::Tokens, ..m.clone() };
        let (a, b) = (network(&m, &data), network(&long, &data));
        let theta = parameters(&a, "theta");
        let (x, y) = (risk_of(&a, &data, &theta), risk_of(&b, &data, &theta));
        assert!((x - y).abs() < 1e-12 * (1.0 + x), "{method:?}: {x} {y}");
    }
}

#[test]
fn gradients_match_differences_and_second_derivatives_are_symmetric() {
    for method in METHODS {
        let m = ModelConfig { depth_method: method, depth: 2, activation: Activation::Gelu, ..theory() };
        let data = Arc::new(data(&m, 9, 1));
        let net = network(&m, &data);
        let (theta, u, v) = (parameters(&net, "theta"), parameters(&net, "u"), parameters(&net, "v"));
        let mut dual = Risk::<Dual<f64>>::new(net.clone(), data.clone(), Par::serial()).unwrap();
        let mut both = |v: &[f64]| -> (Vec<f64>, Vec<f64>) {
            let point: Vec<Dual<f64>> = theta.iter().zip(v).map(|(&t, &v)| Dual::new(t, v)).collect();
            let mut grad = vec![Dual::default(); theta.len()];
            dual.value_and_grad(&point, &Batch::first(9), &mut grad);
            (grad.iter().map(|g| g.re).collect(), grad.iter().map(|g| g.eps).collect())
        };
        let ((g, hu), (_, hv)) = (both(&u), both(&v));
        let (a, b) = (dot(&u, &hv), dot(&v, &hu));
        assert!((a - b).abs() < 1e-11 * (1.0 + a.abs()), "{method:?}: {a} {b}");
        let along = |s: f64| theta.iter().zip(&u).map(|(t, u)| t + s * u).collect::<Vec<f64>>();
        let difference = (risk_of(&net, &data, &along(1e-5)) - risk_of(&net, &data, &along(-1e-5))) / 2e-5;
        assert!((dot(&g, &u) - difference).abs() < 1e-8 * (1.0 + difference.abs()), "{method:?}: {difference}");
    }
}

/// Risk of a network of `steps` steps whose slices all have the same particles.
fn shared(method: DepthMethod, steps: usize) -> f64 {
    let m = ModelConfig { depth_method: method, depth: steps, activation: Activation::Gelu, ..theory() };
    let data = Arc::new(data(&m, 16, 1));
    let net = network(&m, &data);
    let own = parameters(
        &network(&ModelConfig { depth: 1, depth_method: DepthMethod::Splitting, ..m.clone() }, &data),
        "theta",
    );
    let theta: Vec<f64> = (0..m.slices()).flat_map(|_| own.clone()).collect();
    risk_of(&net, &data, &theta)
}

#[test]
fn orders_are_one_two_or_four_and_limits_agree() {
    let limit = shared(DepthMethod::Rk4, 256);
    let cases = [
        (DepthMethod::Splitting, 64, 1.0),
        (DepthMethod::Midpoint, 16, 2.0),
        (DepthMethod::Rk4, 8, 4.0),
        (DepthMethod::Rk38, 8, 4.0),
        (DepthMethod::Gauss2, 8, 4.0),
    ];
    for (method, steps, order) in cases {
        let (a, b) = ((shared(method, steps) - limit).abs(), (shared(method, 2 * steps) - limit).abs());
        let found = (a / b).log2();
        assert!((found - order).abs() < 0.12, "{method:?}: order {found} from {a:e}, {b:e}");
    }
}

#[test]
fn speeds_are_one_over_slice_weight_and_particle_weight() {
    let m = ModelConfig { depth_method: DepthMethod::Rk4, depth: 2, heads: 4, neurons: 2, ..Default::default() };
    let data = data(&m, 3, 1);
    let net = network(&m, &data);
    let speeds = net.speeds();
    for (slice, share) in [1.0 / 12.0, 4.0 / 12.0, 2.0 / 12.0, 4.0 / 12.0, 1.0 / 12.0].into_iter().enumerate() {
        for (name, width) in [("attention.v", 4.0), ("feed_forward.w2", 2.0)] {
            let t = net.layout.find(&format!("blocks.{slice}.{name}")).unwrap();
            assert!((speeds[t.range.start] - width / share).abs() < 1e-12, "slice {slice} {name}");
        }
    }
}

#[test]
fn repeated_particles_are_one_particle_with_their_weight() {
    for method in [DepthMethod::Splitting, DepthMethod::Rk4] {
        let wide = ModelConfig { depth_method: method, depth: 2, heads: 4, neurons: 4, ..theory() };
        let data = Arc::new(data(&wide, 8, 1));
        let few = ModelConfig { heads: 2, neurons: 2, ..wide.clone() };
        let shape = DataShape { tokens: data.tokens, dim: data.dim, outputs: 1, vocabulary: 0 };
        let lists: Vec<Vec<f64>> =
            (0..wide.slices()).map(|s| if s % 2 == 0 { vec![0.75, 0.25] } else { vec![0.5, 0.5] }).collect();
        let weights = ParticleWeights { heads: lists.clone(), neurons: lists };
        let (a, b) = (network(&wide, &data), Arc::new(Network::weighted(&few, shape, weights).unwrap()));
        let small = parameters(&b, "theta");
        let mut large = vec![0.0; a.parameters()];
        for t in &a.layout.tensors {
            let source = b.layout.find(&t.name).unwrap();
            for j in 0..4 {
                let from = usize::from(j >= if t.block.unwrap() % 2 == 0 { 3 } else { 2 });
                large[t.particle(j)].copy_from_slice(&small[source.particle(from)]);
            }
        }
        let (x, y) = (risk_of(&a, &data, &large), risk_of(&b, &data, &small));
        assert!((x - y).abs() < 1e-14 * (1.0 + x), "{method:?}: {x} {y}");
    }
}

#[test]
fn what_the_depth_equation_does_not_know_is_refused() {
    let base = ModelConfig { depth_method: DepthMethod::Rk4, ..theory() };
    let wrong = [
        (ModelConfig { norm: Norm::Layer, ..base.clone() }, "norm"),
        (ModelConfig { bias: true, ..base.clone() }, "bias"),
        (ModelConfig { dropout: 0.1, ..base.clone() }, "dropout"),
        (ModelConfig { parametrisation: Parametrisation::Sp, ..base.clone() }, "parametrisation"),
        (ModelConfig { residual_step: 0.1, ..base.clone() }, "residual_step"),
    ];
    for (m, word) in wrong {
        let e = m.check().unwrap_err().to_string();
        assert!(e.contains("model.depth_method = rk4") && e.contains(word), "{e}");
    }
    assert!(base.check().is_ok());
}
