//! Runs are recomputed from their files by `examples/recompute.py`, which shares no code with the engine.
//!
//! Maths: eqs 2.1-2.6 of Gao et al. 2024 and the practical layers, written out a second time in NumPy (`docs/formats.md`).
//! Shapes: networks of a few hundred parameters, 6 to 20 samples.
//! Cost: about three seconds; skipped where python3 (3.11 or later) or NumPy is missing.
//! Checked: this is a test.

use mckean::Config;
use mckean::experiment::Options;
use mckean_num::par::Par;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The first example, made small.
const FIRST: &str = include_str!("../../../examples/first.toml");
const SMALL: [&str; 6] = [
    "data.train=20",
    "model.depth=2",
    "model.heads=3",
    "model.neurons=5",
    "dynamics.until=1",
    "dynamics.weight_decay=0.01",
];

/// An ordinary Vision Transformer: factored heads, every bias, norms, class token, dropout, AdamW.
const PRACTICAL: &str = r#"
data = { name = "digits", train = 20, test = 5, patch = 4, standardise = true }
init = { law = "fan_in" }
[model]
parametrisation = "sp"
depth = 2
heads = 2
head_dim = 3
neurons = 3
hidden = 2
attention = "qkvo"
activation = "gelu"
embedding = "patch"
embedding_dim = 6
positions = true
class_token = true
norm = "layer"
bias = true
dropout = 0.1
readout = "class_token"
loss = "cross_entropy"
[dynamics]
kind = "descent"
optimizer = "adamw"
learning_rate = 0.02
schedule = "cosine"
warmup = 0.5
epochs = 3.0
batch = 8
weight_decay = 0.05
"#;

/// Unequal particles that see the past through an unnormalised kernel of their own temperature.
const CAUSAL: &str = r#"
data = { name = "in_context", x_dim = 2, context = 4, train = 9 }
init = { scale = 2.0 }
[model]
depth = 3
heads = 3
neurons = 2
hidden = 3
kernel = "gaussian"
kernel_tau = 1.7
causal = true
activation = "tanh"
head_weights = [1.0, 2.0, 0.5]
neuron_weights = [0.7, 0.1]
readout_row = 2
[dynamics]
integrator = "rk4"
step = 0.25
until = 1.0
weight_decay = 0.01
"#;

/// Pixels as integer tokens.
const TOKENS: &str = r#"
data = { name = "digits", train = 6, test = 4, layout = "pixels" }
[model]
depth = 1
heads = 2
neurons = 3
kernel = "relu"
activation = "relu"
residual_step = 0.2
embedding = "token"
embedding_dim = 4
positions = true
readout = "linear"
loss = "cross_entropy"
[dynamics]
step = 0.05
until = 0.1
"#;

/// AdamW in mean-field scaling on a regression.
const ADAMW: &str = r#"
data = { name = "teacher_student", train = 13, tokens = 3, dim = 4 }
[model]
depth = 2
heads = 2
neurons = 40
attention = "qkvo"
kernel = "linear"
head_dim = 2
bias = true
[dynamics]
kind = "descent"
optimizer = "adamw"
learning_rate = 0.01
epochs = 2.0
batch = 4
weight_decay = 0.1
"#;

/// Classes read from fixed rows, in single precision.
const ROWS: &str = r#"
data = { name = "digits", train = 17, test = 4, positions = true, readout_rows = 10 }
init = { law = "ball", scale = 3.0 }
[model]
depth = 2
heads = 2
neurons = 3
kernel = "normalised_gaussian"
readout = "rows"
[dynamics]
precision = "f32"
until = 0.5
weight_decay = 1e-3
"#;

/// Trains below `out`; returns the run directory.
fn train(text: &str, sets: &[&str], out: &Path) -> PathBuf {
    let sets: Vec<String> = sets.iter().map(|s| s.to_string()).collect();
    let config = Config::parse(text, "test", &sets).unwrap();
    let options = Options { out: out.into(), no_page: true, ..Options::default() };
    let summary = mckean::run(&config, &Par::serial(), &options, &mut |_| {}).unwrap();
    assert_eq!(summary.outcome, "finished");
    summary.dir
}

/// Whether there is a Python that can run the script; says so if not.
fn python_is_there() -> bool {
    let probe = Command::new("python3").args(["-c", "import numpy, tomllib"]).stderr(Stdio::null()).status();
    let there = probe.is_ok_and(|s| s.success());
    if !there {
        println!("skipped: python3 (3.11 or later) with numpy is not there");
    }
    there
}

fn recompute(dir: &Path) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/recompute.py");
    Command::new("python3").arg(script).arg(dir).output().unwrap()
}

fn text(o: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&o.stdout), String::from_utf8_lossy(&o.stderr))
}

#[test]
fn risks_are_recomputed_from_the_files() {
    if !python_is_there() {
        return;
    }
    let out = tempfile::tempdir().unwrap();
    let cases = [
        ("first", FIRST, &SMALL[..]),
        ("practical", PRACTICAL, &[]),
        ("causal", CAUSAL, &[]),
        ("no output map", CAUSAL, &["model.attention=qkv", "model.head_dim=5", "model.bias=true"]),
        ("default read-out", CAUSAL, &["model.readout=auto", "model.readout_row=-1"]),
        ("default read-out of classes", ROWS, &["model.readout=auto"]),
        ("tokens", TOKENS, &[]),
        ("adamw", ADAMW, &[]),
        ("rows", ROWS, &[]),
    ];
    for (name, config, sets) in cases {
        let o = recompute(&train(config, sets, &out.path().join(name)));
        assert_eq!(o.status.code(), Some(0), "{name}:\n{}", text(&o));
    }
}

#[test]
fn a_wrong_number_and_a_missing_file_are_noticed() {
    if !python_is_there() {
        return;
    }
    let out = tempfile::tempdir().unwrap();
    let dir = train(FIRST, &SMALL, out.path());
    let path = dir.join("arrays/end.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    let body = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let value = f64::from_le_bytes(bytes[body..body + 8].try_into().unwrap());
    bytes[body..body + 8].copy_from_slice(&(value + 1e-3).to_le_bytes());
    fs::write(&path, bytes).unwrap();
    let o = recompute(&dir);
    assert_eq!(o.status.code(), Some(1), "{}", text(&o));
    assert!(text(&o).contains("DIFFERS"), "{}", text(&o));
    fs::remove_file(&path).unwrap();
    assert_eq!(recompute(&dir).status.code(), Some(2));
}
