//! Directories are not taken for those of other numbers: a file of particles that changes between two calls.
//!
//! Maths: none.
//! Shapes: two particles of small tokens.
//! Cost: a second.
//! Checked: this is a test.

use mckean::experiment::Options;
use mckean::{Config, Error, sweep};
use mckean_num::par::Par;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const SMALL: &str = r#"
[data]
name = "in_context"
x_dim = 1
context = 1
train = 4
[model]
depth = 1
heads = 2
neurons = 2
[dynamics]
until = 1.0
weight_decay = 0.5
[limit]
rtol = 1e-3
[rates]
widths = [2, 4]
depths = [1, 2]
seeds = 2
[stationary]
lambdas = [0.5, 0.4]
seeds = 1
residual = 0.1
"#;

/// Two particles whose first number is `first`: heads of 4 x 4 matrices V and W, neurons of two times four numbers.
fn write(file: &Path, first: f64) {
    let row = |x: f64| {
        let numbers: Vec<String> =
            (0..40).map(|i| if i == 0 { x } else { 0.1 * f64::from(i % 5) }.to_string()).collect();
        numbers.join(",") + "\n"
    };
    fs::write(file, row(first) + &row(-0.3)).unwrap();
}

fn config(file: &Path) -> Config {
    Config::parse(SMALL, "small", &[format!("init.particles={:?}", file.to_str().unwrap())]).unwrap()
}

#[test]
fn runs_sweeps_rates_and_flows_at_rest_notice_that_a_file_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("particles.csv"), folder.path().join("runs"));
    write(&file, 0.25);
    let config = config(&file);
    let options = Options { out: out.clone(), ..Options::default() };
    let run = || mckean::run(&config, &Par::serial(), &options, &mut |_| {});
    let cells = || sweep::run_all(&[config.without_sweep()], &out, 1, "", &Arc::default(), &|_, _| {}).remove(0);
    let stop = Arc::new(AtomicBool::new(false));
    let options = mckean::rates::Options {
        out: folder.path(),
        jobs: 1,
        command: "",
        source: SMALL,
        stop: &stop,
        progress: &|_| {},
    };
    let (rest, rates) = (|| mckean::stationary::run(&config, &options), || mckean::rates::run(&config, &options));
    let (first, ends) = (run().unwrap(), rest().unwrap());
    assert!(!first.already_finished && !ends.ends.is_empty());
    assert!(run().unwrap().already_finished && cells().is_ok() && rest().is_ok());
    let limit = rates().unwrap().reference.dir;
    write(&file, 0.26);
    let refused =
        |e: Error| assert!(matches!(&e, Error::OtherContent { .. }) && e.to_string().contains("--out"), "{e}");
    refused(run().err().unwrap());
    refused(cells().err().unwrap());
    refused(rest().err().unwrap());
    refused(rates().err().unwrap());
    fs::remove_dir_all(limit).unwrap(); // solved anew, but the networks are still those of the old numbers
    refused(rates().err().unwrap());
    write(&file, 0.25);
    assert!(run().unwrap().already_finished && rest().is_ok(), "and finds them again when it is as it was");
}
