//! `mckean::gap`: parts of the gap, forecasts against networks of those sizes, the networks that `mckean run` trains, growth, refusals.
//!
//! Maths: noise (M L)^-1/2, bias 1/L.
//! Shapes: networks of four atoms, M up to 256, L up to 8.
//! Cost: seconds.
//! Checked: this is a test.

mod atoms;

use atoms::ATOMS;
use mckean::gap::{self, Record};
use mckean::rates::{Options, Progress, Quantity};
use mckean::{Config, Error, gap_report};
use mckean_num::par::Par;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn config(sets: &[&str]) -> Config {
    let sets: Vec<String> = sets.iter().map(|s| s.to_string()).collect();
    Config::parse(ATOMS, "test", &sets).unwrap()
}

fn size(m: usize, l: usize, seeds: usize) -> Config {
    config(&[
        &format!("model.heads={m}"),
        &format!("model.neurons={m}"),
        &format!("model.depth={l}"),
        &format!("gap.seeds={seeds}"),
    ])
}

/// Runs; returns the record and how many networks were missing. Stops after `most` of them.
fn run(config: &Config, out: &Path, most: usize) -> Result<(Record, usize), Error> {
    let (stop, done, begun) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0), AtomicUsize::new(0));
    let progress = |p: Progress<'_>| match p {
        Progress::Begin(n) => begun.store(n, Ordering::Relaxed),
        Progress::Done(_) => stop.store(done.fetch_add(1, Ordering::Relaxed) + 1 >= most, Ordering::Relaxed),
        _ => {}
    };
    let options = Options { out, jobs: 1, command: "mckean gap", source: ATOMS, stop: &stop, progress: &progress };
    Ok((gap::run(config, &options)?, begun.into_inner()))
}

fn limits(out: &Path) -> usize {
    fs::read_dir(out).unwrap().filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().contains("-limit-")).count()
}

#[test]
fn larger_networks_do_what_was_foretold() {
    let folder = tempfile::tempdir().unwrap();
    let (small, _) = run(&size(64, 4, 40), folder.path(), usize::MAX).unwrap();
    assert_eq!((small.width, small.depth, small.there, small.asked), (64, 4, 41, 41));
    for (wider, deeper) in [(2, 1), (1, 2), (2, 2)] {
        let (large, _) = run(&size(64 * wider, 4 * deeper, 40), folder.path(), usize::MAX).unwrap();
        let of = |f: &&gap::Forecast| f.size == gap::Size { width: Some(64 * wider), depth: 4 * deeper };
        let told = small.forecasts.iter().find(of).unwrap();
        for q in [Quantity::Output, Quantity::Risk, Quantity::Objective, Quantity::ParticlesRms] {
            let own = large.parts.iter().find(|p| p.quantity == q).unwrap();
            let (gap, wide) = (own.gap.unwrap(), 1.0 + own.gap.unwrap().relative);
            let (low, high) = (gap.rms / wide, gap.rms * wide);
            let g = told.gaps.iter().find(|g| g.quantity == q).unwrap();
            assert!(g.low < high && low < g.high, "{q:?}: {g:?}, measured {gap:?}");
            assert!((g.value / gap.rms - 1.0).abs() < 0.3, "{q:?}: {g:?}, measured {gap:?}");
        }
        let part = |r: &Record| r.parts[0].share().unwrap();
        assert!((0.02..0.98).contains(&part(&small)), "both parts count here: {}", part(&small));
        if (wider, deeper) == (2, 1) {
            assert!(part(&large) < part(&small), "a wider network has less noise");
        }
    }
    assert_eq!(limits(folder.path()), 1, "networks of all sizes have one limit");
    let output = &small.parts[0];
    let c = output.gap.unwrap().rms / (1.0 / 4.0 + (5f64.ln() / 64.0).sqrt());
    assert!((output.constant.unwrap() - c).abs() < 1e-15);
    let page = fs::read_to_string(small.dir.join("report.html")).unwrap();
    for words in [
        "Gap over training",
        "wider only",
        "draws alone to the law",
        "of the square is noise",
        "of what the limit has at tau = 1",
    ] {
        assert!(page.contains(words), "{words}");
    }
    let dir = mckean_report::RunDir::open(&small.dir).unwrap();
    fs::remove_file(dir.report()).unwrap();
    mckean::report::write_run(&dir).unwrap();
    assert_eq!(fs::read_to_string(dir.report()).unwrap(), page, "the page is rebuilt as it was");
}

