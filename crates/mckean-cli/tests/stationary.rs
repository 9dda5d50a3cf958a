//! `mckean stationary`: tables, one summary line, JSON, a killed call that goes on, bad input.
//!
//! Maths: none.
//! Shapes: a small network.
//! Cost: seconds.
//! Checked: this is a test.

mod common;

use common::{call, mckean, texts};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const CONFIG: &str = "name = \"small\"\n[data]\nname = \"in_context\"\nx_dim = 1\ncontext = 2\ntrain = 4\nseed = 7\nconstant = false\n[model]\ndepth = 2\nheads = 5\nneurons = 5\nreadout_row = 1\n[init]\nscale = 2.0\n";
const GRID: [&str; 6] = ["stationary", "a.toml", "--lambdas", "3e-2,1e-2", "--seeds", "2"];

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), CONFIG).unwrap();
    folder
}

/// Files of networks that ended, below `out`.
fn ends(out: &Path) -> Vec<PathBuf> {
    let dirs = fs::read_dir(out).into_iter().flatten().flatten().map(|d| d.path().join("analysis"));
    let files = dirs.flat_map(|d| fs::read_dir(d).into_iter().flatten().flatten()).map(|f| f.path());
    let own = |f: &PathBuf| f.file_name().is_some_and(|n| n.to_string_lossy().starts_with("lambda"));
    files.filter(own).collect()
}

#[test]
fn a_budget_stops_and_the_same_command_goes_on_to_one_line_or_one_object() {
    let folder = folder();
    let short = call(folder.path(), &[&GRID[..], &["--budget", "1e-9"]].concat());
    let (out, err) = texts(&short);
    assert_eq!(short.status.code(), Some(1), "{out}{err}");
    assert!(out.contains("networks are missing: the same command goes on"), "{out}");
    assert!(out.lines().last().unwrap().contains("not measured yet: 0 of 4 networks"), "{out}");
    let whole = call(folder.path(), &GRID);
    let (out, err) = texts(&whole);
    assert_eq!(whole.status.code(), Some(0), "{err}");
    let last = out.lines().last().unwrap();
    assert!(last.starts_with("R ~ lambda^") && last.contains("4 of 4 networks, 4 new"), "{out}");
    for word in ["least C_2", "gap/Q", "lambda_min(K)", "at least 1, as promised"] {
        assert!(out.contains(word), "{word}: {out}");
    }
    let json = texts(&call(folder.path(), &[&["--json"], &GRID[..]].concat())).0;
    let record: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((record["asked"].as_u64(), record["ends"].as_array().unwrap().len()), (Some(4), 4));
    let file = Path::new(record["dir"].as_str().unwrap()).join("analysis/stationary.json");
    let file = fs::read_to_string(folder.path().join(file)).unwrap();
    assert_eq!(record, serde_json::from_str::<serde_json::Value>(&file).unwrap());
    let again = texts(&call(folder.path(), &["report", record["dir"].as_str().unwrap()])).0;
    assert!(again.contains("report.html"), "{again}");
}

#[test]
fn three_widths_have_a_floor() {
    let folder = folder();
    let grid = ["stationary", "a.toml", "--lambdas", "3e-2", "--widths", "2,4,6", "--seeds", "1"];
    let (out, err) = texts(&call(folder.path(), &grid));
    for word in ["error left out", "1/L + sqrt(log(L+1)/M)", "one seed: no interval", "predicts sizes left out best"] {
        assert!(out.contains(word), "{word}: {out}{err}");
    }
}

#[test]
fn a_killed_call_goes_on_to_the_same_ends() {
    let folder = folder();
    let grid = |out| [&GRID[..], &["--set", "stationary.residual=1e-5", "--out", out]].concat();
    assert_eq!(call(folder.path(), &grid("whole")).status.code(), Some(0));
    let mut child = mckean(folder.path(), &grid("killed")).spawn().unwrap();
    let begun = Instant::now();
    while ends(&folder.path().join("killed")).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "no networks after a minute");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(ends(&folder.path().join("killed")).len() < 4, "killed before its end");
    let (out, err) = texts(&call(folder.path(), &grid("killed")));
    assert!(out.contains("4 of 4 networks") && !out.contains("4 new"), "{out}{err}");
    let texts = |out: &str| {
        let mut all: Vec<String> =
            ends(&folder.path().join(out)).iter().map(|f| fs::read_to_string(f).unwrap()).collect();
        all.sort();
        all
    };
    assert!(texts("killed") == texts("whole"));
}

#[test]
fn bad_options_are_refused_with_status_2() {
    let folder = folder();
    for (options, words) in [
        (["--lambdas", "0"], "without weight decay"),
        (["--lambdas", "1e-3,1e-2"], "stationary.lambdas"),
        (["--lambdas", "small"], "--lambdas"),
        (["--widths", "8,4"], "ascending"),
        (["--seeds", "0"], "stationary.seeds"),
        (["--budget", "soon"], "60s, 5m or 90"),
        (["--set", "stationary.lamdas=[1.0]"], "stationary.lambdas"),
        (["--set", "dynamics.kind=descent"], "flow"),
    ] {
        let output = call(folder.path(), &[&["stationary", "a.toml"], &options[..]].concat());
        let (_, err) = texts(&output);
        assert!(output.status.code() == Some(2) && err.contains(words), "{options:?}: {err}");
    }
    assert!(!folder.path().join("runs").exists());
}
