//! `mckean::limit`: what is written, that it is consistent, rebuilt and found again, and what is refused.
//!
//! Maths: R = mean of half squared distances of the outputs, exactly, when particles carry no error.
//! Shapes: a small config of atoms, one of a law.
//! Cost: seconds.
//! Checked: this is a test.

use mckean::dynamics::limit::Band;
use mckean::limit::{self, Record};
use mckean::{Config, limit_report};
use mckean_num::par::Par;
use mckean_report::{RunDir, metrics, tensors};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const ATOMS: &str = r#"
name = "small"
[data]
name = "in_context"
x_dim = 2
context = 3
train = 12
constant = false
token_scale = 0.6
[model]
readout_row = 2
[init]
law = "truncated"
scale = 0.5
atoms = 4
symmetric = true
[dynamics]
until = 2.0
weight_decay = 1e-3
[limit]
rtol = 1e-6
snapshots = [1.0, 2.0]
"#;

fn solve(text: &str, sets: &[&str], out: &Path) -> Result<Record, mckean::Error> {
    stopped_at(text, sets, out, "never")
}

/// Solves; the flag is raised when the solver says something that contains `word`.
fn stopped_at(text: &str, sets: &[&str], out: &Path, word: &str) -> Result<Record, mckean::Error> {
    let sets: Vec<String> = sets.iter().map(|s| s.to_string()).collect();
    let config = Config::parse(text, "test", &sets)?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut say = |what: &str| {
        stop.fetch_or(what.contains(word), Ordering::Relaxed);
    };
    limit::run(&config, &Par::new(2), out, ("mckean limit test", text), &stop, &mut say)
}

#[test]
fn a_limit_leaves_consistent_curves_arrays_and_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let record = solve(ATOMS, &[], folder.path()).unwrap();
    assert_eq!((record.outcome.as_str(), record.replicates, record.taus.len()), ("reached", 1, 11));
    let dir = RunDir::open(&record.dir).unwrap();
    let table = metrics::read(dir.metrics()).unwrap();
    let risk = table.column("risk").unwrap();
    assert_eq!(risk, record.risk.value);
    assert!(table.column("risk_error").unwrap().iter().zip(risk).all(|(e, r)| *e <= 1e-6 * r.max(1e-3)));
    let data = mckean_data::load(&Config::parse(ATOMS, "", &[]).unwrap().data).unwrap().train;
    let curves = tensors::load(dir.array("curves")).unwrap();
    let outputs = curves.f64("outputs", &[11, 12, 1]).unwrap();
    for (i, r) in risk.iter().enumerate() {
        let square = |s: usize| 0.5 * (outputs[12 * i + s] - data.one_hot_values()[s]).powi(2);
        let own = (0..12).map(square).sum::<f64>() / 12.0;
        assert!((own - r).abs() < 1e-12, "{i}: {own} {r}");
    }
    assert!(
        outputs[..12].iter().all(|y| y.abs() < 1e-14),
        "a symmetric law starts at T = H, and the query shows no answer"
    );
    let law = tensors::load(dir.array("law")).unwrap();
    let (t, v) = (law.get("t").unwrap(), law.get("1.slices.0.attention.v").unwrap());
    let mass = law.f64("1.slices.0.attention.mass", &[4]).unwrap();
    assert_eq!((t.shape.clone(), v.shape.clone()), (vec![record.depth_steps.max(4) + 1], vec![4, 4, 4]));
    assert_eq!(mass, [0.25; 4]);
    let page = std::fs::read_to_string(dir.report()).unwrap();
    assert!(page.contains("objective Q") && page.contains("Where the error comes from"));
    assert!(page.contains("Law of attention v") && page.contains("Law of feed-forward w2"));
    std::fs::remove_file(dir.report()).unwrap();
    mckean::report::write_run(&dir).unwrap();
    assert_eq!(std::fs::read_to_string(dir.report()).unwrap(), page, "the page is rebuilt as it was");
    let again = solve(ATOMS, &[], folder.path()).unwrap();
    assert_eq!((again.risk, again.seconds), (record.risk, record.seconds), "nothing is solved twice");
}

#[test]
fn a_law_has_an_interval_and_a_flow_that_ends_leaves_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let law = ["init.atoms=0", "limit.rtol=3e-2", "limit.snapshots=[]"];
    let record = solve(ATOMS, &law, folder.path()).unwrap();
    assert!(record.outcome == "reached" && record.replicates >= 8, "{record:?}");
    assert!(record.risk.particle[10] > record.risk.particle[0]);
    let bad = ["init.scale=1e80", "init.law=normal", "model.kernel=linear", "limit.snapshots=[]"];
    let ended = solve(ATOMS, &bad, folder.path()).unwrap();
    assert_eq!((ended.outcome.as_str(), ended.ended, ended.taus.len()), ("diverged", Some(0.0), 0));
    let dir = RunDir::open(&ended.dir).unwrap();
    assert!(std::fs::read_to_string(limit_report::write(&dir).unwrap()).unwrap().contains("diverged"));
}

