//! Runs through the library: files, rows, repeats, threads, outcomes, precision, the page.
//!
//! Maths: the first observation is the risk of the initial particles (eqs 2.5-2.6 of Gao et al. 2024).
//! Shapes: one small in-context flow, one small descent on digits.
//! Cost: about two seconds.
//! Checked: this is a test.

mod common;

use common::{FLOW, config, files, run, run_on};
use mckean::{Config, Error, Problem, Summary, templates};
use mckean_data::Dataset;
use mckean_engine::{Batch, Risk};
use mckean_num::par::Par;
use mckean_report::metrics::{self, Table, read_parquet};
use mckean_report::tensors::{self, TensorData, Tensors};
use mckean_report::{Manifest, RunDir};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

const DIGITS: &str = r#"
name = "digits"
[data]
name = "digits"
train = 40
test = 30
positions = true
readout_rows = 10
[model]
depth = 2
heads = 2
neurons = 2
readout = "rows"
[dynamics]
kind = "descent"
learning_rate = 0.05
epochs = 3
batch = 16
"#;

/// The observations of a run.
fn metrics(run: &Summary) -> Table {
    metrics::read(run.dir.join("metrics.jsonl")).unwrap()
}

/// A column of the observations.
fn column(run: &Summary, name: &str) -> Vec<f64> {
    metrics(run).column(name).unwrap_or_else(|| panic!("no column {name}")).to_vec()
}

fn tensors(dir: &Path, name: &str) -> Tensors {
    tensors::load(dir.join(format!("arrays/{name}.safetensors"))).unwrap()
}

/// All numbers of the particles, in the order of the layout.
fn parameters(dir: &Path, name: &str, problem: &Problem) -> Vec<f64> {
    let file = tensors(dir, name);
    problem.net.layout.tensors.iter().flat_map(|t| file.f64(&t.name, &t.shape).unwrap().to_vec()).collect()
}

fn manifest(dir: &Path) -> Manifest {
    RunDir::open(dir).unwrap().manifest().unwrap()
}

#[test]
fn a_run_leaves_every_promised_file_and_one_row_per_observation() {
    let folder = tempfile::tempdir().unwrap();
    let c = config(FLOW, &[]);
    let s = run(&c, folder.path()).unwrap();
    assert_eq!(s.dir, folder.path().join(format!("small flow-{}", c.hash())));
    let expected = [
        "arrays/end.safetensors",
        "arrays/samples.safetensors",
        "arrays/start.safetensors",
        "checkpoints/latest.safetensors",
        "config.toml",
        "manifest.json",
        "metrics.jsonl",
        "metrics.parquet",
        "report.html",
        "resolved.toml",
    ];
    assert_eq!(files(&s.dir).into_keys().collect::<Vec<_>>(), expected);
    let taus = column(&s, "tau");
    assert_eq!(taus.len(), 11);
    assert!(taus.iter().enumerate().all(|(k, t)| (t - 0.2 * k as f64).abs() < 1e-12), "{taus:?}");
    assert_eq!((taus[10], column(&s, "gradients")[10]), (2.0, 41.0), "20 Heun steps and the velocity at the end");
    let (lines, compacted) = (metrics(&s), read_parquet(s.dir.join("metrics.parquet")).unwrap());
    assert_eq!((lines.names(), lines.column("risk")), (compacted.names(), compacted.column("risk")));
    let m = manifest(&s.dir);
    assert_eq!((m.outcome.unwrap().kind.as_str(), m.seed, m.config_hash), ("finished", 5, c.hash()));
    assert!(m.ended.unwrap() >= m.started && m.warnings.is_empty() && !m.citations.is_empty());
    assert_eq!(m.commit.as_deref(), option_env!("MCKEAN_COMMIT"));
    assert_eq!((s.risk, s.initial_risk), (column(&s, "risk")[10], column(&s, "risk")[0]));
    assert_eq!(Config::parse(&fs::read_to_string(s.dir.join("resolved.toml")).unwrap(), "resolved", &[]).unwrap(), c);
}

