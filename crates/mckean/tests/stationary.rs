//! `mckean::stationary`: powers of lambda, interrupted and grown sweeps, the limit of atoms, refusals.
//!
//! Maths: a network that interpolates leaves R ~ lambda^2 and Q ~ lambda when it rests (DERIVED).
//! Shapes: three blocks at most, four samples.
//! Cost: seconds.
//! Checked: this is a test.

use mckean::rates::{Options, Progress};
use mckean::stationary::{self, Record, Size};
use mckean::{Config, Error};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const SMALL: &str = r#"
name = "small"
[data]
name = "in_context"
x_dim = 1
context = 2
train = 4
seed = 7
constant = false
[model]
depth = 2
heads = 6
neurons = 5
readout_row = 1
[init]
scale = 2.0
[stationary]
lambdas = [3e-2, 1e-2, 3e-3]
seeds = 2
"#;

fn config(sets: &[&str]) -> Config {
    let sets: Vec<String> = sets.iter().map(|s| s.to_string()).collect();
    Config::parse(SMALL, "test", &sets).unwrap()
}

/// Runs; stops after `most` networks.
fn run(config: &Config, out: &Path, jobs: usize, most: usize) -> Result<(Record, usize), Error> {
    let (stop, done, begun) = (Arc::new(AtomicBool::new(most == 0)), AtomicUsize::new(0), AtomicUsize::new(0));
    let progress = |p: Progress<'_>| match p {
        Progress::Begin(n) => begun.store(n, Ordering::Relaxed),
        Progress::Done(_) => stop.store(done.fetch_add(1, Ordering::Relaxed) + 1 >= most, Ordering::Relaxed),
        Progress::Say(_) | Progress::Again(_) => {}
    };
    let options = Options { out, jobs, command: "mckean stationary", source: SMALL, stop: &stop, progress: &progress };
    stationary::run(config, &options).map(|r| (r, begun.load(Ordering::Relaxed)))
}

#[test]
fn flows_rest_where_their_certificates_say_and_the_risk_is_a_power_of_lambda() {
    let folder = tempfile::tempdir().unwrap();
    let (r, begun) = run(&config(&[]), folder.path(), 2, usize::MAX).unwrap();
    assert_eq!((begun, r.ends.len(), r.asked), (6, 6, 6));
    for e in &r.ends {
        assert!(e.is_at_rest() && e.last.residual <= 1e-3 && e.last.tau * e.cell.lambda >= 1.0, "{e:?}");
        // two witnesses: the residual of the flow and that of the certificate, which takes its own gradient
        let certified = e.value("at rest").unwrap();
        assert!((certified / e.last.residual - 1.0).abs() < 1e-9, "{certified} {}", e.last.residual);
        let [low, p, high] = e.adjoint.unwrap();
        assert!(low <= p && p <= high && p > 0.0);
        assert!(e.stages.windows(2).all(|s| s[1].objective <= s[0].objective && s[1].tau > s[0].tau));
        assert_eq!(e.stages[e.stages.len() - 1], e.last);
    }
    let f = &r.found[0];
    let (risk, objective) = (f.risk.as_ref().unwrap(), f.objective.as_ref().unwrap());
    assert!((1.6..2.2).contains(&risk.slope.value) && risk.slope.low > 1.0, "{risk:?}");
    assert!((0.8..1.05).contains(&objective.slope.value), "{objective:?}");
    let worst = r.ends.iter().map(|e| e.last.risk / e.cell.lambda).fold(0.0, f64::max);
    assert_eq!(f.constant, Some(worst));
    let dir = mckean_report::RunDir::open(&r.dir).unwrap();
    let page = fs::read_to_string(dir.report()).unwrap();
    assert!(page.contains("theorem: C₂ λ") && page.contains("Every network at its end"));
    assert_eq!(fs::read_to_string(r.dir.join("ends.csv")).unwrap().lines().count(), 7);
    fs::remove_file(dir.report()).unwrap();
    mckean::report::write_run(&dir).unwrap();
    assert_eq!(fs::read_to_string(dir.report()).unwrap(), page, "the page is rebuilt as it was");
    let refused = mckean::certify::of_run(&r.dir, &mckean_num::par::Par::serial()).unwrap_err().to_string();
    assert!(refused.contains("the ends of flows"), "{refused}");
}

#[test]
fn an_interrupted_sweep_goes_on_to_the_same_bytes_and_a_grown_one_repeats_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("1"), folder.path().join("2"));
    let sets = ["stationary.lambdas=[3e-2, 1e-2]"];
    let (whole, _) = run(&config(&sets), &one, 2, usize::MAX).unwrap();
    let (part, _) = run(&config(&sets), &two, 1, 1).unwrap();
    assert_eq!((part.ends.len(), part.asked), (1, 4));
    assert_eq!(run(&config(&sets), &two, 1, 0).unwrap().0.ends.len(), 1, "a stopped call begins nothing");
    let (rest, begun) = run(&config(&sets), &two, 2, usize::MAX).unwrap();
    assert_eq!((begun, rest.ends.len()), (3, 4));
    let text = |r: &Record, out: &Path| {
        let text = fs::read_to_string(r.dir.join("analysis/stationary.json")).unwrap();
        text.replace(out.to_str().unwrap(), "")
    };
    assert_eq!(text(&whole, &one), text(&rest, &two));
    let more = ["stationary.lambdas=[3e-2, 1e-2]", "stationary.seeds=3"];
    let (grown, begun) = run(&config(&more), &two, 2, usize::MAX).unwrap();
    assert_eq!((grown.dir.clone(), grown.ends.len(), begun), (rest.dir, 6, 2));
    let wider = ["stationary.lambdas=[3e-2]", "stationary.widths=[4, 8]"];
    let (sized, _) = run(&config(&wider), &two, 2, usize::MAX).unwrap();
    assert_eq!((sized.dir, sized.ends.len(), sized.found.len()), (grown.dir, 4, 2));
    let tight = ["stationary.lambdas=[3e-2]", "stationary.residual=1e-4"];
    let (tight, begun) = run(&config(&tight), &two, 2, usize::MAX).unwrap();
    assert!(begun == 2 && tight.dir != part.dir, "another residual is another set of ends");
}

