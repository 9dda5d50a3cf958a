//! Tokens in lanes compute what samples in lanes compute: values, outputs, gradients, Hessian-vector products, dropout,
//! for every encoder, kernel, mask and read-out, at lengths on both sides of lanes and blocks, on every instruction set.

mod common;

use common::*;
use mckean_engine::reference::Plain;
use mckean_engine::{Batch, LaneAxis, Network, Risk};
use mckean_model::config::Lanes;
use mckean_model::{AttentionKernel, ModelConfig, Readout};
use mckean_num::lane::{Dual, Isa, Scalar};
use mckean_num::par::Par;
use std::sync::Arc;

type D = Dual<f64>;
const LENGTHS: [usize; 4] = [1, 3, 17, 37];

/// Risk, outputs, gradient (with tangents for duals).
type Answer<S> = (f64, Vec<f64>, Vec<S>);

struct Case {
    name: String,
    samples: Arc<Network>,
    tokens: Arc<Network>,
    data: Arc<mckean_data::Dataset>,
}

fn with_lanes(m: &ModelConfig, lanes: Lanes, data: &mckean_data::Dataset) -> Arc<Network> {
    network(&ModelConfig { lanes, ..m.clone() }, data)
}

fn case(name: &str, m: &ModelConfig, outputs: usize, n: usize, samples: usize) -> Case {
    let dim = if m.embedding == mckean_model::config::Embedding::None { 5 } else { m.embedding_dim };
    let outputs = if m.readout == Readout::All { (n + usize::from(m.class_token)) * dim } else { outputs };
    let data = Arc::new(data_of_length(m, samples, outputs, n));
    let (samples, tokens) = (with_lanes(m, Lanes::Samples, &data), with_lanes(m, Lanes::Tokens, &data));
    Case { name: format!("{name}, n = {n}"), samples, tokens, data }
}

fn cases(lengths: &[usize], samples: usize) -> Vec<Case> {
    let one = |(name, m, outputs): (String, ModelConfig, usize)| {
        lengths.iter().map(|&n| case(&name, &m, outputs, n, samples)).collect::<Vec<_>>()
    };
    settings().into_iter().flat_map(one).collect()
}