#[test]
fn first_and_last_rows_are_the_risks_of_the_particles_in_the_arrays() {
    let folder = tempfile::tempdir().unwrap();
    let c = config(FLOW, &[]);
    let s = run(&c, folder.path()).unwrap();
    let p = Problem::new(&c).unwrap();
    let risk = |data: &Arc<Dataset>, beta: &[f64]| {
        let mut r = Risk::<f64>::new(p.net.clone(), data.clone(), Par::serial()).unwrap();
        r.value(beta, &Batch::first(data.samples)).risk
    };
    let (start, end) = (parameters(&s.dir, "start", &p), parameters(&s.dir, "end", &p));
    assert_eq!(start, p.start);
    let close = |a: f64, b: f64| (a - b).abs() < 1e-14 * b.abs();
    assert!(close(s.initial_risk, risk(&p.train, &p.start)), "{} at the start", s.initial_risk);
    assert!(close(s.risk, risk(&p.train, &end)), "{} at the end", s.risk);
    let test = p.test.clone().unwrap();
    assert!(close(s.test_risk.unwrap(), risk(&test, &end)) && close(column(&s, "test_risk")[0], risk(&test, &start)));
    let kept = tensors(&s.dir, "samples");
    assert_eq!(kept.f64("inputs", &[24, 4, 5]).unwrap(), p.train.inputs);
    let none = run(&config(FLOW, &["observe.keep_samples=false"]), folder.path()).unwrap();
    assert!(!none.dir.join("arrays/samples.safetensors").exists());
}

#[test]
fn running_again_changes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let c = config(FLOW, &[]);
    let first = run(&c, folder.path()).unwrap();
    let times = |dir: &Path| -> Vec<SystemTime> {
        files(dir).keys().map(|f| fs::metadata(dir.join(f)).unwrap().modified().unwrap()).collect()
    };
    let before = (files(&first.dir), times(&first.dir));
    for resume in [false, true] {
        let again = run_on(&c, folder.path(), &Par::serial(), resume).unwrap();
        assert!(again.already_finished && !first.already_finished);
        assert_eq!((again.risk, again.outcome.as_str()), (first.risk, "finished"));
        assert!((files(&again.dir), times(&again.dir)) == before, "a file changed");
    }
    fs::remove_file(first.dir.join("report.html")).unwrap();
    run(&c, folder.path()).unwrap();
    assert!(files(&first.dir) == before.0, "a page that is missing is written, the same as before");
}

#[test]
fn results_do_not_depend_on_threads() {
    let folder = tempfile::tempdir().unwrap();
    let both = |text: &str, sets: &[&str]| {
        let c = config(text, sets);
        let [one, two] = [1, 2].map(|threads| {
            let s = run_on(&c, &folder.path().join(threads.to_string()), &Par::new(threads), false).unwrap();
            assert_eq!(manifest(&s.dir).threads, threads);
            files(&s.dir)
        });
        for file in ["metrics.jsonl", "arrays/end.safetensors", "metrics.parquet", "checkpoints/latest.safetensors"] {
            assert!(one[file] == two[file], "{file} depends on the number of threads");
        }
    };
    both(FLOW, &["data.train=70"]);
    both(DIGITS, &["model.dropout=0.2", "dynamics.precision=f32"]);
}

#[test]
fn observers_do_not_touch_the_particles() {
    let folder = tempfile::tempdir().unwrap();
    let on = run(&config(FLOW, &["dynamics.integrator=adaptive"]), folder.path()).unwrap();
    let off = run(&config(FLOW, &["dynamics.integrator=adaptive", "observe.checks=false"]), folder.path()).unwrap();
    assert_ne!(on.dir, off.dir);
    assert!(tensors(&on.dir, "end").entries == tensors(&off.dir, "end").entries);
    assert_eq!(column(&on, "risk"), column(&off, "risk"));
    let checks = ["energy_residual", "kinetic_ratio", "second_moment", "token_norm"];
    assert!(checks.iter().all(|n| metrics(&on).column(n).is_some() && metrics(&off).column(n).is_none()));
}

