//! Times full-batch values and gradients beside the measured arithmetic peak; one line of JSON per size.
//!
//! Maths: the mean-field model (softmax (V, W) heads, HuberizedReLU neurons) and vision Transformers of 65 tokens.
//! Shapes: D token dimension, n tokens, L blocks, M heads and M neurons, B samples; E embedding, H heads of width 16.
//! Cost: seconds to minutes; model FLOPs are 3 times the forward pass (2 per multiply-add).
//! Checked: the gradient itself by `mckean-engine`'s tests; this binary only measures.
//!
//! `mckean-bench [THREADS] [--first | --vit | WORD...]`: a word keeps the sizes whose name contains it.

mod clock;
mod peak;
mod problems;

use mckean_data::Dataset;
use mckean_engine::{Batch, Network, Risk};
use mckean_num::lane::{Dual, Scalar};
use mckean_num::par::Par;
use std::sync::Arc;
use std::time::Instant;

/// Medians of wall milliseconds, processor milliseconds and share of the peak measured beside each repetition.
struct Timing {
    wall: f64,
    cpu: f64,
    share: f64,
}

fn timed<S: Scalar>(flops: f64, reps: usize, mut f: impl FnMut()) -> Timing {
    f();
    let (mut wall, mut cpu, mut share) = (vec![], vec![], vec![]);
    for _ in 0..reps {
        let before = peak::gflops::<S::Real>();
        let (start, started) = (clock::cpu_ns(), Instant::now());
        f();
        let (ns, elapsed) = (clock::cpu_ns() - start, started.elapsed());
        let after = peak::gflops::<S::Real>();
        wall.push(1e3 * elapsed.as_secs_f64());
        cpu.push(1e-6 * ns);
        share.push(flops / ns / (0.5 * (before + after)));
    }
    Timing { wall: clock::median(&mut wall), cpu: clock::median(&mut cpu), share: clock::median(&mut share) }
}

fn time<S: Scalar>(what: &str, (name, net, data): &(String, Arc<Network>, Arc<Dataset>), threads: usize) {
    let flops = 6.0 * net.multiply_adds() as f64 * data.samples as f64;
    let theta: Vec<S> = problems::start(net).iter().map(|&x| S::new(x, 1.0)).collect();
    let mut grad = vec![S::zero(); theta.len()];
    let batch = Batch::first(data.samples);
    let mut risk = Risk::<S>::new(net.clone(), data.clone(), Par::new(threads)).expect("known encoders");
    let reps = (3e10 / flops).clamp(3.0, 40.0) as usize;
    let t = timed::<S>(flops, reps, || {
        risk.value_and_grad(&theta, &batch, &mut grad);
    });
    let processor = if threads == 1 {
        format!(",\"cpu_ms\":{:.2},\"cpu_gflops\":{:.1},\"share_of_peak\":{:.3}", t.cpu, 1e-6 * flops / t.cpu, t.share)
    } else {
        String::new() // the clock sees one thread only
    };
    println!(
        "{{\"what\":\"{what}\",\"size\":\"{name}\",\"threads\":{threads},\"wall_ms\":{:.2},\"gflops\":{:.1}{processor}}}",
        t.wall,
        1e-6 * flops / t.wall
    );
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let threads = arguments.first().and_then(|a| a.parse().ok()).unwrap_or(2);
    let has = |flag: &str| arguments.iter().any(|a| a == flag);
    let words: Vec<&String> =
        arguments.iter().filter(|a| !a.starts_with("--") && a.parse::<usize>().is_err()).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|w| name.contains(w.as_str()));
    let (first, vit) = (has("--first"), has("--vit"));
    for &size in problems::MEAN_FIELD.iter().take(if first { 1 } else { 3 }).filter(|_| !vit) {
        let problem = problems::mean_field(size);
        if wanted(&problem.0) {
            time::<f64>("gradient f64", &problem, threads);
            time::<f32>("gradient f32", &problem, threads);
            time::<Dual<f64>>("hvp f64", &problem, threads);
        }
    }
    for &size in problems::VIT.iter().filter(|_| !first) {
        let problem = problems::vit(size);
        if wanted(&problem.0) {
            time::<f32>("gradient f32", &problem, threads);
        }
    }
}
