//! The limit against independent ways to it: Richardson extrapolation of the paper's network, independent particles, differences of Q.

mod common;

use common::problem as network_of;
use mckean_data::DataConfig;
use mckean_dynamics::limit::{Particles, Problem, Settings, Source, Whiten, sobol_particles, solve, trace, whiten};
use mckean_dynamics::objective::Objective;
use mckean_dynamics::{Limit, LimitError, Outcome};
use mckean_engine::{DataShape, Network, Risk};
use mckean_model::{
    AttentionKernel, DepthMethod, InitConfig, InitialLaw, ModelConfig, Parametrisation, Readout, atoms, init,
};
use mckean_num::par::Par;
use mckean_num::rng::Seed;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Random data of 3 tokens in 4 dimensions, 8 samples.
fn problem(init: InitConfig) -> Problem {
    let model = ModelConfig { activation: mckean_model::Activation::Gelu, ..Default::default() };
    let data = network_of(&model, 8, 1).data;
    let shape = DataShape { tokens: 3, dim: 4, outputs: 1, vocabulary: 0 };
    Problem { model, shape, data, init, lambda: 1e-3 }
}

fn normal() -> InitConfig {
    InitConfig { law: InitialLaw::Normal, scale: 0.5, ..Default::default() }
}

fn settings(rtol: f64) -> Settings {
    Settings { taus: vec![1.0, 2.0], rtol, seed: 3, snapshots: vec![2.0], ..Settings::default() }
}

fn limit(p: &Problem, s: &Settings) -> Limit {
    solve(p, s, &Par::new(2), &mut |_| {}).unwrap()
}

/// R(2) of the paper's network of `depth` blocks in which every block holds the K atoms once.
fn split(p: &Problem, depth: usize) -> f64 {
    let (law, atoms) = (p.law().unwrap(), p.init.atoms);
    let m = ModelConfig { depth, heads: atoms, neurons: atoms, ..p.model.clone() };
    let net = Arc::new(Network::new(&m, p.shape).unwrap());
    let mut start = init::shared(&net.layout, Seed(0));
    for l in 0..depth {
        let slots = init::Slots::new(&net.layout, l);
        let own = law.at(l as f64 / depth as f64).atoms();
        own.iter().enumerate().for_each(|(j, a)| slots.place(j, a, &mut start));
    }
    trace(p, &net, &start, (&[2.0], &[]), (1e-10, 1)).unwrap().series.risk[0]
}

#[test]
fn the_limit_of_atoms_is_what_richardson_extrapolates_to() {
    let p = problem(InitConfig { atoms: 6, scale: 0.6, ..normal() });
    let l = limit(&p, &settings(1e-7));
    assert!(l.reached && l.risk.particle == [0.0, 0.0] && l.size.1 == 1, "{:?}", l.error);
    assert!(l.witness < 1e-7, "Gauss collocation: {:e}", l.witness);
    let r: Vec<f64> = [16, 32, 64, 128].iter().map(|&d| split(&p, d)).collect();
    let limit = l.risk.value[1];
    let once: Vec<f64> = r.windows(2).map(|w| 2.0 * w[1] - w[0]).collect();
    let twice: Vec<f64> = once.windows(2).map(|w| (4.0 * w[1] - w[0]) / 3.0).collect();
    let last = (8.0 * twice[1] - twice[0]) / 7.0;
    let order = |a: f64, b: f64| ((a - limit) / (b - limit)).abs().log2();
    assert!((order(r[2], r[3]) - 1.0).abs() < 0.05, "{}", order(r[2], r[3]));
    assert!((order(once[1], once[2]) - 2.0).abs() < 0.1, "{}", order(once[1], once[2]));
    assert!((last - limit).abs() < 1e-7 * limit, "{last} {limit}");
    assert!(l.energy > 0.0 && l.energy < 1e-3, "Q(0) - Q(tau) against the dissipated energy: {:e}", l.energy);
}