/// Starts a run and breaks it off at its `rows`-th observation.
fn break_off(c: &Config, out: &Path, rows: usize) {
    let options = mckean::experiment::Options { out: out.into(), ..Default::default() };
    let mut seen = 0;
    let broken = catch_unwind(AssertUnwindSafe(|| {
        mckean::run(c, &Par::serial(), &options, &mut |_| {
            seen += 1;
            assert!(seen < rows, "broken off on purpose");
        })
    }));
    assert!(broken.is_err());
}

#[test]
fn an_unfinished_run_is_refused_without_resume_and_continues_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, broken) = (folder.path().join("whole"), folder.path().join("broken"));
    let c = config(FLOW, &["observe.checkpoint_seconds=0", "dynamics.integrator=adaptive"]);
    let reference = files(&run(&c, &whole).unwrap().dir);
    for rows in [1, 2, 7, 11] {
        break_off(&c, &broken, rows);
        let before = files(&mckean::experiment::directory(&c, &broken));
        let refused = run(&c, &broken).unwrap_err();
        assert!(matches!(refused, Error::Unfinished { .. }) && refused.to_string().contains("--resume"), "{refused}");
        assert!(files(&mckean::experiment::directory(&c, &broken)) == before, "a refusal changes no file");
        let resumed = run_on(&c, &broken, &Par::serial(), true).unwrap();
        let now = files(&resumed.dir);
        for file in ["metrics.jsonl", "metrics.parquet", "arrays/end.safetensors", "checkpoints/latest.safetensors"] {
            assert!(now[file] == reference[file], "{file} differs after a break at row {rows}");
        }
        assert!(now.contains_key("report.html") && !resumed.already_finished);
        fs::remove_dir_all(&broken).unwrap();
    }
}

/// A process can die after its last observation and before its manifest says so.
#[test]
fn a_run_that_died_while_finishing_does_not_observe_its_end_twice() {
    let folder = tempfile::tempdir().unwrap();
    let ends = [
        config(FLOW, &[]),
        config(FLOW, &["dynamics.max_steps=7"]),
        config(FLOW, &["init.scale=1e200"]),
        config(DIGITS, &[]),
        config(DIGITS, &["dynamics.optimizer=gd", "dynamics.learning_rate=1e200"]),
    ];
    for (c, kind) in ends.iter().zip(["finished", "max_steps", "diverged", "finished", "diverged"]) {
        let s = run(c, folder.path()).unwrap();
        assert_eq!(s.outcome, kind);
        let (before, dir) = (files(&s.dir), RunDir::open(&s.dir).unwrap());
        dir.write_manifest(&Manifest { outcome: None, ended: None, ..dir.manifest().unwrap() }).unwrap();
        let resumed = run_on(c, folder.path(), &Par::serial(), true).unwrap();
        assert_eq!((resumed.outcome.as_str(), resumed.already_finished), (kind, false));
        for (name, bytes) in files(&s.dir) {
            assert!(bytes == before[&name] || ["manifest.json", "report.html"].contains(&&*name), "{kind}: {name}");
        }
    }
}

#[test]
fn divergence_is_an_outcome_with_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let flow = ["dynamics.step=1e3", "dynamics.until=3e4", "observe.every=1e3", "dynamics.integrator=euler"];
    let descent = ["dynamics.learning_rate=1e200", "dynamics.optimizer=gd"]; // finite parameters, risk overflows
    for c in [
        config(FLOW, &flow),
        config(DIGITS, &descent),
        config(DIGITS, &[&descent[..], &["dynamics.epochs=1"]].concat()),
    ] {
        let s = run(&c, folder.path()).unwrap();
        assert_eq!(s.outcome, "diverged", "{}", c.resolved());
        assert!(s.advice.contains("Halve") && s.initial_risk.is_finite() && !s.risk.is_finite());
        assert!(s.tau <= c.dynamics.end() && manifest(&s.dir).outcome.unwrap().tau == Some(s.tau));
        let page = fs::read_to_string(s.dir.join("report.html")).unwrap();
        assert!(page.contains("diverged"));
        assert!(run(&c, folder.path()).unwrap().already_finished);
    }
}

