//! Tables and page of the gap between the networks of a config and their limit, rebuilt at any time from their directory.
//!
//! Maths: none of its own.
//! Shapes: reads `gap.toml`, `cells.jsonl` and the limit beside them.
//! Cost: milliseconds.
//! Checked: `tests/gap.rs`; looked at as pictures.

mod figures;
mod tables;

pub use tables::{forecasts, parts, remarks, three};

use crate::config::Config;
use crate::error::Error;
use crate::gap::{self, Record};
use crate::rates::Quantity;
use crate::report::{cost, references};
use mckean_report::page::{Block, Headline, Page, Row, Section};
use mckean_report::{RunDir, atomic_write};
use std::path::PathBuf;

/// The config with what was asked.
pub(crate) const CONFIG: &str = "gap.toml";

/// Rebuilds the page of a directory from its networks.
///
/// # Errors
/// A directory without networks, a limit that is gone.
pub fn rebuild(dir: &RunDir) -> Result<PathBuf, Error> {
    let config = Config::parse(&dir.text(CONFIG)?, CONFIG, &[])?;
    let record = gap::collect(&config, dir)?;
    write(dir, &config, &record)
}

/// Writes `report.html`; returns its path.
///
/// # Errors
/// A folder that cannot be written.
pub(crate) fn write(dir: &RunDir, config: &Config, r: &Record) -> Result<PathBuf, Error> {
    let manifest = dir.manifest()?;
    let table = |caption: &str, (header, rows): (Vec<String>, Vec<Vec<String>>)| Block::Table {
        caption: caption.into(),
        header,
        rows: rows.into_iter().map(Row::new).collect(),
    };
    let sections = vec![
        Section::new("Gap", vec![table(PARTS, parts(r)), Block::List(remarks(r)), Block::Figures(figures::gap(r))]),
        Section::new("Larger networks", vec![table(FORECASTS, forecasts(r)), Block::Figures(figures::growth(r))]),
        Section::new("Particles and clouds", vec![Block::Figures(figures::particles(r))]),
        Section::new("Cost and provenance", vec![cost(&manifest), Block::Code(manifest.command.clone())]),
        Section::new("What was asked", vec![Block::Code(config.resolved())]),
        references(&manifest.citations),
    ];
    let title = format!("{}: M = {}, L = {} against the limit", config.name, r.width, r.depth);
    let subtitle = format!("seeds from {} on · {} of {} networks · {}", r.seed, r.there, r.asked, manifest.started);
    let page = Page { title, subtitle, headline: headline(r), sections };
    atomic_write(dir.report(), page.html().as_bytes())?;
    Ok(dir.report())
}

const PARTS: &str = "Largest over training time, root mean square over seeds, 95 % intervals. Noise: gap to the infinitely wide network of the same \
                     depth. Bias: gap of that network to the limit with the same particles. C: what Theorem 3.1's bound C (1/L + sqrt(log(L+1)/M)) needs here.";
const FORECASTS: &str = "From the measured noise and bias at one size, supposing that noise falls as (M L)^-1/2 and bias as 1/L (derived, not the paper's; \
                         `mckean rates` measures both). Cost: training, over that of the measured size.";

fn headline(r: &Record) -> Vec<Headline> {
    let one = |p: &gap::Part| {
        let gap = p.gap?;
        let note = p.share().map_or(String::new(), |s| format!("{:.0} % noise of width", 100.0 * s));
        Some(Headline {
            interval: tables::spread(&gap),
            note,
            ..Headline::new(format!("{} gap", p.quantity.words()), tables::three(gap.rms))
        })
    };
    r.parts.iter().filter(|p| Quantity::THEOREM.contains(&p.quantity)).filter_map(one).collect()
}
