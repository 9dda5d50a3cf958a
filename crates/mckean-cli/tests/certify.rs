//! `mckean certify` as a user meets it: tables, JSON, exit status 2 for what is no finished run.

mod common;

use common::{call, texts};
use std::fs;

const SMALL: &str = "name = \"flow\"\n[data]\nname = \"in_context\"\nx_dim = 2\ncontext = 3\ntrain = 12\n[model]\ndepth = 2\nheads = 3\nneurons = 3\n[dynamics]\nstep = 0.1\nuntil = 1.0\nweight_decay = 1e-3\n";

#[test]
fn configs_and_runs_are_certified_and_the_rest_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("a.toml"), SMALL).unwrap();
    let config = call(at, &["certify", "a.toml"]);
    let (text, _) = texts(&config);
    assert!(config.status.success() && text.contains("A3 (iv) h") && text.contains("tangent kernel"), "{text}");
    assert!(call(at, &["run", "a.toml"]).status.success());
    let run = fs::read_dir(at.join("runs")).unwrap().next().unwrap().unwrap().path();
    let path = run.to_str().unwrap();
    let (text, _) = texts(&call(at, &["certify", path]));
    assert!(text.contains("decay rate of R at the end") && text.contains("analysis/certify.json"), "{text}");
    let (json, _) = texts(&call(at, &["--json", "certify", path]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let file: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(run.join("analysis/certify.json")).unwrap()).unwrap();
    assert_eq!(json, file);
    assert!(json["assumptions"].as_array().unwrap().len() > 20);
    for (args, words) in [
        (vec!["certify", "."], "not a run directory"),
        (vec!["certify", "none.toml"], "cannot read"),
        (vec!["certify", path, "--set", "seed=2"], "--set is for config files"),
    ] {
        let out = call(at, &args);
        assert!(out.status.code() == Some(2) && texts(&out).1.contains(words), "{args:?}: {:?}", texts(&out));
    }
}
