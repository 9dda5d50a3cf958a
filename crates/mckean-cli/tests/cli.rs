//! The verbs as a user meets them: help, templates, check, run, sweep, report, cite, data, pipes.
//!
//! Maths: none.
//! Shapes: text or one JSON object on standard output, progress and errors on standard error.
//! Cost: about four seconds.
//! Checked: this is a test.

mod common;

use common::{call, mckean, texts};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// An in-context flow of 11 observations; takes some milliseconds.
const FLOW: &str = r#"
name = "flow"
[data]
name = "in_context"
x_dim = 2
context = 3
train = 16
seed = 3
[model]
depth = 2
heads = 3
neurons = 4
activation = "gelu"
readout_row = 2
[dynamics]
step = 0.1
until = 2.0
weight_decay = 1e-3
[observe]
every = 0.2
"#;

/// Four cells of two seeds; a cell takes some milliseconds.
const GRID: &str = "[sweep]\nseeds = 2\n[sweep.grid]\n\"model.heads\" = [1, 2]\n\"model.kernel\" = [\"softmax\", \"normalised_gaussian\"]\n";

/// Standard output of a call that succeeds and says nothing on standard error.
fn said(at: &Path, args: &[&str]) -> String {
    let output = call(at, args);
    let (out, err) = texts(&output);
    assert_eq!((output.status.code(), err.as_str()), (Some(0), ""), "{args:?}: {out}");
    out
}

fn json(at: &Path, args: &[&str]) -> Value {
    let text = said(at, args);
    assert_eq!(text.trim_end().lines().count(), 1, "one line: {text}");
    serde_json::from_str(&text).unwrap()
}

fn folder_with(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), text).unwrap();
    folder
}

/// Every file below `folder` with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => drop(all.insert(path.display().to_string(), fs::read(&path).unwrap())),
        }
    }
    all
}

