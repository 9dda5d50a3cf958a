//! Times one value and gradient of a small text model on long sequences, and reports peak memory; one line of JSON.
//!
//! Maths: E64, 2 heads of 32, 2 blocks, 128 hidden units, token embedding, layer norm, mean-token linear read-out.
//! Shapes: arguments `n batch kernel lanes precision threads repetitions`, for example `2048 8 gaussian tokens f32 1 3`;
//! `none` as kernel leaves attention out.
//! Cost: model FLOPs are 3 times the forward pass (2 per multiply-add).
//! Checked: the gradient itself by `mckean-engine`'s tests; this binary only measures.

use mckean_data::{Dataset, Targets};
use mckean_engine::{Batch, DataShape, Network, Risk};
use mckean_model::config::{Embedding, Lanes, Norm};
use mckean_model::{Activation, AttentionKernel, Loss, ModelConfig, Parametrisation, Readout};
use mckean_num::lane::{Dual, Scalar};
use mckean_num::par::Par;
use mckean_num::rng::Seed;
use std::sync::Arc;
use std::time::Instant;

fn model(kernel: &str, lanes: &str) -> ModelConfig {
    let kernels = [
        ("softmax", AttentionKernel::Softmax),
        ("gaussian", AttentionKernel::Gaussian),
        ("normalised_gaussian", AttentionKernel::NormalisedGaussian),
        ("linear", AttentionKernel::Linear),
        ("relu", AttentionKernel::Relu),
    ];
    let attention = if kernel == "none" { "none" } else { "qkvo" };
    ModelConfig {
        depth: 2,
        heads: 2,
        neurons: 128,
        attention: attention.into(),
        head_dim: 32,
        kernel: kernels.iter().find(|k| k.0 == kernel).map_or(AttentionKernel::Softmax, |k| k.1),
        activation: Activation::Gelu,
        parametrisation: Parametrisation::Sp,
        embedding: Embedding::Token,
        embedding_dim: 64,
        positions: true,
        norm: Norm::Layer,
        bias: true,
        readout: Readout::Linear,
        loss: Loss::CrossEntropy,
        lanes: match lanes {
            "samples" => Lanes::Samples,
            "tokens" => Lanes::Tokens,
            _ => Lanes::Auto,
        },
        ..Default::default()
    }
}

fn problem(m: &ModelConfig, n: usize, samples: usize) -> (Arc<Network>, Arc<Dataset>) {
    let mut g = Seed(0).stream("text").open();
    let inputs = (0..samples * n).map(|_| g.below(256) as f64).collect();
    let targets = Targets::Classes { labels: (0..samples).map(|i| (i % 2) as u32).collect(), classes: 2 };
    let data = Dataset { name: "text".into(), samples, tokens: n, dim: 1, inputs, targets };
    let net = Network::new(m, DataShape { tokens: n, dim: 1, outputs: 2, vocabulary: 256 }).expect("valid sizes");
    (Arc::new(net), Arc::new(data))
}

/// Nanoseconds that the main thread has run.
fn ran() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|x| x.parse().ok()).unwrap_or(0.0)
}

/// Peak resident set in MB.
fn peak() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches("kB").trim().parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn median(reps: usize, mut f: impl FnMut()) -> (f64, f64) {
    let mut times: Vec<(f64, f64)> = (0..reps)
        .map(|_| {
            let (cpu, wall) = (ran(), Instant::now());
            f();
            (1e-6 * (ran() - cpu), 1e3 * wall.elapsed().as_secs_f64())
        })
        .collect();
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    times[reps / 2]
}

fn time<S: Scalar>(name: &str, (net, data): (Arc<Network>, Arc<Dataset>), threads: usize, reps: usize) {
    let flops = 6.0 * net.multiply_adds() as f64 * data.samples as f64;
    let mut g = Seed(0).stream("theta").open();
    let theta: Vec<S> = (0..net.parameters()).map(|_| S::new(0.1 * g.normal(), 1.0)).collect();
    let (mut grad, batch) = (vec![S::default(); theta.len()], Batch::first(data.samples));
    let mut risk = Risk::<S>::new(net, data, Par::new(threads)).expect("known encoders");
    risk.value(&theta, &batch);
    let value = median(reps, || {
        risk.value(&theta, &batch);
    });
    let both = median(reps, || {
        risk.value_and_grad(&theta, &batch, &mut grad);
    });
    println!(
        "{{\"what\":\"{name}\",\"axis\":\"{:?}\",\"threads\":{threads},\"value_cpu_ms\":{:.1},\"gradient_cpu_ms\":{:.1},\"gradient_wall_ms\":{:.1},\"gflops_wall\":{:.1},\"model_gflop\":{:.2},\"peak_mb\":{:.1}}}",
        risk.plan().axis,
        value.0,
        both.0,
        both.1,
        flops / both.1 * 1e-6,
        flops * 1e-9,
        peak()
    );
}

fn main() {
    let a: Vec<String> = std::env::args().skip(1).collect();
    let text = |i: usize, other: &str| a.get(i).cloned().unwrap_or_else(|| other.into());
    let number = |i: usize, other: usize| a.get(i).and_then(|x| x.parse().ok()).unwrap_or(other);
    let (n, batch, kernel, lanes) = (number(0, 2048), number(1, 8), text(2, "softmax"), text(3, "auto"));
    let (precision, threads, reps) = (text(4, "f32"), number(5, 1), number(6, 3).max(1));
    let name = format!("{batch}x{n} {kernel} {precision}");
    let problem = problem(&model(&kernel, &lanes), n, batch);
    match precision.as_str() {
        "f64" => time::<f64>(&name, problem, threads, reps),
        "hvp" => time::<Dual<f64>>(&name, problem, threads, reps),
        _ => time::<f32>(&name, problem, threads, reps),
    }
}
