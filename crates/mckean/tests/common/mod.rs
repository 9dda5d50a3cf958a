//! Small configs and helpers that the tests of this crate share.
//!
//! Maths: none.
//! Shapes: a run takes 10 to 50 milliseconds.
//! Cost: none of its own.
//! Checked: by the tests that use it.

use mckean::experiment::Options;
use mckean::{Config, Error, Summary};
use mckean_num::par::Par;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// An in-context flow with a test set: 11 observations, two lane groups of samples.
pub const FLOW: &str = r#"
name = "small flow"
seed = 5
[data]
name = "in_context"
x_dim = 2
context = 3
train = 24
test = 6
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

/// The config `text` with overrides.
pub fn config(text: &str, sets: &[&str]) -> Config {
    let sets: Vec<String> = sets.iter().map(|s| s.to_string()).collect();
    Config::parse(text, "test", &sets).unwrap()
}

/// Runs on one thread below `out`.
pub fn run(config: &Config, out: &Path) -> Result<Summary, Error> {
    run_on(config, out, &Par::serial(), false)
}

/// Runs below `out`.
pub fn run_on(config: &Config, out: &Path, par: &Par, resume: bool) -> Result<Summary, Error> {
    let options = Options { out: out.into(), resume, command: "mckean run small.toml".into(), ..Options::default() };
    mckean::run(config, par, &options, &mut |_| {})
}

/// Every file below `folder` with its bytes, without locks.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let (path, name) = entry.map(|e| (e.path(), e.file_name().into_string().unwrap())).unwrap();
        if path.is_dir() {
            all.extend(files(&path).into_iter().map(|(n, b)| (format!("{name}/{n}"), b)));
        } else if name != ".lock" {
            all.insert(name, fs::read(&path).unwrap());
        }
    }
    all
}
