//! Tables and page of `mckean stationary`, rebuilt at any time from its directory.
//!
//! Maths: none of its own.
//! Shapes: reads `stationary.toml` and `analysis/lambda*.json`; one row a size, one row a network.
//! Cost: milliseconds.
//! Checked: `tests/stationary.rs`; looked at as pictures.

mod figures;
pub mod plateau;
mod remarks;
mod sheet;

pub use remarks::remarks;

use crate::config::Config;
use crate::error::Error;
use crate::report::{cost, references, short};
use crate::stationary::{End, Found, Record};
use mckean_analysis::fit::{Estimate, Paired};
use mckean_report::page::{Block, Headline, Page, Row, Section};
use mckean_report::{RunDir, atomic_write};
use std::path::PathBuf;

/// The config with its grid.
pub(crate) const CONFIG: &str = "stationary.toml";

/// Header and rows.
pub type Table = (Vec<String>, Vec<Vec<String>>);

/// `1.98 [1.95, 2.01]`, or without an interval where there is none.
pub fn interval(e: &Estimate) -> String {
    let places = (1.0 - e.half_width().log10().floor()).clamp(2.0, 6.0) as usize;
    match e.half_width().is_finite() {
        true => format!("{:.places$} [{:.places$}, {:.places$}]", e.value, e.low, e.high),
        false => format!("{:.2} (no interval from two points of one seed)", e.value),
    }
}

/// What the interval of an exponent says of the theorem's.
pub fn verdict(e: &Estimate) -> &'static str {
    match (e.low >= 1.0, e.high < 1.0) {
        (true, _) => "at least 1, as promised",
        (_, true) => "BELOW 1: no constant C_2 serves all lambda",
        _ => "undecided",
    }
}

/// Powers of lambda, one row a size.
pub fn powers(r: &Record) -> Table {
    let header = [
        "network",
        "R ~ lambda^s, s",
        "s between neighbours",
        "prefactor of R",
        "Q ~ lambda^s, s",
        "least C_2",
        "theorem",
    ];
    let row = |f: &Found| {
        let dash = || "-".to_string();
        let of = |p: &Option<Paired>, say: fn(&Paired) -> String| p.as_ref().map_or_else(dash, say);
        let spread = |e: &Estimate| format!("{} [{}, {}]", short(e.value), short(e.low), short(e.high));
        let prefactor = f.risk.as_ref().filter(|p| p.prefactor.high.is_finite()).map(|p| spread(&p.prefactor));
        vec![
            f.size.words(),
            of(&f.risk, |p| interval(&p.slope)),
            of(&f.risk, |p| p.local.iter().map(|s| format!("{s:.2}")).collect::<Vec<_>>().join(", ")),
            prefactor.unwrap_or_else(dash),
            of(&f.objective, |p| interval(&p.slope)),
            f.constant.map_or_else(dash, short),
            of(&f.risk, |p| verdict(&p.slope).into()),
        ]
    };
    (header.map(String::from).to_vec(), r.found.iter().map(row).collect())
}

/// The outcome in words, with its time where the flow ended early.
fn outcome(e: &End) -> String {
    let words = e.outcome.replace('_', " ");
    if e.is_broken() { format!("{words} at tau = {:?}", e.last.tau) } else { words }
}

/// Every network at its end.
pub fn ends(r: &Record) -> Table {
    let header = [
        "lambda",
        "network",
        "seed",
        "outcome",
        "lambda tau",
        "R",
        "Q",
        "residual",
        "drift of R",
        "gap/Q",
        "c*/(2 lambda)",
        "E|p(0)|^2 within",
        "lambda_min(K)",
        "radius",
    ];
    let row = |e: &End| {
        let number = |x: Option<f64>| x.map_or("-".into(), short);
        let p = e.adjoint.map_or("-".into(), |[low, p, high]| format!("{low:.1e} <= {p:.1e} <= {high:.1e}"));
        vec![
            format!("{:e}", e.cell.lambda),
            e.cell.size.words(),
            e.cell.seed.to_string(),
            outcome(e),
            format!("{:.3}", e.last.tau * e.cell.lambda),
            format!("{:.3e}", e.last.risk),
            format!("{:.3e}", e.last.objective),
            format!("{:.1e}", e.last.residual),
            e.drift.map_or("-".into(), |x| format!("{x:.1e}")),
            number(e.value("optimality gap")),
            number(e.value("growth c*/(2 lambda)")),
            p,
            number(e.value("tangent kernel")),
            short(e.last.radius),
        ]
    };
    (header.map(String::from).to_vec(), r.ends.iter().map(row).collect())
}

