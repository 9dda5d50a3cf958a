//! Limits of mixtures, of laws that change with depth and of given particles, against independent draws, exact moments and finite networks.

mod common;

use common::problem as network_of;
use mckean_dynamics::Limit;
use mckean_dynamics::limit::{Finite, Problem, Settings, coupled, exact, solve, trace};
use mckean_engine::{DataShape, Network};
use mckean_model::{Activation, Component, DepthMethod, InitConfig, InitialLaw, ModelConfig, init};
use mckean_num::par::Par;
use mckean_num::rng::Seed;
use std::sync::Arc;

/// Random data of 3 tokens in 4 dimensions, 24 samples.
fn problem(init: InitConfig) -> Problem {
    let model = ModelConfig { activation: Activation::Gelu, ..Default::default() };
    let data = network_of(&model, 24, 1).data;
    let shape = DataShape { tokens: 3, dim: 4, outputs: 1, vocabulary: 0 };
    Problem { model, shape, data, init, lambda: 1e-3 }
}

/// A quarter around v = 0.4 and w1 = 0.5, the rest around 0: not its own mirror image.
fn mixture() -> InitConfig {
    let shift = [("v".to_string(), vec![0.4]), ("w1".to_string(), vec![0.5])].into();
    let one = Component { weight: 1.0, law: InitialLaw::Box, scale: 0.8, shift, ..Default::default() };
    let three = Component { weight: 3.0, law: InitialLaw::Normal, scale: 0.4, ..Default::default() };
    InitConfig { law: InitialLaw::Mixture, mixture: vec![one, three], ..Default::default() }
}

/// Atoms of a normal law whose scale has a kink at a depth that no step of a power of two meets.
fn kinked() -> InitConfig {
    let depth_scale = vec![[0.0, 1.6], [0.3, 0.5], [1.0, 1.2]];
    InitConfig { law: InitialLaw::Normal, scale: 0.6, atoms: 6, depth_scale, ..Default::default() }
}

fn limit(p: &Problem, rtol: f64) -> Limit {
    let s = Settings { taus: vec![0.0, 1.0, 2.0], rtol, seed: 3, ..Settings::default() };
    solve(p, &s, &Par::new(2), &mut |_| {}).unwrap()
}

/// The network in which every slice holds the atoms of its depth once, followed to tau = 2: R(2), and the mean of |beta|^2 at the start.
fn atoms(p: &Problem, (depth_method, depth): (DepthMethod, usize)) -> (f64, f64) {
    let m = ModelConfig { depth_method, depth, heads: p.init.atoms, neurons: p.init.atoms, ..p.model.clone() };
    let net = Arc::new(Network::new(&m, p.shape).unwrap());
    let (law, mut start) = (p.law().unwrap(), init::shared(&net.layout, Seed(0)));
    for slice in 0..m.slices() {
        let slots = init::Slots::new(&net.layout, slice);
        let own = law.at(depth_method.time(depth, slice)).atoms();
        own.iter().enumerate().for_each(|(j, a)| slots.place(j, a, &mut start));
    }
    let found = trace(p, &net, &start, (&[0.0, 2.0], &[]), (1e-10, 1)).unwrap().series;
    (found.risk[1], found.moment[0])
}

