//! What a sweep leaves: one table (CSV and JSON), one page with curves by cell.
//!
//! Maths: means and ranges over seeds.
//! Shapes: one row a cell of the grid.
//! Cost: milliseconds.
//! Checked: `tests/sweeps.rs`; looked at as pictures.

use crate::config::Config;
use crate::error::Error;
use crate::experiment::Summary;
use crate::report::{references, short, time_axis};
use crate::sweep::{Cell, Curve, tables};
use mckean_report::page::{Block, Headline, Page, Row, Section};
use mckean_report::{Axis, Colour, Figure, Series, Table, atomic_write};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Seeds of one grid point.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// Grid values.
    pub label: String,
    /// Values by key.
    pub values: Vec<(String, serde_json::Value)>,
    /// Runs that ended.
    pub runs: Vec<Summary>,
    /// Runs that failed, with their errors.
    pub failures: Vec<String>,
}

/// Groups results by grid point, in the order of the grid.
pub fn group(cells: &[Cell], results: Vec<Result<Summary, Error>>) -> Vec<Group> {
    let mut groups: Vec<Group> = vec![];
    for (cell, result) in cells.iter().zip(results) {
        let label = cell.label();
        if groups.last().is_none_or(|g| g.label != label) {
            groups.push(Group { label, values: cell.values.clone(), runs: vec![], failures: vec![] });
        }
        let Some(own) = groups.last_mut() else { continue };
        match result {
            Ok(summary) => own.runs.push(summary),
            Err(e) => own.failures.push(e.to_string()),
        }
    }
    groups
}

impl Group {
    /// Mean and range over seeds of a number of the summaries.
    pub fn statistic(&self, f: impl Fn(&Summary) -> Option<f64>) -> Option<(f64, f64, f64)> {
        let all: Vec<f64> = self.runs.iter().filter_map(f).collect();
        let sum: f64 = all.iter().sum();
        let fold = |g: fn(f64, f64) -> f64, s: f64| all.iter().copied().fold(s, g);
        (!all.is_empty())
            .then(|| (sum / all.len() as f64, fold(f64::min, f64::INFINITY), fold(f64::max, f64::NEG_INFINITY)))
    }

    /// Its runs that did not get to their end, and when they ended.
    pub fn early(&self) -> Vec<String> {
        let early = self.runs.iter().filter(|s| s.outcome != "finished");
        let name = if self.label.is_empty() { String::new() } else { format!("{}: ", self.label) };
        early.map(|s| format!("{name}{} at {}", s.outcome.replace('_', " "), short(s.tau))).collect()
    }

    /// Metrics of its runs.
    ///
    /// # Errors
    /// Unreadable metrics.
    pub fn tables(&self) -> Result<Vec<Table>, Error> {
        tables(&self.runs.iter().map(|r| r.dir.clone()).collect::<Vec<PathBuf>>())
    }
}

/// How a number is taken from a summary.
type Pick = fn(&Summary) -> Option<f64>;

/// Columns of the summary table.
const COLUMNS: [(&str, Pick); 5] = [
    ("risk", |s| Some(s.risk)),
    ("objective", |s| Some(s.objective)),
    ("accuracy", |s| s.accuracy),
    ("test_risk", |s| s.test_risk),
    ("test_accuracy", |s| s.test_accuracy),
];

/// The summary as CSV: label, seeds, then mean, low, high of every column.
pub fn csv(groups: &[Group]) -> String {
    let mut text = String::from("cell,runs,failures");
    COLUMNS.iter().for_each(|(name, _)| text += &format!(",{name}_mean,{name}_low,{name}_high"));
    text.push('\n');
    for g in groups {
        text += &format!("\"{}\",{},{}", g.label.replace('"', "\"\""), g.runs.len(), g.failures.len());
        for (_, f) in COLUMNS {
            text += &g.statistic(f).map_or(",,,".into(), |(m, l, h)| format!(",{m},{l},{h}"));
        }
        text.push('\n');
    }
    text
}

/// The summary as rows of text: header, then one row a cell.
pub fn rows(groups: &[Group]) -> (Vec<String>, Vec<Vec<String>>) {
    let used: Vec<_> = COLUMNS.iter().filter(|(_, f)| groups.iter().any(|g| g.statistic(f).is_some())).collect();
    let mut header = vec!["cell".to_string(), "runs".to_string()];
    header.extend(used.iter().map(|(name, _)| name.to_string()));
    let row = |g: &Group| {
        let mut row = vec![
            g.label.clone(),
            format!("{}{}", g.runs.len(), if g.failures.is_empty() { "" } else { " (some failed)" }),
        ];
        let cell = |(m, l, h): (f64, f64, f64)| {
            if l == h || m.is_nan() { short(m) } else { format!("{} [{}, {}]", short(m), short(l), short(h)) }
        };
        row.extend(used.iter().map(|(_, f)| g.statistic(f).map_or("-".into(), cell)));
        row
    };
    (header, groups.iter().map(row).collect())
}

