//! Particles and clouds of networks against those that the limit drives: exponents, bounds between the distances, networks that end early.

mod atoms;

use atoms::ATOMS;
use mckean::rates::ladder::exponent;
use mckean::rates::{Bias, Ghosts, Quantity, RatesConfig, Shared, Target};
use mckean::{Config, Error, limit};
use mckean_analysis::transport::exact;
use mckean_dynamics::limit::{Problem, Settings, joint};

const SNAPSHOTS: &str = "limit.snapshots=[0.5, 1.0]";

fn parts(lambda: f64) -> (Problem, Settings, RatesConfig) {
    let config = Config::parse(ATOMS, "test", &[SNAPSHOTS.to_string()]).unwrap();
    let problem = Problem { lambda, ..limit::problem(&config).unwrap() };
    (problem, limit::settings(&config), config.rates.filled(true))
}

#[test]
fn distances_bound_each_other_and_fall_as_derived() {
    let (problem, settings, grid) = parts(1e-3);
    let shared = Shared::new(&problem, &settings, &grid);
    let rms = |m: usize, l: usize| -> [f64; 4] {
        let target = Target::new(&shared, l).unwrap();
        let mut sums = [0.0; 4];
        for s in 0..20 {
            let own = shared.finite(m, l, s).unwrap();
            let found = target.measure(&shared, &own, &own.trace.series).unwrap();
            let clouds = found.clouds.unwrap();
            for (whole, rms) in clouds.whole.iter().zip(&clouds.rms) {
                assert!(whole.above <= rms * (1.0 + 1e-9), "the coupling is a plan: {whole:?} {rms}");
                assert!((whole.raw - whole.floor).abs() <= whole.above, "triangle inequality: {whole:?}");
                assert!(whole.floor > 10.0 * whole.above, "{whole:?}");
            }
            assert!(clouds.rms[0] < clouds.rms[1] && clouds.depths.len() == 2 && clouds.depths[1].len() == 4);
            let q = [Quantity::Cloud, Quantity::CloudAbove, Quantity::Particles, Quantity::ParticlesRms];
            q.iter().zip(&mut sums).for_each(|(q, sum)| *sum += found.wide.of(*q).powi(2) / 20.0);
            assert!(found.limit.of(Quantity::Particles) >= found.limit.of(Quantity::ParticlesRms));
        }
        sums.map(f64::sqrt)
    };
    let (few, many) = (rms(64, 4), rms(16384, 4));
    let wanted = [0.25, 0.5, 0.5, 0.5];
    for ((a, b), wanted) in few.iter().zip(&many).zip(wanted) {
        let slope = (a / b).ln() / 256f64.ln();
        assert!((slope - wanted).abs() < 0.06, "{slope}, {wanted} expected");
    }
}

#[test]
fn infinitely_wide_networks_have_no_floor_and_approach_the_limit_as_one_over_depth() {
    let (problem, settings, grid) = parts(1e-3);
    let shared = Shared::new(&problem, &settings, &grid);
    let bias = |l: usize| {
        let target = Target::new(&shared, l).unwrap();
        let series = &target.wide.as_ref().unwrap().series;
        let found = target.bias(&shared, series).unwrap();
        let clouds = found.clouds.as_ref().unwrap();
        assert!(clouds.whole.iter().all(|d| d.floor < 1e-9 && (d.raw - d.above).abs() < 1e-9), "{clouds:?}");
        // a second witness: equal weights, matched by assignment
        let (driven, wide) = (target.driven.as_ref().unwrap(), target.wide.as_ref().unwrap().atoms.as_ref().unwrap());
        let a = joint(&wide.net, &wide.trace.kept[1].1, l / 2, 0..4);
        let b = joint(&driven.net, &driven.trace.kept[1].1, l / 2 * driven.stride, 0..4);
        let wanted = exact(&a, &b, a.len() / 4).unwrap();
        assert!((clouds.depths[1][2].raw - wanted).abs() < 1e-9 && wanted > 0.0, "{wanted}");
        assert!(target.error.of(Quantity::Particles) < 0.01 * found.limit.of(Quantity::Particles));
        found.limit
    };
    let (short, long) = (bias(8), bias(16));
    for q in [Quantity::Particles, Quantity::ParticlesRms, Quantity::Cloud, Quantity::CloudAbove] {
        let ratio = short.of(q) / long.of(q);
        assert!((ratio - 2.0).abs() < 0.2, "{q:?}: {ratio}");
    }
}

