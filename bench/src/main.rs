//! Times one full-batch value and gradient of the mean-field model; one line of JSON per size.
//!
//! Maths: softmax (V, W) attention and HuberizedReLU neurons, m = 1 (Gao et al. 2024), squared loss on one entry.
//! Shapes: D token dimension, n tokens, L blocks, M heads and M neurons, B samples.
//! Cost: seconds; model FLOPs are 3 times the forward pass (2 per multiply-add).
//! Checked: the gradient itself by `mckean-engine`'s tests; this binary only measures.

use mckean_data::{Dataset, Targets};
use mckean_engine::{Batch, DataShape, Network, Risk};
use mckean_model::ModelConfig;
use mckean_num::lane::{Dual, Scalar};
use mckean_num::par::Par;
use mckean_num::rng::Seed;
use std::sync::Arc;
use std::time::Instant;

/// (D, n, L, M, B)
const SIZES: [(usize, usize, usize, usize, usize); 3] =
    [(8, 5, 16, 64, 256), (4, 5, 16, 256, 64), (8, 8, 32, 1024, 64)];

fn random(name: &str, n: usize, scale: f64) -> Vec<f64> {
    let mut g = Seed(0).stream(name).open();
    (0..n).map(|_| scale * g.normal()).collect()
}

fn problem((d, n, l, m, b): (usize, usize, usize, usize, usize)) -> (Arc<Network>, Arc<Dataset>) {
    let config = ModelConfig { depth: l, heads: m, neurons: m, ..Default::default() };
    let targets = Targets::Values { data: random("y", b, 1.0), outputs: 1 };
    let data =
        Dataset { name: "random".into(), samples: b, tokens: n, dim: d, inputs: random("x", b * n * d, 1.0), targets };
    let net = Network::new(&config, DataShape { tokens: n, dim: d, outputs: 1, vocabulary: 0 }).expect("valid sizes");
    (Arc::new(net), Arc::new(data))
}

fn median_ms(mut f: impl FnMut(), reps: usize) -> (f64, f64) {
    f();
    let mut times: Vec<f64> = (0..reps)
        .map(|_| {
            let t = Instant::now();
            f();
            1e3 * t.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[reps / 2], times[0])
}

fn time<S: Scalar>(what: &str, size: (usize, usize, usize, usize, usize), threads: usize) {
    let (net, data) = problem(size);
    let flops = 6.0 * net.multiply_adds() as f64 * data.samples as f64;
    let theta: Vec<S> = random("theta", net.parameters(), 0.1).iter().map(|&x| S::new(x, 1.0)).collect();
    let mut grad = vec![S::zero(); theta.len()];
    let batch = Batch::first(data.samples);
    let mut risk = Risk::<S>::new(net, data, Par::new(threads)).expect("known encoders");
    let reps = (2e10 / flops).clamp(5.0, 60.0) as usize;
    let (median, best) = median_ms(
        || {
            risk.value_and_grad(&theta, &batch, &mut grad);
        },
        reps,
    );
    let (d, n, l, m, b) = size;
    let gflops = flops / median * 1e-6;
    println!(
        "{{\"what\":\"{what}\",\"size\":\"D{d} n{n} L{l} M{m} B{b}\",\"threads\":{threads},\"median_ms\":{median:.2},\"min_ms\":{best:.2},\"gflops\":{gflops:.1}}}"
    );
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let threads = arguments.first().and_then(|a| a.parse().ok()).unwrap_or(2);
    let sizes = if arguments.iter().any(|a| a == "--first") { &SIZES[..1] } else { &SIZES[..] };
    for &size in sizes {
        time::<f64>("gradient f64", size, threads);
        time::<f32>("gradient f32", size, threads);
        time::<Dual<f64>>("hvp f64", size, threads);
    }
}
