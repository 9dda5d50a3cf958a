//! Same bits whatever the number of threads; no allocation after warm-up; samples do not depend on their neighbours.

mod common;

use common::*;
use mckean_engine::{Batch, Risk};
use mckean_model::ModelConfig;
use mckean_model::config::Lanes;
use mckean_num::par::Par;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

struct Counting;
thread_local! { static ALLOCATIONS: Cell<usize> = const { Cell::new(0) }; }

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|a| a.set(a.get() + 1));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        unsafe { System.dealloc(p, layout) }
    }
}

#[global_allocator]
static GLOBAL: Counting = Counting;

#[test]
fn gradients_have_the_same_bits_on_any_number_of_threads() {
    for (name, m, outputs) in settings() {
        let data = Arc::new(data(&m, 83, outputs));
        let net = network(&m, &data);
        let theta = parameters(&net, "theta");
        let gradient = |threads: usize| {
            let mut grad = vec![0.0; theta.len()];
            let mut risk = Risk::<f64>::new(net.clone(), data.clone(), Par::new(threads)).unwrap();
            let sums = risk.value_and_grad(&theta, &Batch::first(83), &mut grad);
            (sums.risk.to_bits(), grad.iter().map(|g| g.to_bits()).collect::<Vec<_>>())
        };
        let one = gradient(1);
        assert!(one == gradient(2) && one == gradient(3), "{name}");
    }
}

#[test]
fn nothing_is_allocated_after_warm_up() {
    let both = |s: (String, ModelConfig, usize)| {
        [Lanes::Samples, Lanes::Tokens]
            .map(|lanes| (format!("{} {lanes:?}", s.0), ModelConfig { lanes, ..s.1.clone() }, s.2))
    };
    for (name, m, outputs) in settings().into_iter().flat_map(both) {
        let data = Arc::new(data(&m, 40, outputs));
        let net = network(&m, &data);
        let theta = parameters(&net, "theta");
        let mut grad = vec![0.0; theta.len()];
        let batch = Batch::first(40);
        let mut risk = Risk::<f64>::new(net.clone(), data, Par::serial()).unwrap();
        risk.value_and_grad(&theta, &batch, &mut grad);
        let before = ALLOCATIONS.with(Cell::get);
        risk.value_and_grad(&theta, &batch, &mut grad);
        risk.value(&theta, &batch);
        assert_eq!(ALLOCATIONS.with(Cell::get) - before, 0, "{name}");
    }
}

#[test]
fn a_sample_counts_the_same_alone_and_in_company() {
    let m = theory();
    let data = Arc::new(data(&m, 30, 1));
    let net = network(&m, &data);
    let theta = parameters(&net, "theta");
    let mut risk = Risk::<f64>::new(net, data, Par::serial()).unwrap();
    let alone: f64 = (0..30).map(|i| risk.value(&theta, &Batch { items: vec![i], dropout: None }).risk).sum();
    let together = risk.value(&theta, &Batch::first(30)).risk;
    assert!((alone / 30.0 - together).abs() < 1e-14 * together.abs().max(1.0));
    let mut outputs = vec![0.0; 30];
    assert_eq!(risk.outputs(&theta, &Batch::first(30), &mut outputs).risk, together);
    let mut last = [0.0];
    risk.outputs(&theta, &Batch { items: vec![29], dropout: None }, &mut last);
    assert_eq!(last[0], outputs[29]);
}
