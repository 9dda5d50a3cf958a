//! Sizes with code of their own: (tokens, dimension) of the papers, beside a size that has none.
//!
//! Maths: the (V, W) head with every kernel of dot products.
//! Shapes: 13 samples, so that the last lane is not full.
//! Cost: a second.
//! Checked: against the portable lanes, which always take the sizes at run time, and against the plain reference.

mod common;

use common::*;
use mckean_data::{Dataset, Targets};
use mckean_engine::reference::Plain;
use mckean_engine::{Batch, Risk};
use mckean_model::{AttentionKernel, ModelConfig};
use mckean_num::lane::{Dual, Isa, Scalar};
use mckean_num::par::Par;
use mckean_num::rng::Seed;
use std::sync::Arc;

const SIZES: [(usize, usize); 4] = [(5, 8), (5, 4), (8, 8), (6, 7)];

fn gradient<S: Scalar>(m: &ModelConfig, data: &Arc<Dataset>, isa: Isa) -> (f64, Vec<S>) {
    let net = network(m, data);
    let (theta, v) = (parameters(&net, "theta"), parameters(&net, "direction"));
    let theta: Vec<S> = theta.iter().zip(&v).map(|(&t, &v)| S::new(t, v)).collect();
    let mut grad = vec![S::zero(); theta.len()];
    let mut risk = Risk::<S>::with_isa(net, data.clone(), Par::serial(), isa).unwrap();
    (risk.value_and_grad(&theta, &Batch::first(13), &mut grad).risk, grad)
}

fn agree<S: Scalar>(name: &str, m: &ModelConfig, data: &Arc<Dataset>) {
    let (a, b) = (gradient::<S>(m, data, Isa::detect()), gradient::<S>(m, data, Isa::Portable));
    assert!((a.0 - b.0).abs() < 1e-13 * (1.0 + b.0), "{name}: {} {}", a.0, b.0);
    let size = b.1.iter().fold(1e-3, |s: f64, g| s.max(g.re().abs()).max(g.eps().abs()));
    for (i, (x, y)) in a.1.iter().zip(&b.1).enumerate() {
        let error = (x.re() - y.re()).abs().max((x.eps() - y.eps()).abs());
        assert!(error < 1e-12 * size, "{name} entry {i}: {x:?} {y:?}");
    }
}

#[test]
fn fixed_sizes_match_the_run_time_code_and_the_plain_definition() {
    for (n, d) in SIZES {
        for kernel in [AttentionKernel::Softmax, AttentionKernel::Linear, AttentionKernel::Relu] {
            let name = format!("n{n} D{d} {kernel:?}");
            let m = ModelConfig { kernel, kernel_tau: 1.3, ..theory() };
            let mut g = Seed(2).stream("sizes").open();
            let inputs = (0..13 * n * d).map(|_| 0.5 * g.normal()).collect();
            let targets = Targets::Values { data: (0..13).map(|_| g.normal()).collect(), outputs: 1 };
            let data = Arc::new(Dataset { name: "random".into(), samples: 13, tokens: n, dim: d, inputs, targets });
            agree::<f64>(&name, &m, &data);
            agree::<Dual<f64>>(&name, &m, &data);
            let net = network(&m, &data);
            let v = parameters(&net, "direction");
            let duals: Vec<Dual<f64>> =
                parameters(&net, "theta").iter().zip(&v).map(|(&t, &v)| Dual::new(t, v)).collect();
            let plain = Plain { net: &net, theta: &duals }.risk(&data);
            let (risk, grad) = gradient::<f64>(&m, &data, Isa::detect());
            assert!((risk - plain.re).abs() < 1e-12 * (1.0 + plain.re), "{name}");
            assert!((dot(&grad, &v) - plain.eps).abs() < 1e-11 * (1.0 + plain.eps.abs()), "{name} tangent");
        }
    }
}
