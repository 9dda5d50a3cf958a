//! Tables with rules above and below, and a status that is a word, a shape and a colour.
//!
//! Maths: none.
//! Shapes: rows of cells; short rows are filled with empty cells.
//! Cost: linear.
//! Checked: `tests/page.rs`.

use maud::{Markup, html};

/// A row of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The cells, as text.
    pub cells: Vec<String>,
    /// The verdict, shown in a column of its own.
    pub status: Option<Status>,
}

/// The verdict on a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It holds.
    Holds,
    /// It fails.
    Fails,
    /// The data cannot tell.
    NotTestable,
}

impl Row {
    /// A row without a status.
    pub fn new<S: Into<String>>(cells: impl IntoIterator<Item = S>) -> Self {
        Self { cells: cells.into_iter().map(Into::into).collect(), status: None }
    }

    /// The same row with a status.
    #[must_use]
    pub fn status(self, status: Status) -> Self {
        Self { status: Some(status), ..self }
    }
}

impl Status {
    /// The word: "holds", "fails", "not testable".
    pub fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::NotTestable => "not testable",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::NotTestable => "open",
        }
    }

    /// A disc with a tick, a square with a cross, a dashed ring: told apart without colour.
    fn shape(self) -> Markup {
        html! {
            svg viewBox="0 0 16 16" width="13" height="13" aria-hidden="true" {
                @match self {
                    Self::Holds => { circle cx="8" cy="8" r="8" fill="currentColor" {}
                        path d="M4 8.4l2.8 2.8L12 5.6" fill="none" stroke="#fff" stroke-width="2" {} }
                    Self::Fails => { rect width="16" height="16" rx="2" fill="currentColor" {}
                        path d="M4.5 4.5l7 7m0-7l-7 7" fill="none" stroke="#fff" stroke-width="2" {} }
                    Self::NotTestable => circle cx="8" cy="8" r="6.8" fill="none" stroke="currentColor"
                        stroke-width="1.8" stroke-dasharray="3 2.3" {},
                }
            }
        }
    }
}

/// A table block.
pub(super) fn table(caption: &str, header: &[String], rows: &[Row]) -> Markup {
    let has_status = rows.iter().any(|row| row.status.is_some());
    let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0).max(header.len());
    let numeric: Vec<bool> = (0..columns).map(|j| is_numeric(rows, j)).collect();
    let class = |j: usize| numeric[j].then_some("num");
    html! {
        div class="table" { table {
            @if !caption.is_empty() { caption { (caption) } }
            thead { tr {
                @for j in 0..columns { th class=[class(j)] scope="col" { (text(header, j)) } }
                @if has_status { th scope="col" { "status" } }
            } }
            tbody { @for row in rows { tr {
                @for j in 0..columns { td class=[class(j)] { (text(&row.cells, j)) } }
                @if has_status { td { @if let Some(status) = row.status { (badge(status)) } } }
            } } }
        } }
    }
}

fn badge(status: Status) -> Markup {
    html! { span class={ "status " (status.class()) } { (status.shape()) (status.word()) } }
}

fn text(cells: &[String], j: usize) -> &str {
    cells.get(j).map_or("", String::as_str)
}

/// Whether all filled cells of a column begin like a number: such columns are set flush right.
fn is_numeric(rows: &[Row], j: usize) -> bool {
    let mut cells = rows.iter().map(|row| text(&row.cells, j)).filter(|cell| !cell.is_empty()).peekable();
    cells.peek().is_some() && cells.all(starts_as_number)
}

fn starts_as_number(cell: &str) -> bool {
    let digits = cell.trim_start_matches(['-', '−', '+', '±', '<', '>', '≤', '≥', '≈', '~', ' ', '.']);
    digits.starts_with(|c: char| c.is_ascii_digit()) || matches!(cell, "–" | "—" | "NaN" | "∞" | "inf")
}
