//! `mckean limit`: one summary line, JSON, options as keys, bad input.
//!
//! Maths: none.
//! Shapes: a small config of atoms.
//! Cost: seconds.
//! Checked: this is a test.

mod common;

use common::{call, mckean, texts};
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const CONFIG: &str = r#"
name = "small"
[data]
name = "in_context"
x_dim = 2
context = 3
train = 12
[model]
readout_row = 2
[init]
law = "box"
scale = 0.4
atoms = 3
[dynamics]
weight_decay = 1e-3
"#;

#[test]
fn the_limit_is_one_line_with_an_error_or_one_object() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), CONFIG).unwrap();
    let options = ["limit", "a.toml", "--rtol", "1e-4", "--taus", "0,0.5,1", "--budget", "1m", "--method", "atoms"];
    let (out, err) = texts(&call(folder.path(), &options));
    let last = out.lines().last().unwrap_or_else(|| panic!("{err}"));
    assert!(last.starts_with("reached: R(1) = ") && last.contains(" ± ") && last.contains("asked 1.0e-4"), "{out}");
    let json = texts(&call(folder.path(), &[&["--json"], &options[..]].concat())).0;
    let record: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((record["taus"][2].as_f64(), record["particles"].as_u64()), (Some(1.0), Some(3)));
    assert!(record["error"].as_f64().unwrap() <= 1e-4);
    let dir = record["dir"].as_str().unwrap();
    let again = texts(&call(folder.path(), &["report", dir])).0;
    assert!(again.contains("report.html"), "{again}");
    let refused = call(folder.path(), &["certify", dir]);
    assert!(refused.status.code() == Some(2) && texts(&refused).1.contains("the limit of a config, not one run"));
    let refused = call(folder.path(), &["report", "a.toml"]);
    assert!(refused.status.code() == Some(2) && texts(&refused).1.contains("a file, not a run directory"));
}

#[test]
fn bad_options_are_refused_with_status_2() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), CONFIG).unwrap();
    for (options, words) in [
        (["--rtol", "1e-12"], "limit.rtol"),
        (["--budget", "soon"], "60s, 5m or 90"),
        (["--taus", "2,1"], "ascending"),
        (["--method", "rqmc"], "init.atoms"),
        (["--set", "dynamics.precision=f32"], "f64"),
        (["--set", "limit.rtoll=1"], "limit.rtol"),
    ] {
        let output = call(folder.path(), &[&["limit", "a.toml"], &options[..]].concat());
        let (out, err) = texts(&output);
        assert_eq!((output.status.code(), out.as_str()), (Some(2), ""), "{options:?}: {err}");
        assert!(err.contains(words), "{options:?}: {err}");
    }
    assert!(!folder.path().join("runs").exists());
}

/// Calls and interrupts after `seconds`.
#[cfg(unix)]
fn interrupted(at: &Path, options: &[&str], seconds: f64) -> Output {
    let child = mckean(at, options).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs_f64(seconds));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    child.wait_with_output().unwrap()
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_the_curve_so_far_and_the_same_command_solves_it() {
    let folder = tempfile::tempdir().unwrap();
    let (at, runs) = (folder.path(), folder.path().join("runs"));
    fs::write(at.join("a.toml"), CONFIG.replace("atoms = 3", "")).unwrap();
    let options = ["limit", "a.toml", "--rtol", "3e-4", "--taus", "0,0.5,1"];
    let mut seconds = 0.4;
    let stopped = (0..30).find_map(|_| {
        let output = interrupted(at, &options, seconds);
        let (out, err) = texts(&output);
        match output.status.code() {
            Some(0) => (fs::remove_dir_all(&runs).unwrap(), seconds *= 0.7).1, // too late
            Some(1) if !out.is_empty() => return Some(out),
            Some(1) => (assert!(err.contains("before it had a curve") && !runs.exists(), "{err}"), seconds *= 1.3).1,
            _ => seconds *= 1.3, // before anybody listened
        }
        None
    });
    let out = stopped.expect("a moment between the pilot and the end");
    assert!(out.contains("the same command solves it again") && out.contains("\nstopped: R(1) = "), "{out}");
    let again = texts(&call(at, &options)).0;
    assert!(again.lines().last().is_some_and(|l| l.starts_with("reached: R(1) = ")), "{again}");
    assert_eq!(fs::read_dir(&runs).unwrap().count(), 1, "in the same directory");
}
