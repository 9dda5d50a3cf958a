//! The HTML page of a limit, rebuilt at any time from its directory.
//!
//! Maths: none of its own.
//! Shapes: reads `analysis/limit.json`, `arrays/law.safetensors`, `manifest.json`, `resolved.toml`.
//! Cost: milliseconds.
//! Checked: `tests/limits.rs`; looked at as pictures.

use crate::config::Config;
use crate::error::Error;
use crate::limit::{self, Record};
use crate::particle_law;
use crate::report::{cost, references, short};
use mckean_dynamics::limit::Band;
use mckean_report::page::{Block, Headline, Page, Row, Section};
use mckean_report::{Axis, Colour, Figure, ReportError, RunDir, Series, Style, atomic_write};
use std::path::PathBuf;

/// The record of a directory.
///
/// # Errors
/// A missing or damaged file.
pub fn read(dir: &RunDir) -> Result<Record, Error> {
    let path = dir.analysis("limit");
    let text = std::fs::read_to_string(&path).map_err(|e| ReportError::io("read", &path, e))?;
    let damaged = |e: serde_json::Error| ReportError::BadManifest { path, reason: e.to_string() };
    Ok(Record { dir: dir.path().into(), ..serde_json::from_str(&text).map_err(damaged)? })
}

/// Writes `report.html`; returns its path.
///
/// # Errors
/// A directory that holds no limit, or cannot be written.
pub fn write(dir: &RunDir) -> Result<PathBuf, Error> {
    let (record, manifest, resolved) = (read(dir)?, dir.manifest()?, dir.resolved()?);
    let config = Config::parse(&resolved, "resolved.toml", &[])?;
    let sections = vec![
        Section::new(
            "The limit",
            vec![Block::Figures(curves(&record).into_iter().chain(outputs(dir, &record.taus)).collect())],
        ),
        Section::new("Where the error comes from", vec![Block::Figures(errors(&record)), table(&record)]),
        Section::new("The law of the particles", vec![Block::Figures(particle_law::figures(dir))]),
        Section::new("Cost and provenance", vec![cost(&manifest), Block::Code(manifest.command.clone())]),
        Section::new("What was asked", vec![Block::Code(resolved)]),
        references(&manifest.citations),
    ];
    let what = format!(
        "mean-field limit on {}: {} attention, {:?} kernel, weight decay {}",
        config.data.name, config.model.attention, config.model.kernel, config.dynamics.weight_decay
    );
    let subtitle = format!("{what} · {}", manifest.started);
    let title = format!("{}: mean-field limit", config.name);
    let page = Page { title, subtitle, headline: headline(&record), sections };
    atomic_write(dir.report(), page.html().as_bytes())?;
    Ok(dir.report())
}

fn headline(r: &Record) -> Vec<Headline> {
    let mut all = vec![Headline::new("outcome", r.outcome.replace('_', " "))];
    if let Some(tau) = r.ended {
        all.push(Headline::new("ended at τ", short(tau)));
    }
    let last = |b: &Band| b.value.len().checked_sub(1).map(|i| (b.value[i], b.total(i)));
    for (band, label) in [(&r.risk, "risk R"), (&r.objective, "objective Q")] {
        all.extend(
            last(band).map(|(x, e)| Headline { interval: format!("± {e:.1e}"), ..Headline::new(label, digits(x, e)) }),
        );
    }
    all.extend(r.error.map(|e| Headline {
        note: format!("asked {:.1e}", r.rtol),
        ..Headline::new("largest relative error", format!("{e:.1e}"))
    }));
    if r.strong {
        all.push(Headline { note: "depth errors fall slowly".into(), ..Headline::new("regime", "strong") });
    }
    all
}

/// A value with as many digits as its error leaves.
pub fn digits(x: f64, error: f64) -> String {
    let places = if error > 0.0 { (1.0 - error.log10().floor()).clamp(2.0, 12.0) as usize } else { 6 };
    format!("{x:.places$}")
}

fn figure(id: &str, title: &str, caption: &str, y: Axis, series: Vec<Series>) -> Figure {
    let x = Axis::linear("τ", "training time");
    Figure { id: id.into(), title: title.into(), caption: caption.into(), x, y, series, marks: vec![] }
}

