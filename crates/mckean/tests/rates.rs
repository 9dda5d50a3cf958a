//! `mckean::rates`: exponents of a small grid of atoms, wrong laws rejected, interrupted and grown grids, laws without atoms, refusals.
//!
//! Maths: noise (M L)^-1/2, bias 1/L.
//! Shapes: networks of four atoms, M up to 65536, L up to 16.
//! Cost: seconds.
//! Checked: this is a test.

mod atoms;

use atoms::ATOMS;
use mckean::rates::{self, Exponent, Options, Progress, Quantity, Record};
use mckean::{Config, Error};
use mckean_analysis::fit::Law;
use mckean_analysis::fit::choice::Candidate;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn config(sets: &[&str]) -> Config {
    let sets: Vec<String> = sets.iter().map(|s| s.to_string()).collect();
    Config::parse(ATOMS, "test", &sets).unwrap()
}

/// Runs; returns the record and how many networks were missing. Stops after `most` of them.
fn run(config: &Config, out: &Path, jobs: usize, most: usize) -> Result<(Record, usize), Error> {
    let (stop, done, again, begun) =
        (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let progress = |p: Progress<'_>| match p {
        Progress::Begin(n) => begun.store(n, Ordering::Relaxed),
        Progress::Done(_) => stop.store(done.fetch_add(1, Ordering::Relaxed) + 1 >= most, Ordering::Relaxed),
        Progress::Again(_) => drop(again.fetch_add(1, Ordering::Relaxed)),
        Progress::Say(_) => {}
    };
    let options = Options { out, jobs, command: "mckean rates", source: ATOMS, stop: &stop, progress: &progress };
    let record = rates::run(config, &options)?;
    let [done, again, begun] = [done, again, begun].map(AtomicUsize::into_inner);
    assert!(record.there < record.asked || done + again == begun, "a bar that ends full: {done} + {again} of {begun}");
    Ok((record, begun))
}

fn contains(e: &Exponent, x: f64) -> bool {
    e.measured.is_some_and(|m| m.low <= x && x <= m.high)
}

#[test]
fn exponents_of_width_and_depth_are_separated_and_wrong_laws_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let (r, begun) = run(&config(&["rates.ladder=[4, 6, 8, 12, 16, 24]"]), folder.path(), 2, usize::MAX).unwrap();
    assert_eq!((begun, r.there, r.asked), (4 * 3 * 40 + 6, 486, 486));
    let like_outputs = |q| !matches!(q, Quantity::OutputMax | Quantity::Cloud);
    assert_eq!(r.found.len(), Quantity::ALL.len());
    for f in r.found.iter().filter(|f| like_outputs(f.quantity)) {
        let (width, depth) = (f.width.measured.unwrap(), f.depth.measured.unwrap());
        assert!((width.value + 0.5).abs() < 0.04 && width.half_width() < 0.05, "{:?}", f.width);
        assert!((depth.value + 1.0).abs() < 0.02 && depth.half_width() < 0.05, "{:?}", f.depth);
        if let Some(x) = &f.richardson {
            assert!(contains(&x.exponent, -2.0) && !contains(&x.exponent, -1.0), "{x:?}");
        }
        assert!(!contains(&f.width, -1.0) && !contains(&f.width, -0.25) && !contains(&f.depth, -0.5));
        let noise = f.noise_depth.measured.unwrap();
        assert!(noise.high < -0.2, "noise falls with depth, sqrt(log(L + 1)/M) does not: {noise:?}");
        let raw = f.raw_width.measured.unwrap();
        assert!(raw.low > -0.48, "with the bias in it, the gap does not fall as M^-1/2: {raw:?}");
        let laws = f.laws.as_ref().unwrap();
        assert_ne!(laws.best().fit.law, Law::Theorem);
        let theorem = laws.candidates.iter().find(|c| c.fit.law == Law::Theorem && !c.fit.floor).unwrap();
        let held_out = |c: &Candidate| c.extrapolation.hypot(c.left_out);
        assert!(held_out(theorem) > 2.0 * held_out(laws.best()), "{laws:?}");
        assert!(f.tail.as_ref().is_some_and(|t| !t.is_heavier()), "{:?}", f.tail);
    }
    let cloud = r.found.iter().find(|f| f.quantity == Quantity::Cloud).unwrap();
    assert!(contains(&cloud.noise_depth, 0.0) && !contains(&cloud.width, -0.5), "{cloud:?}");
    assert!((cloud.width.measured.unwrap().value + 0.25).abs() < 0.02, "sampling: {:?}", cloud.width);
    assert_eq!(r.profiles.len(), 4 * 3 + 6, "one a cell and one a rung of the ladder");
    let page = fs::read_to_string(r.dir.join("report.html")).unwrap();
    assert!(page.contains("Growth in training time") && page.contains("above the floor"));
    assert_eq!(page.matches("Noise of M particles").count() >= 3, page.contains("Gap against depth"));
    for words in
        ["Tail over seeds: output", "wrong law: L^-1/2", "next term fitted too", "(chosen)", "shape, not chosen)"]
    {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains(" ± "), "intervals are drawn as they are");
    let dir = mckean_report::RunDir::open(&r.dir).unwrap();
    fs::remove_file(dir.report()).unwrap();
    mckean::report::write_run(&dir).unwrap();
    assert_eq!(fs::read_to_string(dir.report()).unwrap(), page, "the page is rebuilt as it was");
}

