//! What there is to say about rates beside their tables, one line each.
//!
//! Maths: none of its own.
//! Shapes: lines of text, the same in the terminal and in the page.
//! Cost: none.
//! Checked: `tests/rates.rs`.

use super::clouds;
use crate::rates::{Exponent, Found, Quantity, Record};

/// What else there is to say, one line each.
pub fn remarks(r: &Record) -> Vec<String> {
    let mut lines = vec![];
    let e = &r.reference.error;
    lines.push(format!(
        "limit: {}, known error {:.1e} (output), {:.1e} (R), {:.1e} (Q), in {}",
        r.reference.outcome.replace('_', " "),
        e.of(Quantity::Output),
        e.of(Quantity::Risk),
        e.of(Quantity::Objective),
        r.reference.dir.display()
    ));
    lines.extend(clouds::remark(r));
    let shown = || r.found.iter().filter(|f| Quantity::SHOWN.contains(&f.quantity));
    lines.extend(shown().filter_map(tail));
    lines.extend(shown().filter_map(|f| plan(f, r)));
    lines.extend(problems(shown().flat_map(|f| [(f, &f.width), (f, &f.depth)])));
    if shown().any(|f| f.width.measured.is_some() && !f.width.is_known()) {
        lines.push(
            "no seeds are planned where the exponent in M has no interval: follow more of each size first".into(),
        );
    }
    lines.extend(ended(r));
    lines.extend(r.not_computed.iter().map(|w| format!("not computed: {w}")));
    lines.extend(missing((r.there, r.asked), ("rates", r.grid.budget)));
    lines
}

/// What to do about networks that are not there, in the section of a command.
pub(crate) fn missing((there, asked): (usize, usize), (section, budget): (&str, f64)) -> Option<String> {
    let none = format!(
        "none of {asked} networks is there yet: the same command goes on. Where one takes longer than {section}.budget = {budget} s, raise it \
         (--budget), lower {section}.wide or limit.taus, or choose smaller networks"
    );
    match there {
        0 => Some(none),
        _ => (there < asked).then(|| format!("{there} of {asked} networks are there: the same command goes on")),
    }
}

/// What could not be measured: one line a reason, with all quantities it holds for.
fn problems<'a>(all: impl Iterator<Item = (&'a Found, &'a Exponent)>) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<&str>)> = vec![];
    for (f, problem) in all.filter_map(|(f, e)| Some((f, e.problem.as_ref()?))) {
        match reasons.iter_mut().find(|r| r.0 == problem) {
            Some(r) => r.1.push(f.quantity.words()),
            None => reasons.push((problem, vec![f.quantity.words()])),
        }
    }
    let line = |(problem, mut names): (&str, Vec<&str>)| {
        names.dedup();
        format!("{}: {problem}", names.join(", "))
    };
    reasons.into_iter().map(line).collect()
}

fn tail(f: &Found) -> Option<String> {
    let t = f.tail.as_ref()?;
    let words = if t.is_heavier() { "HEAVIER than the theorem's sqrt(delta)" } else { "no heavier than sqrt(delta)" };
    let (x, low, high) = (t.exponent.value, t.exponent.low, t.exponent.high);
    Some(format!("{}: tail over seeds grows as delta^{x:.2} [{low:.2}, {high:.2}], {words}", f.quantity.words()))
}

fn plan(f: &Found, r: &Record) -> Option<String> {
    let half = f.width.measured.filter(|_| f.width.is_known())?.half_width();
    let plan = f.plan.as_ref().filter(|_| half > r.grid.half_width)?;
    let most = plan.add.iter().map(|a| a.2).max()?;
    let mut add = plan.add.clone();
    add.sort_by_key(|a| std::cmp::Reverse(a.2));
    let mut at: Vec<String> = add.iter().map(|a| format!("{} at M = {}, L = {}", a.2, a.0, a.1)).collect();
    if at.len() > NAMED {
        at.splice(NAMED.., [format!("fewer at {} other sizes", add.len() - NAMED)]);
    }
    let seeds = r.grid.seeds + most;
    Some(format!(
        "{}: the exponent in M is known to {half:.3}; for {} add seeds: {} (--seeds {seeds} covers it)",
        f.quantity.words(),
        r.grid.half_width,
        at.join(", ")
    ))
}

/// Sizes of a plan that are named one by one.
const NAMED: usize = 4;

fn ended(r: &Record) -> Option<String> {
    let first = r.ended.first()?;
    Some(format!(
        "{} of {} networks ended early and are left out of all fits: the first is {}, {} at tau = {}. Exponents are those of the rest.",
        r.ended.len(),
        r.there,
        first.what,
        first.outcome.replace('_', " "),
        first.tau
    ))
}
