//! Sweeps through the library: order of cells, identical files for any number of jobs, finished cells, failing cells.
//!
//! Maths: none.
//! Shapes: a 2 x 2 grid of small flows with two seeds.
//! Cost: about a second.
//! Checked: this is a test.

mod common;

use common::{FLOW, config, files, run};
use mckean::sweep::{self, Cell, cells};
use mckean::{Config, Error, Summary, sweep_report};
use serde_json::json;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

const GRID: [&str; 3] = [
    "sweep.seeds=2",
    "sweep.grid={ \"model.kernel\" = [\"softmax\", \"linear\"], \"model.heads\" = [1, 3] }",
    "observe.every=1",
];

fn grid() -> Config {
    config(FLOW, &GRID)
}

fn configs(cells: &[Cell]) -> Vec<Config> {
    cells.iter().map(|c| c.config.clone()).collect()
}

fn run_all(configs: &[Config], out: &Path, jobs: usize) -> Vec<Result<Summary, Error>> {
    sweep::run_all(configs, out, jobs, "mckean sweep", &Default::default(), &|_, _| {})
}

#[test]
fn cells_are_the_product_of_the_lists_with_seeds_innermost() {
    let all = cells(&grid()).unwrap();
    let found: Vec<_> = all.iter().map(|c| (c.label(), c.config.seed)).collect();
    let mut expected = vec![];
    for label in
        ["heads=1, kernel=softmax", "heads=1, kernel=linear", "heads=3, kernel=softmax", "heads=3, kernel=linear"]
    {
        expected.extend([(label.to_string(), 5), (label.to_string(), 6)]);
    }
    assert_eq!(found, expected);
    for cell in &all {
        let (heads, kernel) = (cell.config.model.heads, serde_json::to_value(cell.config.model.kernel).unwrap());
        assert_eq!(cell.values, [("model.heads".into(), json!(heads)), ("model.kernel".into(), kernel)]);
        assert_eq!(cell.config.sweep, Default::default());
    }
    let hashes: std::collections::BTreeSet<String> = all.iter().map(|c| c.config.hash()).collect();
    assert_eq!(hashes.len(), 8);
    assert_eq!(cells(&config(FLOW, &[])).unwrap().len(), 1);
}

#[test]
fn grids_that_make_no_sense_are_refused() {
    let refused = |sets: &[&str]| cells(&config(FLOW, sets)).unwrap_err().to_string();
    let unknown = refused(&["sweep.grid={ \"model.hedas\" = [1] }"]);
    assert!(unknown.contains("model.hedas") && unknown.contains("did you mean \"model.heads\""), "{unknown}");
    let empty = refused(&["sweep.grid={ \"model.heads\" = [] }"]);
    assert!(empty.contains("model.heads") && empty.contains("at least one value"), "{empty}");
    let typed = refused(&["sweep.grid={ \"model.heads\" = [1, \"two\"] }"]);
    assert!(typed.contains("model.heads") && typed.contains("two"), "{typed}");
    assert!(refused(&["sweep.grid={ \"sweep.seeds\" = [1] }"]).contains("outside [sweep]"));
    assert!(refused(&["sweep.seeds=0"]).contains("sweep.seeds = 0"));
    assert!(refused(&["sweep.seeds=1000000000000"]).contains("1000000000000 runs"), "before memory is taken");
}

