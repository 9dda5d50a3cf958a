//! The legend: which entries, where, how large. It never lies over the data.
//!
//! Maths: none.
//! Shapes: entries in columns and rows, in pixels.
//! Cost: linear in the entries.
//! Checked: the gallery is looked at; `tests/figure.rs`.

use super::colour::Colour;
use super::text::{fit, width};
use super::{Figure, Series, Style, WIDTH};

pub(super) const SIZE: f64 = 10.5;
pub(super) const ROW: f64 = 15.5;
/// Width of the sample of line before a label.
pub(super) const KEY: f64 = 20.0;
const GAP: f64 = 6.0;
const MOST: usize = 60;
/// Rows and label width up to which the legend stands to the right of the axes.
const MOST_RIGHT: usize = 14;
const WIDEST_RIGHT: f64 = 104.0;

/// What an entry shows before its label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Key {
    Series { colour: Colour, style: Style, band: bool },
    Mark(usize),
    Nothing,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: Key,
    pub label: String,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Legend {
    pub entries: Vec<Entry>,
    /// To the right of the axes; otherwise below them.
    pub right: bool,
    columns: usize,
    cell: f64,
}

impl Legend {
    pub(super) fn of(figure: &Figure) -> Legend {
        let mut entries = all_entries(figure);
        let more = entries.len().saturating_sub(MOST);
        if more > 0 {
            entries.truncate(MOST - 1);
            entries.push(Entry { key: Key::Nothing, label: format!("… and {} more", more + 1) });
        }
        let widest = entries.iter().map(|entry| width(&entry.label, SIZE)).fold(0.0, f64::max);
        let right = entries.len() <= MOST_RIGHT && widest <= WIDEST_RIGHT;
        let cell = (KEY + GAP + widest + 14.0).min(WIDTH - 24.0);
        entries.iter_mut().for_each(|entry| entry.label = fit(&entry.label, SIZE, cell - KEY - GAP));
        let columns = if right { 1 } else { ((WIDTH - 24.0) / cell).floor().max(1.0) as usize };
        Legend { entries, right, columns, cell }
    }

    fn rows(&self) -> usize {
        self.entries.len().div_ceil(self.columns.max(1))
    }

    /// Pixels taken from the width of the axes.
    pub(super) fn width_right(&self) -> f64 {
        if self.right && !self.entries.is_empty() { self.cell } else { 0.0 }
    }

    /// Pixels added below the axes.
    pub(super) fn height_below(&self) -> f64 {
        if self.right || self.entries.is_empty() { 0.0 } else { self.rows() as f64 * ROW + 8.0 }
    }

    /// Upper left corner of entry `i` relative to that of the legend; entries run down the columns.
    pub(super) fn offset(&self, i: usize) -> (f64, f64) {
        let rows = self.rows().max(1);
        ((i / rows) as f64 * self.cell, (i % rows) as f64 * ROW)
    }

    /// Where the label starts after the left edge of its entry.
    pub(super) fn label_at() -> f64 {
        KEY + GAP
    }

    /// Width of all columns together.
    pub(super) fn width_below(&self) -> f64 {
        let used = self.entries.len().div_ceil(self.rows().max(1));
        used as f64 * self.cell
    }
}

/// One entry per labelled series and mark; series that look and read the same share one.
fn all_entries(figure: &Figure) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let series = figure.series.iter().map(|series| (key(series), &series.label));
    let marks = figure.marks.iter().enumerate().map(|(i, mark)| (Key::Mark(i), &mark.label));
    for (key, label) in series.chain(marks) {
        let known = entries.iter().any(|entry| entry.key == key && entry.label == *label);
        if !label.trim().is_empty() && !known {
            entries.push(Entry { key, label: fit(label, SIZE, f64::INFINITY) });
        }
    }
    entries
}

fn key(series: &Series) -> Key {
    Key::Series { colour: series.colour, style: series.style, band: series.band.is_some() }
}
