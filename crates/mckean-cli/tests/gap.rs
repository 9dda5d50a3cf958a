//! `mckean gap` from the outside: its tables, its statuses, its folder.
//!
//! Maths: none.
//! Shapes: text in, text out.
//! Cost: seconds.
//! Checked: this is a test.

#[path = "../../mckean/tests/atoms/mod.rs"]
mod atoms;
mod common;

use atoms::ATOMS;
use common::{call, texts};
use std::fs;

#[test]
fn the_gap_is_told_with_its_parts_and_larger_networks() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), ATOMS).unwrap();
    let ask = ["gap", "a.toml", "--width", "32", "--depth", "2", "--seeds", "4"];
    let output = call(folder.path(), &ask);
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{err}");
    for words in
        ["noise of width", "C of Theorem 3.1", "M = 64, L = 2", "M = infinity, L = 2", "5 of 5 networks, 5 new"]
    {
        assert!(out.contains(words), "{words}: {out}");
    }
    let page = out.lines().find_map(|l| l.strip_prefix("report: ")).unwrap();
    assert!(page.contains("small-gap-") && folder.path().join(page).exists(), "{page}");
    let again = texts(&call(folder.path(), &ask)).0;
    assert!(again.contains("5 of 5 networks, 0 new"), "{again}");
    let json = texts(&call(folder.path(), &[&ask[..], &["--json"]].concat())).0;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["width"].as_u64(), json["networks"].as_array().unwrap().len()), (Some(32), 4));
    let dir = page.trim_end_matches("/report.html");
    assert_eq!(call(folder.path(), &["report", dir]).status.code(), Some(0));
    let certify = call(folder.path(), &["certify", dir]);
    assert!(certify.status.code() == Some(2) && texts(&certify).1.contains("a gap to the limit"), "{certify:?}");
}

#[test]
fn bad_input_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), ATOMS).unwrap();
    for (options, words) in [
        (&["--seeds", "1"][..], "gap.seeds"),
        (&["--width", "many"], "whole number"),
        (&["--width", "0"], "heads"),
        (&["--set", "model.heads=3"], "--width sets both"),
        (&["--set", "gap.sede=3"], "gap.seeds"),
        (&["--set", "dynamics.precision=f32"], "f64"),
    ] {
        let output = call(folder.path(), &[&["gap", "a.toml"], options].concat());
        let (out, err) = texts(&output);
        assert_eq!((output.status.code(), out.as_str()), (Some(2), ""), "{options:?}: {err}");
        assert!(err.contains(words), "{options:?}: {err}");
    }
    assert!(!folder.path().join("runs").exists());
}