#[test]
fn descent_logs_accuracies_of_the_particles_it_ends_with() {
    let folder = tempfile::tempdir().unwrap();
    let c = config(DIGITS, &[]);
    let s = run(&c, folder.path()).unwrap();
    assert_eq!(column(&s, "tau"), [0.0, 1.0, 2.0, 3.0]);
    let p = Problem::new(&c).unwrap();
    let share = |data: &Arc<Dataset>| {
        let mut r = Risk::<f64>::new(p.net.clone(), data.clone(), Par::serial()).unwrap();
        let sums = r.value(&parameters(&s.dir, "end", &p), &Batch::first(data.samples));
        sums.correct as f64 / data.samples as f64
    };
    assert_eq!((s.accuracy, s.test_accuracy), (Some(share(&p.train)), Some(share(p.test.as_ref().unwrap()))));
    let start = (column(&s, "accuracy")[0], column(&s, "test_accuracy")[0]);
    assert!(s.accuracy.unwrap() > start.0 && s.test_accuracy.unwrap() > start.1, "three epochs teach something");
    let blind = run(&config(DIGITS, &["observe.test=false"]), folder.path()).unwrap();
    assert_eq!((blind.test_accuracy, blind.test_risk, blind.risk), (None, None, s.risk));
    let labels = tensors(&s.dir, "samples");
    assert!(matches!(&labels.get("targets").unwrap().data, TensorData::I64(l) if l.len() == 40));
}

/// 40 samples in batches of 16 are 3 steps an epoch: observations come after whole steps, each once.
#[test]
fn observations_finer_than_a_step_are_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let s = run(&config(DIGITS, &["observe.every=0.05", "dynamics.epochs=1.5"]), folder.path()).unwrap();
    let thirds = column(&s, "tau").iter().map(|t| (3.0 * t).round()).collect::<Vec<_>>();
    assert_eq!(thirds, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    for (sets, taus) in [
        (["observe.every=0.1", "dynamics.until=0.7"], 8),
        (["observe.every=0.15", "dynamics.until=0.5"], 4), // 0, 0.2, 0.3, 0.5: the first step at or after each time
        (["observe.every=9.0", "dynamics.until=0.05"], 2),
        (["observe.every=0", "dynamics.until=0.07"], 2), // one step
    ] {
        let s = run(&config(FLOW, &sets), folder.path()).unwrap();
        let found = column(&s, "tau");
        assert_eq!((found.len(), s.tau), (taus, config(FLOW, &sets).dynamics.until), "{sets:?}: {found:?}");
        assert!(found.windows(2).all(|w| w[1] - w[0] > 1e-6), "{found:?}");
    }
}

#[test]
fn observation_times_do_not_move_fixed_steps() {
    let folder = tempfile::tempdir().unwrap();
    for integrator in ["euler", "heun", "rk4"] {
        let end = |every: &str| {
            let sets = [every, "dynamics.step=0.13", &format!("dynamics.integrator={integrator}")];
            let s = run(&config(FLOW, &sets), folder.path()).unwrap();
            (tensors(&s.dir, "end").entries, manifest(&s.dir).work["steps"].as_f64())
        };
        let (sparse, dense) = (end("observe.every=0.9"), end("observe.every=0.01"));
        assert!(sparse == dense && dense.1 == 16.0, "{integrator}: {} and {} steps", sparse.1, dense.1);
    }
}

/// The flag that Ctrl-C raises.
#[test]
fn a_stopped_run_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, halves) = (folder.path().join("whole"), folder.path().join("halves"));
    for c in [config(FLOW, &["dynamics.integrator=adaptive"]), config(DIGITS, &["model.dropout=0.1"])] {
        let reference = files(&run(&c, &whole).unwrap().dir);
        let options = mckean::experiment::Options { out: halves.clone(), ..Default::default() };
        let mut seen = 0;
        let mut stop_at_second = |_: &mckean::Progress| {
            seen += 1;
            options.stop.store(seen == 2, std::sync::atomic::Ordering::Relaxed);
        };
        let stopped = mckean::run(&c, &Par::serial(), &options, &mut stop_at_second).unwrap();
        assert_eq!((stopped.outcome.as_str(), metrics(&stopped).rows), ("stopped", 2));
        assert!(stopped.advice.contains("--resume") && stopped.tau < c.dynamics.end());
        assert!(matches!(run(&c, &halves).unwrap_err(), Error::Unfinished { .. }));
        let resumed = run_on(&c, &halves, &Par::serial(), true).unwrap();
        assert_eq!(resumed.outcome, "finished");
        let now = files(&resumed.dir);
        for file in ["metrics.jsonl", "metrics.parquet", "arrays/end.safetensors", "checkpoints/latest.safetensors"] {
            assert!(now[file] == reference[file], "{file} differs");
        }
    }
}