#[test]
fn two_seeds_give_no_interval_no_plan_and_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let few = ["rates.seeds=2", "rates.widths=[64, 256]", "rates.depths=[2, 4]", "rates.ladder=[2, 3, 4, 6]"];
    let (r, _) = run(&config(&few), folder.path(), 2, usize::MAX).unwrap();
    let unknown: Vec<_> = r.found.iter().filter(|f| f.width.measured.is_some() && !f.width.is_known()).collect();
    assert!(!unknown.is_empty() && unknown.iter().all(|f| f.plan.is_none()), "{unknown:?}");
    let json = fs::read_to_string(r.dir.join("analysis/rates.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    for f in json["found"].as_array().unwrap() {
        for e in ["width", "depth", "noise_depth", "raw_width", "raw_depth"].map(|key| &f[key]) {
            let (m, problem) = (&e["measured"], &e["problem"]);
            let length = m["high"].as_f64().zip(m["low"].as_f64()).map(|(high, low)| high - low);
            assert!(length.map_or(problem.is_string(), |l| l <= 5.0 && problem.is_null()), "{e}");
        }
    }
    let lines = mckean::rates_report::remarks(&r).join("\n");
    assert!(lines.contains("too few seeds for an interval") && lines.contains("no seeds are planned"), "{lines}");
}

#[test]
fn an_interrupted_grid_goes_on_to_the_same_bytes_and_a_grown_one_repeats_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("1"), folder.path().join("2"));
    let few = ["rates.seeds=3", "rates.depths=[2, 4]", "rates.ladder=[2, 3, 4, 6]"];
    let (whole, _) = run(&config(&few), &one, 2, usize::MAX).unwrap();
    let (part, _) = run(&config(&few), &two, 1, 9).unwrap();
    assert_eq!((part.there, part.asked), (9, 28));
    let mut log = fs::OpenOptions::new().append(true).open(part.dir.join("cells.jsonl")).unwrap();
    log.write_all(b"{\"key\":\"torn").unwrap();
    let (rest, begun) = run(&config(&few), &two, 2, usize::MAX).unwrap();
    assert!(rest.there == 28 && (19..=21).contains(&begun), "wide networks are followed again, not counted: {begun}");
    for file in ["cells.jsonl", "analysis/rates.json"] {
        let text = |r: &Record, out: &Path| {
            let text = fs::read_to_string(r.dir.join(file)).unwrap();
            text.replace(out.to_str().unwrap(), "")
        };
        assert_eq!(text(&whole, &one), text(&rest, &two), "{file}");
    }
    let more = ["rates.seeds=4", "rates.depths=[2, 4]", "rates.ladder=[2, 3, 4, 6]"];
    let (grown, begun) = run(&config(&more), &two, 2, usize::MAX).unwrap();
    assert_eq!((grown.dir, grown.there, begun), (rest.dir, 36, 8 + 2));
    assert_eq!(run(&config(&more), &two, 2, usize::MAX).unwrap().1, 0);
    let rough = [&more[..], &["rates.tolerance=1e-5"]].concat();
    assert_eq!(
        run(&config(&rough), &two, 2, usize::MAX).unwrap().1,
        36,
        "another tolerance is another set of networks"
    );
    assert_eq!(run(&config(&more), &two, 2, usize::MAX).unwrap().1, 0, "and leaves the first one as it is");
}