#[test]
fn sweeps_over_sizes_have_their_plateau_in_json_and_on_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let sets = ["stationary.lambdas=[3e-2]", "stationary.widths=[2, 4, 8]", "stationary.depths=[1, 2]"];
    let (r, _) = run(&config(&sets), folder.path(), 2, usize::MAX).unwrap();
    assert_eq!(r.plateaus.len(), 4, "1/L has two values only");
    let (best, level) = (&r.plateaus[0], &r.plateaus[0].fits[0]);
    let risk =
        |size: &(usize, usize)| r.found.iter().find(|f| f.size == Size::Finite(size.0, size.1)).unwrap().risks[0].0;
    let square = |floor: f64, constant: f64| -> f64 {
        let error = |s: &(usize, usize)| (floor + constant * best.shape.at(s.0 as f64, s.1 as f64)) / risk(s) - 1.0;
        level.sizes.iter().map(|s| error(s).powi(2)).sum()
    };
    let (floor, constant) = (level.fit.floor.value, level.fit.constant.value);
    assert!(level.sizes.len() == 6 && floor > 0.0 && constant > 0.0, "{level:?}");
    for (a, b) in [(0.99, 1.0), (1.01, 1.0), (1.0, 0.99), (1.0, 1.01)] {
        assert!(square(a * floor, b * constant) > square(floor, constant), "least squares: {level:?}");
    }
    let page = fs::read_to_string(mckean_report::RunDir::open(&r.dir).unwrap().report()).unwrap();
    assert!(page.contains("Risk against width and depth") && page.contains("predicts sizes left out best"));
    let record: Record =
        serde_json::from_str(&fs::read_to_string(r.dir.join("analysis/stationary.json")).unwrap()).unwrap();
    assert_eq!(record.plateaus[0].fits[0].fit, level.fit);
}

#[test]
fn atoms_have_their_infinitely_wide_network_and_their_limit() {
    let folder = tempfile::tempdir().unwrap();
    let sets = [
        "init.atoms=4",
        "init.law=normal",
        "init.scale=0.7",
        "model.heads=4096",
        "model.neurons=4096",
        "stationary.depths=[6, 12, 24]",
        "stationary.lambdas=[3e-2]",
        "stationary.seeds=1",
        "stationary.depth_steps=2",
    ];
    let (r, _) = run(&config(&sets), folder.path(), 2, usize::MAX).unwrap();
    let at = |size: Size| r.ends.iter().find(|e| e.cell.size == size).unwrap_or_else(|| panic!("{size:?}"));
    let [wide, middle, deep] = [6, 12, 24].map(|l| at(Size::Wide(l)));
    let finite = at(Size::Finite(4096, 6));
    let (limit, finer) = (at(Size::Limit(2)), at(Size::Limit(4)));
    let apart = |a: f64, b: f64| (a / b - 1.0).abs();
    assert!(apart(finite.last.objective, wide.last.objective) < 0.02, "{:?} {:?}", finite.last, wide.last);
    assert!(apart(limit.last.objective, finer.last.objective) < 0.01, "{:?} {:?}", limit.last, finer.last);
    // two witnesses of the limit: Runge-Kutta in depth, and networks whose errors in 1/L and 1/L^2 are extrapolated away
    let extrapolated = (8.0 * deep.last.objective - 6.0 * middle.last.objective + wide.last.objective) / 3.0;
    assert!(apart(finer.last.objective, extrapolated) < 5e-3, "{:?} {extrapolated}", finer.last);
    assert!(apart(wide.last.objective, extrapolated) > 1e-2, "{:?} {extrapolated}", wide.last);
    assert!(limit.conditions.is_empty() && !wide.conditions.is_empty());
}

#[test]
fn what_cannot_be_followed_is_refused_before_anything_is() {
    let folder = tempfile::tempdir().unwrap();
    for (set, words) in [
        ("stationary.lambdas=[0.0]", "without weight decay"),
        ("stationary.lambdas=[]", "one or more"),
        ("stationary.lambdas=[1e-3, 1e-2]", "smaller"),
        ("stationary.widths=[8, 4]", "ascending"),
        ("stationary.depths=[0]", "> 0"),
        ("stationary.depths=[400000000]", "16,777,216"),
        ("stationary.seeds=0", "1 or more"),
        ("stationary.seeds=100000000", "100,000"),
        ("stationary.residual=0.5", "1e-1"),
        ("stationary.horizon=0.5", "1e0"),
        ("stationary.tolerance=0.5", "1e-2"),
        ("stationary.depth_steps=0", "10,000"),
        ("stationary.budget=0.0", "> 0"),
        ("dynamics.kind=descent", "flow"),
        ("dynamics.precision=f32", "f64"),
        ("model.norm=layer", "norms"),
        ("model.parametrisation=sp", "mean_field"),
    ] {
        let e = run(&config(&[set]), folder.path(), 1, usize::MAX).unwrap_err().to_string();
        assert!(e.contains(words), "{set}: {e}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
