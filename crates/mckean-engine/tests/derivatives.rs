//! Every encoder and option: value against the plain definition; gradient against forward-mode duals of the plain
//! definition (inner-product identity), against central differences; Hessian-vector products; speeds.

mod common;

use common::*;
use mckean_engine::reference::Plain;
use mckean_engine::{Batch, Risk};
use mckean_model::config::Lanes;
use mckean_model::{Activation, ModelConfig};
use mckean_num::lane::{Dual, Isa, Scalar};
use mckean_num::par::Par;
use std::sync::Arc;

type D = Dual<f64>;

fn isas() -> Vec<Isa> {
    match Isa::detect() {
        Isa::Avx512 => vec![Isa::Avx512, Isa::Avx2, Isa::Portable],
        Isa::Avx2 => vec![Isa::Avx2, Isa::Portable],
        Isa::Portable => vec![Isa::Portable],
    }
}

#[test]
fn value_and_gradient_match_the_plain_definition_on_every_instruction_set() {
    for (name, m, outputs) in settings() {
        let data = Arc::new(data(&m, 19, outputs));
        let net = network(&m, &data);
        let (theta, v) = (parameters(&net, "theta"), parameters(&net, "direction"));
        let duals: Vec<D> = theta.iter().zip(&v).map(|(&t, &v)| D::new(t, v)).collect();
        let plain = Plain { net: &net, theta: &duals }.risk(&data);
        for isa in isas() {
            let mut risk = Risk::<f64>::with_isa(net.clone(), data.clone(), Par::serial(), isa).unwrap();
            let mut grad = vec![0.0; theta.len()];
            let value = risk.value_and_grad(&theta, &Batch::first(19), &mut grad).risk;
            assert!((value - plain.re).abs() < 1e-12 * (1.0 + plain.re), "{name} {isa:?}: {value} {}", plain.re);
            assert!((dot(&grad, &v) - plain.eps).abs() < 1e-11 * (1.0 + plain.eps.abs()), "{name} {isa:?} tangent");
            assert_eq!(value, risk.value(&theta, &Batch::first(19)).risk, "{name}: value with and without gradient");
        }
    }
}

/// Tokens so wide, and so many, that heads and neurons go in unequal groups, rows in several blocks, and gradients over turned panels.
#[test]
fn wide_tokens_match_the_plain_definition() {
    let wide = |causal| ModelConfig {
        heads: 3,
        head_dim: 80,
        neurons: 230,
        embedding_dim: 204,
        depth: 1,
        causal,
        lanes: Lanes::Samples,
        ..practical()
    };
    for m in [wide(false), wide(true)] {
        let data = Arc::new(data_of_length(&m, 3, 4, 20));
        let net = network(&m, &data);
        let narrow = |x: Vec<f64>| x.into_iter().map(|x| 0.1 * x).collect::<Vec<f64>>();
        let (theta, v) = (narrow(parameters(&net, "theta")), narrow(parameters(&net, "direction")));
        let duals: Vec<D> = theta.iter().zip(&v).map(|(&t, &v)| D::new(t, v)).collect();
        let plain = Plain { net: &net, theta: &duals }.risk(&data);
        for isa in isas() {
            let mut risk = Risk::<f64>::with_isa(net.clone(), data.clone(), Par::serial(), isa).unwrap();
            let mut grad = vec![0.0; theta.len()];
            let value = risk.value_and_grad(&theta, &Batch::first(3), &mut grad).risk;
            assert!((value - plain.re).abs() < 1e-12 * (1.0 + plain.re), "{isa:?}: {value} {}", plain.re);
            assert!((dot(&grad, &v) - plain.eps).abs() < 1e-11 * (1.0 + plain.eps.abs()), "{isa:?} tangent");
        }
    }
}

#[test]
fn gradient_matches_central_differences_tensor_by_tensor() {
    for (name, m, outputs) in settings() {
        let data = Arc::new(data(&m, 11, outputs));
        let net = network(&m, &data);
        let mut theta = parameters(&net, "theta");
        let mut risk = Risk::<f64>::new(net.clone(), data, Par::serial()).unwrap();
        let (batch, mut grad) = (Batch::first(11), vec![0.0; theta.len()]);
        risk.value_and_grad(&theta, &batch, &mut grad);
        for t in &net.layout.tensors {
            let i = t.range.start + t.range.len() / 2;
            let (h, x) = (1e-5, theta[i]);
            theta[i] = x + h;
            let up = risk.value(&theta, &batch).risk;
            theta[i] = x - h;
            let down = risk.value(&theta, &batch).risk;
            theta[i] = x;
            let difference = (up - down) / (2.0 * h);
            assert!(
                (grad[i] - difference).abs() < 2e-8 * (1.0 + difference.abs()),
                "{name} {}: {} {difference}",
                t.name,
                grad[i]
            );
        }
    }
}

