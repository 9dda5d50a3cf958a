//! Golden numbers: the examples end where they ended before.
//!
//! Maths: final risks with a tolerance, work counters exactly.
//! Shapes: `golden/examples.json`, one entry an example; `MCKEAN_GOLDEN=write` rewrites it.
//! Cost: a few seconds.
//! Checked: the numbers themselves by the NumPy script in `examples/`.

use mckean::experiment::Options;
use mckean::{Config, templates};
use mckean_num::par::Par;
use serde_json::{Value, json};
use std::path::Path;

/// Example, overrides that make it short, relative tolerance (f64 flows agree to rounding, f32 only roughly).
const CASES: [(&str, &[&str], f64); 4] = [
    ("first", &[], 1e-6),
    ("teacher_student", &["dynamics.until=40.0"], 1e-6),
    ("digits_mean_field", &["dynamics.until=4.0", "observe.every=2.0", "data.train=128", "data.test=100"], 1e-3),
    ("digits_vit", &["dynamics.epochs=2.0", "data.train=512", "data.test=200"], 5e-2),
];

fn measure(name: &str, sets: &[&str]) -> Value {
    let sets: Vec<String> = sets.iter().map(|s| s.to_string()).collect();
    let config = Config::parse(templates::find(name).unwrap(), name, &sets).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = Options { out: folder.path().into(), ..Options::default() };
    let s = mckean::run(&config, &Par::new(2), &options, &mut |_| {}).unwrap();
    let work = mckean_report::RunDir::open(&s.dir).unwrap().manifest().unwrap().work;
    json!({ "outcome": s.outcome, "initial_risk": s.initial_risk, "risk": s.risk, "objective": s.objective,
            "parameters": s.parameters, "gradients": work["gradients"].as_f64() })
}

#[test]
fn examples_end_where_they_ended_before() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/examples.json");
    let entry = |(name, sets, _): &(&str, &[&str], f64)| (name.to_string(), measure(name, sets));
    let found: Value = CASES.iter().map(entry).collect::<serde_json::Map<_, _>>().into();
    if std::env::var("MCKEAN_GOLDEN").as_deref() == Ok("write") {
        std::fs::write(&path, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
    }
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    for (name, _, tolerance) in CASES {
        let (a, b) = (&found[name], &golden[name]);
        for key in ["outcome", "parameters", "gradients"] {
            assert_eq!(a[key], b[key], "{name}: {key}");
        }
        for key in ["initial_risk", "risk", "objective"] {
            let (a, b) = (a[key].as_f64().unwrap(), b[key].as_f64().unwrap());
            assert!((a - b).abs() <= tolerance * b.abs(), "{name}: {key} = {a}, golden {b}");
        }
    }
}