#[test]
fn help_names_every_verb_and_the_exit_statuses() {
    let folder = tempfile::tempdir().unwrap();
    let help = said(folder.path(), &["--help"]);
    for verb in ["new", "check", "run", "sweep", "report", "verify", "reproduce", "cite", "data"] {
        assert!(help.lines().any(|l| l.trim_start().starts_with(&format!("{verb} "))), "{verb} is missing: {help}");
        assert!(said(folder.path(), &[verb, "--help"]).contains("Usage: mckean"));
    }
    assert!(help.contains("Exit status: 0 done, 1 failed, stopped or a flow that ended early, 2 bad input"));
    assert_eq!(said(folder.path(), &["--version"]), format!("mckean {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn printed_configs_are_accepted_by_check() {
    let folder = tempfile::tempdir().unwrap();
    let list = said(folder.path(), &["new", "--list"]);
    let names: Vec<&str> = list.lines().map(|l| l.split_whitespace().next().unwrap()).collect();
    assert!(names.contains(&"first") && names.len() >= 5);
    for name in [&["first"][..], &["digits_vit"], &["sweep_width"]] {
        let text = said(folder.path(), &[&["new"], name].concat());
        fs::write(folder.path().join("new.toml"), text).unwrap();
        let checked = said(folder.path(), &["check", "new.toml", "--set", "data.train=32"]);
        assert!(
            checked.contains("new.toml")
                && checked.contains("valid")
                && checked.contains(&format!("runs/{}-", name[0]))
        );
    }
    let text = said(folder.path(), &["new"]); // every key at its default
    assert!(text.contains("[dynamics]") && text.contains("# Number of blocks L"));
    fs::write(folder.path().join("new.toml"), text).unwrap();
    said(folder.path(), &["check", "new.toml", "--set", "data.train=32"]);
    assert!(said(folder.path(), &["new", "--markdown"]).starts_with("# Configuration keys"));
}

#[test]
fn check_says_what_a_run_costs_and_leaves_nothing() {
    let folder = folder_with(FLOW);
    let text = said(folder.path(), &["check", "a.toml"]);
    for word in ["parameters  ", "FLOP", "MB", "stable", "gradients, about", "16 training"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(!text.contains("warning"));
    let long = said(folder.path(), &["check", "a.toml", "--set", "dynamics.step=500", "--set", "observe.every=0"]);
    assert!(long.contains("warning") && long.contains("dynamics.step = 500"), "{long}");
    let gd = |rate: &str| {
        said(
            folder.path(),
            &["check", "a.toml", "--set", "dynamics.kind=descent", "--set", "dynamics.optimizer=gd", "--set", rate],
        )
    };
    let fast = gd("dynamics.learning_rate=500");
    assert!(fast.contains("warning") && fast.contains("dynamics.learning_rate = 500 exceeds"), "{fast}");
    assert!(!gd("dynamics.learning_rate=0.1").contains("warning"));
    let cost = json(folder.path(), &["check", "a.toml", "--json"]);
    let number = |key: &str| cost[key].as_f64().unwrap_or_else(|| panic!("{key}: {cost}"));
    let heads_and_neurons = 2 * (3 * 2 * 25 + 4 * 2 * 5); // blocks, (V, W) of 5 x 5, two vectors of 5
    assert_eq!(number("parameters"), f64::from(heads_and_neurons));
    assert_eq!((number("parameter_bytes"), number("train_samples")), (8.0 * number("parameters"), 16.0));
    assert_eq!(number("gradients"), 40.0, "20 Heun steps");
    for key in ["gradient_flops", "gradient_seconds", "run_seconds", "stable_step"] {
        assert!(number(key) > 0.0, "{key}: {cost}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn run_prints_a_summary_line_or_one_json_object() {
    let folder = folder_with(FLOW);
    let text = said(folder.path(), &["run", "a.toml"]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("report: runs/flow-") && lines[0].ends_with("/report.html"), "{text}");
    assert!(lines[1].starts_with("finished at 2.0000: risk ") && lines.len() == 2, "{text}");
    assert!(folder.path().join(lines[0].trim_start_matches("report: ")).exists());
    let out = folder.path().join("with space/and more");
    let summary = json(folder.path(), &["run", "a.toml", "--json", "--out", out.to_str().unwrap()]);
    assert_eq!((summary["outcome"].as_str(), summary["already_finished"].as_bool()), (Some("finished"), Some(false)));
    let (dir, risk) = (Path::new(summary["dir"].as_str().unwrap()), summary["risk"].as_f64().unwrap());
    assert!(dir.starts_with(&out) && dir.join("manifest.json").exists());
    assert!(risk < summary["initial_risk"].as_f64().unwrap());
    let again = json(folder.path(), &["run", "a.toml", "--json", "--out", out.to_str().unwrap()]);
    assert_eq!((again["already_finished"].as_bool(), again["risk"].as_f64()), (Some(true), Some(risk)));
    assert!(said(folder.path(), &["run", "a.toml"]).starts_with("already finished; nothing was run"));
    let sets = ["run", "a.toml", "--json", "--set", "seed=2", "--set", "seed=3"]; // the last one counts
    let three = json(folder.path(), &sets);
    let manifest =
        fs::read_to_string(folder.path().join(three["dir"].as_str().unwrap()).join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["seed"], 3);
    assert!(manifest["command"].as_str().unwrap().ends_with("--set seed=2 --set seed=3"));
    let diverged = ["--set", "dynamics.step=1e3", "--set", "dynamics.until=3e4", "--set", "observe.every=1e3"];
    let output = call(folder.path(), &[&["run", "a.toml"][..], &diverged].concat());
    let text = texts(&output).0;
    assert_eq!(output.status.code(), Some(1), "a flow that ended early: {text}");
    assert!(text.contains("Halve dynamics.step") && text.contains("\ndiverged at "), "{text}");
}

/// Name of the only folder in `out`.
fn only(out: &Path) -> std::path::PathBuf {
    let all: Vec<_> = fs::read_dir(out).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

#[test]
fn a_sweep_runs_its_grid_once() {
    let folder = folder_with(&format!("{FLOW}{GRID}"));
    let text = said(folder.path(), &["sweep", "a.toml", "--jobs", "2"]);
    assert!(text.lines().last().unwrap().starts_with("8 of 8 runs finished; table in runs/"), "{text}");
    let dir = only(&folder.path().join("runs"));
    let before = files(&dir);
    assert_eq!(before.keys().filter(|f| f.ends_with("manifest.json")).count(), 8);
    let csv = fs::read_to_string(dir.join("sweep.csv")).unwrap();
    let kernels = ["softmax", "normalised_gaussian"];
    let cells = [1, 2].into_iter().flat_map(|heads| kernels.map(|k| format!("\"heads={heads}, kernel={k}\",2,0,")));
    assert_eq!(csv.lines().count(), 5);
    assert!(csv.lines().skip(1).zip(cells).all(|(row, start)| row.starts_with(&start)), "{csv}");
    let again = said(folder.path(), &["sweep", "a.toml"]);
    assert_eq!(again, text);
    let json = json(folder.path(), &["sweep", "a.toml", "--json"]);
    let groups = json.as_array().unwrap();
    assert!(groups.len() == 4 && groups.iter().all(|g| g["runs"].as_array().unwrap().len() == 2));
    assert!(groups.iter().flat_map(|g| g["runs"].as_array().unwrap()).all(|r| r["already_finished"] == true));
    let after = files(&dir);
    assert!(after.keys().eq(before.keys()));
    let written_again = |f: &&String| before[*f] != after[*f];
    let changed: Vec<&str> = after.keys().filter(written_again).map(|f| f.rsplit('/').next().unwrap()).collect();
    assert!(changed.iter().all(|f| ["report.html", "sweep.json"].contains(f)), "{changed:?}");
    assert!(after.keys().filter(|f| f.ends_with("report.html")).count() == 1, "cells have no page of their own");
}

#[test]
fn a_sweep_with_a_failing_cell_finishes_the_others_and_exits_1() {
    let folder = folder_with(&format!("{FLOW}[sweep.grid]\n\"model.heads\" = [2, 3]\n"));
    let sweep = ["sweep", "a.toml", "--json"];
    let runs = json(folder.path(), &sweep);
    let damaged = folder.path().join(runs[1]["runs"][0]["dir"].as_str().unwrap()).join("manifest.json");
    fs::write(damaged, "{}").unwrap();
    for args in [&["sweep", "a.toml"][..], &["report", only(&folder.path().join("runs")).to_str().unwrap()]] {
        let output = call(folder.path(), args);
        let (out, _) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{out}");
        assert!(out.contains("manifest.json is not a manifest") && out.contains("1 of 2 runs finished"), "{out}");
    }
}

#[test]
fn a_killed_sweep_continues() {
    let long = FLOW.replace("until = 2.0", "until = 150.0").replace("every = 0.2", "every = 1.0");
    let folder = folder_with(&format!("{long}{GRID}"));
    let whole = said(folder.path(), &["sweep", "a.toml", "--out", "whole", "--jobs", "1"]);
    let mut child = mckean(folder.path(), &["sweep", "a.toml", "--out", "killed", "--jobs", "1"]);
    let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let finished = |out: &str| -> Vec<(String, Vec<u8>)> {
        let sweep = fs::read_dir(folder.path().join(out)).ok().and_then(|mut d| d.next()).map(|e| e.unwrap().path());
        let cells = sweep.into_iter().flat_map(|d| fs::read_dir(d).unwrap().map(|e| e.unwrap().path()));
        let manifest =
            |dir: std::path::PathBuf| Some((dir.display().to_string(), fs::read(dir.join("manifest.json")).ok()?));
        let ended = |(_, m): &(String, Vec<u8>)| String::from_utf8_lossy(m).contains("\"kind\": \"finished\"");
        cells.filter_map(manifest).filter(ended).collect()
    };
    let begun = Instant::now();
    while finished("killed").len() < 3 {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "it was still running");
    let before = finished("killed");
    assert!((3..8).contains(&before.len()));
    let continued = said(folder.path(), &["sweep", "a.toml", "--out", "killed", "--jobs", "1"]);
    assert_eq!(continued.replace("killed/", "whole/"), whole);
    let csv = |out: &str| fs::read(only(&folder.path().join(out)).join("sweep.csv")).unwrap();
    assert!(csv("killed") == csv("whole"));
    let after = finished("killed");
    assert_eq!(after.len(), 8);
    let touched: Vec<&String> = before.iter().filter(|f| !after.contains(f)).map(|(f, _)| f).collect();
    assert!(touched.is_empty(), "finished cells are left alone, but not {touched:?}");
}

#[test]
fn a_sweep_with_a_cell_that_diverges_says_so_and_exits_1() {
    let folder = folder_with(&format!("{FLOW}{GRID}"));
    let sets = ["--set", "sweep.seeds=1", "--set", "sweep.grid.model.kernel=[\"softmax\", \"linear\"]"];
    let output = call(folder.path(), &[&["sweep", "a.toml"][..], &sets].concat());
    let (out, _) = texts(&output);
    assert_eq!(output.status.code(), Some(1), "{out}");
    assert!(out.contains("ended early: heads=2, kernel=linear: diverged at "), "{out}");
    assert!(out.contains("2 of 4 runs finished") && !out.contains("inf"), "{out}");
}

#[test]
fn run_report_and_cite_understand_sweeps() {
    let folder = folder_with(&format!("{FLOW}{GRID}"));
    let sets = ["--set", "sweep.seeds=1", "--set", "sweep.grid.model.kernel=[\"gaussian\"]"];
    let text = said(folder.path(), &[&["sweep", "a.toml"][..], &sets].concat());
    assert!(text.lines().last().unwrap().starts_with("2 of 2 runs finished"), "{text}");
    let dir = only(&folder.path().join("runs"));
    fs::remove_file(dir.join("report.html")).unwrap();
    let relative = format!("runs/{}", dir.file_name().unwrap().to_str().unwrap());
    assert_eq!(said(folder.path(), &["report", &relative]), text);
    assert!(dir.join("report.html").exists() && said(folder.path(), &["cite", &relative]).contains("{gao2024,"));
    let checked = said(folder.path(), &["check", "a.toml"]);
    assert!(checked.contains("sweep       8 runs") && checked.contains(&relative), "{checked}");
    let alone = said(folder.path(), &["run", "a.toml"]);
    assert!(alone.starts_with("note: [sweep] asks for 8 runs"), "{alone}");
}

/// Ctrl-C ends a run at its next observation, and it can go on.
#[cfg(unix)]
#[test]
fn an_interrupted_run_says_so_and_resumes() {
    let long = FLOW.replace("until = 2.0", "until = 20000.0").replace("every = 0.2", "every = 1.0");
    let folder = folder_with(&long);
    let child =
        mckean(folder.path(), &["run", "a.toml"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let metrics =
        || fs::read_dir(folder.path().join("runs")).ok()?.next()?.ok().map(|e| e.path().join("metrics.jsonl"));
    let begun = Instant::now();
    while metrics().and_then(|m| fs::read(m).ok()).is_none_or(|m| m.len() < 2000) {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let output = child.wait_with_output().unwrap();
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(1), "{out}{err}");
    assert!(err.contains("stopping at the next observation"), "{err}");
    assert!(out.contains("--resume") && out.contains("\nstopped at "), "{out}");
    let resume = ["run", "a.toml", "--resume"];
    let mut child = mckean(folder.path(), &resume).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let before = fs::read(metrics().unwrap()).unwrap().len();
    while fs::read(metrics().unwrap()).unwrap().len() < before + 2000 {
        assert!(begun.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn report_rebuilds_the_page_and_cite_prints_bibtex() {
    let folder = folder_with(FLOW);
    let dir = json(folder.path(), &["run", "a.toml", "--json"])["dir"].as_str().unwrap().to_string();
    let page = folder.path().join(&dir).join("report.html");
    let before = fs::read(&page).unwrap();
    fs::remove_file(&page).unwrap();
    assert_eq!(said(folder.path(), &["report", &dir]), format!("report: {dir}/report.html\n"));
    assert!(fs::read(&page).unwrap() == before);
    let own = said(folder.path(), &["cite", &dir]);
    assert!(own.contains("@") && own.contains("{gao2024,"), "{own}");
    let all = said(folder.path(), &["cite"]);
    assert!(own.split("\n\n").all(|entry| all.contains(entry.trim())) && all.len() > own.len());
    let list = said(folder.path(), &["data", "list"]);
    for name in ["digits", "in_context", "teacher_student", "idx", "cifar10", "csv"] {
        assert!(list.lines().any(|l| l.starts_with(name)), "{name}: {list}");
    }
    assert_eq!(json(folder.path(), &["data", "list", "--json"]).as_array().unwrap().len(), list.lines().count() - 2);
}

/// `mckean new | head -1` and friends: nobody reads on, and that is no failure.
#[cfg(unix)]
#[test]
fn closed_pipes_are_no_panic_and_a_full_output_is_an_error() {
    let folder = folder_with(&format!("{FLOW}{GRID}"));
    let verbs: [&[&str]; 8] = [
        &["new"],
        &["new", "--list"],
        &["new", "--markdown"],
        &["data", "list"],
        &["cite"],
        &["check", "a.toml"],
        &["run", "a.toml"],
        &["sweep", "a.toml", "--json"],
    ];
    for args in verbs {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = mckean(folder.path(), args).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!((output.status.code(), texts(&output).1.as_str()), (Some(0), ""), "{args:?}");
    }
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else {
        println!("skipped: there is no /dev/full");
        return;
    };
    let output = mckean(folder.path(), &["data", "list"]).stdout(full).output().unwrap();
    let err = texts(&output).1;
    assert!(output.status.code() == Some(1) && err.starts_with("error: standard output"), "{err}");
}
