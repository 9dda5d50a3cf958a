//! What the terminal and the page say alike: parts of the gap, forecasts, remarks.
//!
//! Maths: none of its own.
//! Shapes: header and rows of text; lines.
//! Cost: none.
//! Checked: `tests/gap.rs`.

use crate::gap::{Part, Predicted, Record, Size};
use crate::rates::{Quantity, Summary};
use crate::rates_report::missing;

/// Header and rows.
type Table = (Vec<String>, Vec<Vec<String>>);

/// A number with three digits.
pub fn three(x: f64) -> String {
    let places = 2.0 - x.abs().log10().floor();
    if (-1.0..=5.0).contains(&places) { format!("{x:.0$}", places.max(0.0) as usize) } else { format!("{x:.2e}") }
}

fn none() -> String {
    "-".into()
}

/// `[0.9, 1.2]`, the interval of a root mean square.
pub(super) fn spread(s: &Summary) -> String {
    format!("[{}, {}]", three(s.rms / (1.0 + s.relative)), three(s.rms * (1.0 + s.relative)))
}

/// Share of a number that its three digits show.
const SEEN: f64 = 0.002;

/// Gap, noise, bias, error and constant of each quantity.
pub fn parts(r: &Record) -> Table {
    let header = ["gap to the limit", "measured", "noise of width", "bias of depth", "known to", "C of Theorem 3.1"];
    let of = |s: &Option<Summary>| s.map_or_else(none, |s| format!("{} {}", three(s.rms), spread(&s)));
    let row = |p: &Part| {
        let bias = p.bias.as_ref().map_or_else(none, |b| match p.bias_half() {
            half if half > SEEN * b.gap => format!("{} ± {}", three(b.gap), three(half)),
            _ => three(b.gap),
        });
        let constant = p.constant.filter(|_| p.quantity != Quantity::Cloud).map_or_else(none, three);
        vec![p.quantity.words().into(), of(&p.gap), of(&p.noise), bias, three(p.known), constant]
    };
    (header.map(String::from).to_vec(), r.parts.iter().map(row).collect())
}

/// Quantities that are foretold.
const FORETOLD: [Quantity; 4] = [Quantity::Output, Quantity::Risk, Quantity::Objective, Quantity::ParticlesRms];

/// `M = 64, L = 8`.
fn words(size: &Size) -> String {
    format!("M = {}, L = {}", size.width.map_or("infinity".into(), |m| m.to_string()), size.depth)
}

/// Gaps of larger networks, and their cost; no rows while noise or bias are not known.
pub fn forecasts(r: &Record) -> Table {
    let there = |q: &&Quantity| r.forecasts.iter().any(|f| f.gaps.iter().any(|g| g.quantity == **q));
    let shown: Vec<Quantity> = FORETOLD.iter().filter(there).copied().collect();
    let names = shown.iter().map(|q| format!("{} gap", q.words()));
    let header = ["foretold".to_string(), "cost".to_string()].into_iter().chain(names).collect();
    let gap = |g: &Predicted| match (g.high - g.low) / g.value < SEEN {
        true => three(g.value),
        false => format!("{} [{}, {}]", three(g.value), three(g.low), three(g.high)),
    };
    let rows = r.forecasts.iter().map(|f| {
        let cost = f.cost.map_or_else(none, |c| format!("x {c}"));
        let own = shown.iter().map(|q| f.gaps.iter().find(|g| g.quantity == *q).map_or_else(none, gap));
        [words(&f.size), cost].into_iter().chain(own).collect()
    });
    (header, rows.collect())
}

/// One line each: where the gap comes from, how good the limit is, what is missing.
pub fn remarks(r: &Record) -> Vec<String> {
    let mut lines = vec![];
    for p in r.parts.iter().filter(|p| Quantity::THEOREM.contains(&p.quantity)) {
        match (p.share(), &p.problem) {
            (Some(share), _) => lines.push(format!(
                "{}: {:.0} % of the square is noise of finite width, {:.0} % bias of finite depth",
                p.quantity.words(),
                100.0 * share,
                100.0 * (1.0 - share)
            )),
            (None, Some(problem)) => lines.push(format!("{}: no noise, {problem}", p.quantity.words())),
            (None, None) => lines.push(format!("{}: not taken apart yet", p.quantity.words())),
        }
    }
    lines.extend(relative(r));
    let (outcome, dir) = (r.reference.outcome.replace('_', " "), r.reference.dir.display());
    lines.push(format!("limit: {outcome}, in {dir}"));
    lines.extend(unclear(r));
    lines.extend(r.ended.iter().map(|e| format!("left out: {e}")));
    lines.extend(missing((r.there, r.asked), ("gap", r.budget)));
    lines
}

/// The gap of the risk beside the risk.
fn relative(r: &Record) -> Option<String> {
    let gap = r.parts.iter().find(|p| p.quantity == Quantity::Risk)?.gap?.rms;
    let (last, tau) = (r.limit.value.last()?, r.taus.last()?);
    let share = 100.0 * gap / last;
    Some(format!("risk R: the gap is {share:.2} % of what the limit has at tau = {tau}, R = {}", three(*last)))
}

/// What to do where the error of the limit hides the gap.
fn unclear(r: &Record) -> Option<String> {
    let hidden = |p: &&Part| Quantity::THEOREM.contains(&p.quantity) && p.gap.is_some_and(|g| p.known > 0.5 * g.rms);
    let p = r.parts.iter().find(hidden)?;
    Some(format!(
        "the limit is known no better than half of the {} gap: lower limit.rtol, or raise limit.budget (--set)",
        p.quantity.words()
    ))
}
