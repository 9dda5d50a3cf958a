//! Figures in a page: side by side, numbered, each with its data and its drawing to download.
//!
//! Maths: none.
//! Shapes: downloads are `data:` addresses in base64.
//! Cost: the drawing is carried twice, once to be seen and once to be saved (but see `Share`).
//! Checked: `tests/page.rs` (downloads decode to the CSV and the SVG).

use super::Share;
use crate::figure::{Figure, MAX_POINTS};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, PreEscaped, html};
use std::cell::OnceCell;

/// Points a drawn curve may have, and rows a curve may have in the download; the first that fits is taken.
const POINTS: [usize; 6] = [MAX_POINTS, 500, 250, 120, 60, 30];
const ROWS: [usize; 8] = [5000, 2000, 1000, 500, 250, 120, 60, 30];

/// A figure with its drawings and downloads at every level of detail, each made when first asked for.
pub(super) struct Drawn<'a> {
    figure: &'a Figure,
    svgs: [OnceCell<String>; POINTS.len()],
    csvs: [OnceCell<String>; ROWS.len()],
}

impl<'a> Drawn<'a> {
    pub(super) fn new(figure: &'a Figure) -> Self {
        Self { figure, svgs: Default::default(), csvs: Default::default() }
    }

    /// The drawing, of at most `room` bytes if that can be.
    fn svg(&self, room: usize) -> &str {
        let made = |i: usize| self.svgs[i].get_or_init(|| self.figure.svg_of(POINTS[i]));
        first_within(room, POINTS.len(), made).1
    }

    /// Rows per curve, and the numbers as CSV of at most `room` bytes if that can be.
    fn csv(&self, room: usize) -> (usize, &str) {
        let made = |i: usize| self.csvs[i].get_or_init(|| self.figure.csv_of(ROWS[i]));
        let (i, csv) = first_within(room, ROWS.len(), made);
        (ROWS[i], csv)
    }
}

/// The first of `count` texts that has at most `room` bytes, or the last one, with its index.
fn first_within<'a>(room: usize, count: usize, text: impl Fn(usize) -> &'a String) -> (usize, &'a str) {
    let fits = (0..count).find(|&i| text(i).len() <= room);
    let i = fits.unwrap_or(count - 1);
    (i, text(i))
}

/// A row of figures; the first has the number `first`.
pub(super) fn row(figures: &[Drawn], first: usize, share: Share) -> Markup {
    html! {
        div class="figures" {
            @for (i, drawn) in figures.iter().enumerate() { (one(drawn, first + i, share)) }
        }
    }
}

fn one(drawn: &Drawn, number: usize, share: Share) -> Markup {
    let (figure, svg) = (drawn.figure, drawn.svg(share.svg));
    let (rows, csv) = drawn.csv(share.csv);
    let name = file_name(figure, number);
    html! {
        figure id={ "figure-" (number) } {
            (PreEscaped(svg))
            figcaption {
                b { "Figure " (number) "." } " " (figure.caption) " "
                span class="data" {
                    a download={ (name) ".csv" } href=(data_url("text/csv", csv)) { "data (CSV)" }
                    @if share.offer {
                        " · " a download={ (name) ".svg" } href=(data_url("image/svg+xml", svg)) { "drawing (SVG)" }
                    }
                    @if figure.longest() > rows { " · thinned to " (rows) " rows a curve" }
                }
            }
        }
    }
}

fn data_url(kind: &str, text: &str) -> String {
    format!("data:{kind};charset=utf-8;base64,{}", STANDARD.encode(text))
}

/// The figure's id as a file name; its number when nothing is left of it.
fn file_name(figure: &Figure, number: usize) -> String {
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }
    };
    let name: String = figure.id.chars().take(60).map(safe).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { format!("figure-{number}") } else { name.to_string() }
}
