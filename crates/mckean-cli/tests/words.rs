//! What is said to a user: options with impossible values, flows that end early, configs given as claims.
//!
//! Maths: none.
//! Shapes: small configs.
//! Cost: seconds.
//! Checked: this is a test.

mod common;

use common::{call, texts};
use std::fs;
use std::path::Path;

const CONFIG: &str = "name = \"small\"\n[data]\nname = \"in_context\"\nx_dim = 1\ncontext = 2\ntrain = 4\nseed = 7\nconstant = false\n[model]\ndepth = 2\nheads = 5\nneurons = 5\nreadout_row = 1\n[init]\nscale = 2.0\n[dynamics]\nuntil = 0.5\n";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), CONFIG).unwrap();
    folder
}

/// Exit status 2 with all `words` and without those of a compiler or of a tip that leads nowhere.
fn refused(at: &Path, args: &[&str], words: &[&str]) {
    let output = call(at, args);
    let (out, err) = texts(&output);
    assert_eq!((output.status.code(), out.as_str()), (Some(2), ""), "{args:?}: {err}");
    assert!(words.iter().all(|w| err.contains(w)), "{args:?}: {words:?}: {err}");
    for word in ["f64", "usize", "digit", "float literal", "tip:", "'-- "] {
        assert!(!err.contains(word), "{args:?}: {word}: {err}");
    }
}

#[test]
fn impossible_values_reach_the_range_of_their_key() {
    let folder = folder();
    for (args, words) in [
        (["limit", "a.toml", "--rtol", "-1"], &["limit.rtol = -1"][..]),
        (["limit", "a.toml", "--rtol", "nan"], &["limit.rtol = NaN"]),
        (["limit", "a.toml", "--rtol", "x"], &["--rtol", "a number such as 1e-3 is needed"]),
        (["limit", "a.toml", "--budget", "-5s"], &["limit.budget = -5"]),
        (["limit", "a.toml", "--taus", "-1,1"], &["limit.taus", "-1"]),
        (["rates", "a.toml", "--seeds", "-1"], &["--seeds", "a whole number >= 0 is needed"]),
        (["rates", "a.toml", "--widths", "4,-8"], &["--widths", "a whole number >= 0 is needed"]),
        (["rates", "a.toml", "--budget", "-5s"], &["rates.budget = -5"]),
        (["stationary", "a.toml", "--lambdas", "-1e-2"], &["stationary.lambdas", "-0.01"]),
        (["stationary", "a.toml", "--residual", "-1"], &["stationary.residual = -1"]),
        (["check", "a.toml", "--threads", "-1"], &["--threads", "a whole number >= 0 is needed"]),
        (["check", "a.toml", "--threads", "5000"], &["--threads", "at most 1024"]),
        (["check", "a.toml", "--set", "init.scale=0"], &["init.scale = 0", "positive number"]),
        (["check", "a.toml", "--set", "limit.rtol=much"], &["rtol", "expected a number"]),
    ] {
        refused(folder.path(), &args, words);
    }
}

#[test]
fn a_config_is_no_claim() {
    let folder = folder();
    fs::write(folder.path().join("empty.toml"), "").unwrap();
    for name in ["a.toml", "empty.toml"] {
        refused(folder.path(), &["verify", name], &[name, "not a claim", "mckean verify --list", "mckean check"]);
    }
    fs::write(folder.path().join("claim.toml"), "source = \"a paper\"\n").unwrap();
    refused(folder.path(), &["verify", "claim.toml"], &["claim", "missing field"]);
    refused(folder.path(), &["verify", "none.toml"], &["none.toml", "cannot read"]);
}

#[test]
fn flows_that_end_early_exit_with_1_and_keep_their_files() {
    let folder = folder();
    let wild = ["--set", "init.scale=1e3"];
    for (args, page) in [
        (vec!["limit", "a.toml", "--set", "init.atoms=3"], true),
        (vec!["rates", "a.toml", "--set", "init.atoms=3", "--widths", "4,8", "--depths", "2,3", "--seeds", "2"], false),
    ] {
        let output = call(folder.path(), &[&args[..], &wild].concat());
        let (out, err) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {out}{err}");
        assert_eq!(out.contains("report: "), page, "{args:?}: {out}{err}");
        if !page {
            let words = ["the limit itself ends as", "at tau = ", "report.html", "dynamics.until", "data.token_scale"];
            assert!(words.iter().all(|w| err.contains(w)) && !err.contains("limit.taus = []"), "{err}");
        }
    }
    let output =
        call(folder.path(), &["run", "a.toml", "--set", "dynamics.max_steps=2", "--set", "dynamics.step=0.01"]);
    let (out, err) = texts(&output);
    assert!(output.status.code() == Some(1) && out.contains("max steps at "), "{out}{err}");
}