#[test]
fn independent_particles_agree_with_the_interval() {
    let p = problem(normal());
    let l = limit(&p, &settings(3e-3));
    assert!(l.reached && l.error <= 3e-3 && l.predicted.is_none(), "{:e}", l.error);
    assert!(l.risk.particle.iter().all(|e| *e > 0.0) && l.snapshots.len() == 1);
    let m = ModelConfig { depth_method: DepthMethod::Rk4, depth: 1, heads: 512, neurons: 512, ..p.model.clone() };
    let net = Arc::new(Network::new(&m, p.shape).unwrap());
    let of = |seed| trace(&p, &net, &init::draw(&m, &p.init, &net.layout, Seed(seed)), (&[1.0, 2.0], &[]), (1e-5, 1));
    let runs: Vec<f64> = (0..12).map(|s| of(s).unwrap().series.risk[1]).collect();
    let mean = runs.iter().sum::<f64>() / 12.0;
    let error = (runs.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (12.0 * 11.0)).sqrt();
    let gap = (mean - l.risk.value[1]).abs();
    assert!(
        gap < l.risk.total(1) + 4.0 * error,
        "{mean} +- {error:e}, limit {} +- {:e}",
        l.risk.value[1],
        l.risk.total(1)
    );
    assert!(error < 0.02 * mean, "the comparison sees two per cent: {error:e} of {mean}");
    let other = limit(&p, &Settings { seed: 11, ..settings(3e-3) });
    assert!((other.risk.value[1] - l.risk.value[1]).abs() < 1.5 * (l.risk.total(1) + other.risk.total(1)));
}

/// In-context regression on 32 samples; with tokens of scale 0.5 features hardly move and quadratic functions of the particles matter most.
fn in_context(token_scale: f64) -> Problem {
    let small = DataConfig { constant: false, token_scale, ..Default::default() };
    let data = DataConfig { name: "in_context".into(), x_dim: 2, context: 4, train: 32, seed: 7, ..small };
    let data = Arc::new(mckean_data::load(&data).unwrap().train);
    let model = ModelConfig { readout: Readout::Entry, readout_row: 2, readout_token: -1, ..Default::default() };
    let shape = DataShape { tokens: data.tokens, dim: data.dim, outputs: 1, vocabulary: 0 };
    Problem { model, shape, data, init: normal(), lambda: 1e-3 }
}

#[test]
fn whitened_particles_scatter_less_about_the_same_mean() {
    let p = in_context(0.5);
    let law = p.law().unwrap();
    let m = ModelConfig { depth_method: DepthMethod::Rk38, depth: 1, heads: 128, neurons: 128, ..p.model.clone() };
    let net = Arc::new(Network::new(&m, p.shape).unwrap());
    let of = |seed: u64, most: usize| {
        let mut start = init::shared(&net.layout, Seed(0));
        for slice in 0..m.slices() {
            let mut own = sobol_particles(&law.at(0.0), seed, slice + 1, 0..64);
            whiten(&law.at(0.0), most, &mut own);
            let slots = init::Slots::new(&net.layout, slice);
            own.iter().enumerate().for_each(|(j, x)| slots.place(j, x, &mut start));
        }
        trace(&p, &net, &start, (&[5.0], &[]), (1e-3, 1)).unwrap().series.risk[0]
    };
    let [(on, less), (off, more)] = [16, 0].map(|most| {
        let all: Vec<f64> = (0..12).map(|seed| of(seed, most)).collect();
        let mean = all.iter().sum::<f64>() / 12.0;
        (mean, (all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 11.0).sqrt())
    });
    assert!(less < 0.7 * more && less > 0.0, "{less:e} {more:e}");
    assert!((on - off).abs() < more, "means of 12: {on} {off}, {more:e}");
}

#[test]
fn one_depth_step_is_enough_where_features_hardly_move_and_the_paper_s_network_is_of_first_order() {
    for (token_scale, asked) in [(0.5, 1e-6), (0.75, 5e-5)] {
        let p = in_context(token_scale);
        let own = sobol_particles(&p.law().unwrap().at(0.0), 1, 1, 0..8);
        let of = |depth_method: DepthMethod, depth: usize| {
            let m = ModelConfig { depth_method, depth, heads: 16, neurons: 16, ..p.model.clone() };
            let net = Arc::new(Network::new(&m, p.shape).unwrap());
            let mut start = init::shared(&net.layout, Seed(0));
            for slice in 0..m.slices() {
                let slots = init::Slots::new(&net.layout, slice);
                own.iter().enumerate().for_each(|(j, x)| slots.place(j, x, &mut start));
            }
            trace(&p, &net, &start, (&[5.0], &[]), (1e-8, 1)).unwrap().series.risk[0]
        };
        let exact = of(DepthMethod::Rk4, 8);
        let error = |method, depth| (of(method, depth) / exact - 1.0).abs();
        for method in [DepthMethod::Rk4, DepthMethod::Rk38, DepthMethod::Gauss2] {
            assert!(error(method, 1) < asked, "{method:?}: {:e}, asked {asked:e}", error(method, 1));
        }
        let [rough, fine] = [8, 16].map(|l| error(DepthMethod::Splitting, l));
        assert!(((rough / fine).log2() - 1.0).abs() < 0.15 && fine > 0.1 * asked, "{rough:e} {fine:e}");
    }
}

