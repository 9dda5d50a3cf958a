//! `mckean::stationary`: flows that break are named and not certified; the table of ends is data.
//!
//! Maths: none.
//! Shapes: a small network.
//! Cost: seconds.
//! Checked: this is a test.

use mckean::Config;
use mckean::rates::{Options, Progress};
use mckean::stationary::{self, Record};
use mckean::stationary_report::remarks;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const SMALL: &str = "name = \"small\"\n[data]\nname = \"in_context\"\nx_dim = 1\ncontext = 2\ntrain = 4\nseed = 7\nconstant = false\n[model]\ndepth = 2\nheads = 6\nneurons = 5\nreadout_row = 1\n[init]\nscale = 2.0\n[stationary]\nlambdas = [3e-2, 1e-2]\nseeds = 1\n";

fn run(sets: &[&str], out: &Path) -> Record {
    let sets: Vec<String> = sets.iter().map(|s| s.to_string()).collect();
    let config = Config::parse(SMALL, "test", &sets).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let progress = |_: Progress<'_>| {};
    let options =
        Options { out, jobs: 1, command: "mckean stationary", source: SMALL, stop: &stop, progress: &progress };
    stationary::run(&config, &options).unwrap()
}

/// Rows of `ends.csv` by column.
fn sheet(r: &Record) -> Vec<std::collections::HashMap<String, String>> {
    let text = std::fs::read_to_string(r.dir.join("ends.csv")).unwrap();
    let mut lines = text.lines().map(|l| l.split(',').map(String::from).collect::<Vec<_>>());
    let header = lines.next().unwrap();
    lines.map(|l| (assert_eq!(l.len(), header.len()), header.iter().cloned().zip(l).collect()).1).collect()
}

#[test]
fn a_flow_that_breaks_is_named_and_not_certified() {
    let folder = tempfile::tempdir().unwrap();
    let r = run(&["init.scale=1e3", "stationary.lambdas=[3e-2]"], folder.path());
    let end = &r.ends[0];
    assert!(end.is_broken() && end.conditions.is_empty() && end.adjoint.is_none(), "{end:?}");
    let lines = remarks(&r).join("\n");
    let words = end.outcome.replace('_', " ");
    assert!(lines.contains("1 of 1 flows ended early") && lines.contains(&format!("{words} at tau = ")), "{lines}");
    for word in ["horizon)", "support", "optimality gap", "abscissae"] {
        assert!(!lines.contains(word), "{word}: {lines}");
    }
    assert!(lines.contains("two weight decays at which every seed rests are needed, and there are 0"), "{lines}");
    assert_eq!(sheet(&r)[0]["outcome"], end.outcome);
}

#[test]
fn the_table_of_ends_has_every_number_in_a_column_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let r = run(&["init.atoms=4", "stationary.lambdas=[3e-2]", "stationary.depth_steps=2"], folder.path());
    let rows = sheet(&r);
    assert_eq!(rows.len(), r.ends.len());
    for (row, e) in rows.iter().zip(&r.ends) {
        let number = |key: &str| row[key].parse::<f64>().unwrap();
        assert_eq!((number("risk"), number("objective"), number("tau")), (e.last.risk, e.last.objective, e.last.tau));
        assert_eq!((number("lambda"), row["seed"].parse()), (e.cell.lambda, Ok(e.cell.seed)));
        if let Some(adjoint) = e.adjoint {
            assert_eq!(["adjoint_low", "adjoint", "adjoint_high"].map(number), adjoint);
        }
    }
    let of = |key: &str| rows.iter().map(|r| r[key].as_str()).collect::<Vec<_>>();
    assert_eq!(
        (of("width"), of("depth"), of("depth_steps")),
        (vec!["inf", "inf", "inf", "6"], vec!["inf", "inf", "2", "2"], vec!["2", "4", "", ""])
    );
    let lines = remarks(&r).join("\n");
    assert!(!lines.contains("\n0 of ") && !lines.starts_with("0 of "), "{lines}");
}