#[test]
fn networks_that_ended_early_are_told_and_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let few = config(&["rates.seeds=5", "rates.depths=[2, 4]", "rates.ladder=[2, 3, 4, 6]"]);
    let (whole, _) = run(&few, folder.path(), 2, usize::MAX).unwrap();
    let file = whole.dir.join("cells.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    let line = text.lines().find(|l| l.contains("\"width\":64,\"seed\":1")).unwrap();
    let mut entry: serde_json::Value = serde_json::from_str(line).unwrap();
    let ended = serde_json::json!({"what": "M = 64, L = 2, seed number 1", "outcome": "step_too_small", "tau": 0.7});
    (entry["limit"], entry["wide"], entry["ended"]) = (serde_json::json!({}), serde_json::json!({}), ended);
    entry.as_object_mut().unwrap().remove("clouds");
    fs::write(&file, text.replace(line, &entry.to_string())).unwrap();
    let (r, begun) = run(&few, folder.path(), 2, usize::MAX).unwrap();
    assert_eq!((begun, r.there, r.asked, r.ended.len()), (0, 44, 44, 1), "it is there, and is not tried again");
    let seeds = |r: &Record| r.found[0].noise.iter().map(|c| c.seeds).sum::<usize>();
    assert_eq!((seeds(&whole), seeds(&r)), (40, 39));
    assert!(r.found.iter().all(|f| f.width.measured.is_some()), "{:?}", r.found);
    let lines = mckean::rates_report::remarks(&r).join("\n");
    assert!(lines.contains("1 of 44 networks ended early") && lines.contains("step too small at tau = 0.7"), "{lines}");
    assert!(fs::read_to_string(r.dir.join("report.html")).unwrap().contains("ended early"));
}

#[test]
fn a_law_without_atoms_is_compared_with_quasi_random_networks() {
    let folder = tempfile::tempdir().unwrap();
    let sets = [
        "init.atoms=0",
        "limit.rtol=3e-2",
        "rates.widths=[4, 32]",
        "rates.depths=[2, 4]",
        "rates.ladder=[2, 3, 4, 6]",
        "rates.seeds=12",
        "rates.wide=256",
    ];
    let (r, _) = run(&config(&sets), folder.path(), 2, usize::MAX).unwrap();
    let output = r.found.iter().find(|f| f.quantity == Quantity::Output).unwrap();
    let slope = output.width.measured.unwrap();
    assert!((-0.8..-0.3).contains(&slope.value), "{slope:?}");
    for q in Quantity::THEOREM {
        let f = r.found.iter().find(|f| f.quantity == q).unwrap();
        let depth = f.depth.measured.unwrap();
        assert!(contains(&f.depth, -1.0) && depth.half_width() < 0.1, "{q:?}: {depth:?} of {:?}", f.bias);
        let pairs = &f.richardson.as_ref().unwrap();
        assert_eq!(pairs.pairs.iter().map(|b| b.depth).collect::<Vec<_>>(), [2.0, 3.0]);
    }
}

#[test]
fn what_cannot_be_computed_is_refused_before_anything_is() {
    let folder = tempfile::tempdir().unwrap();
    for (set, words) in [
        ("rates.widths=[64]", "two or more"),
        ("rates.widths=[64, 16]", "ascending"),
        ("rates.depths=[0, 4]", "> 0"),
        ("rates.widths=[64, 4000000000000]", "2^40"),
        ("rates.depths=[4, 400000000]", "particles"),
        ("rates.seeds=1", "2 or more"),
        ("rates.seeds=100000000", "1,000,000"),
        ("rates.tolerance=0.5", "1e-2"),
        ("rates.budget=0.0", "> 0"),
        ("rates.wide=3", "even"),
        ("dynamics.kind=descent", "flow"),
        ("model.norm=layer", "norms"),
        ("model.parametrisation=sp", "mean_field"),
        ("limit.taus=[1.0, 0.5]", "ascending"),
    ] {
        let e = run(&config(&[set]), folder.path(), 1, usize::MAX).unwrap_err().to_string();
        assert!(e.contains(words), "{set}: {e}");
    }
    let wide = ["init.atoms=0", "rates.widths=[64, 100000000]"];
    assert!(run(&config(&wide), folder.path(), 1, usize::MAX).unwrap_err().to_string().contains("init.atoms"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
