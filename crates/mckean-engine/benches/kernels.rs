//! Times of the engine's parts: products, heads, neurons, long attention, one sublayer at a time.
//!
//! Maths: value and gradient of one-block networks; products and reductions as they occur in them.
//! Shapes: in the names: tokens x dimension, width, samples; f64 for mean-field sizes, f32 for practical ones.
//! Cost: about a minute; `cargo bench -p mckean-engine [-- FILTER]`. Throughput is in model multiply-adds (3 forward passes).
//! Checked: nothing here; the same code is held to its definition by the tests.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mckean_data::{Dataset, Targets};
use mckean_engine::{Batch, DataShape, Network, Risk};
use mckean_model::config::Embedding;
use mckean_model::{Activation, AttentionKernel, InitConfig, ModelConfig, Readout, init};
use mckean_num::lane::{Dual, Isa, Lane, Scalar};
use mckean_num::par::Par;
use mckean_num::product::{lanes, params, product, reduce};
use mckean_num::rng::Seed;
use std::hint::black_box;
use std::sync::Arc;

type Sizes = (usize, usize, usize);

fn one_block(m: &ModelConfig, (samples, tokens, dim): Sizes) -> (Arc<Network>, Arc<Dataset>, Vec<f64>) {
    let mut g = Seed(2).stream("bench.data").open();
    let inputs = (0..samples * tokens * dim).map(|_| g.normal()).collect();
    let targets = Targets::Values { data: (0..samples).map(|_| g.normal()).collect(), outputs: 1 };
    let data = Dataset { name: "random".into(), samples, tokens, dim, inputs, targets };
    let net = Arc::new(Network::new(m, DataShape { tokens, dim, outputs: 1, vocabulary: 0 }).unwrap());
    let theta = init::draw(m, &InitConfig::default(), &net.layout, Seed(1));
    (net, Arc::new(data), theta)
}

fn gradient<S: Scalar>(c: &mut Criterion, name: &str, m: &ModelConfig, sizes: Sizes) {
    let (net, data, theta) = one_block(&ModelConfig { depth: 1, ..m.clone() }, sizes);
    let theta: Vec<S> = theta.iter().map(|&x| S::new(x, 0.0)).collect();
    let mut risk = Risk::<S>::new(net.clone(), data, Par::serial()).unwrap();
    let (batch, mut grad) = (Batch::first(sizes.0), vec![S::default(); theta.len()]);
    let mut group = c.benchmark_group("gradient");
    group.throughput(Throughput::Elements(3 * (net.multiply_adds() * sizes.0) as u64));
    let (b, n, d) = sizes;
    group.bench_function(BenchmarkId::new(name, format!("{b}x{n}x{d}")), |bench| {
        bench.iter(|| black_box(risk.value_and_grad(&theta, &batch, &mut grad)))
    });
    group.finish();
}

fn sublayers(c: &mut Criterion) {
    let alone = |m: ModelConfig| ModelConfig { feed_forward: "none".into(), ..m };
    let neurons = |m: ModelConfig| ModelConfig { attention: "none".into(), ..m };
    let theory = ModelConfig { heads: 64, neurons: 64, ..Default::default() };
    gradient::<f64>(c, "64 (V, W) heads, f64", &alone(theory.clone()), (256, 5, 8));
    gradient::<f64>(c, "64 neurons, f64", &neurons(theory), (256, 5, 8));
    let practical = ModelConfig {
        heads: 4,
        neurons: 768,
        attention: "qkvo".into(),
        head_dim: 48,
        activation: Activation::Gelu,
        readout: Readout::Linear,
        embedding: Embedding::Patch,
        embedding_dim: 192,
        ..Default::default()
    };
    let wide = ModelConfig { hidden: 768, neurons: 1, ..practical.clone() };
    gradient::<f32>(c, "4 (Q, K, V, O) heads of 48, f32", &alone(practical.clone()), (16, 64, 48));
    gradient::<f32>(c, "768 hidden units, f32", &neurons(wide), (16, 64, 48));
    for kernel in [AttentionKernel::Softmax, AttentionKernel::Gaussian, AttentionKernel::NormalisedGaussian] {
        let m = ModelConfig { kernel, heads: 2, head_dim: 32, embedding_dim: 64, ..practical.clone() };
        gradient::<f32>(c, &format!("long {kernel:?}, 2 heads of 32, f32"), &alone(m), (1, 2048, 8));
    }
}

fn products_on<V: Lane>(c: &mut Criterion, name: &str) {
    let mut group = c.benchmark_group(format!("products, {name}"));
    for (m, n, k) in [(5, 8, 8), (65, 16, 192), (65, 192, 192), (65, 640, 640)] {
        let a = vec![V::c(0.5); m * k];
        let b = vec![V::S::new(0.25, 0.0); k * n];
        let (mut out, mut sums) = (vec![V::zero(); m * n], vec![V::S::default(); k * n]);
        group.throughput(Throughput::Elements((m * n * k * V::W) as u64));
        group.bench_function(format!("product {m}x{n}x{k}"), |bench| {
            bench.iter(|| product((m, n, k), lanes(&a, k, 1), params(&b, n, 1), 1.0, false, black_box(&mut out), n))
        });
        group.bench_function(format!("transposed {m}x{n}x{k}"), |bench| {
            bench.iter(|| product((m, n, k), lanes(&a, k, 1), params(&b, 1, k), 1.0, false, black_box(&mut out), n))
        });
        group.bench_function(format!("reduce {k}x{n}x{m}"), |bench| {
            bench.iter(|| reduce((k, n, m), lanes(&a, 1, k), lanes(&out, n, 1), 1.0, black_box(&mut sums), (n, 1)))
        });
    }
    group.finish();
}

fn products(c: &mut Criterion) {
    match Isa::detect() {
        Isa::Avx512 => {
            products_on::<<f64 as Scalar>::Avx512>(c, "f64 avx512");
            products_on::<<f32 as Scalar>::Avx512>(c, "f32 avx512");
            products_on::<<Dual<f32> as Scalar>::Avx512>(c, "dual f32 avx512");
        }
        Isa::Avx2 => {
            products_on::<<f64 as Scalar>::Avx2>(c, "f64 avx2");
            products_on::<<f32 as Scalar>::Avx2>(c, "f32 avx2");
            products_on::<<Dual<f32> as Scalar>::Avx2>(c, "dual f32 avx2");
        }
        Isa::Portable => products_on::<<f64 as Scalar>::Portable>(c, "f64 portable"),
    }
}

criterion_group!(benches, sublayers, products);
criterion_main!(benches);
