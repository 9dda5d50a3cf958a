//! Where everything sits: margins from the widths of labels, so that nothing is clipped and nothing overlaps.
//!
//! Maths: none.
//! Shapes: pixels from the upper left corner; the axes' box is (left, top) to (right, bottom).
//! Cost: a few label widths.
//! Checked: unit tests below; the gallery is looked at.

use super::canvas::Xy;
use super::clean::Clean;
use super::legend::Legend;
use super::scale::{Scale, transform};
use super::text::wrap;
use super::ticks::Ticks;
use super::{Figure, HEIGHT, Orientation, WIDTH};

pub(super) const TITLE: f64 = 12.5;
const TITLE_LINE: f64 = 15.5;
/// Room below the axes for tick labels and the caption.
const FOOT: f64 = 44.0;
/// Room for a line of notes.
const NOTE: f64 = 14.0;

pub(super) struct Layout {
    pub title: Vec<String>,
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
    pub height: f64,
    pub x: Scale,
    pub y: Scale,
    pub x_ticks: Ticks,
    pub y_ticks: Ticks,
    pub legend: Legend,
    pub note: Option<String>,
}

impl Layout {
    pub(super) fn of(figure: &Figure, series: &[Clean]) -> Layout {
        let (x, y) = scales(figure, series);
        let title = wrap(&figure.title, TITLE, WIDTH - 24.0, 2);
        let (legend, note) = (Legend::of(figure), note(figure, series));
        let (top, bottom) = (14.0 + TITLE_LINE * title.len() as f64, HEIGHT - FOOT);
        let nothing = figure.marks.is_empty() && series.iter().all(Clean::is_empty);
        let y_ticks = if nothing { Ticks::default() } else { Ticks::vertical(&y, bottom - top) };
        let top = if y_ticks.factor.is_some() { top + 11.0 } else { top };
        let widest = y_ticks.major.iter().map(|(_, label)| label.width()).fold(0.0, f64::max);
        let left = 34.0 + widest.clamp(14.0, 110.0);
        let right = WIDTH - 16.0 - legend.width_right();
        let x_ticks = if nothing { Ticks::default() } else { Ticks::horizontal(&x, right - left) };
        let height = HEIGHT + legend.height_below() + if note.is_some() { NOTE } else { 0.0 };
        Layout { title, left, right, top, bottom, height, x, y, x_ticks, y_ticks, legend, note }
    }

    /// The pixel of a point in transformed units.
    pub(super) fn at(&self, x: f64, y: f64) -> Xy {
        (self.across(self.x.place(x)), self.up(self.y.place(y)))
    }

    /// The pixel column of a place in 0..=1.
    pub(super) fn across(&self, place: f64) -> f64 {
        self.left + place * (self.right - self.left)
    }

    /// The pixel row of a place in 0..=1.
    pub(super) fn up(&self, place: f64) -> f64 {
        self.bottom - place * (self.bottom - self.top)
    }

    /// Upper left corner of the legend.
    pub(super) fn legend_corner(&self) -> Xy {
        match self.legend.right {
            true => (self.right + 14.0, self.top + 2.0),
            false => ((0.5 * (WIDTH - self.legend.width_below())).max(12.0) + 6.0, self.bottom + FOOT + 2.0),
        }
    }
}

/// Ranges that show all data, bands and marks.
fn scales(figure: &Figure, series: &[Clean]) -> (Scale, Scale) {
    let points = || series.iter().flat_map(Clean::drawable);
    let marks = |orientation, log| {
        let these = figure.marks.iter().filter(move |mark| mark.orientation == orientation);
        these.filter_map(move |mark| transform(mark.at, log))
    };
    let x = points().map(|p| p.x).chain(marks(Orientation::Vertical, figure.x.log));
    let y = points().flat_map(|p| [p.y, p.lo, p.hi]).chain(marks(Orientation::Horizontal, figure.y.log));
    (Scale::around(x, figure.x.log, 0.025), Scale::around(y, figure.y.log, 0.05))
}

/// How many points and marks are not drawn, if any.
fn note(figure: &Figure, series: &[Clean]) -> Option<String> {
    let axis = |mark: &super::Mark| {
        if mark.orientation == Orientation::Vertical { figure.x.log } else { figure.y.log }
    };
    let lost = figure.marks.iter().filter(|mark| transform(mark.at, axis(mark)).is_none()).count();
    let dropped = lost + series.iter().map(|clean| clean.dropped).sum::<usize>();
    let all = figure.marks.len() + series.iter().map(|clean| clean.points.len()).sum::<usize>();
    let why = if figure.x.log || figure.y.log { "not finite, or not positive on a log axis" } else { "not finite" };
    (dropped > 0).then(|| format!("{dropped} of {all} values not drawn ({why})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Series;

    #[test]
    fn the_box_is_never_too_small_and_inside_the_picture() {
        for labels in [0, 1, 5, 14, 15, 40, 300] {
            let series = (0..labels).map(|i| Series::line(format!("a long label {i}"), vec![1e9], vec![-1e-9]));
            let figure = Figure { series: series.collect(), title: "word ".repeat(50), ..Figure::default() };
            let clean: Vec<Clean> = figure.series.iter().map(|s| Clean::of(s, &figure)).collect();
            let layout = Layout::of(&figure, &clean);
            assert!(layout.right - layout.left > 150.0 && layout.bottom - layout.top > 200.0);
            assert!(layout.right < WIDTH && layout.bottom < layout.height);
        }
    }
}
