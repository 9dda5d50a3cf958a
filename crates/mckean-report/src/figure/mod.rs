//! Figures as plain data, drawn as people draw them in a paper.
//!
//! Maths: none; the numbers are taken as they are.
//! Shapes: a series is x and y of one length, with an optional band (lower, upper) of the same length.
//! Cost: about a millisecond a figure; curves are thinned to 1000 points before drawing.
//! Checked: `tests/figure.rs` (no input panics); `examples/gallery.rs` is looked at.

mod canvas;
mod clean;
mod colour;
mod csv;
mod draw;
mod frame;
mod layout;
mod legend;
mod scale;
mod text;
mod thin;
mod ticks;

pub use colour::Colour;

/// Width of a figure in CSS pixels.
pub const WIDTH: f64 = 460.0;
/// Height of a figure in CSS pixels, without a legend or a note below it.
pub const HEIGHT: f64 = 340.0;
/// Most points of a series that are drawn.
pub const MAX_POINTS: usize = 1000;

/// One panel: curves over one pair of axes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figure {
    /// Short name of letters, digits and dashes; becomes the file name of the downloads.
    pub id: String,
    /// One short line above the axes.
    pub title: String,
    /// One or two sentences below the figure, in a page.
    pub caption: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The curves, in the order of the legend.
    pub series: Vec<Series>,
    /// Reference lines, after the series in the legend.
    pub marks: Vec<Mark>,
}

/// What an axis measures and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// Mathematical symbol, such as "τ"; may be empty.
    pub symbol: String,
    /// The word, such as "training time"; may be empty.
    pub label: String,
    /// Logarithmic; values that are not positive are then left out and counted in a note.
    pub log: bool,
}

/// One curve.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Its entry in the legend; no entry when empty.
    pub label: String,
    /// Abscissae.
    pub x: Vec<f64>,
    /// Ordinates; a value that is not finite interrupts the line.
    pub y: Vec<f64>,
    /// Lower and upper end of an interval at every point: a band behind lines, error bars behind points.
    pub band: Option<(Vec<f64>, Vec<f64>)>,
    /// Its colour.
    pub colour: Colour,
    /// Its style.
    pub style: Style,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// A solid line.
    #[default]
    Line,
    /// Separate dots.
    Points,
    /// A dashed line: for theory, predictions, fits.
    Dashed,
}

/// A reference line across the whole panel; the range of the axis is extended to show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Along which axis it runs.
    pub orientation: Orientation,
    /// Its position on the other axis.
    pub at: f64,
    /// Its entry in the legend; no entry when empty.
    pub label: String,
}

/// The direction of a reference line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orientation {
    /// y = constant.
    Horizontal,
    /// x = constant.
    Vertical,
}

impl Axis {
    /// A linear axis, such as `Axis::linear("τ", "training time")`.
    pub fn linear(symbol: &str, label: &str) -> Self {
        Self { symbol: symbol.into(), label: label.into(), log: false }
    }

    /// A logarithmic axis.
    pub fn log(symbol: &str, label: &str) -> Self {
        Self { symbol: symbol.into(), label: label.into(), log: true }
    }

    /// "symbol, word", or the one that is there.
    pub fn caption(&self) -> String {
        match (self.symbol.is_empty(), self.label.is_empty()) {
            (false, false) => format!("{}, {}", self.symbol, self.label),
            _ => format!("{}{}", self.symbol, self.label),
        }
    }
}

impl Series {
    /// A solid line without a band, in the first colour.
    pub fn line(label: impl Into<String>, x: Vec<f64>, y: Vec<f64>) -> Self {
        Self { label: label.into(), x, y, ..Self::default() }
    }

    /// The same series in another colour.
    #[must_use]
    pub fn colour(self, colour: Colour) -> Self {
        Self { colour, ..self }
    }

    /// The same series in another style.
    #[must_use]
    pub fn style(self, style: Style) -> Self {
        Self { style, ..self }
    }

    /// The same series with a band from `lower` to `upper`, one value per point.
    #[must_use]
    pub fn band(self, lower: Vec<f64>, upper: Vec<f64>) -> Self {
        Self { band: Some((lower, upper)), ..self }
    }
}

impl Mark {
    /// The line y = `at`.
    pub fn horizontal(at: f64, label: impl Into<String>) -> Self {
        Self { orientation: Orientation::Horizontal, at, label: label.into() }
    }

    /// The line x = `at`.
    pub fn vertical(at: f64, label: impl Into<String>) -> Self {
        Self { orientation: Orientation::Vertical, at, label: label.into() }
    }
}

impl Figure {
    /// The figure as one SVG element, [`WIDTH`] pixels wide. Never panics: what cannot be drawn is left out, and a note
    /// in the figure counts it.
    pub fn svg(&self) -> String {
        self.svg_of(MAX_POINTS)
    }

    /// All numbers of the figure as CSV in long format: series, x, y, lo, hi.
    pub fn csv(&self) -> String {
        csv::write(self, usize::MAX, csv::exact)
    }

    /// As [`Figure::svg`], with at most `points` points of every series.
    pub(crate) fn svg_of(&self, points: usize) -> String {
        draw::svg(self, points)
    }

    /// As [`Figure::csv`], with at most `rows` rows of every series and 8 digits of every number.
    pub(crate) fn csv_of(&self, rows: usize) -> String {
        csv::write(self, rows, csv::short)
    }

    /// The length of the longest series.
    pub(crate) fn longest(&self) -> usize {
        self.series.iter().map(|series| series.x.len().max(series.y.len())).max().unwrap_or(0)
    }
}
