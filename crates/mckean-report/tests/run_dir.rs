//! Run directories: creation, every refusal, and locks that survive no killed process.
//!
//! Maths: none.
//! Shapes: one small directory per test.
//! Cost: a child process for the lock test, under a second.
//! Checked: this is a test.

use mckean_report::run_dir::config_hash;
use mckean_report::{Manifest, ReportError, RunDir};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn manifest(resolved: &str) -> Manifest {
    Manifest { version: "0.1.0".into(), config_hash: config_hash(resolved), ..Manifest::default() }
}

fn create(path: &Path, resolved: &str) -> mckean_report::Result<RunDir> {
    RunDir::create(path, "seed = 1", resolved, &manifest(resolved))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_new_run_has_the_documented_layout() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs/a/b");
    let run = create(&path, "width = 8").unwrap();
    assert!(run.is_fresh());
    let expected = ["analysis", "arrays", "checkpoints", "config.toml", "manifest.json", "resolved.toml"];
    assert_eq!(names(&path), expected);
    assert_eq!(names(path.parent().unwrap()), ["b"]); // no temporary is left beside it
    assert_eq!((run.config().unwrap(), run.resolved().unwrap()), ("seed = 1".into(), "width = 8".into()));
    assert_eq!(RunDir::open(&path).unwrap().manifest().unwrap(), manifest("width = 8"));
}

#[test]
fn an_empty_folder_becomes_a_run_and_the_same_config_opens_it_again() {
    let folder = tempfile::tempdir().unwrap();
    create(folder.path(), "width = 8").unwrap();
    fs::write(folder.path().join("metrics.jsonl"), "{\"a\":1}\n").unwrap();
    let again = create(folder.path(), "width = 8").unwrap();
    assert!(!again.is_fresh());
    assert_eq!(fs::read(again.metrics()).unwrap(), b"{\"a\":1}\n");
}

#[test]
fn another_config_is_refused_with_both_hashes() {
    let folder = tempfile::tempdir().unwrap();
    create(folder.path(), "width = 8").unwrap();
    let message = create(folder.path(), "width = 16").unwrap_err().to_string();
    assert!(message.contains(&config_hash("width = 8")) && message.contains(&config_hash("width = 16")));
    assert!(message.contains("another --out"), "{message}");
    assert_eq!(RunDir::open(folder.path()).unwrap().resolved().unwrap(), "width = 8");
}

#[test]
fn foreign_folders_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.tex"), "precious").unwrap();
    for refused in [create(folder.path(), "x"), RunDir::open(folder.path())] {
        let message = refused.unwrap_err().to_string();
        assert!(message.contains("not a run directory") && message.contains("thesis.tex"), "{message}");
    }
    assert_eq!(names(folder.path()), ["thesis.tex"]);
}

#[test]
fn half_written_runs_are_refused_not_repaired() {
    for missing in ["manifest.json", "resolved.toml"] {
        let folder = tempfile::tempdir().unwrap();
        create(folder.path(), "x").unwrap();
        fs::remove_file(folder.path().join(missing)).unwrap();
        let refused = create(folder.path(), "x").unwrap_err();
        assert!(matches!(refused, ReportError::HalfWritten { missing: m, .. } if m == missing), "{refused}");
        assert!(!folder.path().join(missing).exists());
    }
}

#[test]
fn missing_runs_and_foreign_manifests_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(RunDir::open(folder.path().join("absent")), Err(ReportError::NoRun { .. })));
    assert!(matches!(RunDir::open(folder.path()), Err(ReportError::NoRun { .. })));
    fs::write(folder.path().join("manifest.json"), "{\"name\": \"a web app\"}").unwrap();
    assert!(matches!(RunDir::open(folder.path()), Err(ReportError::BadManifest { .. })));
}

#[test]
fn a_path_below_a_file_is_refused_without_leftovers() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    for path in ["file", "file/run", "file/deeper/run"] {
        let refused = create(&folder.path().join(path), "x").unwrap_err();
        assert!(matches!(refused, ReportError::BlockedByFile { .. }), "{path}: {refused}");
    }
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn one_holder_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let run = create(folder.path(), "x").unwrap();
    let lock = run.lock().unwrap();
    let message = run.lock().unwrap_err().to_string();
    assert!(message.contains(&format!("pid {}", std::process::id())), "{message}");
    drop(lock);
    drop(run.lock().unwrap());
    fs::write(folder.path().join(".lock"), "4294967295 elsewhere").unwrap(); // left by a dead process
    run.lock().unwrap();
}

/// Not a test of its own: the child of the test below, which holds a lock until it is killed.
#[test]
fn child_that_holds_a_lock() {
    if let Some(path) = std::env::var_os("MCKEAN_TEST_LOCK") {
        let run = RunDir::open(path).unwrap();
        let _lock = std::iter::repeat_with(|| run.lock()).find_map(Result::ok); // the parent looks in now and then
        std::thread::sleep(Duration::from_secs(60));
    }
}

#[test]
fn a_live_process_blocks_and_a_killed_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let run = create(folder.path(), "x").unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child_that_holds_a_lock"]).env("MCKEAN_TEST_LOCK", folder.path());
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while run.lock().is_ok() && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(matches!(run.lock(), Err(ReportError::Locked { .. })));
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    run.lock().unwrap();
}