#[test]
fn violations_are_told_once_a_check_and_survive_a_resume() {
    let folder = tempfile::tempdir().unwrap();
    let sets =
        ["dynamics.step=1.9", "dynamics.until=38", "observe.every=1.9", "dynamics.integrator=euler", "init.scale=2.5"];
    let c = config(FLOW, &[&sets[..], &["observe.checkpoint_seconds=0", "observe.test=false"]].concat());
    let whole = run(&c, &folder.path().join("whole")).unwrap();
    let about = |w: &str| whole.warnings.iter().filter(|x| x.contains(w)).count();
    assert_eq!((about("energy identity"), about("kinetic inequality")), (1, 1), "{:?}", whole.warnings);
    assert!(whole.warnings.iter().any(|w| w.contains("the worst of ")), "{:?}", whole.warnings);
    let page = fs::read_to_string(whole.dir.join("report.html")).unwrap();
    assert!(page.contains("of the checks fail"));
    break_off(&c, &folder.path().join("broken"), 9);
    assert_eq!(run_on(&c, &folder.path().join("broken"), &Par::serial(), true).unwrap().warnings, whole.warnings);
    let first = metrics(&whole).observed("energy_residual")[0].0;
    assert_eq!(first, 1, "nothing is claimed at the first observation");
}

#[test]
fn single_precision_follows_double_precision() {
    let folder = tempfile::tempdir().unwrap();
    let [double, single] =
        ["f64", "f32"].map(|p| run(&config(FLOW, &[&format!("dynamics.precision={p}")]), folder.path()).unwrap());
    assert_eq!(manifest(&single.dir).precision, "f32");
    let apart = |a: f64, b: f64| (a - b).abs() / b;
    for (a, b) in column(&single, "risk").iter().zip(column(&double, "risk")) {
        assert!(apart(*a, b) < 1e-5 && *a != b, "{a} against {b}");
    }
    assert!(apart(single.test_risk.unwrap(), double.test_risk.unwrap()) < 1e-5);
}

#[test]
fn the_page_shows_the_headline_and_is_rebuilt_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    for c in [config(FLOW, &[]), config(DIGITS, &[])] {
        let s = run(&c, folder.path()).unwrap();
        let dir = RunDir::open(&s.dir).unwrap();
        let page = fs::read_to_string(dir.report()).unwrap();
        assert!(page.len() < 1_000_000);
        let mut shown = vec![c.name.clone(), "finished".into(), mckean::report::short(s.risk), c.hash()];
        shown.extend(s.test_accuracy.map(|a| format!("{:.2} %", 100.0 * a)));
        shown.push(format!("{} heads", c.model.heads));
        assert!(shown.iter().all(|x| page.contains(x)), "one of {shown:?} is missing");
        assert!(!page.contains("<script src") && !page.contains("<link"), "one offline file");
        fs::remove_file(dir.report()).unwrap();
        assert_eq!(mckean::report::write_run(&dir).unwrap(), dir.report());
        assert!(fs::read_to_string(dir.report()).unwrap() == page);
    }
}

#[test]
fn every_template_runs() {
    let folder = tempfile::tempdir().unwrap();
    let short = ["dynamics.until=0.2", "dynamics.epochs=0.5", "dynamics.warmup=0.1", "data.train=32", "data.test=8"];
    for t in templates::ALL {
        let s = run(&config(t.text, &short), folder.path()).unwrap();
        assert!(s.outcome == "finished" && s.risk < s.initial_risk, "{}: {} -> {}", t.name, s.initial_risk, s.risk);
    }
}