#[test]
fn its_networks_are_those_that_run_trains() {
    let folder = tempfile::tempdir().unwrap();
    let own = |atoms: &'static str| {
        let tight =
            ["dynamics.integrator=\"adaptive\"", "dynamics.rtol=1e-9", "dynamics.atol=1e-11", "observe.every=0.5"];
        let sets =
            ["model.heads=6", "model.neurons=6", "model.depth=2", "gap.seeds=2", "limit.rtol=0.05", "gap.wide=2"];
        config(&[&sets[..], &tight, &["gap.tolerance=1e-7", atoms]].concat())
    };
    for atoms in ["init.atoms=4", "init.atoms=0"] {
        let (r, _) = run(&own(atoms), folder.path(), usize::MAX).unwrap();
        for (seed, risk) in [1, 2].into_iter().zip(&r.networks) {
            let config = Config { seed, ..own(atoms).without_sweep() };
            let options = mckean::experiment::Options { out: folder.path().join("runs"), ..Default::default() };
            let s = mckean::run(&config, &Par::serial(), &options, &mut |_| {}).unwrap();
            assert!((risk[1] / s.risk - 1.0).abs() < 1e-5, "{atoms}, seed {seed}: {} and {}", risk[1], s.risk);
        }
        assert!((r.networks[0][1] / r.networks[1][1] - 1.0).abs() > 1e-4, "seeds differ");
        assert!(r.parts.iter().any(|p| p.quantity == Quantity::ParticlesRms && p.gap.is_some()), "{:?}", r.parts);
    }
}

#[test]
fn an_interrupted_comparison_goes_on_and_a_grown_one_repeats_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("1"), folder.path().join("2"));
    let (whole, begun) = run(&size(64, 2, 4), &one, usize::MAX).unwrap();
    assert_eq!((begun, whole.there), (5, 5));
    let (part, _) = run(&size(64, 2, 4), &two, 2).unwrap();
    assert_eq!((part.there, part.asked), (2, 5));
    assert!(gap_report::remarks(&part).join("\n").contains("2 of 5 networks are there"), "{part:?}");
    assert!(part.forecasts.is_empty() && part.parts.iter().all(|p| p.gap.is_none()));
    run(&size(64, 2, 4), &two, usize::MAX).unwrap();
    for file in ["cells.jsonl", "analysis/gap.json"] {
        let text = |out: &Path| {
            let name = whole.dir.file_name().unwrap();
            fs::read_to_string(out.join(name).join(file)).unwrap().replace(out.to_str().unwrap(), "")
        };
        assert_eq!(text(&one), text(&two), "{file}");
    }
    let (grown, begun) = run(&size(64, 2, 6), &two, usize::MAX).unwrap();
    assert_eq!((grown.there, begun), (7, 2 + 1), "two new ones, and the wide one again");
    let (fewer, begun) = run(&size(64, 2, 4), &two, usize::MAX).unwrap();
    assert_eq!((fewer.there, begun, fewer.parts.len()), (5, 0, whole.parts.len()));
}

#[test]
fn what_cannot_be_compared_is_refused_before_anything_is() {
    let folder = tempfile::tempdir().unwrap();
    for (sets, words) in [
        (&["model.heads=3"][..], "model.neurons = 16"),
        (&["model.depth=400000000"], "depth"),
        (&["gap.seeds=1"], "gap.seeds = 1"),
        (&["gap.wide=3"], "gap.wide"),
        (&["gap.tolerance=0.5"], "gap.tolerance"),
        (&["gap.budget=0.0"], "gap.budget"),
        (&["dynamics.kind=descent"], "flow"),
        (&["model.norm=layer"], "norms"),
        (&["init.atoms=0", "model.heads=10000000", "model.neurons=10000000", "model.depth=100"], "model.heads"),
    ] {
        let e = run(&config(sets), folder.path(), usize::MAX).unwrap_err().to_string();
        assert!(e.contains(words), "{sets:?}: {e}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