#[test]
fn the_objective_falls_by_the_dissipation_for_every_depth_method() {
    for depth_method in [DepthMethod::Midpoint, DepthMethod::Rk4, DepthMethod::Rk38, DepthMethod::Gauss2] {
        let p = problem(normal());
        let m = ModelConfig { depth_method, depth: 2, heads: 5, neurons: 3, ..p.model.clone() };
        let net = Arc::new(Network::new(&m, p.shape).unwrap());
        let beta = init::draw(&m, &p.init, &net.layout, Seed(1));
        let mut q = Objective::new(Risk::<f64>::new(net, p.data.clone(), Par::serial()).unwrap(), 0.1);
        let mut v = vec![0.0; beta.len()];
        let here = q.velocity(&beta, &mut v);
        let mut at = |h: f64| q.value(&beta.iter().zip(&v).map(|(b, v)| b + h * v).collect::<Vec<f64>>()).objective();
        let slope = (at(1e-4) - at(-1e-4)) / 2e-4;
        assert!((slope / here.dissipation + 1.0).abs() < 1e-6, "{depth_method:?}: {slope} {}", here.dissipation);
    }
}

/// Solves on one thread; the flag is raised when the solver says something that contains `word`.
fn stopped_at(word: &str) -> Result<Limit, LimitError> {
    let s = Settings { budget: 600.0, ..settings(9e-4) };
    let mut say = |what: &str| {
        s.stop.fetch_or(what.contains(word), Ordering::Relaxed);
    };
    solve(&problem(normal()), &s, &Par::serial(), &mut say)
}

/// Largest distance of two risks in units of both their bars.
fn apart(a: &Limit, b: &Limit) -> f64 {
    let one = |i: usize| (a.risk.value[i] - b.risk.value[i]).abs() / a.risk.total(i).hypot(b.risk.total(i));
    (0..2).map(one).fold(0.0, f64::max)
}

#[test]
fn a_stopped_limit_is_the_curve_so_far_within_its_wider_bar() {
    let none = |word| assert!(matches!(stopped_at(word), Err(LimitError::Stopped)), "{word}");
    none("depth");
    none("pilot");
    let (part, whole) = (stopped_at("replicates").unwrap(), stopped_at("never said").unwrap());
    assert!(part.stopped && !part.reached && part.predicted.is_some_and(f64::is_finite), "{:e}", part.error);
    assert!(whole.reached && !whole.stopped && whole.error < part.error && part.work < whole.work);
    assert_eq!((part.size.1, part.snapshots.len()), (12, 0), "the pilot");
    assert!(apart(&part, &whole) < 1.5, "{}", apart(&part, &whole));
}

#[test]
fn stopped_at_any_moment_there_is_no_curve_or_one_with_an_honest_bar() {
    let (p, s) = (problem(normal()), settings(2e-2));
    let whole = solve(&p, &s, &Par::serial(), &mut |_| {}).unwrap();
    for moment in 1..8 {
        let s = settings(2e-2);
        let raise = || {
            std::thread::sleep(Duration::from_secs_f64(whole.seconds * f64::from(moment) / 8.0));
            s.stop.store(true, Ordering::Relaxed);
        };
        let found = std::thread::scope(|scope| {
            scope.spawn(raise);
            solve(&p, &s, &Par::serial(), &mut |_| {})
        });
        let Ok(part) = found else { continue };
        assert!(part.size.1 >= 4 && part.error.is_finite() && part.stopped != part.reached, "{:?}", part.size);
        assert!(apart(&part, &whole) < 2.0, "{} {:?}", apart(&part, &whole), part.size);
    }
}