/// One curve with its band for every group.
///
/// # Errors
/// Unreadable metrics.
pub fn curves(groups: &[Group], column: &str) -> Result<Vec<Series>, Error> {
    let mut all = vec![];
    for (i, g) in groups.iter().enumerate() {
        let c = Curve::over(&g.tables()?, column);
        if c.runs > 0 {
            let line = Series::line(&g.label, c.tau, c.mean).colour(Colour::ramp(i, groups.len()));
            all.push(if c.runs > 1 { line.band(c.low, c.high) } else { line });
        }
    }
    Ok(all)
}

/// A figure of one metric over training, one line a group.
///
/// # Errors
/// Unreadable metrics.
pub fn figure(
    id: &str,
    title: &str,
    config: &Config,
    groups: &[Group],
    column: &str,
    log: bool,
) -> Result<Figure, Error> {
    let word = column.replace('_', " ");
    let y = if log { Axis::log("", &word) } else { Axis::linear("", &word) };
    let caption = "Mean over seeds; bands show the range over seeds.".to_string();
    let series = curves(groups, column)?;
    Ok(Figure { id: id.into(), title: title.into(), caption, x: time_axis(config), y, series, marks: vec![] })
}

/// The config of the sweep in `folder`, or `None` when the folder holds no sweep.
///
/// # Errors
/// A file that is there but cannot be understood.
pub fn config_of(folder: &Path) -> Result<Option<Config>, Error> {
    let path = folder.join(CONFIG);
    if path.exists() { Config::load(&path, &[]).map(Some) } else { Ok(None) }
}

/// Rebuilds table and page of the sweep of `config` in `folder` from its run directories.
///
/// # Errors
/// As [`write()`].
pub fn rebuild(config: &Config, folder: &Path) -> Result<(Vec<Group>, PathBuf), Error> {
    let cells = crate::sweep::cells(config)?;
    let configs: Vec<Config> = cells.iter().map(|c| c.config.clone()).collect();
    let groups = group(&cells, crate::sweep::collect(&configs, folder));
    let command = format!("mckean report {}", folder.display());
    let page = write(config, &groups, folder, &command)?;
    Ok((groups, page))
}

/// The sweep's own config, with its grid.
const CONFIG: &str = "sweep.toml";

/// Writes `sweep.toml`, `sweep.csv`, `sweep.json` and `report.html` into the sweep's folder.
///
/// # Errors
/// The folder cannot be written.
pub fn write(config: &Config, groups: &[Group], out: &Path, command: &str) -> Result<PathBuf, Error> {
    atomic_write(out.join(CONFIG), config.resolved().as_bytes())?;
    atomic_write(out.join("sweep.csv"), csv(groups).as_bytes())?;
    crate::store::write_json(&out.join("sweep.json"), groups)?;
    let (header, rows) = rows(groups);
    let rows = rows.into_iter().map(Row::new).collect();
    let mut figures = vec![figure("risk", "Training risk", config, groups, "risk", true)?];
    for (column, title) in [("accuracy", "Training accuracy"), ("test_accuracy", "Test accuracy")] {
        let f = figure(column, title, config, groups, column, false)?;
        figures.extend((!f.series.is_empty()).then_some(f));
    }
    let caption = "Values at the end of training: mean [range over seeds].".to_string();
    let keys = crate::cite::for_run(&config.data.name, &config.model, &config.dynamics);
    let sections = vec![
        Section::new("Summary", vec![Block::Table { caption, header, rows }]),
        Section::new("Curves", vec![Block::Figures(figures)]),
        Section::new("Config", vec![Block::Code(config.resolved()), Block::Code(command.into())]),
        references(&keys.iter().map(|k| k.to_string()).collect::<Vec<_>>()),
    ];
    let runs: usize = groups.iter().map(|g| g.runs.len()).sum();
    let headline = vec![Headline::new("cells", groups.len().to_string()), Headline::new("runs", runs.to_string())];
    let page = Page {
        title: format!("{}: sweep", config.name),
        subtitle: "One line a cell of the grid.".into(),
        headline,
        sections,
    };
    atomic_write(out.join("report.html"), page.html().as_bytes())?;
    Ok(out.join("report.html"))
}