#[test]
fn the_number_of_jobs_changes_no_byte_and_finished_cells_are_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let all = cells(&grid()).unwrap();
    let (one, two) = (folder.path().join("1"), folder.path().join("2"));
    let results = [(&one, 1), (&two, 2)].map(|(out, jobs)| run_all(&configs(&all), out, jobs));
    let [serial, parallel] = results.map(|r| r.into_iter().map(Result::unwrap).collect::<Vec<_>>());
    for (i, (a, b)) in serial.iter().zip(&parallel).enumerate() {
        assert_eq!(a.dir.file_name(), b.dir.file_name(), "results come in the order of the configs");
        assert!(a.dir.to_string_lossy().ends_with(&all[i].config.hash()) && !a.already_finished);
        let (a, b) = (files(&a.dir), files(&b.dir));
        assert!(a.keys().eq(b.keys()) && !a.contains_key("report.html"));
        assert!(a.iter().all(|(name, bytes)| name == "manifest.json" || b[name] == *bytes), "cell {i}");
    }
    let before = files(&one);
    assert!(run_all(&configs(&all), &one, 2).into_iter().all(|s| s.unwrap().already_finished));
    assert!(files(&one) == before);
    fs::remove_dir_all(&serial[3].dir).unwrap();
    let again: Vec<bool> = run_all(&configs(&all), &one, 2).into_iter().map(|s| !s.unwrap().already_finished).collect();
    assert_eq!(again, [false, false, false, true, false, false, false, false], "only the missing cell runs");
    assert_eq!(run(&all[0].config, &one).unwrap().risk, serial[0].risk);
    assert!(serial[0].dir.join("report.html").exists(), "`run` on a finished cell adds the page");
}

#[test]
fn a_failing_cell_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let c = config(FLOW, &["sweep.grid={ \"model.heads\" = [2, 0, 3] }", "observe.every=1"]);
    let all = cells(&c).unwrap();
    let done = AtomicUsize::new(0);
    let results = sweep::run_all(&configs(&all), folder.path(), 2, "", &Default::default(), &|_, _| {
        done.fetch_add(1, Ordering::Relaxed);
    });
    let kinds: Vec<bool> = results.iter().map(Result::is_ok).collect();
    assert_eq!((kinds, done.into_inner()), (vec![true, false, true], 3));
    let groups = sweep_report::group(&all, results);
    assert!(groups[1].failures[0].contains("model.heads = 0") && groups[1].runs.is_empty());
    sweep_report::write(&c, &groups, folder.path(), "mckean sweep").unwrap();
    let csv = fs::read_to_string(folder.path().join("sweep.csv")).unwrap();
    let starts: Vec<String> = csv.lines().map(|l| l.split(',').take(3).collect::<Vec<_>>().join(",")).collect();
    assert_eq!(starts, ["cell,runs,failures", "\"heads=2\",1,0", "\"heads=0\",0,1", "\"heads=3\",1,0"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2 + 4, "two runs, four files of the sweep");
}

#[test]
fn the_summary_holds_means_and_ranges_over_seeds() {
    let folder = tempfile::tempdir().unwrap();
    let c = grid();
    let all = cells(&c).unwrap();
    let results = run_all(&configs(&all), folder.path(), 2);
    let risks: Vec<f64> = results.iter().map(|r| r.as_ref().unwrap().risk).collect();
    let groups = sweep_report::group(&all, results);
    assert_eq!(groups.len(), 4);
    for (g, pair) in groups.iter().zip(risks.chunks(2)) {
        let (mean, low, high) = g.statistic(|s| Some(s.risk)).unwrap();
        assert_eq!((mean, low, high), ((pair[0] + pair[1]) / 2.0, pair[0].min(pair[1]), pair[0].max(pair[1])));
    }
    let page = sweep_report::write(&c, &groups, folder.path(), "mckean sweep").unwrap();
    let page = fs::read_to_string(page).unwrap();
    assert!(page.len() < 1_000_000 && page.contains("heads=3, kernel=linear"));
    let csv = fs::read_to_string(folder.path().join("sweep.csv")).unwrap();
    assert!(csv.lines().count() == 5 && csv.contains("\n\"heads=1, kernel=softmax\",2,0,"), "{csv}");
}

