//! `mckean rates`: tables, one summary line, JSON, a budget that stops and a call that goes on, bad input.
//!
//! Maths: none.
//! Shapes: a small config of atoms.
//! Cost: seconds.
//! Checked: this is a test.

mod common;

use common::{call, mckean, texts};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

const CONFIG: &str = r#"
name = "small"
[data]
name = "in_context"
x_dim = 2
context = 3
train = 6
[model]
readout_row = 2
[init]
law = "box"
scale = 0.4
atoms = 3
[dynamics]
weight_decay = 1e-3
[limit]
taus = [0.5, 1.0]
rtol = 1e-6
"#;

const GRID: [&str; 8] = ["rates", "a.toml", "--widths", "16,256,4096", "--depths", "4,8,16", "--seeds", "6"];

#[test]
fn a_budget_stops_and_the_same_command_goes_on_to_one_line_or_one_object() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), CONFIG).unwrap();
    let short = call(folder.path(), &[&GRID[..], &["--budget", "1e-9"]].concat());
    let (out, err) = texts(&short);
    assert_eq!(short.status.code(), Some(1), "{out}{err}");
    assert!(out.contains("none of 59 networks is there yet: the same command goes on"), "{out}");
    assert!(out.lines().last().unwrap().contains("not measured yet: 0 of 59 networks"), "{out}");
    let whole = call(folder.path(), &GRID);
    let (out, err) = texts(&whole);
    assert_eq!(whole.status.code(), Some(0), "{err}");
    let last = out.lines().last().unwrap();
    assert!(last.starts_with("output gap ~ M^-0.") && last.contains("59 of 59 networks, 59 new"), "{out}");
    for word in ["noise in M (-1/2)", "objective Q", "law that predicts best", "above the floor"] {
        assert!(out.contains(word), "{word}: {out}");
    }
    let json = texts(&call(folder.path(), &[&["--json"], &GRID[..]].concat())).0;
    let record: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((record["there"].as_u64(), record["found"][0]["quantity"].as_str()), (Some(59), Some("output")));
    let slope = &record["found"][0]["width"]["measured"];
    assert!(slope["low"].as_f64().unwrap() < -0.4 && slope["high"].as_f64().unwrap() > -0.6, "{slope}");
    let again = texts(&call(folder.path(), &["report", record["dir"].as_str().unwrap()])).0;
    assert!(again.contains("report.html"), "{again}");
}

/// The text of `cells.jsonl` of the only rates in `out`.
fn cells(out: &Path) -> String {
    let dirs = fs::read_dir(out).into_iter().flatten().flatten().map(|d| d.path());
    let file = dirs.map(|d| d.join("cells.jsonl")).find(|f| f.exists());
    file.map_or(String::new(), |f| fs::read_to_string(f).unwrap())
}

#[test]
fn a_killed_call_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), CONFIG).unwrap();
    let grid = |out| ["rates", "a.toml", "--widths", "16,256", "--depths", "8,16", "--seeds", "120", "--out", out];
    assert_eq!(call(folder.path(), &grid("whole")).status.code(), Some(0));
    let mut child = mckean(folder.path(), &grid("killed")).spawn().unwrap();
    let begun = Instant::now();
    while cells(&folder.path().join("killed")).lines().count() < 20 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no networks after a minute");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let (killed, whole) = (cells(&folder.path().join("killed")), cells(&folder.path().join("whole")));
    assert!(killed.lines().count() < whole.lines().count(), "killed before its end");
    let (out, err) = texts(&call(folder.path(), &grid("killed")));
    assert!(out.contains("483 of 483 networks") && !out.contains("483 new"), "{out}{err}");
    assert!(cells(&folder.path().join("killed")) == whole);
}

#[test]
fn bad_options_are_refused_with_status_2() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), CONFIG).unwrap();
    for (options, words) in [
        (["--widths", "64"], "rates.widths"),
        (["--widths", "64,wide"], "--widths"),
        (["--depths", "8,4"], "ascending"),
        (["--seeds", "1"], "rates.seeds"),
        (["--budget", "soon"], "60s, 5m or 90"),
        (["--set", "rates.widhts=[1,2]"], "rates.widths"),
        (["--set", "dynamics.precision=f32"], "f64"),
    ] {
        let output = call(folder.path(), &[&["rates", "a.toml"], &options[..]].concat());
        let (out, err) = texts(&output);
        assert_eq!((output.status.code(), out.as_str()), (Some(2), ""), "{options:?}: {err}");
        assert!(err.contains(words), "{options:?}: {err}");
    }
    assert!(!folder.path().join("runs").exists());
}
