//! `mckean bench`: numbers with units, JSON keys, presets and configs, bad names.
//!
//! Maths: shares and rates agree with each other; no time is asserted.
//! Shapes: a small config, one small preset.
//! Cost: about two seconds.
//! Checked: this is a test.

mod common;

use common::{call, texts};
use serde_json::Value;
use std::fs;
use std::path::Path;

const CONFIG: &str = "name = \"tiny\"\n[data]\ntrain = 24\n[model]\ndepth = 2\nheads = 2\n";

fn json(at: &Path, args: &[&str]) -> Value {
    let output = call(at, &[&["bench"], args, &["--seconds", "0", "--json"]].concat());
    let (out, err) = texts(&output);
    assert_eq!((output.status.code(), err.as_str()), (Some(0), ""), "{args:?}");
    serde_json::from_str(&out).unwrap()
}

#[test]
fn rates_and_shares_fit_together() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), CONFIG).unwrap();
    let descent = ["--set", "dynamics.kind=descent", "--set", "dynamics.batch=8"];
    for (args, samples, work) in [
        (vec!["a.toml", "--what", "gradient"], 24.0, 1.0),
        ([&["a.toml"], &descent[..]].concat(), 8.0, 1.0),
        (vec!["a.toml", "--what", "hvp"], 24.0, 2.0),
    ] {
        let m = json(folder.path(), &args);
        let number = |key: &str| m[key].as_f64().unwrap_or_else(|| panic!("{key}: {m}"));
        assert!((number("gflops") - 1e3 * number("model_gflop") / number("median_ms")).abs() < 1e-9 * number("gflops"));
        assert!((number("peak_share") * number("peak_gflops") - number("gflops")).abs() < 1e-9 * number("gflops"));
        assert!(number("low_ms") <= number("median_ms") && number("median_ms") <= number("high_ms"));
        let head = 2 * 4 * 16 * 16 + 2 * 4 * 4 * 16; // n = 4 tokens of D = 16: queries and values, scores and mixing
        let neurons = 16 * 2 * 4 * 16;
        let flops = 6.0 * f64::from(2 * (2 * head + neurons)) * samples * work;
        assert_eq!((number("samples"), number("model_gflop")), (samples, 1e-9 * flops));
        assert_eq!(m["optimiser_ms"].is_null(), m["what"] != "step");
        assert!(number("bandwidth_gb_s") > 0.0 && m["threads"] == 1);
        #[cfg(target_os = "linux")]
        assert!(number("peak_rss_mb") > 1.0);
    }
}

#[test]
fn presets_are_listed_and_found() {
    let folder = tempfile::tempdir().unwrap();
    let list = texts(&call(folder.path(), &["bench"])).0;
    for name in ["mf-small", "mf-large", "toy", "text-gaussian-2048", "text-softmax-2048", "vit-e640"] {
        assert!(list.lines().any(|l| l.starts_with(name)), "{name}: {list}");
    }
    assert_eq!(json(folder.path(), &["text-softmax-70", "--what", "gradient"])["samples"], 234);
    let text = texts(&call(folder.path(), &["bench", "toy", "--seconds", "0"])).0;
    assert!(text.contains("% of the peak") && text.lines().last().unwrap().starts_with("toy step: "), "{text}");
    let refused = |args: &[&str], words: &[&str]| {
        let output = call(folder.path(), args);
        let (out, err) = texts(&output);
        assert_eq!((output.status.code(), out.as_str()), (Some(2), ""), "{args:?}");
        assert!(words.iter().all(|w| err.contains(w)), "{err}");
    };
    refused(&["bench", "mf-smal"], &["Did you mean \"mf-small\"", "vit-e192"]);
    refused(&["bench", "text-linear-9"], &["text-softmax-2048", "any length"]);
    refused(&["bench", "missing.toml"], &["missing.toml", "cannot read"]);
    refused(&["bench", "toy", "--set", "model.heads=2"], &["fixed sizes"]);
    refused(&["bench", "toy", "--seconds", "nan"], &["--seconds"]);
}
