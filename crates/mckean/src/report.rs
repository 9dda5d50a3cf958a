//! The HTML page of a run, rebuilt at any time from its directory.
//!
//! Maths: none of its own; figures show what the observers measured.
//! Shapes: reads `metrics.jsonl`, `manifest.json`, `resolved.toml`, `arrays/`.
//! Cost: milliseconds.
//! Checked: `tests/runs.rs`; looked at as pictures.

use crate::config::Config;
use crate::error::Error;
use mckean_dynamics::config::{Kind, Rule};
use mckean_report::metrics::Table;
use mckean_report::page::{Block, Headline, Page, Row, Section};
use mckean_report::{Axis, Colour, Figure, Manifest, ReportError, RunDir, Series, atomic_write};
use std::path::PathBuf;

mod checks;
mod kind;

use kind::Holds;

/// Writes `report.html` of a run; returns its path.
///
/// # Errors
/// A directory that is no run, or cannot be written.
pub fn write_run(dir: &RunDir) -> Result<PathBuf, Error> {
    match kind::of(dir)? {
        Holds::Limit => return crate::limit_report::write(dir),
        Holds::Gap => return crate::gap_report::rebuild(dir),
        Holds::Rates => return crate::rates_report::rebuild(dir),
        Holds::Stationary => return crate::stationary_report::rebuild(dir),
        Holds::Run => {}
    }
    let (manifest, resolved) = (dir.manifest()?, dir.resolved()?);
    let config = Config::parse(&resolved, "resolved.toml", &[])?;
    let table = mckean_report::metrics::read(dir.metrics())?;
    if manifest.outcome.is_some() && table.rows == 0 {
        return Err(ReportError::damaged(dir.metrics(), "it holds no observation").into());
    }
    let mut sections = vec![Section::new("Training", vec![Block::Figures(training(&config, &table))])];
    let figures = checks::figures(&table);
    if !figures.is_empty() {
        let table = checks::table(&table, &manifest);
        sections.push(Section::new("Exact checks", vec![table, Block::Figures(figures)]));
    }
    sections.extend(crate::certify::read(dir)?.as_ref().map(crate::certify::sections));
    let particles = particles(dir, &config, manifest.outcome.is_some())?;
    if !particles.is_empty() {
        sections.push(Section::new("Particles", vec![Block::Figures(particles)]));
    }
    sections.push(Section::new("Cost and provenance", vec![cost(&manifest), Block::Code(manifest.command.clone())]));
    sections.push(Section::new("What was asked", vec![Block::Code(resolved)]));
    sections.push(references(&manifest.citations));
    let subtitle = format!("{} · seed {} · {}", sentence(&config), manifest.seed, manifest.started);
    let page = Page { title: config.name.clone(), subtitle, headline: headline(&config, &table, &manifest), sections };
    atomic_write(dir.report(), page.html().as_bytes())?;
    Ok(dir.report())
}

/// What to cite, as a section.
pub fn references(keys: &[String]) -> Section {
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let text = crate::cite::entries(&keys).unwrap_or_else(|e| e.to_string());
    Section::new("References", vec![Block::Code(text)])
}

fn sentence(c: &Config) -> String {
    let (m, d) = (&c.model, &c.dynamics);
    let word = |x: &dyn std::fmt::Debug| words(&format!("{x:?}"));
    let how = match d.kind {
        Kind::Flow => format!("gradient flow ({}) to τ = {}", word(&d.integrator), d.until),
        Kind::Descent => format!("{} for {} epochs", word(&d.optimizer), d.epochs),
    };
    let scaling = match m.parametrisation {
        mckean_model::Parametrisation::MeanField => "mean-field",
        mckean_model::Parametrisation::Sp => "standard",
    };
    let heads = format!("{} heads ({}, {} kernel)", m.heads, m.attention, word(&m.kernel));
    let neurons = format!("{} neurons ({})", m.neurons, word(&m.activation));
    format!(
        "{scaling} Transformer on {}: {} blocks, {heads}, {neurons}, weight decay {}, {how}",
        c.data.name, m.depth, d.weight_decay
    )
}

