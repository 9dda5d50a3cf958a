//! Particles driven by the limit: they are those of very deep, infinitely wide networks, and do not act on what drives them.

mod common;

use common::problem as network_of;
use mckean_dynamics::limit::{Driven, Problem, blocks, driven, joint, trace};
use mckean_engine::{DataShape, Network};
use mckean_model::{InitConfig, InitialLaw, ModelConfig, init};
use std::sync::Arc;

const TAUS: [f64; 2] = [0.5, 1.0];
const TOLERANCE: f64 = 1e-8;

fn problem() -> Problem {
    let model = ModelConfig::default();
    let data = network_of(&model, 8, 1).data;
    let shape = DataShape { tokens: 3, dim: 4, outputs: 1, vocabulary: 0 };
    let init = InitConfig { law: InitialLaw::Normal, scale: 0.7, atoms: 3, ..Default::default() };
    Problem { model, shape, data, init, lambda: 1e-3 }
}

fn follow(p: &Problem, ghosts: &[Vec<f64>], sizes: (usize, usize)) -> Driven {
    let atoms = p.law().unwrap().at(0.0).atoms();
    driven(p, &|_, _| atoms.clone(), &|_| ghosts.to_vec(), sizes, (&TAUS, TOLERANCE, &|| false)).unwrap()
}

fn farthest(a: &[f64], b: &[f64]) -> f64 {
    assert!(a.len() == b.len() && !a.is_empty());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Atoms of block `block` of the infinitely wide network of depth `depth`, at the last time.
fn deep(p: &Problem, depth: usize, block: usize) -> Vec<f64> {
    let atoms = p.law().unwrap().at(0.0).atoms();
    let net = Arc::new(Network::new(&blocks(p, atoms.len(), depth), p.shape).unwrap());
    let mut start = vec![0.0; net.layout.len];
    for l in 0..depth {
        let slots = init::Slots::new(&net.layout, l);
        atoms.iter().enumerate().for_each(|(j, a)| slots.place(j, a, &mut start));
    }
    let kept = trace(p, &net, &start, (&TAUS, &TAUS), (TOLERANCE, 1)).unwrap().kept;
    joint(&net, &kept[1].1, block, 0..atoms.len())
}

#[test]
fn they_are_the_particles_of_deep_wide_networks() {
    let p = problem();
    let depth = 3;
    let found = follow(&p, &[], (depth, 12));
    assert_eq!((found.own, found.stride, found.net.config.depth), (3, 8, 12));
    for block in 0..depth {
        let own = joint(&found.net, &found.trace.kept[1].1, block * found.stride, 0..3);
        let (one, two) = (deep(&p, 48, 16 * block), deep(&p, 96, 32 * block));
        let limit: Vec<f64> = one.iter().zip(&two).map(|(a, b)| 2.0 * b - a).collect();
        let (far, first) = (farthest(&own, &limit), farthest(&own, &two));
        assert!(far < 1e-5 && first > 10.0 * far, "block {block}: {far:e} after extrapolation, {first:e} before");
    }
}

#[test]
fn ghosts_follow_the_atoms_they_start_at_and_move_nothing() {
    let p = problem();
    let atoms = p.law().unwrap().at(0.0).atoms();
    let other: Vec<f64> = atoms[0].iter().map(|x| x + 0.1).collect();
    let ghosts = [atoms[2].clone(), other];
    let (with, without) = (follow(&p, &ghosts, (2, 4)), follow(&p, &[], (2, 4)));
    for (time, (_, beta)) in with.trace.kept.iter().enumerate() {
        for block in 0..2 {
            let slice = block * with.stride;
            let all = joint(&with.net, beta, slice, 0..5);
            let each = all.len() / 5;
            assert!(farthest(&all[3 * each..4 * each], &all[2 * each..3 * each]) < 1e-12);
            assert!(farthest(&all[4 * each..], &all[..each]) > 0.01);
            let alone = joint(&without.net, &without.trace.kept[time].1, slice, 0..3);
            assert!(farthest(&all[..3 * each], &alone) < 1e-6, "up to the steps in time");
        }
    }
    assert!(farthest(&with.trace.series.outputs, &without.trace.series.outputs) < 1e-6);
}