/// The table is read once for four cells: it may vanish after the first has it.
#[test]
fn data_are_loaded_once() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("table.csv");
    fs::write(&table, (0..12).map(|i| format!("{i},{},{}\n", i % 3, 0.1 * f64::from(i))).collect::<String>()).unwrap();
    let c = config(
        "name = \"table\"\n[data]\nname = \"csv\"\ntask = \"values\"\nstandardise = true\n[model]\ndepth = 1\n[dynamics]\nuntil = 0.2\n",
        &[&format!("data.path={}", table.display()), "sweep.grid={ \"model.heads\" = [1, 2, 3, 4] }"],
    );
    let all = configs(&cells(&c).unwrap());
    let results = sweep::run_all(&all, &folder.path().join("runs"), 1, "", &Default::default(), &|i, _| {
        if i == 0 {
            fs::remove_file(&table).unwrap()
        }
    });
    assert!(results.iter().all(Result::is_ok), "{:?}", results.iter().find(|r| r.is_err()));
    assert!(run_all(&all, &folder.path().join("again"), 2).iter().all(Result::is_err), "the table is gone");
}

#[test]
fn every_cell_is_checked_before_the_first_one_runs() {
    let bad = config(FLOW, &["sweep.grid={ \"model.heads\" = [1, 0] }"]);
    let refused = sweep::validate(&cells(&bad).unwrap()).unwrap_err().to_string();
    assert!(refused.contains("cell heads=0 of the sweep") && refused.contains("model.heads = 0"), "{refused}");
    let flops = |sets: &[&str]| sweep::validate(&cells(&config(FLOW, sets)).unwrap()).unwrap();
    let one = flops(&[]);
    assert!(one > 0.0 && flops(&["sweep.seeds=3"]) == 3.0 * one);
    let two = flops(&["sweep.grid={ \"model.depth\" = [2, 4] }"]); // FLOPs are linear in depth
    assert!((two - 3.0 * one).abs() < 1e-9 * two, "{two} against {one}");
}

#[test]
fn a_sweep_grows_and_its_page_is_rebuilt_from_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let grid =
        |seeds: &str, heads: &str| config(FLOW, &[seeds, &format!("sweep.grid={{ \"model.heads\" = {heads} }}")]);
    let (small, large) = (grid("sweep.seeds=1", "[1]"), grid("sweep.seeds=2", "[1, 3]"));
    let out = sweep::folder(&small, folder.path());
    assert_eq!(out, sweep::folder(&large, folder.path()));
    assert!(run_all(&configs(&cells(&small).unwrap()), &out, 1).iter().all(Result::is_ok));
    let all = cells(&large).unwrap();
    let found: Vec<bool> = sweep::collect(&configs(&all), &out).iter().map(Result::is_ok).collect();
    assert_eq!(found, [true, false, false, false], "nothing is run by collecting");
    let again: Vec<bool> = run_all(&configs(&all), &out, 2).into_iter().map(|s| s.unwrap().already_finished).collect();
    assert_eq!(again, [true, false, false, false], "only new cells run");
    let groups = sweep_report::group(&all, sweep::collect(&configs(&all), &out));
    let page = sweep_report::write(&large, &groups, &out, "mckean sweep").unwrap();
    let csv = fs::read_to_string(out.join("sweep.csv")).unwrap();
    fs::remove_file(&page).unwrap();
    let config = sweep_report::config_of(&out).unwrap().unwrap();
    assert_eq!(config, large);
    let (rebuilt, _) = sweep_report::rebuild(&config, &out).unwrap();
    assert_eq!((rebuilt.len(), fs::read_to_string(out.join("sweep.csv")).unwrap()), (2, csv));
    assert!(page.exists() && mckean::cite::of_folder(&out).unwrap().contains(&"gao2024".to_string()));
    assert!(sweep_report::config_of(folder.path()).unwrap().is_none());
}

#[test]
fn a_raised_flag_leaves_the_rest_of_a_sweep_for_later() {
    let folder = tempfile::tempdir().unwrap();
    let (all, stop) =
        (configs(&cells(&grid()).unwrap()), std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false)));
    let after_first = |_: usize, _: &Result<Summary, Error>| stop.store(true, Ordering::Relaxed);
    let results = sweep::run_all(&all, folder.path(), 1, "mckean sweep", &stop, &after_first);
    assert!(results[0].is_ok() && results[1..].iter().all(|r| matches!(r, Err(Error::NotRun))));
    assert!(run_all(&all, folder.path(), 2).iter().all(Result::is_ok));
}
