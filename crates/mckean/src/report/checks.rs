//! The section of exact checks: one table with a verdict a check, one figure a check.
//!
//! Maths: the identities of `mckean_dynamics::observe`; a bound that overflows certifies nothing.
//! Shapes: reads the columns that observers wrote.
//! Cost: linear in the observations.
//! Checked: tests below; looked at as pictures.

use super::{figure, series, short};
use mckean_report::metrics::Table;
use mckean_report::page::{Block, Row, Status};
use mckean_report::{Axis, Figure, Manifest, Mark, Series, Style};

/// What the table says of one check.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Measured {
    /// Worst value over the observations.
    Worst(f64),
    /// No observation has it.
    Missing,
    /// The bound is not a finite number somewhere.
    Overflow,
}

/// NaN once NaN was seen: it never holds.
fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |m: f64, x| if m.is_nan() || x.is_nan() { f64::NAN } else { m.max(x) })
}

fn worst(t: &Table, name: &str) -> Measured {
    let seen = t.observed(name);
    if seen.is_empty() { Measured::Missing } else { Measured::Worst(largest(seen.into_iter().map(|(_, x)| x))) }
}

fn share(t: &Table, name: &str, bound: &str) -> Measured {
    let (values, bounds) = (t.observed(name), t.observed(bound));
    match () {
        _ if values.is_empty() || values.len() != bounds.len() => Measured::Missing,
        _ if bounds.iter().any(|(_, b)| b.is_infinite()) => Measured::Overflow,
        _ => Measured::Worst(largest(values.iter().zip(&bounds).map(|((_, a), (_, b))| a / b))),
    }
}

impl Measured {
    fn status(self, limit: f64) -> Status {
        match self {
            Measured::Worst(x) if x <= limit => Status::Holds,
            Measured::Worst(_) => Status::Fails,
            Measured::Missing | Measured::Overflow => Status::NotTestable,
        }
    }

    fn text(self) -> String {
        match self {
            Measured::Worst(x) => short(x),
            Measured::Missing => "not for this run".into(),
            Measured::Overflow => "the bound overflows".into(),
        }
    }
}

/// One row a check: measured, worst value, limit, verdict.
pub fn table(t: &Table, manifest: &Manifest) -> Block {
    let lines = [
        ("energy identity dQ/dτ = −(1/ML) Σ|Ĝ|²", "worst relative mismatch", worst(t, "energy_residual"), 0.05),
        ("kinetic inequality", "largest ratio", worst(t, "kinetic_ratio"), 1.05),
        ("balancedness decays as e^(−2λτ)", "worst relative drift", worst(t, "balance_drift"), 0.05),
        ("mean |β|² ≤ (2/λ) Q(0)", "largest share of the bound", share(t, "second_moment", "second_moment_bound"), 1.0),
        ("forward certificate", "largest share of the bound", share(t, "token_norm", "token_norm_bound"), 1.0),
    ];
    let row = |(name, what, value, limit): (&str, &str, Measured, f64)| {
        Row::new([name.to_string(), what.to_string(), value.text(), short(limit)]).status(value.status(limit))
    };
    let caption = match manifest.warnings.len() {
        0 => "Every check that applies holds at every observation.".to_string(),
        n => format!("{n} of the checks fail. {}", manifest.warnings.join(". ")),
    };
    let header = ["check", "measured", "value", "limit"].map(String::from).to_vec();
    Block::Table { caption, header, rows: lines.into_iter().map(row).collect() }
}

/// One figure a check that the run has.
pub fn figures(t: &Table) -> Vec<Figure> {
    let x = || Axis::linear("τ", "training time");
    let dashed = |s: Option<Series>| s.map(|s| s.style(Style::Dashed));
    let energy = [("energy_residual", "energy residual"), ("balance_drift", "balancedness drift")];
    let line = |i: usize, (name, label): (&str, &str)| series(t, name, label, i);
    let mut all: Vec<Figure> = [
        figure(
            "energy",
            "Energy identity",
            "Relative mismatch of Q(s1) − Q(s2) and the integrated dissipation between observations.",
            x(),
            Axis::log("", "relative mismatch"),
            energy.into_iter().enumerate().map(|(i, e)| line(i, e)).collect(),
        ),
        figure(
            "kinetic",
            "Kinetic inequality",
            "Mean squared displacement over (s2 − s1)(Q(s1) − Q(s2)); at most 1 for the exact flow.",
            x(),
            Axis::linear("", "ratio"),
            vec![line(0, ("kinetic_ratio", "ratio"))],
        ),
        figure(
            "moment",
            "Second moment",
            "Mean |β|² of the particles and its bound 2 Q(0)/λ.",
            x(),
            Axis::log("", "mean |β|²"),
            vec![line(0, ("second_moment", "mean |β|²")), dashed(line(1, ("second_moment_bound", "bound")))],
        ),
        figure(
            "forward",
            "Forward certificate",
            "Largest token at depth 1 and its certified bound.",
            x(),
            Axis::log("", "token norm"),
            vec![line(0, ("token_norm", "largest token")), dashed(line(1, ("token_norm_bound", "certificate")))],
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let Some(kinetic) = all.iter_mut().find(|f| f.id == "kinetic") {
        kinetic.marks.push(Mark::horizontal(1.0, "bound"));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Table {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("m.jsonl"), text).unwrap();
        mckean_report::metrics::read(folder.path().join("m.jsonl")).unwrap()
    }

    #[test]
    fn verdicts_need_numbers() {
        let t = read("{\"a\":1,\"b\":2}\n{\"a\":1,\"b\":4,\"c\":0.01}\n");
        assert_eq!((share(&t, "a", "b"), worst(&t, "c")), (Measured::Worst(0.5), Measured::Worst(0.01)));
        assert_eq!((worst(&t, "d").status(1.0), worst(&t, "c").status(0.05)), (Status::NotTestable, Status::Holds));
        let t = read("{\"a\":\"NaN\",\"b\":2,\"c\":\"NaN\"}\n{\"a\":1,\"b\":2,\"c\":0}\n");
        assert_eq!((share(&t, "a", "b").status(1.0), worst(&t, "c").status(0.05)), (Status::Fails, Status::Fails));
        let t = read("{\"a\":1,\"b\":2}\n{\"a\":1,\"b\":\"Infinity\"}\n");
        assert_eq!(share(&t, "a", "b").status(1.0), Status::NotTestable);
    }
}