fn answer<S: Scalar>(
    net: &Arc<Network>,
    data: &Arc<mckean_data::Dataset>,
    theta: &[S],
    batch: &Batch,
    isa: Isa,
) -> Answer<S> {
    let mut risk = Risk::<S>::with_isa(net.clone(), data.clone(), Par::serial(), isa).unwrap();
    let (mut grad, mut out) = (vec![S::default(); theta.len()], vec![0.0; batch.items.len() * net.reader.outputs]);
    let value = risk.value_and_grad(theta, batch, &mut grad);
    let bare = risk.outputs(theta, batch, &mut out);
    assert_eq!(value, bare, "value with gradient and with outputs");
    (value.risk, out, grad)
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

fn agree(name: &str, a: &[f64], b: &[f64], tolerance: f64) {
    let size = dot(b, b).sqrt();
    assert!(distance(a, b) <= tolerance * (1e-3 + size), "{name}: {:e} of {size:e}", distance(a, b));
}

fn isas() -> Vec<Isa> {
    match Isa::detect() {
        Isa::Avx512 => vec![Isa::Avx512, Isa::Avx2, Isa::Portable],
        Isa::Avx2 => vec![Isa::Avx2, Isa::Portable],
        Isa::Portable => vec![Isa::Portable],
    }
}

fn layouts_agree(c: &Case, dropout: Option<(f64, u64)>) {
    let theta = parameters(&c.samples, "theta");
    let batch = Batch { dropout, ..Batch::first(c.data.samples) };
    for isa in isas() {
        let (a, b) =
            (answer(&c.tokens, &c.data, &theta, &batch, isa), answer(&c.samples, &c.data, &theta, &batch, isa));
        let name = format!("{} {isa:?}", c.name);
        assert!((a.0 - b.0).abs() < 1e-11 * (1e-3 + b.0.abs()), "{name}: {} {}", a.0, b.0);
        agree(&name, &a.1, &b.1, 1e-11);
        agree(&name, &a.2, &b.2, 1e-10);
    }
}

#[test]
fn both_layouts_give_the_same_values_outputs_and_gradients() {
    cases(&LENGTHS, 3).iter().for_each(|c| layouts_agree(c, None));
}

#[test]
fn lengths_across_blocks_of_queries_and_keys() {
    for (name, m, outputs) in settings().into_iter().filter(|(_, m, _)| m.attention != "none") {
        for n in [63, 64, 65, 150] {
            let m = ModelConfig { depth: 1, heads: 1, head_weights: vec![], ..m.clone() };
            layouts_agree(&case(&name, &m, outputs, n, 1), None);
        }
    }
}

#[test]
fn masks_are_the_same_in_both_layouts() {
    for (name, m, outputs) in settings() {
        let m = ModelConfig { dropout: 0.3, ..m };
        for n in [1, 3, 17, 37] {
            layouts_agree(&case(&name, &m, outputs, n, 2), Some((0.3, 7)));
        }
    }
}

#[test]
fn value_and_directional_derivative_match_the_plain_definition() {
    for c in cases(&[5, 33], 2) {
        let (theta, v) = (parameters(&c.tokens, "theta"), parameters(&c.tokens, "direction"));
        let duals: Vec<D> = theta.iter().zip(&v).map(|(&t, &v)| D::new(t, v)).collect();
        let plain = Plain { net: &c.tokens, theta: &duals }.risk(&c.data);
        let (value, _, grad) = answer(&c.tokens, &c.data, &theta, &Batch::first(2), Isa::detect());
        assert!((value - plain.re).abs() < 1e-11 * (1e-3 + plain.re), "{}: {value} {}", c.name, plain.re);
        let size = dot(&grad, &grad).sqrt() * dot(&v, &v).sqrt();
        assert!((dot(&grad, &v) - plain.eps).abs() < 1e-12 * (1.0 + size), "{} tangent", c.name);
    }
}

#[test]
fn hessian_vector_products_agree_and_are_symmetric() {
    for c in cases(&[3, 37], 2) {
        let [theta, u, v] = ["theta", "u", "v"].map(|name| parameters(&c.tokens, name));
        let product = |net: &Arc<Network>, v: &[f64]| -> Vec<f64> {
            let point: Vec<D> = theta.iter().zip(v).map(|(&t, &v)| D::new(t, v)).collect();
            answer(net, &c.data, &point, &Batch::first(2), Isa::detect()).2.iter().map(|g| g.eps).collect()
        };
        let (hu, hv) = (product(&c.tokens, &u), product(&c.tokens, &v));
        agree(&c.name, &hv, &product(&c.samples, &v), 1e-10);
        let size = dot(&u, &u).sqrt() * dot(&hv, &hv).sqrt();
        assert!((dot(&u, &hv) - dot(&v, &hu)).abs() < 1e-12 * (1.0 + size), "{}", c.name);
    }
}

#[test]
fn gradients_have_the_same_bits_on_any_number_of_threads() {
    for c in cases(&[17], 7) {
        let theta = parameters(&c.tokens, "theta");
        let gradient = |threads: usize| {
            let mut grad = vec![0.0; theta.len()];
            let mut risk = Risk::<f64>::new(c.tokens.clone(), c.data.clone(), Par::new(threads)).unwrap();
            assert_eq!(risk.plan().axis, LaneAxis::Tokens);
            let sums = risk.value_and_grad(&theta, &Batch::first(7), &mut grad);
            (sums.risk.to_bits(), grad.iter().map(|g| g.to_bits()).collect::<Vec<_>>())
        };
        let one = gradient(1);
        assert!(one == gradient(2) && one == gradient(3), "{}", c.name);
    }
}

/// Distances by expanded squares would lose every digit of a weight here: |x|^2 is 5e6, |x - y|^2 about 5.
#[test]
fn single_precision_distances_survive_a_large_common_offset() {
    for kernel in [AttentionKernel::Gaussian, AttentionKernel::NormalisedGaussian] {
        let m = ModelConfig { depth: 1, heads: 1, feed_forward: "none".into(), kernel, ..theory() };
        let mut c = case("offset", &m, 1, 37, 4);
        let mut shifted = (*c.data).clone();
        shifted.inputs.iter_mut().for_each(|x| *x = f64::from((*x + 1000.0) as f32));
        c.data = Arc::new(shifted);
        let theta: Vec<f64> = (0..50).map(|i| f64::from(u8::from(i % 25 % 6 == 0))).collect(); // V = W = identity
        let single: Vec<f32> = theta.iter().map(|&t| t as f32).collect();
        let exact = answer(&c.samples, &c.data, &theta, &Batch::first(4), Isa::detect());
        for isa in isas() {
            let (_, out, grad) = answer(&c.tokens, &c.data, &single, &Batch::first(4), isa);
            agree(&format!("{kernel:?} {isa:?}"), &out, &exact.1, 1e-5);
            let grad: Vec<f64> = grad.iter().map(|&g| f64::from(g)).collect();
            agree(&format!("{kernel:?} {isa:?} gradient"), &grad, &exact.2, 1e-4);
        }
    }
}
