//! Certificates of configs and runs: what they say, where they are written, what they refuse.

#[allow(dead_code)]
mod common;

use common::{FLOW, config, run};
use mckean::certify::{self, Certificate};
use mckean_analysis::Verdict;
use mckean_num::par::Par;
use mckean_report::RunDir;
use std::fs;

fn rate<'a>(c: &'a Certificate, name: &str) -> &'a certify::Rate {
    c.rates.iter().find(|r| r.name == name).unwrap_or_else(|| panic!("{name} in {c:#?}"))
}

fn verdict(c: &Certificate, name: &str) -> Verdict {
    let all = c.assumptions.iter().chain(&c.conditions);
    all.clone().find(|x| x.name == name).unwrap_or_else(|| panic!("{name} in {c:#?}")).verdict
}

#[test]
fn a_run_gets_three_tables_in_its_folder_and_on_its_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = run(&config(FLOW, &[]), folder.path()).unwrap().dir;
    let found = certify::of_run(&path, &Par::serial()).unwrap();
    let dir = RunDir::open(&path).unwrap();
    assert_eq!(certify::read(&dir).unwrap(), Some(found.clone()));
    let page = fs::read_to_string(dir.report()).unwrap();
    for words in ["Certificates", "A2 (ii) f", "(a) radius", "decay rate of R at the end"] {
        assert!(page.contains(words), "{words}");
    }
    assert_eq!((found.tau, found.samples), (2.0, (24, 24)));
    assert!(page.contains("Optimality gap over depth") && found.depths.len() == 4);
    for (d, k) in found.depths.iter().zip(0..) {
        let [low, p, high] = d.adjoint.unwrap();
        assert!(d.t == f64::from(k) / 4.0 && d.heads == (k % 2 == 0) && low <= p && p <= high && d.gap.unwrap() >= 0.0);
    }
    for name in ["decay rate of R at tau = 0", "decay rate of R at the end", "mean |beta|^2 at the end"] {
        let r = rate(&found, name);
        assert_eq!(r.verdict, Verdict::Holds, "{r:?}");
    }
    let end = rate(&found, "decay rate of R at the end");
    assert!((end.predicted.unwrap() / end.measured.unwrap() - 1.0).abs() < 1e-3, "{end:?}");
    assert_eq!(verdict(&found, "A4 (ii) as stated, h"), Verdict::Fails);
    assert_eq!(verdict(&found, "at rest"), Verdict::Fails);
    assert!(found.sheets().iter().all(|s| s.rows.iter().all(|r| r.0.len() == s.header.len())));
    // again: the same numbers, and the page keeps its section when it is rebuilt
    assert_eq!(certify::of_run(&path, &Par::new(2)).unwrap(), found);
}

#[test]
fn without_weight_decay_the_kernel_bounds_the_decay_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let c = config(
        FLOW,
        &["dynamics.weight_decay=0.0", "data.train=4", "data.test=0", "model.heads=16", "model.neurons=16"],
    );
    let found = certify::of_run(&run(&c, folder.path()).unwrap().dir, &Par::serial()).unwrap();
    let r = rate(&found, "decay rate of R over the run");
    assert!(r.verdict == Verdict::Holds && 0.0 < r.predicted.unwrap() && r.predicted < r.measured, "{r:?}");
    assert_eq!(verdict(&found, "weight decay"), Verdict::Fails);
    assert_eq!(rate(&found, "mean |beta|^2 at the end").verdict, Verdict::NotTestable);
}

#[test]
fn a_config_is_looked_at_where_it_starts() {
    let found = certify::of_config(&config(FLOW, &[]), "small.toml", &Par::serial()).unwrap();
    assert_eq!((found.tau, found.rates.len()), (0.0, 2));
    let step = rate(&found, "largest stable step");
    assert_eq!(step.verdict, Verdict::NotTestable, "residuals are not small at the start: {step:?}");
    assert_eq!(verdict(&found, "(a) radius"), Verdict::NotTestable);
    assert_eq!(verdict(&found, "A3 (iii) h"), Verdict::Holds);
    let relu = certify::of_config(&config(FLOW, &["model.activation=relu"]), "small.toml", &Par::serial()).unwrap();
    assert_eq!(verdict(&relu, "A3 (iii) h"), Verdict::Fails);
    assert_eq!((verdict(&relu, "A3 (iii) f"), verdict(&found, "A3 (iii) f")), (Verdict::Holds, Verdict::Holds));
    let kernel = certify::of_config(&config(FLOW, &["model.kernel=relu"]), "small.toml", &Par::serial()).unwrap();
    assert_eq!((verdict(&kernel, "A3 (iii) f"), verdict(&kernel, "A3 (iii) h")), (Verdict::Fails, Verdict::Holds));
}

#[test]
fn a_start_whose_states_are_not_finite_is_not_testable() {
    let huge = certify::of_config(&config(FLOW, &["init.scale=1e60"]), "huge.toml", &Par::serial()).unwrap();
    for name in ["A3 (iii) h", "A4 (ii) on the data, h", "adjoint bounds (F.7)", "tangent kernel", "at rest"] {
        assert_eq!(verdict(&huge, name), Verdict::NotTestable, "{name}");
    }
    assert!(huge.rates.iter().all(|r| r.verdict == Verdict::NotTestable), "{:#?}", huge.rates);
}

#[test]
fn what_cannot_be_certified_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let text = |path: &std::path::Path| certify::of_run(path, &Par::serial()).unwrap_err().to_string();
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    assert!(text(folder.path()).contains("not a run directory"), "{}", text(folder.path()));
    let out = tempfile::tempdir().unwrap();
    let path = run(&config(FLOW, &[]), out.path()).unwrap().dir;
    let dir = RunDir::open(&path).unwrap();
    let mut manifest = dir.manifest().unwrap();
    manifest.outcome = None;
    dir.write_manifest(&manifest).unwrap();
    assert!(text(&path).contains("unfinished run"), "{}", text(&path));
    assert!(certify::read(&dir).unwrap().is_none());
    let practical = config(FLOW, &["model.norm=layer"]);
    let refused = certify::of_config(&practical, "small.toml", &Par::serial()).unwrap_err().to_string();
    assert!(refused.contains("model.norm"), "{refused}");
}