#[test]
fn a_stopped_limit_is_kept_but_solved_again() {
    let folder = tempfile::tempdir().unwrap();
    let law = ["init.atoms=0", "limit.rtol=1e-2", "limit.snapshots=[]"];
    let none = stopped_at(ATOMS, &law, folder.path(), "pilot").unwrap_err().to_string();
    assert!(none.contains("stopped before it had a curve"), "{none}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let atoms = ["limit.rtol=1e-9", "init.scale=2.0"];
    let part = stopped_at(ATOMS, &atoms, folder.path(), "4 depth steps").unwrap();
    assert!(part.outcome == "stopped" && part.advice.contains("same command") && part.witness.is_none(), "{part:?}");
    let dir = RunDir::open(&part.dir).unwrap();
    assert_eq!(dir.manifest().unwrap().outcome.unwrap().kind, "stopped");
    assert!(std::fs::read_to_string(dir.report()).unwrap().contains("solves it again"));
    let whole = solve(ATOMS, &atoms, folder.path()).unwrap();
    assert!(whole.dir == part.dir && whole.outcome == "reached" && whole.error < part.error, "{whole:?}");
    assert_eq!(dir.manifest().unwrap().outcome.unwrap().kind, "reached");
    assert_eq!(metrics::read(dir.metrics()).unwrap().column("risk").unwrap(), whole.risk.value);
    let inside = |i: usize| (part.risk.value[i] - whole.risk.value[i]).abs() <= part.risk.total(i) + 1e-15;
    assert!((0..11).all(inside), "{:?} {:?}", part.risk, whole.risk);
    let again = stopped_at(ATOMS, &atoms, folder.path(), "steps").unwrap();
    assert_eq!(again.outcome, "reached", "what was reached is found");
}

#[test]
fn a_limit_of_files_that_have_changed_is_not_taken_for_that_of_the_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("particles.csv");
    let write = |shift: f64| {
        let row =
            |k: usize| (0..40).map(|i| format!("{}", 0.3 * ((7 * i + 3 * k) as f64).sin() + shift)).collect::<Vec<_>>();
        std::fs::write(&file, (0..3).map(|k| row(k).join(",") + "\n").collect::<String>()).unwrap();
    };
    let text = ATOMS.replace("law = \"truncated\"\nscale = 0.5\natoms = 4\nsymmetric = true\n", "");
    let set = format!("init.particles={:?}", file.display().to_string());
    let solved = || solve(&text, &[&set, "limit.rtol=1e-4"], &folder.path().join("out"));
    write(0.0);
    let (first, again) = (solved().unwrap(), solved().unwrap());
    assert_eq!((first.found, again.found, first.risk.clone()), (false, true, again.risk));
    write(0.1);
    let e = solved().unwrap_err().to_string();
    assert!(e.contains("changed") && e.contains("Delete the folder"), "{e}");
    std::fs::remove_dir_all(&first.dir).unwrap();
    assert_ne!(solved().unwrap().risk.value, first.risk.value);
}

#[test]
fn what_is_not_known_survives_a_file_of_json() {
    let none = vec![0.0; 2];
    let bias = vec![f64::INFINITY, 0.5];
    let band = Band { value: vec![f64::NAN, 2.0], particle: none.clone(), bias, depth: none.clone(), time: none };
    let read: Band = serde_json::from_str(&serde_json::to_string(&band).unwrap()).unwrap();
    assert!(read.value[0].is_nan() && read.value[1] == 2.0 && read.bias == band.bias && read.depth == band.depth);
}

#[test]
fn what_cannot_be_solved_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (set, words) in [
        ("dynamics.precision=f32", "f64"),
        ("dynamics.kind=descent", "flow"),
        ("model.parametrisation=sp", "mean_field"),
        ("model.norm=layer", "model.norm = layer"),
        ("model.bias=true", "model.bias = true"),
        ("limit.rtol=1e-10", "1e-9"),
        ("limit.method=rqmc", "init.atoms"),
        ("limit.taus=[1.0, 0.5]", "ascending"),
        ("init.atoms=3", "even"),
        ("init.scale=-1.0", "init.scale"),
    ] {
        let e = solve(ATOMS, &[set], folder.path()).unwrap_err().to_string();
        assert!(e.contains(words), "{set}: {e}");
    }
    let e = solve(ATOMS, &["init.atoms=0", "init.law=fan_in"], folder.path()).unwrap_err().to_string();
    assert!(e.contains("fan_in") && e.contains("\"normal\""), "{e}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