#[test]
fn hessian_vector_products_are_exact_and_symmetric() {
    for (name, mut m, outputs) in settings() {
        if m.attention != "none" && m.activation == Activation::HubRelu {
            m.activation = Activation::Gelu; // no kinks beside the kernel under test
        }
        let kinks = name.contains("Relu");
        let data = Arc::new(data(&m, 9, outputs));
        let net = network(&m, &data);
        let (theta, u, v) = (parameters(&net, "theta"), parameters(&net, "u"), parameters(&net, "v"));
        let batch = Batch::first(9);
        let mut dual = Risk::<D>::new(net.clone(), data.clone(), Par::serial()).unwrap();
        let mut product = |v: &[f64]| -> Vec<f64> {
            let point: Vec<D> = theta.iter().zip(v).map(|(&t, &v)| D::new(t, v)).collect();
            let mut grad = vec![D::default(); theta.len()];
            dual.value_and_grad(&point, &batch, &mut grad);
            grad.iter().map(|g| g.eps).collect()
        };
        let (hu, hv) = (product(&u), product(&v));
        let (a, b) = (dot(&u, &hv), dot(&v, &hu));
        assert!((a - b).abs() < 1e-12 * (1.0 + a.abs()), "{name}: {a} {b}");
        let mut real = Risk::<f64>::new(net.clone(), data.clone(), Par::serial()).unwrap();
        // A kink inside the step makes the difference wrong by O(1): where there are kinks the step is short.
        let (h, tolerance) = if kinks { (1e-7, 1e-7) } else { (1e-4, 1e-8) };
        let mut gradient = |s: f64| {
            let point: Vec<f64> = theta.iter().zip(&v).map(|(t, v)| t + s * v).collect();
            let mut grad = vec![0.0; theta.len()];
            real.value_and_grad(&point, &batch, &mut grad);
            grad
        };
        let [a, b, c, d] = [gradient(h), gradient(-h), gradient(2.0 * h), gradient(-2.0 * h)];
        let fourth_order = |i: usize| (8.0 * (a[i] - b[i]) - (c[i] - d[i])) / (12.0 * h);
        let worst = (0..theta.len()).map(|i| (fourth_order(i) - hv[i]).abs()).fold(0.0, f64::max);
        let size = hv.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
        assert!(worst < tolerance * size, "{name}: {worst:e} of {size:e}");
    }
}

#[test]
fn velocity_is_width_times_depth_times_the_gradient() {
    let m = theory();
    let data = Arc::new(data(&m, 8, 1));
    let net = network(&m, &data);
    let speeds = net.speeds();
    for t in &net.layout.tensors {
        let width = if t.name.contains("attention") { m.heads } else { m.neurons };
        assert!(speeds[t.range.clone()].iter().all(|&s| s == (width * m.depth) as f64), "{}", t.name);
    }
}

#[test]
fn single_precision_agrees() {
    for (name, m, outputs) in settings() {
        let data = Arc::new(data(&m, 21, outputs));
        let net = network(&m, &data);
        let theta = parameters(&net, "theta");
        let single: Vec<f32> = theta.iter().map(|&t| t as f32).collect();
        let (batch, n) = (Batch::first(21), theta.len());
        let (mut a, mut b) = (vec![0.0; n], vec![0.0f32; n]);
        let double =
            Risk::<f64>::new(net.clone(), data.clone(), Par::serial()).unwrap().value_and_grad(&theta, &batch, &mut a);
        let float = Risk::<f32>::new(net.clone(), data, Par::serial()).unwrap().value_and_grad(&single, &batch, &mut b);
        assert!((double.risk - float.risk).abs() < 3e-5 * (1.0 + double.risk), "{name}");
        let size = dot(&a, &a).sqrt();
        let error = a.iter().zip(&b).map(|(a, &b)| (a - f64::from(b)).powi(2)).sum::<f64>().sqrt();
        assert!(error < 1e-4 * size, "{name}: {error:e} of {size:e}");
    }
}