/// `NormalisedGaussian` as "normalised gaussian".
fn words(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.chars().enumerate() {
        if c.is_uppercase() && i > 0 {
            out.push(' ');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// A number as a person would write it.
pub fn short(x: f64) -> String {
    match x.abs() {
        _ if !x.is_finite() => format!("{x}"),
        a if a != 0.0 && !(1e-3..1e5).contains(&a) => format!("{x:.3e}"),
        _ => format!("{x:.4}"),
    }
}

fn headline(config: &Config, table: &Table, manifest: &Manifest) -> Vec<Headline> {
    let last = |name: &str| table.column(name).and_then(|c| c.last().copied());
    let outcome = manifest.outcome.as_ref().map_or("unfinished", |o| o.kind.as_str());
    let mut all = vec![Headline::new("outcome", outcome)];
    let objective = if has_objective(config) { "objective" } else { "" };
    for (name, label) in [("risk", "risk R"), (objective, "objective Q"), ("test_risk", "test risk")] {
        all.extend(last(name).map(|x| Headline::new(label, short(x))));
    }
    for (name, label) in [("accuracy", "training accuracy"), ("test_accuracy", "test accuracy")] {
        all.extend(last(name).map(|x| Headline::new(label, format!("{:.2} %", 100.0 * x))));
    }
    all
}

/// Axis of training time.
pub fn time_axis(config: &Config) -> Axis {
    match config.dynamics.kind {
        Kind::Flow => Axis::linear("τ", "training time"),
        Kind::Descent => Axis::linear("", "epoch"),
    }
}

fn series(table: &Table, name: &str, label: &str, colour: usize) -> Option<Series> {
    let (tau, seen) = (table.column("tau")?, table.observed(name));
    let (x, y) = seen.iter().map(|&(row, value)| (tau[row], value)).unzip();
    (!seen.is_empty()).then(|| Series::line(label, x, y).colour(Colour::Index(colour)))
}

fn figure(id: &str, title: &str, caption: &str, x: Axis, y: Axis, series: Vec<Option<Series>>) -> Option<Figure> {
    let series: Vec<Series> = series.into_iter().flatten().collect();
    let (id, title, caption) = (id.into(), title.into(), caption.into());
    (!series.is_empty()).then(|| Figure { id, title, caption, x, y, series, marks: vec![] })
}

/// Whether Q is what training lowers: AdamW's weight decay is no gradient of a penalty.
fn has_objective(config: &Config) -> bool {
    let d = &config.dynamics;
    d.kind == Kind::Flow || d.optimizer != Rule::Adamw
}

fn training(config: &Config, t: &Table) -> Vec<Figure> {
    let objective = series(t, "objective", "objective Q", 0).filter(|_| has_objective(config));
    let risk = |colour| vec![series(t, "risk", "risk R", colour), series(t, "test_risk", "test risk", 2)];
    let rates = vec![series(t, "accuracy", "training", 1), series(t, "test_accuracy", "test", 2)];
    let x = || time_axis(config);
    let both = config.dynamics.kind == Kind::Flow; // there Q stays near R; with summed weights it does not
    let first = if both { [vec![objective.clone()], risk(1)].concat() } else { risk(1) };
    let all = [
        figure("risk", "Risk", "Mean loss over training.", x(), Axis::log("R", "risk"), first),
        figure(
            "objective",
            "Objective",
            "Risk plus the weight decay term.",
            x(),
            Axis::log("Q", "objective"),
            vec![objective.filter(|_| !both)],
        ),
        figure(
            "accuracy",
            "Accuracy",
            "Share of correctly classified samples.",
            x(),
            Axis::linear("", "accuracy"),
            rates,
        ),
    ];
    all.into_iter().flatten().collect()
}

/// Sorted particle norms at the start and at the end; an ended run has both.
fn particles(dir: &RunDir, config: &Config, ended: bool) -> Result<Vec<Figure>, Error> {
    let load = |when: &str| match ended || dir.array(when).exists() {
        true => mckean_report::tensors::load(dir.array(when)).map(Some),
        false => Ok(None),
    };
    let (start, end) = (load("start")?, load("end")?);
    let norms = |when: &str, sublayer: &str| -> Option<Vec<f64>> {
        let file = if when == "start" { start.as_ref()? } else { end.as_ref()? };
        let mut all = vec![];
        for l in 0..config.model.slices() {
            let prefix = format!("blocks.{l}.{sublayer}.");
            let own: Vec<_> =
                file.entries.iter().filter(|t| t.name.starts_with(&prefix) && t.shape.len() > 1).collect();
            let count = own.first()?.shape[0];
            for j in 0..count {
                let square = |t: &&mckean_report::NamedTensor| match &t.data {
                    mckean_report::TensorData::F64(x) => {
                        x[j * x.len() / count..(j + 1) * x.len() / count].iter().map(|v| v * v).sum::<f64>()
                    }
                    _ => 0.0,
                };
                all.push(own.iter().map(square).sum::<f64>().sqrt());
            }
        }
        all.sort_by(f64::total_cmp);
        Some(all)
    };
    let curve = |when: &str, sublayer: &str, colour: usize| {
        let y = norms(when, sublayer)?;
        let x = (0..y.len()).map(|i| (i as f64 + 0.5) / y.len() as f64).collect();
        Some(Series::line(when, x, y).colour(Colour::Index(colour)))
    };
    let one = |sublayer: &str, title: &str| {
        figure(
            sublayer,
            title,
            "Norms of all particles over all depths, sorted: how far training spread them.",
            Axis::linear("", "share of particles"),
            Axis::linear("|β|", "particle norm"),
            vec![curve("start", sublayer, 1), curve("end", sublayer, 0)],
        )
    };
    Ok([one("attention", "Heads"), one("feed_forward", "Neurons")].into_iter().flatten().collect())
}

pub(crate) fn cost(m: &Manifest) -> Block {
    let mut rows = vec![
        Row::new(["version".to_string(), m.version.clone()]),
        Row::new(["commit".to_string(), m.commit.clone().unwrap_or("not known".into())]),
        Row::new(["processor".to_string(), format!("{} ({}, {} threads)", m.cpu, m.isa, m.threads)]),
        Row::new(["precision".to_string(), m.precision.clone()]),
        Row::new(["config hash".to_string(), m.config_hash.clone()]),
        Row::new(["started, ended".to_string(), format!("{} – {}", m.started, m.ended.clone().unwrap_or_default())]),
    ];
    rows.extend(m.work.iter().map(|(name, count)| Row::new([name.clone(), format!("{:.0}", count.as_f64())])));
    Block::Table { caption: "Work and provenance.".into(), header: vec!["".into(), "".into()], rows }
}
