//! Three tables and two figures, as a section of a page; the tables as rows of text.
//!
//! Maths: none.
//! Shapes: one row a clause, condition or rate.
//! Cost: none.
//! Checked: `tests/certify.rs`.

use super::{Certificate, Rate, depths};
use crate::report::short;
use mckean_analysis::{Condition, Verdict};
use mckean_report::page::{Block, Row, Section, Status};

/// A table: caption, header, rows with their verdicts.
pub struct Sheet {
    /// What it shows.
    pub caption: String,
    /// Column titles.
    pub header: Vec<String>,
    /// Cells and verdict of every row.
    pub rows: Vec<(Vec<String>, Verdict)>,
}

/// The word for a verdict.
pub fn word(verdict: Verdict) -> &'static str {
    status(verdict).word()
}

fn status(verdict: Verdict) -> Status {
    match verdict {
        Verdict::Holds => Status::Holds,
        Verdict::Fails => Status::Fails,
        Verdict::NotTestable => Status::NotTestable,
    }
}

fn number(x: Option<f64>) -> String {
    x.map_or("–".into(), |x| if x == 0.0 { "0".into() } else { short(x) })
}

impl Certificate {
    /// The three tables.
    pub fn sheets(&self) -> [Sheet; 3] {
        let header = |names: [&str; 5]| names.map(String::from).to_vec();
        let condition = |c: &Condition| {
            (vec![c.name.clone(), c.asks.clone(), number(c.value), number(c.limit), c.words.clone()], c.verdict)
        };
        let rate =
            |r: &Rate| (vec![r.name.clone(), number(r.predicted), number(r.measured), r.words.clone()], r.verdict);
        let (few, all) = self.samples;
        let samples = if few < all { format!("first {few} of {all} samples") } else { format!("{all} samples") };
        [
            Sheet {
                caption: format!("Assumptions A1–A4 of Gao et al. 2024, on {samples}."),
                header: header(["clause", "asks", "number", "limit", "seen"]),
                rows: self.assumptions.iter().map(condition).collect(),
            },
            Sheet {
                caption: format!("Conditions of convergence at τ = {} ({samples}).", self.tau),
                header: header(["condition", "asks", "number", "limit", "seen"]),
                rows: self.conditions.iter().map(condition).collect(),
            },
            Sheet {
                caption: "What they predict against what was measured.".into(),
                header: ["quantity", "predicted", "measured", "compared"].map(String::from).to_vec(),
                rows: self.rates.iter().map(rate).collect(),
            },
        ]
    }
}

/// The certificate as a section of a page.
pub fn sections(certificate: &Certificate) -> Section {
    let block = |s: Sheet| Block::Table {
        caption: s.caption,
        header: s.header,
        rows: s.rows.into_iter().map(|(cells, verdict)| Row::new(cells).status(status(verdict))).collect(),
    };
    let mut blocks: Vec<Block> = certificate.sheets().into_iter().map(block).collect();
    let figures = depths::figures(&certificate.depths);
    if !figures.is_empty() {
        blocks.insert(2, Block::Figures(figures));
    }
    Section::new("Certificates", blocks)
}
