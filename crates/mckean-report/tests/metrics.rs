//! The metrics of a run: crashes, resumes, and the columnar copy.
//!
//! Maths: none.
//! Shapes: a few dozen observations.
//! Cost: milliseconds.
//! Checked: this is a test.

use mckean_report::metrics::{Kind, compact, read, read_parquet};
use mckean_report::{MetricsLog, ReportError, Table};
use std::fs;
use std::path::{Path, PathBuf};

fn write_rows(log: &mut MetricsLog, steps: std::ops::Range<u64>) {
    for step in steps {
        let tau = 0.1 * step as f64;
        let mut row = vec![("step", step.into()), ("tau", tau.into()), ("risk", (-tau).exp().into())];
        if step % 3 == 0 {
            row.push(("operator.gap", if step == 6 { f64::NAN.into() } else { f64::INFINITY.into() }));
        }
        log.append(&row).unwrap();
    }
}

fn log_of(folder: &Path, steps: u64) -> (PathBuf, MetricsLog) {
    let path = folder.join("metrics.jsonl");
    let mut log = MetricsLog::create(&path).unwrap();
    write_rows(&mut log, 0..steps);
    (path, log)
}

fn bits(table: &Table, name: &str) -> Vec<u64> {
    table.column(name).unwrap().iter().map(|x| x.to_bits()).collect()
}

#[test]
fn numbers_come_back_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _log) = log_of(folder.path(), 200);
    let table = read(&path).unwrap();
    let expected: Vec<u64> = (0..200).map(|step| (-0.1 * step as f64).exp().to_bits()).collect();
    assert_eq!(bits(&table, "risk"), expected);
    let gap = table.column("operator.gap").unwrap();
    assert!(gap[0] == f64::INFINITY && gap[1].is_nan() && gap[6].is_nan());
    assert!(table.torn.is_none());
}

#[test]
fn a_killed_writer_costs_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let (path, log) = log_of(folder.path(), 5);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 4]).unwrap();
    let table = read(&path).unwrap();
    assert_eq!(table.rows, 4);
    assert!(table.torn.unwrap().starts_with("{\"step\":4"));
    assert_eq!(log.position(), whole.len() as u64);
}

#[test]
fn resumed_and_uninterrupted_logs_have_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (path, log) = log_of(folder.path(), 20);
    let uninterrupted = fs::read(&path).unwrap();
    drop(log);
    let (path, mut log) = log_of(folder.path(), 12);
    let checkpoint = log.position();
    log.sync().unwrap();
    write_rows(&mut log, 12..15);
    drop(log);
    fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .and_then(|mut f| std::io::Write::write_all(&mut f, b"{\"st"))
        .unwrap();
    let mut resumed = MetricsLog::open_at(&path, checkpoint).unwrap();
    write_rows(&mut resumed, 12..20);
    assert_eq!(fs::read(&path).unwrap(), uninterrupted);
}

#[test]
fn positions_that_do_not_fit_are_refused_and_the_file_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (path, log) = log_of(folder.path(), 3);
    for position in [log.position() + 1, log.position() - 1] {
        let refused = MetricsLog::open_at(&path, position).unwrap_err();
        assert!(matches!(refused, ReportError::BadPosition { .. }), "{refused}");
    }
    assert_eq!(read(&path).unwrap().rows, 3);
    assert!(MetricsLog::open_at(folder.path().join("absent.jsonl"), 10).is_err());
    assert!(!folder.path().join("absent.jsonl").exists());
}

#[test]
fn parquet_round_trip() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _log) = log_of(folder.path(), 3000);
    let parquet = folder.path().join("metrics.parquet");
    let table = compact(&path, &parquet).unwrap();
    let back = read_parquet(&parquet).unwrap();
    assert_eq!((back.rows, back.names()), (3000, vec!["step", "tau", "risk", "operator.gap"]));
    for (a, b) in table.columns.iter().zip(&back.columns) {
        assert_eq!((a.kind, &a.present), (b.kind, &b.present));
        assert_eq!(bits(&table, &a.name), bits(&back, &b.name));
    }
    assert_eq!(back.columns[0].kind, Kind::Int);
    let first = fs::read(&parquet).unwrap();
    compact(&path, &parquet).unwrap();
    assert_eq!(fs::read(&parquet).unwrap(), first);
}

#[test]
fn parquet_of_nothing_and_of_garbage() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _log) = log_of(folder.path(), 0);
    let parquet = folder.path().join("metrics.parquet");
    compact(&path, &parquet).unwrap();
    assert_eq!(read_parquet(&parquet).unwrap().rows, 0);
    fs::write(&parquet, b"PAR1 this is not it").unwrap();
    assert!(matches!(read_parquet(&parquet), Err(ReportError::BadParquet { .. })));
}
