//! The PDE on cells against particles: tokens of dimension 1, where heads and neurons have two numbers each.

use mckean_data::{Dataset, Targets};
use mckean_dynamics::limit::{Grid, Problem, Settings, Source, solve};
use mckean_dynamics::{Limit, LimitError};
use mckean_engine::DataShape;
use mckean_model::{DepthMethod, InitConfig, InitialLaw, ModelConfig, Readout};
use mckean_num::par::Par;
use mckean_num::rng::Seed;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// 16 samples of three numbers; the answer is the last token, which has to approach a function of all.
fn problem(attention: &str, feed_forward: &str) -> Problem {
    let mut g = Seed(5).stream("test").open();
    let inputs: Vec<f64> = (0..48).map(|_| g.normal()).collect();
    let answer = |x: &[f64]| x[2] + 0.2 * (x[0] + x[1]) + 0.4 * x[2].max(0.0);
    let targets = Targets::Values { data: inputs.chunks(3).map(answer).collect(), outputs: 1 };
    let data = Arc::new(Dataset { name: "line".into(), samples: 16, tokens: 3, dim: 1, inputs, targets });
    let (attention, feed_forward) = (attention.into(), feed_forward.into());
    let model = ModelConfig { attention, feed_forward, readout: Readout::Entry, ..Default::default() };
    let init = InitConfig { law: InitialLaw::Normal, scale: 0.5, ..Default::default() };
    Problem { model, shape: DataShape { tokens: 3, dim: 1, outputs: 1, vocabulary: 0 }, data, init, lambda: 1e-2 }
}

fn settings(source: Source, rtol: f64) -> Settings {
    Settings { taus: vec![0.0, 1.0, 2.0], rtol, source, seed: 3, ..Settings::default() }
}

fn limit(p: &Problem, source: Source, rtol: f64) -> Limit {
    solve(p, &settings(source, rtol), &Par::new(2), &mut |_| {}).unwrap()
}

fn grid(p: &Problem, n: usize) -> Grid {
    Grid::new(p, n, |_| 3.0, (DepthMethod::Rk4, 1)).unwrap()
}

#[test]
fn cells_converge_to_particles_with_the_second_order() {
    for (attention, feed_forward) in [("none", "mlp"), ("vw", "none")] {
        let p = problem(attention, feed_forward);
        let particles = limit(&p, Source::Rqmc, 5e-4);
        let (value, bar) = (particles.risk.value[2], particles.risk.total(2));
        let of = |n| {
            grid(&p, n).flow(&p, &p.law().unwrap(), (&[2.0], &[]), &Par::new(2), &|| false).unwrap().0.series.risk[0]
        };
        let r = [16, 32, 64].map(of);
        println!("{attention} {feed_forward}: {value} +- {bar:e}, moves {:?}, cells {r:?}", particles.risk.value);
        assert!(particles.risk.value[0] - value > 0.1 * value, "the risk falls: {:?}", particles.risk.value);
        let error = r.map(|r| (r - value).abs());
        assert!(error[0] > 2.0 * error[1] && error[1] > 3.0 * error[2], "{attention} {feed_forward}: {error:?}");
        assert!(error[2] < bar + 0.5 * (r[2] - r[1]).abs(), "{r:?} against {value} +- {bar:e}");
    }
}

#[test]
fn heads_and_neurons_together_agree_with_particles_within_both_errors() {
    let p = problem("vw", "mlp");
    let (a, b) = (limit(&p, Source::Rqmc, 5e-3), limit(&p, Source::Grid, 1.2e-2));
    assert!(b.reached && b.risk.particle == [0.0; 3] && b.size.1 == 1 && !b.strong, "{:e}", b.error);
    assert!(b.witness < 1e-4, "Gauss collocation: {:e}", b.witness);
    assert!(b.energy > 0.0 && b.energy < 0.05, "energy on cells: {:e}", b.energy);
    for (x, y) in [(&a.risk, &b.risk), (&a.objective, &b.objective), (&a.moment, &b.moment)] {
        for i in 0..3 {
            let gap = (x.value[i] - y.value[i]).abs();
            println!("{} {} gap {gap:e} bars {:e} {:e}", x.value[i], y.value[i], x.total(i), y.total(i));
            assert!(gap <= x.total(i) + y.total(i) + 1e-14, "{i}: {gap:e} {:e} {:e}", x.total(i), y.total(i));
        }
    }
    assert!(a.outputs.value.len() == b.outputs.value.len());
}

