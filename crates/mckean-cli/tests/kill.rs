//! Runs killed by SIGKILL at pseudo-random moments, over and over, end with the same bytes as a run nobody touched.
//!
//! Maths: none.
//! Shapes: one adaptive flow with all checks, one AdamW descent with dropout and mini-batches; a checkpoint at every
//! observation. Moments: during start-up, anywhere, and while the last observations and files are written.
//! Cost: about ten seconds.
//! Checked: this is a test.
#![cfg(unix)]

mod common;

use common::{call, mckean, texts};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const FLOW: &str = r#"
name = "flow"
[data]
name = "in_context"
x_dim = 3
context = 6
train = 32
[model]
depth = 3
heads = 4
neurons = 4
attention = "qkvo"
head_dim = 2
activation = "relu"
readout_row = 3
[init]
scale = 1.5
[dynamics]
integrator = "adaptive"
rtol = 1e-5
until = 6.0
weight_decay = 1e-3
[observe]
every = 0.15
checkpoint_seconds = 0.0
"#;

const ADAMW: &str = r#"
name = "adamw"
[data]
name = "digits"
train = 120
test = 60
[model]
parametrisation = "sp"
depth = 2
heads = 2
neurons = 16
attention = "qkvo"
embedding = "patch"
embedding_dim = 12
norm = "layer"
bias = true
dropout = 0.1
readout = "linear"
loss = "cross_entropy"
[init]
law = "fan_in"
[dynamics]
kind = "descent"
optimizer = "adamw"
schedule = "cosine"
warmup = 1.0
epochs = 40.0
batch = 16
precision = "f32"
[observe]
every = 0.5
checkpoint_seconds = 0.0
"#;

/// Files that must not show that anything happened.
const FILES: [&str; 4] =
    ["metrics.jsonl", "metrics.parquet", "arrays/end.safetensors", "checkpoints/latest.safetensors"];

/// Rounds of each configuration: four in five kill, the fifth lets the run finish and compares it.
const ROUNDS: u32 = 20;

/// The one run directory below `out`, once it is there.
fn run_dir(out: &Path) -> Option<PathBuf> {
    let folders = fs::read_dir(out).ok()?.map(|e| e.unwrap().path());
    folders.into_iter().find(|p| !p.file_name().unwrap().to_string_lossy().starts_with('.'))
}

/// Temporary files in a run directory.
fn temporaries(dir: &Path) -> Vec<PathBuf> {
    let folders = [dir.to_path_buf(), dir.join("arrays"), dir.join("checkpoints")];
    let all = folders.iter().flat_map(|f| fs::read_dir(f).unwrap()).map(|e| e.unwrap().path());
    all.filter(|p| p.extension().is_some_and(|e| e == "tmp")).collect()
}

fn observations(out: &Path) -> usize {
    run_dir(out)
        .and_then(|d| fs::read(d.join("metrics.jsonl")).ok())
        .map_or(0, |b| b.split(|&c| c == b'\n').count() - 1)
}

/// Splitmix, so that every call of the test kills at other moments of the same list.
fn draw(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Sleeps until the moment of this round: in start-up, anywhere, or in the last tenth of the observations.
fn wait(round: u32, random: f64, whole: Duration, rows: usize, out: &Path, child: &mut Child) {
    match round % 5 {
        0 => std::thread::sleep(Duration::from_secs_f64(0.01 * random)),
        1 | 2 => std::thread::sleep(whole.mul_f64(0.6 * random)),
        _ => {
            let least = rows - (random * rows as f64 / 10.0) as usize;
            while observations(out) < least && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_secs_f64(0.005 * random));
        }
    }
}

#[derive(Debug, Default)]
struct Seen {
    killed: u32,
    before_the_first_checkpoint: u32,
    near_the_end: u32,
    finished: u32,
}

fn kill_until_finished(config: &str) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), config).unwrap();
    let begun = Instant::now();
    let output = call(folder.path(), &["run", "a.toml", "--out", "whole"]);
    let whole = begun.elapsed();
    assert!(output.status.success(), "{:?}", texts(&output));
    let reference = run_dir(&folder.path().join("whole")).unwrap();
    let rows = observations(&folder.path().join("whole"));
    let (mut seen, mut state, mut out) = (Seen::default(), 7, folder.path().join("0"));
    for round in 0..ROUNDS {
        let mut command = mckean(folder.path(), &["run", "a.toml", "--resume", "--out"]);
        let mut child = command.arg(&out).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        if round % 5 < 4 {
            wait(round, draw(&mut state), whole, rows, &out, &mut child);
            child.kill().unwrap();
        }
        let ended = child.wait_with_output().unwrap();
        if ended.status.signal() == Some(9) {
            seen.killed += 1;
            let checkpoint = run_dir(&out).is_some_and(|d| d.join("checkpoints/latest.safetensors").exists());
            seen.before_the_first_checkpoint += u32::from(!checkpoint);
            seen.near_the_end += u32::from(observations(&out) * 10 >= rows * 9);
            continue;
        }
        assert!(ended.status.success(), "round {round}: {:?}", texts(&ended));
        let dir = run_dir(&out).unwrap();
        for file in FILES {
            let same = fs::read(dir.join(file)).unwrap() == fs::read(reference.join(file)).unwrap();
            assert!(same, "{file} differs after {seen:?} in {}", out.display());
        }
        assert!(dir.join("report.html").exists());
        assert_eq!(temporaries(&dir), Vec::<PathBuf>::new(), "left by killed processes");
        seen.finished += 1;
        out = folder.path().join(seen.finished.to_string());
    }
    println!("{seen:?}; a whole run takes {whole:?}");
    seen
}

fn check(seen: &Seen) {
    assert!(seen.killed >= 10 && seen.finished >= 4, "{seen:?}");
    assert!(seen.before_the_first_checkpoint >= 1 && seen.near_the_end >= 1, "{seen:?}");
}

#[test]
fn an_adaptive_flow_with_checks_survives_kill_9() {
    check(&kill_until_finished(FLOW));
}

#[test]
fn adamw_with_dropout_and_mini_batches_survives_kill_9() {
    check(&kill_until_finished(ADAMW));
}