#[test]
fn laws_without_atoms_have_particles_whose_noise_falls_as_derived() {
    let config =
        Config::parse(ATOMS, "test", &["init.atoms=0", "rates.wide=128", SNAPSHOTS].map(String::from)).unwrap();
    let (problem, settings) = (limit::problem(&config).unwrap(), limit::settings(&config));
    let grid = RatesConfig { tolerance: 1e-6, ..config.rates.filled(false) };
    let shared = Shared::new(&problem, &settings, &grid);
    let long = Target::new(&shared, 4).unwrap();
    let infinite = long.bias(&shared, &long.wide.as_ref().unwrap().series).unwrap();
    let near = infinite.bias.unwrap().rung(Quantity::ParticlesRms, 4).unwrap().gap;
    assert!(infinite.error.of(Quantity::ParticlesRms) < 0.4 * near, "{:?} of {near:e}", infinite.error);
    assert!(infinite.clouds.unwrap().whole.iter().all(|d| d.floor == 0.0 && d.raw == d.above), "the same particles");
    let rms = |m: usize| -> f64 {
        let all: Vec<_> = (0..16).map(|s| shared.finite(m, 4, s)).collect();
        let series = &long.wide.as_ref().unwrap().series;
        let found: Vec<_> = long.measure_all(&shared, &all, series).unwrap().into_iter().flatten().collect();
        assert_eq!(found.len(), 16);
        for f in &found {
            let clouds = f.clouds.as_ref().unwrap();
            for (whole, rms) in clouds.whole.iter().zip(&clouds.rms) {
                assert!(whole.above <= rms * (1.0 + 1e-9), "the coupling is a plan: {whole:?} {rms}");
                assert!((whole.raw - whole.floor).abs() <= whole.above && whole.floor > whole.above, "{whole:?}");
            }
            assert!(f.limit.get(Quantity::Cloud).is_none() && f.limit.of(Quantity::CloudAbove) > 0.0);
        }
        (found.iter().map(|f| f.wide.of(Quantity::ParticlesRms).powi(2)).sum::<f64>() / 16.0).sqrt()
    };
    let (few, many) = (rms(4), rms(32));
    let slope = (few / many).ln() / 8f64.ln();
    assert!((slope - 0.5).abs() < 0.12, "{slope}: {few:e} {many:e}");
    // a second witness: one network, driven alone by the same law
    let own = shared.finite(4, 4, 3).unwrap();
    let alone = Ghosts::of(&shared, &[&own]).unwrap().compare(&shared, &own.side(), &(0..4)).unwrap().0;
    let all: Vec<_> = (0..5).map(|s| shared.finite(4, 4, s)).collect();
    let together = long.measure_all(&shared, &all, &own.trace.series).unwrap().swap_remove(3).unwrap();
    let (a, b) = (alone.rms[1], together.clouds.unwrap().rms[1]);
    assert!((a / b - 1.0).abs() < 1e-3, "{a:e} {b:e}");
}

#[test]
fn the_same_particles_at_every_depth_show_the_bias_of_a_law_without_atoms() {
    let sets = ["init.atoms=0", "rates.wide=64", "init.depth_scale=[[0.0, 1.0], [1.0, 0.6]]"].map(String::from);
    let config = Config::parse(ATOMS, "test", &sets).unwrap();
    let (problem, settings) = (limit::problem(&config).unwrap(), limit::settings(&config));
    let grid = RatesConfig { tolerance: 1e-6, ..config.rates.filled(false) };
    let shared = Shared::new(&problem, &settings, &grid);
    let bias = |l: usize| (Bias::sobol(&shared, l).unwrap().0, shared.wide(l).unwrap().own);
    let ladder = [2, 3, 4, 6].map(|l| (l, bias(l)));
    let rungs = |q: Quantity| ladder.each_ref().map(|(l, b)| b.0.rung(q, *l).unwrap());
    for q in Quantity::ALL.into_iter().filter(|q| *q != Quantity::Cloud) {
        let found = exponent(&rungs(q)).unwrap();
        assert!(found.low < -1.0 && -1.0 < found.high, "{q:?}: {found:?} of {:?}", rungs(q));
    }
    let (mut scatter, mut own) = (0.0, 0.0);
    for r in rungs(Quantity::Output) {
        assert!(r.scramblings.len() == 4 && r.error < 0.01 * r.gap, "{r:?}");
        let alone = ladder.iter().find(|x| x.0 as f64 == r.depth).unwrap().1.1.of(Quantity::Output);
        (scatter, own) = (scatter + r.scatter().powi(2), own + alone.powi(2));
    }
    let ratio = (scatter / own).sqrt(); // of standard errors, all depths together
    println!("noise of particles, paired over alone: {ratio}");
    assert!(ratio < 0.3, "the noise of particles cancels: {ratio}");
}

#[test]
fn flows_that_end_early_are_told_apart_from_failures() {
    let (problem, settings, grid) = parts(-1e300); // weight growth that no step can follow
    let shared = Shared::new(&problem, &settings, &grid);
    let Err(Error::Ended(e)) = shared.finite(64, 4, 0) else { panic!("the flow does not end early") };
    assert!(e.what.contains("M = 64, L = 4") && e.tau < 1.0, "{e}");
    let target = Target::new(&shared, 4).unwrap();
    assert!(target.wide.is_err() && target.driven.is_none());
    assert!(matches!(target.bias(&shared, &Default::default()), Err(Error::Ended(_))));
}