#[test]
fn a_law_that_changes_with_depth_agrees_with_particles() {
    let mut p = problem("none", "mlp");
    let constant = limit(&p, Source::Rqmc, 5e-3).risk.value[2];
    p.init.depth_scale = vec![[0.0, 1.8], [1.0, 0.6]];
    let (a, b) = (limit(&p, Source::Rqmc, 2e-3), limit(&p, Source::Grid, 1e-2));
    for (x, y) in [(&a.risk, &b.risk), (&a.objective, &b.objective), (&a.moment, &b.moment)] {
        for i in 0..3 {
            let (gap, bars) = ((x.value[i] - y.value[i]).abs(), x.total(i) + y.total(i));
            assert!(gap <= bars + 1e-14, "{i}: {gap:e} {bars:e}");
        }
    }
    assert!(
        (a.risk.value[2] / constant - 1.0).abs() > 0.05,
        "the law of depth is seen: {} {constant}",
        a.risk.value[2]
    );
}

#[test]
fn mass_is_conserved_and_stays_positive() {
    let p = problem("vw", "mlp");
    let grid = grid(&p, 32);
    let (trace, mass) = grid.flow(&p, &p.law().unwrap(), (&[2.0], &[]), &Par::new(2), &|| false).unwrap();
    let start = grid.start(&p.law().unwrap());
    assert!(trace.series.len() == 1 && mass.len() == 3 * 2 * 1024);
    for (k, (m, s)) in mass.chunks(1024).zip(start.chunks(1024)).enumerate() {
        assert!((m.iter().sum::<f64>() - 1.0).abs() < 1e-12 && m.iter().all(|x| *x >= 0.0), "{k}");
        let moved: f64 = m.iter().zip(s).map(|(a, b)| (a - b).abs()).sum();
        assert!(moved > 0.1, "{k}: the law moves, {moved}");
    }
    assert!(grid.at_walls(&mass).concat().iter().all(|w| *w < 1e-6));
}

#[test]
fn what_does_not_fit_on_cells_is_refused_with_the_alternative() {
    let good = problem("vw", "mlp");
    let with = |init: InitConfig| Problem { init, ..good.clone() };
    let ball = with(InitConfig { law: InitialLaw::Ball, ..good.init.clone() });
    let atoms = with(InitConfig { atoms: 4, ..good.init.clone() });
    let wide = Problem { model: ModelConfig { hidden: 2, ..good.model.clone() }, ..good.clone() };
    let mixture = InitConfig { law: InitialLaw::Mixture, mixture: vec![Default::default(); 2], ..good.init.clone() };
    for (p, words) in [
        (ball, "\"rqmc\""),
        (with(mixture), "\"mixture\""),
        (atoms, "\"atoms\""),
        (wide, "neuron of this model has 4 numbers"),
    ] {
        let e = solve(&p, &settings(Source::Grid, 1e-2), &Par::serial(), &mut |_| {}).unwrap_err().to_string();
        assert!(e.contains("limit.method = \"grid\"") && e.contains(words), "{e}");
    }
}

#[test]
fn a_stopped_grid_is_the_finest_one_so_far() {
    let stopped_at = |word: &str| {
        let s = settings(Source::Grid, 1e-6);
        let mut say = |what: &str| {
            s.stop.fetch_or(what.starts_with(word), Ordering::Relaxed);
        };
        solve(&problem("none", "mlp"), &s, &Par::serial(), &mut say)
    };
    assert!(matches!(stopped_at("depth"), Err(LimitError::Stopped)), "one grid has no error bar");
    assert!(matches!(stopped_at("48 x 48"), Err(LimitError::Stopped)), "flows under way are given up");
    let l = stopped_at("96 x 96").unwrap();
    assert!(l.stopped && !l.reached && l.size.0 == 48 * 48 && l.error.is_finite(), "{:e} {:?}", l.error, l.size);
}

#[test]
fn a_small_budget_ends_with_an_honest_error() {
    let s = Settings { budget: 1e-3, ..settings(Source::Grid, 1e-6) };
    let l = solve(&problem("none", "mlp"), &s, &Par::serial(), &mut |_| {}).unwrap();
    assert!(
        !l.reached && l.error > 1e-6 && l.predicted.is_some_and(|p| p > l.seconds),
        "{:e} {:?}",
        l.error,
        l.predicted
    );
}