/// Rebuilds the page of a directory from its networks.
///
/// # Errors
/// A damaged directory.
pub fn rebuild(dir: &RunDir) -> Result<PathBuf, Error> {
    let config = Config::parse(&dir.text(CONFIG)?, CONFIG, &[])?;
    write(dir, &config, &crate::stationary::collect(&config, dir))
}

/// Writes `report.html` and `ends.csv`; returns the path of the page.
///
/// # Errors
/// A folder that cannot be written.
pub(crate) fn write(dir: &RunDir, config: &Config, r: &Record) -> Result<PathBuf, Error> {
    let manifest = dir.manifest()?;
    let (header, rows) = ends(r);
    atomic_write(dir.path().join("ends.csv"), sheet::csv(r).as_bytes())?;
    let (ends, certificates) = halves(r, (header, rows));
    let mut sections = vec![
        Section::new("Risk against weight decay", vec![Block::Figures(figures::powers(r)), block(POWERS, powers(r))]),
        Section::new("How they came to rest", vec![Block::Figures(figures::flows(r)), Block::List(remarks(r))]),
        Section::new("Every network at its end", vec![block(ENDS, ends), block(CERTIFICATES, certificates)]),
        Section::new("Cost and provenance", vec![cost(&manifest), Block::Code(manifest.command.clone())]),
        Section::new("What was asked", vec![Block::Code(config.resolved())]),
        references(&manifest.citations),
    ];
    if !r.plateaus.is_empty() {
        let blocks = vec![Block::Figures(plateau::figure(r)), block(PLATEAUS, plateau::table(r))];
        sections.insert(1, Section::new("Risk against width and depth", blocks));
    }
    let title = format!("{}: risk at stationarity", config.name);
    let subtitle = format!(
        "weight decays {:?}, {} seeds · {} of {} networks · {}",
        r.grid.lambdas,
        r.grid.seeds,
        r.ends.len(),
        r.asked,
        manifest.started
    );
    let page = Page { title, subtitle, headline: headline(r), sections };
    atomic_write(dir.report(), page.html().as_bytes())?;
    Ok(dir.report())
}

const POWERS: &str = "Powers of lambda with 95 % intervals: Student over seeds, each followed through all lambda (one network: from the scatter about \
                      its line). Theorem 4.1 promises R <= C_2 lambda at late times, an exponent of at least 1; interpolation with bounded moments \
                      gives 2 (derived).";
const PLATEAUS: &str = "R = floor + C_1 E(M, L) at each weight decay: relative least squares over the sizes at which all seeds rest, neither number negative; 95 % \
                        intervals by redrawing seeds. Error left out: relative error at sizes that the fit has not seen, one at a time. 1/L + sqrt(log(L+1)/M) is the E of \
                        Theorem 4.1, which is a bound and no law; the others are derived. Power of the floors: one line a seed.";
const ENDS: &str =
    "Residual: share of Q that the dissipation takes in a time 1/lambda. Drift: -d log R/d log tau at the end.";
const CERTIFICATES: &str = "Gap: mean first variation minus its least value over particles, over Q, at the worst depth. E|p(0)|^2 stands between its \
                            bounds (F.7, corrected). Fails: conditions of Theorem 4.1, with the thresholds of `mckean certify`; `-` without certificate.";

/// The table of ends in two that fit a page: how they came to rest, and what is certified there with what fails.
fn halves(r: &Record, (header, rows): Table) -> (Table, Table) {
    let pick = |row: &[String], columns: &[usize]| columns.iter().map(|&i| row[i].clone()).collect::<Vec<_>>();
    let half = |columns: &[usize]| (pick(&header, columns), rows.iter().map(|r| pick(r, columns)).collect::<Vec<_>>());
    let (mut names, mut certified) = half(&[0, 1, 2, 9, 10, 11, 12]);
    names.push("fails".into());
    for (row, e) in certified.iter_mut().zip(&r.ends) {
        let all = e.failing();
        row.push(if all.is_empty() { "-".into() } else { all.join(", ") });
    }
    (half(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 13]), (names, certified))
}

fn block(caption: &str, (header, rows): Table) -> Block {
    Block::Table { caption: caption.into(), header, rows: rows.into_iter().map(Row::new).collect() }
}

fn headline(r: &Record) -> Vec<Headline> {
    let one = |f: &Found| {
        let p = f.risk.as_ref()?;
        let Estimate { value, low, high } = p.slope;
        let interval = if low.is_finite() { format!("95 % interval {low:.3} to {high:.3}") } else { String::new() };
        let note = "theorem: at least 1".into();
        Some(Headline { interval, note, ..Headline::new(format!("exponent, {}", f.size.words()), short(value)) })
    };
    r.found.iter().filter_map(one).take(4).collect()
}
