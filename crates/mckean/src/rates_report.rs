//! Tables and page of rates, rebuilt at any time from their directory.
//!
//! Maths: none of its own.
//! Shapes: reads `rates.toml`, `cells.jsonl` and the limit beside them; one table row and three figures a quantity.
//! Cost: that of the analysis, seconds.
//! Checked: `tests/rates.rs`; looked at as pictures.

mod clouds;
mod figures;
mod remarks;

pub use clouds::ends as clouds;
pub(crate) use remarks::missing;
pub use remarks::remarks;

use crate::config::Config;
use crate::error::Error;
use crate::rates::{Exponent, Found, Quantity, Record, Richardson, Rung};
use crate::report::{cost, references, short};
use mckean_analysis::fit::Law;
use mckean_analysis::fit::choice::Candidate;
use mckean_report::page::{Block, Headline, Page, Row, Section};
use mckean_report::{RunDir, atomic_write};
use std::path::PathBuf;

/// The config with its grid.
pub(crate) const CONFIG: &str = "rates.toml";

/// `-0.501 [-0.512, -0.490]`, with more digits where the interval is narrower; a dash for what was not measured.
pub fn interval(e: &Exponent) -> String {
    let Some(m) = e.measured else { return "-".into() };
    let places = places(m.half_width());
    match e.problem.as_ref() {
        None => format!("{:.places$} [{:.places$}, {:.places$}]", m.value, m.low, m.high),
        Some(why) => format!("{:.places$} ({why})", m.value),
    }
}

/// Decimal places that show an interval of this half width with two digits, three at least.
fn places(half: f64) -> usize {
    if half > 0.0 && half.is_finite() { (1.0 - half.log10().floor()).clamp(3.0, 6.0) as usize } else { 3 }
}

/// Header and rows: every exponent of every quantity with its 95 % interval.
pub fn exponents(r: &Record) -> (Vec<String>, Vec<Vec<String>>) {
    let header = ["gap", "noise in M (-1/2)", "bias in L (-1)", "noise in L (-1/2)", "raw in M", "raw in L"];
    let row = |f: &Found| {
        let all = [&f.width, &f.depth, &f.noise_depth, &f.raw_width, &f.raw_depth];
        [vec![label(f.quantity)], all.map(interval).to_vec()].concat()
    };
    (header.map(String::from).to_vec(), r.found.iter().map(row).collect())
}

/// The name of a quantity, with its predictions where they differ from those of the header.
fn label(q: Quantity) -> String {
    let ([in_m, _, in_l], _) = q.predicted();
    let usual = (in_m, in_l) == (-0.5, -0.5);
    if usual { q.words().into() } else { format!("{} (noise in M {in_m}, in L {in_l})", q.words()) }
}

/// The candidate of the best law, and that of the theorem's law.
fn best_and_theorem(f: &Found) -> Option<(&Candidate, &Candidate)> {
    let laws = f.laws.as_ref()?;
    let theorem = laws.candidates.iter().find(|c| c.fit.law == Law::Theorem && !c.fit.floor)?;
    Some((laws.best(), theorem))
}

/// Header and rows: which law predicts held-out gaps best, and how far off the theorem's shape is as a fit.
pub fn laws(r: &Record) -> (Vec<String>, Vec<Vec<String>>) {
    let header =
        ["gap", "law that predicts best", "coefficients", "held-out error", "error of C (1/L + sqrt(log(L+1)/M))"];
    let percent = |c: &Candidate| format!("{:.1} %", 100.0 * c.extrapolation.hypot(c.left_out));
    let row = |f: &Found| {
        let own = match best_and_theorem(f) {
            None => vec![
                "none: too few cells, or too close to the error of the limit".into(),
                "-".into(),
                "-".into(),
                "-".into(),
            ],
            Some((best, theorem)) => {
                let numbers: Vec<String> = best.fit.coefficients.iter().map(|c| format!("{c:.3e}")).collect();
                let law = best.fit.law.words().to_string() + if best.fit.floor { " with a floor" } else { "" };
                vec![law, numbers.join(", "), percent(best), percent(theorem)]
            }
        };
        [vec![f.quantity.words().to_string()], own].concat()
    };
    (header.map(String::from).to_vec(), r.found.iter().map(row).collect())
}