fn curves(r: &Record) -> Vec<Figure> {
    let one = |band: &Band, label: &str, colour: usize| {
        let (low, high) = band.ends();
        Series::line(label, r.taus.clone(), band.value.clone()).band(low, high).colour(Colour::Index(colour))
    };
    let caption = "The limit of infinite width and depth; the band is the total error (95 % of the particle part).";
    vec![
        figure("risk", "Risk", caption, Axis::linear("R", "risk"), vec![one(&r.risk, "risk R", 0)]),
        figure(
            "objective",
            "Objective",
            caption,
            Axis::linear("Q", "objective"),
            vec![one(&r.objective, "objective Q", 1)],
        ),
        figure(
            "moment",
            "Second moment",
            caption,
            Axis::linear("", "mean of |β|²"),
            vec![one(&r.moment, "mean of |β|²", 2)],
        ),
    ]
}

/// Samples whose outputs are drawn.
const SAMPLES: usize = 4;

/// Outputs of the first samples with their bands; none where there are no arrays.
fn outputs(dir: &RunDir, taus: &[f64]) -> Option<Figure> {
    let (band, shape) = limit::outputs(dir).ok()?;
    let (low, high) = band.ends();
    let line = |sample: usize| {
        let of = |all: &[f64]| (0..taus.len()).map(|i| all[(i * shape[1] + sample) * shape[2]]).collect::<Vec<_>>();
        let colour = Colour::Index(sample);
        Series::line(format!("sample {sample}"), taus.to_vec(), of(&band.value))
            .band(of(&low), of(&high))
            .colour(colour)
    };
    let series = (0..shape[1].min(SAMPLES)).map(line).collect();
    let caption = "The first output of the first samples, with its band; all of them, with the parts of their errors, are in arrays/curves.";
    Some(figure("outputs", "Outputs", caption, Axis::linear("y", "output"), series))
}

/// Share of the largest error that is not worth drawing.
const NEGLIGIBLE: f64 = 1e-8;

/// The points of a series above `least`.
fn above(s: Series, least: f64) -> Series {
    let (x, y) = s.x.iter().zip(&s.y).filter(|p| *p.1 > least).map(|(x, y)| (*x, *y)).unzip();
    Series { x, y, ..s }
}

fn errors(r: &Record) -> Vec<Figure> {
    let one = |band: &Band, name: &str, title: &str| {
        let part = |label: &str, y: &Vec<f64>, colour| {
            Series::line(label, r.taus.clone(), y.clone()).colour(Colour::Index(colour))
        };
        let total = band.totals();
        let largest = total.iter().copied().fold(0.0, f64::max);
        let series = vec![
            part("particles", &band.particle, 0),
            part("bias", &band.bias, 1),
            part("depth", &band.depth, 2),
            part("time", &band.time, 3),
            part("total", &total, 4).style(Style::Dashed),
        ];
        let used = series
            .into_iter()
            .filter(|s| s.y.iter().any(|y| *y > 0.0))
            .map(|s| above(s, NEGLIGIBLE * largest))
            .collect();
        let caption = "Half widths of the 95 % intervals over replicates and of the correction for finitely many particles (bias; on a grid: cells and walls), differences to finer steps.";
        figure(name, title, caption, Axis::log("", "error"), used)
    };
    vec![one(&r.risk, "risk-error", "Error of R"), one(&r.objective, "objective-error", "Error of Q")]
}

fn table(r: &Record) -> Block {
    let number = |x: Option<f64>| x.map_or("none".into(), |x| format!("{x:.1e}"));
    let rows = [
        ("particles a slice × replicates", format!("{} × {}", r.particles, r.replicates)),
        ("depth steps (Runge-Kutta, order 4)", r.depth_steps.to_string()),
        ("tolerance of time steps", format!("{:.0e}", r.tolerance)),
        ("Runge-Kutta against Gauss depth", number(r.witness)),
        ("energy identity, relative mismatch", number(r.energy)),
        (
            "depth errors",
            match (r.witness, r.strong) {
                (None, _) => "not known",
                (_, true) => "fall slowly: strong regime",
                _ => "fall as expected",
            }
            .into(),
        ),
        ("seconds", format!("{:.1}", r.seconds)),
        (
            "predicted seconds for the tolerance",
            r.predicted.map_or("reached, or not a matter of particles".into(), |s| format!("{s:.0}")),
        ),
        ("what it means", r.advice.clone()),
    ];
    let rows = rows.into_iter().map(|(name, value)| Row::new([name.to_string(), value])).collect();
    Block::Table { caption: "How it was computed.".into(), header: vec!["".into(), "".into()], rows }
}
