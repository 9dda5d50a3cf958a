//! Samples filled up with a padding token give what the same samples give alone at their own lengths: risk, outputs,
//! gradients; and combinations that cannot be padded are refused.

mod common;

use common::*;
use mckean_data::{Dataset, Targets};
use mckean_engine::{Batch, DataShape, LaneAxis, Network, Risk};
use mckean_model::config::{Embedding, Lanes};
use mckean_model::{AttentionKernel, Loss, ModelConfig, Readout};
use mckean_num::par::Par;
use mckean_num::rng::Seed;
use std::sync::Arc;

const N: usize = 37;
const LENGTHS: [usize; 5] = [1, 36, 8, 37, 19];

fn model(kernel: AttentionKernel, readout: Readout) -> ModelConfig {
    let class_token = readout == Readout::ClassToken;
    let m = ModelConfig { embedding: Embedding::Token, kernel, readout, class_token, padding_token: 0, ..practical() };
    if readout == Readout::Rows { ModelConfig { norm: Default::default(), causal: true, ..m } } else { m }
}

/// Token 0 fills samples up, but also stands inside them, where it counts.
fn padded() -> Dataset {
    let mut g = Seed(3).stream("test.padding").open();
    let token = |i: usize, length: usize, g: &mut mckean_num::rng::Draws| match i {
        i if i + 1 == length => 1.0 + g.below(8) as f64,
        i if i < length => g.below(9) as f64,
        _ => 0.0,
    };
    let inputs = LENGTHS.iter().flat_map(|&l| (0..N).map(|i| token(i, l, &mut g)).collect::<Vec<_>>()).collect();
    let targets = Targets::Classes { labels: vec![0, 2, 1, 2, 0], classes: 3 };
    Dataset { name: "padded".into(), samples: LENGTHS.len(), tokens: N, dim: 1, inputs, targets }
}

fn alone(data: &Dataset, i: usize) -> Dataset {
    let one = data.take(i..i + 1);
    Dataset { tokens: LENGTHS[i], inputs: one.inputs[..LENGTHS[i]].to_vec(), ..one }
}

fn answer(net: &Arc<Network>, data: &Dataset, theta: &[f64]) -> (f64, Vec<f64>, Vec<f64>) {
    let mut risk = Risk::<f64>::new(net.clone(), Arc::new(data.clone()), Par::serial()).unwrap();
    let batch = Batch::first(data.samples);
    let (mut grad, mut out) = (vec![0.0; theta.len()], vec![0.0; data.samples * 3]);
    let value = risk.value_and_grad(theta, &batch, &mut grad);
    risk.outputs(theta, &batch, &mut out);
    (value.risk, out, grad)
}

/// Pairs of ranges of the same tensor in the long and in the short network (whose positions are the first ones).
fn shared(long: &Network, short: &Network) -> Vec<(usize, usize, usize)> {
    let pair = |(a, b): (&mckean_model::layout::Tensor, &mckean_model::layout::Tensor)| {
        assert_eq!(a.name, b.name);
        (a.range.start, b.range.start, a.range.len().min(b.range.len()))
    };
    long.layout.tensors.iter().zip(&short.layout.tensors).map(pair).collect()
}

fn padding_changes_nothing(m: &ModelConfig) {
    let data = padded();
    let net = network(m, &data);
    let theta = parameters(&net, "theta");
    let (risk, out, grad) = answer(&net, &data, &theta);
    let (mut sum, mut expected) = (0.0, vec![0.0; theta.len()]);
    for i in 0..data.samples {
        let sample = alone(&data, i);
        let plain = ModelConfig { padding_token: -1, lanes: Lanes::Samples, ..m.clone() };
        let short = network(&plain, &sample);
        let mut own = vec![0.0; short.parameters()];
        let pairs = shared(&net, &short);
        pairs.iter().for_each(|&(a, b, len)| own[b..b + len].copy_from_slice(&theta[a..a + len]));
        let (value, outputs, g) = answer(&short, &sample, &own);
        outputs.iter().zip(&out[3 * i..]).for_each(|(a, b)| assert!((a - b).abs() < 1e-12, "{i}: {a} {b}"));
        sum += value / data.samples as f64;
        for (a, b, len) in pairs {
            (0..len).for_each(|k| expected[a + k] += g[b + k] / data.samples as f64);
        }
    }
    assert!((risk - sum).abs() < 1e-13 * sum, "{risk} {sum}");
    let off = grad.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(off < 1e-12 && dot(&grad, &grad) > 1e-3, "{off:e}");
}

#[test]
fn padded_samples_are_the_samples_themselves() {
    for readout in [Readout::ClassToken, Readout::Linear, Readout::Rows] {
        for kernel in [AttentionKernel::Softmax, AttentionKernel::Gaussian, AttentionKernel::NormalisedGaussian] {
            padding_changes_nothing(&model(kernel, readout));
        }
    }
    padding_changes_nothing(&ModelConfig {
        attention: "vw".into(),
        ..model(AttentionKernel::Softmax, Readout::Linear)
    });
}

#[test]
fn padding_puts_tokens_in_lanes_and_says_why() {
    let m = ModelConfig { lanes: Lanes::Auto, ..model(AttentionKernel::Softmax, Readout::Linear) };
    let plan = mckean_engine::plan::plan(&network(&m, &padded()), 64, 8, 32);
    assert_eq!(plan.axis, LaneAxis::Tokens);
    assert!(plan.why.contains("padding_token"), "{}", plan.why);
}

#[test]
fn what_cannot_be_padded_is_refused_with_a_remedy() {
    let good = model(AttentionKernel::Softmax, Readout::Linear);
    let refused = |m: ModelConfig, dim: usize, remedy: &str| {
        let text = Network::new(&m, DataShape { tokens: 4, dim, outputs: 3, vocabulary: 9 }).unwrap_err().to_string();
        assert!(text.contains("model.padding_token") && text.contains(remedy), "{text}");
    };
    refused(ModelConfig { lanes: Lanes::Samples, ..good.clone() }, 1, "model.lanes");
    refused(ModelConfig { embedding: Embedding::Patch, ..good.clone() }, 1, "embedding = \"token\"");
    refused(ModelConfig { padding_token: -2, ..good.clone() }, 1, "-1");
    let all = ModelConfig { readout: Readout::All, loss: Loss::Squared, ..good };
    let text = Network::new(&all, DataShape { tokens: 4, dim: 1, outputs: 28, vocabulary: 9 }).unwrap_err();
    assert!(text.to_string().contains("readout"), "{text}");
}
