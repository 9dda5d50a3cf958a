//! Finite networks of atoms: the network of width M, particle by particle, is the one of K weighted particles, along the whole flow.

mod common;

use common::problem as network_of;
use mckean_dynamics::limit::{Finite, Problem, coupled, exact, trace};
use mckean_engine::DataShape;
use mckean_model::{InitConfig, InitialLaw, ModelConfig};

fn problem(atoms: usize) -> Problem {
    let model = ModelConfig::default();
    let data = network_of(&model, 16, 1).data;
    let shape = DataShape { tokens: 3, dim: 4, outputs: 1, vocabulary: 0 };
    let init = InitConfig { law: InitialLaw::Normal, scale: 0.7, atoms, ..Default::default() };
    Problem { model, shape, data, init, lambda: 1e-3 }
}

#[test]
fn wide_networks_of_atoms_are_weighted_networks() {
    let p = problem(5);
    for (width, depth) in [(3, 2), (64, 4), (200, 3)] {
        let finite = Finite { width, depth, seed: 9 };
        let follow = |(net, start): (std::sync::Arc<mckean_engine::Network>, Vec<f64>)| {
            // fixed times and a tolerance that is never binding, so that both take the same steps
            trace(&p, &net, &start, (&[0.05, 0.1, 0.15, 0.2], &[]), (1.0, 1)).unwrap().series
        };
        let (plain, weighted) = (follow(coupled(&p, finite).unwrap()), follow(exact(&p, finite).unwrap()));
        for (a, b) in [
            (&plain.risk, &weighted.risk),
            (&plain.objective, &weighted.objective),
            (&plain.moment, &weighted.moment),
            (&plain.outputs, &weighted.outputs),
        ] {
            let gap = a.iter().zip(b).map(|(a, b)| (a - b).abs() / (1.0 + a.abs())).fold(0.0, f64::max);
            assert!(gap < 1e-13, "M = {width}, L = {depth}: {gap:e}");
        }
        assert!(plain.risk[3] != plain.risk[0]);
    }
}

#[test]
fn fluctuations_fall_as_one_over_the_square_root_of_the_width() {
    let p = problem(6);
    let spread = |width| {
        let run = |seed| Finite { width, depth: 4, seed }.trace(&p, &[0.5], 1e-6).unwrap().series.risk[0];
        let all: Vec<f64> = (0..24).map(run).collect();
        let mean = all.iter().sum::<f64>() / 24.0;
        (all.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / 23.0).sqrt()
    };
    let ratio = spread(100) / spread(1_000_000);
    assert!((ratio / 100.0).log2().abs() < 0.8, "100 expected, {ratio} found");
}

#[test]
fn a_law_without_atoms_has_no_exact_form() {
    let e = exact(&problem(0), Finite { width: 4, depth: 2, seed: 1 }).err().unwrap().to_string();
    assert!(e.contains("init.atoms"), "{e}");
    let (net, start) = coupled(&problem(0), Finite { width: 4, depth: 2, seed: 1 }).unwrap();
    assert_eq!((net.config.heads, start.len()), (4, net.parameters()));
}