#[test]
fn flows_that_never_end_are_given_up_with_the_reason() {
    let p = problem(InitConfig { scale: 6.0, ..normal() });
    let s = Settings { taus: vec![1e9], budget: 0.1, snapshots: vec![], ..settings(1e-6) };
    let begun = std::time::Instant::now();
    let e = solve(&p, &s, &Par::serial(), &mut |_| {}).unwrap_err().to_string();
    assert!(e.contains("limit.budget = 0.1") && e.contains("longer than that"), "{e}");
    assert!((3.0..30.0).contains(&begun.elapsed().as_secs_f64()), "{:?}", begun.elapsed());
}

#[test]
fn a_small_budget_is_said_not_missed() {
    let l = limit(&problem(normal()), &Settings { budget: 0.05, ..settings(1e-5) });
    assert!(
        !l.reached && l.error > 1e-5 && l.predicted.is_some_and(|s| s > 10.0 && s.is_finite()),
        "{:?} {:?}",
        l.error,
        l.predicted
    );
    assert_eq!((l.risk.value.len(), l.size.0), (2, 64), "the smallest pilot");
}

#[test]
fn a_flow_that_ends_early_is_an_outcome() {
    let mut p = problem(InitConfig { scale: 1e80, ..normal() });
    p.model.kernel = AttentionKernel::Linear;
    for init in [p.init.clone(), InitConfig { atoms: 2, ..p.init.clone() }] {
        let l = limit(&Problem { init, ..p.clone() }, &settings(1e-2));
        assert!(matches!(l.outcome, Outcome::Diverged { .. }) && !l.reached && l.taus.is_empty(), "{:?}", l.outcome);
    }
}

#[test]
fn what_has_no_limit_is_refused_by_name() {
    let refused = |p: &Problem, s: &Settings| solve(p, s, &Par::serial(), &mut |_| {}).unwrap_err().to_string();
    let good = problem(normal());
    let with = |m: ModelConfig| Problem { model: m, ..good.clone() };
    let sp = with(ModelConfig { parametrisation: Parametrisation::Sp, ..good.model.clone() });
    let dropout = with(ModelConfig { dropout: 0.1, ..good.model.clone() });
    let fan_in = Problem { init: InitConfig { law: InitialLaw::FanIn, ..normal() }, ..good.clone() };
    let wide = Problem { shape: DataShape { dim: 12, ..good.shape }, ..good.clone() };
    let s = settings(1e-2);
    for (p, s, words) in [
        (&sp, s.clone(), vec!["model.parametrisation", "mean_field"]),
        (&dropout, s.clone(), vec!["model.dropout"]),
        (&fan_in, s.clone(), vec!["init.law", "fan_in", "normal"]),
        (&good, settings(1e-12), vec!["limit.rtol", "1e-9"]),
        (&good, Settings { taus: vec![2.0, 1.0], ..s.clone() }, vec!["limit.taus", "ascending"]),
        (&good, Settings { source: Source::Atoms, ..s.clone() }, vec!["limit.method", "init.atoms"]),
        (&good, Settings { snapshots: vec![7.0], ..s.clone() }, vec!["limit.snapshots"]),
        (&wide, Settings { whiten: Whiten::On, ..s.clone() }, vec!["limit.whiten", "144 numbers", "\"auto\""]),
    ] {
        let e = refused(p, &s);
        assert!(words.iter().all(|w| e.contains(w)), "{words:?}: {e}");
    }
    let LimitError::Setting { key, .. } = settings(2.0).check().unwrap_err() else { panic!("another error") };
    assert_eq!(key, "rtol");
}

#[test]
fn particles_are_named_by_their_scrambling() {
    let law = problem(normal()).law().unwrap();
    let a = sobol_particles(&law.at(0.0), 1, 0, 0..4);
    assert_eq!(a, sobol_particles(&law.at(0.0), 1, 0, 0..8)[..8]);
    let shared = Particles::Sobol { seed: 1, base: 0..4, shared: true, white: 0 };
    assert_ne!(shared, Particles::Atoms);
    assert_eq!(atoms::counts(Seed(1), 0, 10, 3).iter().sum::<u64>(), 10);
}
