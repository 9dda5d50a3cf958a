//! The report: one HTML file that needs no network, no scripts and no other file.
//!
//! Maths: none.
//! Shapes: a page of sections, a section of blocks.
//! Cost: milliseconds; under [`LIMIT`] bytes for reports of a few dozen figures, whatever the length of their series.
//! Checked: `tests/page.rs` (escaping, size, well-formedness); `examples/gallery.rs` is looked at.

mod figures;
mod render;
mod style;
mod table;

pub use table::{Row, Status};

use crate::figure::Figure;
use figures::Drawn;

/// A page is kept below this many bytes by thinning its curves and their downloads.
pub const LIMIT: usize = 1_000_000;

/// A whole report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The title, also that of the browser window.
    pub title: String,
    /// One line below it: the run, the date, the command.
    pub subtitle: String,
    /// The headline numbers, in order of importance.
    pub headline: Vec<Headline>,
    /// The sections; more than three get a table of contents.
    pub sections: Vec<Section>,
}

/// One number that answers the question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Headline {
    /// What it is, such as "rate in width".
    pub label: String,
    /// The number, formatted, with its unit.
    pub value: String,
    /// Its interval, such as "95 % interval −0.53 to −0.47"; may be empty.
    pub interval: String,
    /// A few words on how to read it; may be empty.
    pub note: String,
}

/// A titled part of a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// What it holds, in order.
    pub blocks: Vec<Block>,
}

/// A part of a section. All texts are plain: markup in them is shown, not obeyed.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// Paragraphs, separated by blank lines.
    Text(String),
    /// A table; rows with a status get a last column for it.
    Table {
        /// One sentence above the table; may be empty.
        caption: String,
        /// Column titles.
        header: Vec<String>,
        /// The rows.
        rows: Vec<Row>,
    },
    /// Figures side by side, as many as the window is wide.
    Figures(Vec<Figure>),
    /// Commands or configuration, verbatim.
    Code(String),
    /// A bulleted list.
    List(Vec<String>),
}

/// The most bytes one figure may take: its drawing, and its numbers as CSV. Only figures beyond it are thinned.
#[derive(Clone, Copy, Debug)]
struct Share {
    svg: usize,
    csv: usize,
    /// Whether the drawing is offered as a file too, which carries it a second time.
    offer: bool,
}

/// From generous to frugal; the first that keeps the page under the limit is taken.
const SHARES: [Share; 11] = [
    share(usize::MAX, usize::MAX),
    share(100_000, 200_000),
    share(50_000, 100_000),
    share(40_000, 60_000),
    share(30_000, 35_000),
    share(25_000, 20_000),
    share(20_000, 12_000),
    share(12_000, 6_000),
    share(8_000, 3_000),
    share(12_000, 3_000).seen_only(),
    share(6_000, 2_000).seen_only(),
];

const fn share(svg: usize, csv: usize) -> Share {
    Share { svg, csv, offer: true }
}

impl Share {
    const fn seen_only(self) -> Share {
        Share { offer: false, ..self }
    }
}

impl Page {
    /// The page as HTML. Series longer than 5000 points are thinned in the downloads (extremes and gaps are kept, and the
    /// figure says so); when the page would exceed [`LIMIT`], so are the figures that take the most room, and
    /// in the last resort drawings are shown but not offered as files.
    /// Downloads carry 8 significant digits.
    pub fn html(&self) -> String {
        let figures: Vec<Drawn> = self.figures().map(Drawn::new).collect();
        let mut pages = SHARES.iter().map(|&share| render::page(self, &figures, share));
        let mut html = pages.next().unwrap_or_default();
        while html.len() >= LIMIT {
            match pages.next() {
                Some(smaller) => html = smaller,
                None => break,
            }
        }
        html
    }

    /// All figures in the order of the page.
    fn figures(&self) -> impl Iterator<Item = &Figure> {
        let blocks = self.sections.iter().flat_map(|section| &section.blocks);
        let rows = blocks.filter_map(|block| match block {
            Block::Figures(row) => Some(row),
            _ => None,
        });
        rows.flatten()
    }
}

impl Headline {
    /// A headline number without interval or note.
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into(), ..Self::default() }
    }
}

impl Section {
    /// A section of these blocks.
    pub fn new(title: impl Into<String>, blocks: Vec<Block>) -> Self {
        Self { title: title.into(), blocks }
    }
}
