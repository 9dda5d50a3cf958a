//! Dropout: masks belong to samples and steps, not to batches or threads; the gradient is that of the masked network.

mod common;

use common::*;
use mckean_engine::{Batch, Risk};
use mckean_num::par::Par;
use std::sync::Arc;

fn batch(items: std::ops::Range<u32>, key: u64) -> Batch {
    Batch { items: items.collect(), dropout: Some((0.3, key)) }
}

#[test]
fn masks_follow_samples_and_keys() {
    let m = mckean_model::ModelConfig { dropout: 0.3, ..practical() };
    let data = Arc::new(data(&m, 20, 3));
    let net = network(&m, &data);
    let theta = parameters(&net, "theta");
    let mut risk = Risk::<f64>::new(net, data, Par::serial()).unwrap();
    let together = risk.value(&theta, &batch(0..20, 7)).risk;
    let alone: f64 = (0..20).map(|i| risk.value(&theta, &batch(i..i + 1, 7)).risk).sum::<f64>() / 20.0;
    assert!((together - alone).abs() < 1e-13 * together);
    assert_ne!(together, risk.value(&theta, &batch(0..20, 8)).risk);
    assert_ne!(together, risk.value(&theta, &Batch::first(20)).risk);
}

#[test]
fn gradient_of_the_masked_network() {
    let m = mckean_model::ModelConfig { dropout: 0.3, ..practical() };
    let data = Arc::new(data(&m, 12, 3));
    let net = network(&m, &data);
    let (theta, v) = (parameters(&net, "theta"), parameters(&net, "v"));
    let mut risk = Risk::<f64>::new(net, data, Par::serial()).unwrap();
    let (b, h, mut grad) = (batch(0..12, 3), 1e-5, vec![0.0; theta.len()]);
    risk.value_and_grad(&theta, &b, &mut grad);
    let at = |s: f64| theta.iter().zip(&v).map(|(t, v)| t + s * v).collect::<Vec<_>>();
    let difference = (risk.value(&at(h), &b).risk - risk.value(&at(-h), &b).risk) / (2.0 * h);
    assert!((dot(&grad, &v) - difference).abs() < 1e-7 * (1.0 + difference.abs()));
}

#[test]
fn dropped_share_is_the_probability() {
    let ids: Vec<u32> = (0..8).collect();
    let noise = mckean_engine::noise::Noise::new(0.3, 5, &ids);
    let mut mask = vec![1.0f64; 40_000];
    noise.fill(0, 0, &mut mask);
    let dropped = mask.iter().filter(|&&x| x == 0.0).count() as f64 / 40_000.0;
    assert!((dropped - 0.3).abs() < 4.0 * (0.21f64 / 40_000.0).sqrt());
    assert!(mask.iter().all(|&x| x == 0.0 || (x - 1.0 / 0.7).abs() < 1e-15));
}
