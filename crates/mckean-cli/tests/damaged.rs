//! Files of a run directory that are missing, empty, no text or something else: named with the folder to delete, by every verb that reads them.
//!
//! Maths: none.
//! Shapes: a small run, a small limit, rates of it.
//! Cost: seconds.
//! Checked: this is a test.

mod common;

use common::{call, texts};
use std::fs;
use std::path::{Path, PathBuf};

const CONFIG: &str = "name = \"small\"\n[data]\nname = \"in_context\"\nx_dim = 2\ncontext = 3\ntrain = 8\n[model]\ndepth = 2\nheads = 3\nneurons = 3\nreadout_row = 2\n[init]\nlaw = \"box\"\nscale = 0.4\natoms = 3\n[dynamics]\nuntil = 0.5\nweight_decay = 1e-3\n[limit]\nrtol = 1e-3\n";
const NOISE: &[u8] = b"\xff\xfe\x00\x81 no text \xc3\x28\n";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), CONFIG).unwrap();
    folder
}

fn only(at: &Path, part: &str) -> PathBuf {
    let all = fs::read_dir(at.join("runs")).unwrap().map(|e| e.unwrap().path());
    all.into_iter().find(|p| p.display().to_string().contains(part)).unwrap()
}

/// `report` refuses the directory once `file` holds `bytes` (or is gone), and is content again when it is restored.
fn refused(at: &Path, dir: &Path, file: &str, bytes: Option<&[u8]>, words: &str) {
    let path = dir.join(file);
    let whole = fs::read(&path).unwrap();
    match bytes {
        Some(bytes) => fs::write(&path, bytes).unwrap(),
        None => fs::remove_file(&path).unwrap(),
    }
    let report = ["report", dir.to_str().unwrap()];
    let (output, what) = (call(at, &report), format!("{file}: {bytes:?}"));
    let (out, err) = texts(&output);
    assert_eq!((output.status.code(), out.as_str()), (Some(2), ""), "{what}: {err}");
    assert!(err.contains(file) && err.contains(words) && !err.contains("disk"), "{what}: {words}: {err}");
    if words != "half-written" && !words.contains("manifest of") {
        assert!(err.contains(&format!("Delete {} and run the command again", dir.display())), "{what}: {err}");
    }
    fs::write(&path, whole).unwrap();
    assert_eq!(call(at, &report).status.code(), Some(0), "{what}");
}

#[test]
fn damaged_files_of_a_run_are_named() {
    let folder = folder();
    let at = folder.path();
    assert!(call(at, &["run", "a.toml"]).status.success());
    let dir = only(at, "small-");
    for (file, bytes, words) in [
        ("manifest.json", Some(NOISE), "is damaged: it is no text"),
        ("manifest.json", Some(&b""[..]), "is damaged: it is empty"),
        ("manifest.json", Some(&b"{}"[..]), "not a manifest of this program"),
        ("resolved.toml", Some(NOISE), "is damaged: it is no text"),
        ("resolved.toml", Some(&b"\n"[..]), "is damaged: it is empty"),
        ("resolved.toml", None, "half-written"),
        ("metrics.jsonl", Some(NOISE), "is damaged"),
        ("metrics.jsonl", Some(&b""[..]), "holds no observation"),
        ("metrics.jsonl", None, "is missing"),
        ("arrays/end.safetensors", Some(NOISE), "is damaged: it is no tensor file"),
        ("arrays/end.safetensors", None, "is missing"),
        ("arrays/start.safetensors", Some(&b""[..]), "is damaged: it is no tensor file"),
    ] {
        refused(at, &dir, file, bytes, words);
    }
}

#[test]
fn damaged_files_of_a_limit_and_of_rates_are_named_and_never_taken_for_a_run() {
    let folder = folder();
    let at = folder.path();
    let grid = ["rates", "a.toml", "--widths", "4,8", "--depths", "2,3", "--seeds", "2"];
    let (_, err) = texts(&call(at, &grid));
    let (limit, rates) = (only(at, "small-limit-"), only(at, "small-rates-"));
    for (file, bytes, words) in [
        ("analysis/limit.json", None, "is missing"),
        ("analysis/limit.json", Some(NOISE), "is damaged: it is no text"),
        ("analysis/limit.json", Some(&b""[..]), "is damaged: it is empty"),
        ("analysis/limit.json", Some(&b"{\"dir\": 1}"[..]), "is damaged: it is not what this program writes there"),
        ("arrays/curves.safetensors", Some(NOISE), "is damaged: it is no tensor file"),
        ("arrays/law.safetensors", None, "is missing"),
        ("resolved.toml", Some(&b""[..]), "is damaged: it is empty"),
    ] {
        refused(at, &limit, file, bytes, words);
    }
    for (file, bytes, words) in [
        ("rates.toml", None, "is missing"),
        ("rates.toml", Some(NOISE), "is damaged: it is no text"),
        ("cells.jsonl", Some(NOISE), "is damaged: it is no text"),
        ("cells.jsonl", None, "is missing"),
    ] {
        refused(at, &rates, file, bytes, words);
    }
    fs::write(limit.join("analysis/limit.json"), NOISE).unwrap();
    for verb in ["limit", "rates"] {
        let output = call(at, &[verb, "a.toml"]);
        let (out, said) = texts(&output);
        assert_eq!((output.status.code(), out.as_str()), (Some(2), ""), "{verb}: {said}{err}");
        assert!(said.contains("limit.json is damaged: it is no text. Delete runs/small-limit-"), "{verb}: {said}");
    }
}