#[test]
fn independent_particles_of_a_mixture_agree_with_the_interval() {
    let p = problem(mixture());
    let l = limit(&p, 1e-2);
    assert!(l.reached, "{:e}", l.error);
    let m = ModelConfig { depth_method: DepthMethod::Rk4, depth: 1, heads: 256, neurons: 256, ..p.model.clone() };
    let net = Arc::new(Network::new(&m, p.shape).unwrap());
    let of = |seed| trace(&p, &net, &init::draw(&m, &p.init, &net.layout, Seed(seed)), (&l.taus, &[]), (1e-5, 1));
    let runs: Vec<Vec<f64>> = (0..12).map(|s| of(s).unwrap().series.risk).collect();
    for i in 0..3 {
        let mean = runs.iter().map(|r| r[i]).sum::<f64>() / 12.0;
        let error = (runs.iter().map(|r| (r[i] - mean).powi(2)).sum::<f64>() / (12.0 * 11.0)).sqrt();
        let (value, bar) = (l.risk.value[i], l.risk.total(i));
        println!("R({}): {mean} +- {error:e}, limit {value} +- {bar:e}", l.taus[i]);
        assert!((mean - value).abs() < bar + 4.0 * error, "{mean} +- {error:e}, {value} +- {bar:e}");
        assert!(error < 2e-3 * mean, "the comparison sees a per cent: {error:e}");
    }
    let exact = p.law().unwrap().at(0.0).second_moment();
    assert!((l.moment.value[0] - exact).abs() < l.moment.total(0), "{} {exact}", l.moment.value[0]);
    let mirrored = limit(&problem(InitConfig { symmetric: true, ..mixture() }), 2e-2).risk.value[0];
    let (apart, bar) = ((mirrored - l.risk.value[0]).abs(), l.risk.total(0));
    assert!(apart > 4.0 * bar, "mirror images cancel the shift, which is seen: {apart} {bar}");
}

#[test]
fn a_law_of_depth_is_the_limit_of_finite_networks_and_kinks_are_in_the_error_bar() {
    let p = problem(kinked());
    let (risk, moment) = atoms(&p, (DepthMethod::Rk4, 20)); // steps of 1/20 meet the kink at 3/10
    let square = |a: f64, b: f64| (a * a + a * b + b * b) / 3.0; // mean of s^2 while s goes from a to b
    let constant = problem(InitConfig { depth_scale: vec![], ..kinked() }).law().unwrap().at(0.0).second_moment();
    let exact = constant * (0.3 * square(1.6, 0.5) + 0.7 * square(0.5, 1.2));
    assert!((moment / exact - 1.0).abs() < 1e-13, "{moment} {exact}");
    for rtol in [1e-2, 1e-3, 1e-4] {
        let l = limit(&p, rtol);
        let gaps = [(l.risk.value[2] - risk).abs(), (l.moment.value[0] - exact).abs()];
        println!("{} depth steps: gaps {gaps:?}, bars {:e} {:e}", l.size.2, l.risk.total(2), l.moment.total(0));
        assert!(gaps[0] <= l.risk.total(2) && gaps[1] <= l.moment.total(0), "{gaps:?}");
    }
    let gaps = [20, 40, 80].map(|l| (atoms(&p, (DepthMethod::Splitting, l)).0 - risk).abs());
    let orders: Vec<f64> = gaps.windows(2).map(|w| (w[0] / w[1]).log2()).collect();
    println!("finite networks: {gaps:?}, orders {orders:?}");
    assert!((orders[0] - 1.0).abs() < 0.1 && (orders[1] - 1.0).abs() < 0.05, "{orders:?}");
}

#[test]
fn wide_networks_of_atoms_that_change_with_depth_are_weighted_networks() {
    let p = problem(kinked());
    let finite = Finite { width: 40, depth: 4, seed: 9 };
    let follow = |(net, start): (Arc<Network>, Vec<f64>)| {
        trace(&p, &net, &start, (&[0.05, 0.1, 0.15], &[]), (1.0, 1)).unwrap().series
    };
    let (plain, weighted) = (follow(coupled(&p, finite).unwrap()), follow(exact(&p, finite).unwrap()));
    for (a, b) in plain.outputs.iter().zip(&weighted.outputs) {
        assert!((a - b).abs() < 1e-13, "{a} {b}");
    }
    assert!(plain.risk[2] != plain.risk[0]);
}

#[test]
fn given_particles_are_atoms() {
    let drawn = problem(InitConfig { depth_scale: vec![], ..kinked() });
    let rows = drawn.law().unwrap().at(0.0).atoms();
    let file = InitConfig { particles: "atoms.csv".into(), ..Default::default() };
    let given = problem(file.with_particles(rows));
    let (a, b) = (limit(&drawn, 1e-4), limit(&given, 1e-4));
    assert_eq!((a.risk.value, a.outputs.value), (b.risk.value, b.outputs.value));
    let finite = |p| Finite { width: 100_000, depth: 3, seed: 2 }.trace(p, &[1.0], 1e-5).unwrap().series.risk[0];
    assert_eq!(finite(&drawn), finite(&given));
}