/// Header and rows: the bias of depth extrapolated from pairs of depths; empty without a pair.
pub fn richardson(r: &Record) -> (Vec<String>, Vec<Vec<String>>) {
    let header = ["gap of 2 R_2L - R_L", "exponent in L (-2)", "by L, 2L"].map(String::from).to_vec();
    let pair = |b: &Rung| format!("{}, {}: {:.2e}", b.depth, 2.0 * b.depth, b.gap);
    let row = |(q, x): (Quantity, &Richardson)| {
        let pairs: Vec<String> = x.pairs.iter().map(pair).collect();
        vec![q.words().into(), interval(&x.exponent), pairs.join("; ")]
    };
    (header, r.found.iter().filter_map(|f| Some(row((f.quantity, f.richardson.as_ref()?)))).collect())
}

/// Rebuilds the page of a directory from its networks.
///
/// # Errors
/// A directory without rates, a limit that is gone.
pub fn rebuild(dir: &RunDir) -> Result<PathBuf, Error> {
    let config = Config::parse(&dir.text(CONFIG)?, CONFIG, &[])?;
    let record = crate::rates::collect(&config, dir)?;
    write(dir, &config, &record)
}

/// Writes `report.html`; returns its path.
///
/// # Errors
/// A folder that cannot be written.
pub(crate) fn write(dir: &RunDir, config: &Config, r: &Record) -> Result<PathBuf, Error> {
    let manifest = dir.manifest()?;
    let mut sections = vec![Section::new("Exponents", vec![block(EXPONENTS, exponents(r)), Block::List(remarks(r))])];
    let extrapolated = richardson(r);
    if !extrapolated.1.is_empty() {
        sections.push(Section::new("Richardson", vec![block(RICHARDSON, extrapolated)]));
    }
    sections.extend(clouds::section(r));
    for f in r.found.iter().filter(|f| Quantity::SHOWN.contains(&f.quantity)) {
        sections.push(Section::new(format!("Gap: {}", f.quantity.words()), vec![Block::Figures(figures::all(f))]));
    }
    sections.push(Section::new("Laws", vec![block(LAWS, laws(r)), Block::Text(HOW.into())]));
    sections.push(Section::new("Cost and provenance", vec![cost(&manifest), Block::Code(manifest.command.clone())]));
    sections.push(Section::new("What was asked", vec![Block::Code(config.resolved())]));
    sections.push(references(&manifest.citations));
    let title = format!("{}: rates towards the limit", config.name);
    let subtitle = format!(
        "widths {:?}, depths {:?}, {} seeds · {} of {} networks · {}",
        r.grid.widths, r.grid.depths, r.grid.seeds, r.there, r.asked, manifest.started
    );
    let page = Page { title, subtitle, headline: headline(r), sections };
    atomic_write(dir.report(), page.html().as_bytes())?;
    Ok(dir.report())
}

const EXPONENTS: &str = "Exponents with 95 % intervals; predictions in brackets. Noise: gap to the infinitely wide network of the same depth. \
                         Bias: gap of that network to the limit with the same particles. Raw: gap to the limit at the largest depth (in M) and width (in L).";
const RICHARDSON: &str = "Bias of infinitely wide networks with the first order in 1/L cancelled between depths L and 2L. An exponent takes four pairs.";
const LAWS: &str = "Laws fitted to the gap to the limit, judged by the error of log gaps they were not fitted to.";
const HOW: &str = "Theorem 3.1 bounds the gap by C (1/L + sqrt((delta + log(L + 1))/M)): an upper bound. Layers are independent, so the noise is \
                   expected to fall as (M L)^-1/2 (derived, not the paper's).";

fn block(caption: &str, (header, rows): (Vec<String>, Vec<Vec<String>>)) -> Block {
    Block::Table { caption: caption.into(), header, rows: rows.into_iter().map(Row::new).collect() }
}

fn headline(r: &Record) -> Vec<Headline> {
    let mut all = vec![];
    for f in r.found.iter().filter(|f| Quantity::THEOREM.contains(&f.quantity)) {
        for (e, axis) in [(&f.width, "M"), (&f.depth, "L")] {
            let Some(m) = e.measured else { continue };
            let ends = format!("95 % interval {:.3} to {:.3}", m.low, m.high);
            all.push(Headline {
                interval: e.problem.clone().unwrap_or(ends),
                note: format!("theorem {}", e.predicted),
                ..Headline::new(format!("{} in {axis}", f.quantity.words()), short(m.value))
            });
        }
    }
    all
}
