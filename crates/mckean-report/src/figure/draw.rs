//! Painting a figure: the frame first, then bands, reference lines, curves, legend.
//!
//! Maths: none.
//! Shapes: pixels.
//! Cost: about a millisecond.
//! Checked: `tests/figure.rs` (no input panics, valid XML); the gallery is looked at.

use super::canvas::{self, Canvas, Pen, Xy};
use super::clean::{Clean, Point};
use super::frame::{INK, MARK, axes, font, grid, words};
use super::layout::Layout;
use super::legend::{self, Key, Legend};
use super::scale::transform;
use super::thin::{keep, simplify};
use super::{Colour, Figure, Orientation, Series, Style, WIDTH};
use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, VPos};

const CURVE: f64 = 1.6;
const DOT: f64 = 2.6;
/// Curves may move by this many pixels when they are thinned.
const TOLERANCE: f64 = 0.06;
/// Dash and gap of successive reference lines.
const MARK_DASHES: [(f64, f64); 4] = [(4.0, 3.0), (1.4, 2.4), (9.0, 3.0), (2.5, 5.0)];

pub(super) fn svg(figure: &Figure, points: usize) -> String {
    let mut series: Vec<Clean> = figure.series.iter().map(|series| Clean::of(series, figure)).collect();
    let layout = Layout::of(figure, &series);
    series.iter_mut().for_each(|clean| thin(clean, points));
    canvas::svg(WIDTH, layout.height, &figure.title, |canvas| paint(canvas, figure, &series, &layout))
}

fn thin(clean: &mut Clean, points: usize) {
    let values: Vec<Option<f64>> = clean.points.iter().map(|point| point.map(|p| p.y)).collect();
    clean.points = keep(&values, points).into_iter().map(|i| clean.points[i]).collect();
}

fn paint(canvas: &Canvas, figure: &Figure, series: &[Clean], layout: &Layout) {
    grid(canvas, layout);
    let pairs = || figure.series.iter().zip(series);
    pairs().for_each(|(series, clean)| band(canvas, series, clean, layout));
    (0..figure.marks.len()).for_each(|i| mark(canvas, figure, i, layout));
    pairs().for_each(|(series, clean)| curve(canvas, series, clean, layout));
    axes(canvas, layout);
    words(canvas, figure, layout);
    if series.iter().all(Clean::is_empty) {
        let centre = (layout.across(0.5), layout.up(0.5));
        canvas.text("no data", centre, font(13.0, MARK, HPos::Center, VPos::Center));
    }
    paint_legend(canvas, layout);
}

/// The stretches of a series without gaps, by a property that may itself be missing.
fn stretches<T>(clean: &Clean, of: impl Fn(&Point) -> Option<T>) -> Vec<Vec<T>> {
    let mut found = vec![Vec::new()];
    for point in &clean.points {
        match point.as_ref().and_then(&of) {
            Some(value) => found.last_mut().expect("never empty").push(value),
            None => found.push(Vec::new()),
        }
    }
    found.retain(|stretch| !stretch.is_empty());
    found
}

/// Intervals: error bars for points, a shaded band for lines.
fn band(canvas: &Canvas, series: &Series, clean: &Clean, layout: &Layout) {
    let ends = |p: &Point| (!p.lo.is_nan() && !p.hi.is_nan()).then(|| (layout.at(p.x, p.lo), layout.at(p.x, p.hi)));
    let colour = series.colour.rgb();
    for stretch in stretches(clean, ends) {
        if series.style == Style::Points || stretch.len() == 1 {
            stretch.iter().for_each(|&(lo, hi)| error_bar(canvas, lo, hi, colour));
        } else {
            let (lower, upper): (Vec<Xy>, Vec<Xy>) = stretch.into_iter().unzip();
            let back = simplify(&upper, TOLERANCE).into_iter().rev();
            let outline: Vec<Xy> = simplify(&lower, TOLERANCE).into_iter().chain(back).collect();
            canvas.fill(&outline, colour, 0.16);
        }
    }
}

fn error_bar(canvas: &Canvas, lo: Xy, hi: Xy, colour: RGBColor) {
    let pen = Pen::new(colour, 1.0);
    canvas.line(&[lo, hi], pen);
    for (x, y) in [lo, hi] {
        canvas.line(&[(x - 2.5, y), (x + 2.5, y)], pen);
    }
}

fn mark(canvas: &Canvas, figure: &Figure, i: usize, layout: &Layout) {
    let mark = &figure.marks[i];
    let (dash, gap) = MARK_DASHES[i % MARK_DASHES.len()];
    let line = match mark.orientation {
        Orientation::Horizontal => transform(mark.at, figure.y.log)
            .map(|v| layout.up(layout.y.place(v)))
            .map(|y| [(layout.left, y), (layout.right, y)]),
        Orientation::Vertical => transform(mark.at, figure.x.log)
            .map(|v| layout.across(layout.x.place(v)))
            .map(|x| [(x, layout.bottom), (x, layout.top)]),
    };
    if let Some(line) = line {
        canvas.dashes(&line, dash, gap, Pen::new(MARK, 1.1));
    }
}

fn curve(canvas: &Canvas, series: &Series, clean: &Clean, layout: &Layout) {
    let colour = series.colour.rgb();
    for stretch in stretches(clean, |p| Some(layout.at(p.x, p.y))) {
        match series.style {
            Style::Line | Style::Dashed if stretch.len() == 1 => canvas.dot(stretch[0], DOT - 0.6, colour),
            Style::Line => canvas.line(&simplify(&stretch, TOLERANCE), Pen::new(colour, CURVE)),
            Style::Dashed => canvas.dashes(&simplify(&stretch, TOLERANCE), 5.0, 3.0, Pen::new(colour, CURVE)),
            Style::Points => stretch.iter().for_each(|&at| canvas.dot(at, DOT, colour)),
        }
    }
}

fn paint_legend(canvas: &Canvas, layout: &Layout) {
    let (x, y) = layout.legend_corner();
    for (i, entry) in layout.legend.entries.iter().enumerate() {
        let (dx, dy) = layout.legend.offset(i);
        let (x, y) = (x + dx, y + dy + 0.5 * legend::ROW);
        key(canvas, entry.key, (x, y));
        let at = if entry.key == Key::Nothing { x } else { x + Legend::label_at() };
        canvas.text(&entry.label, (at, y), font(legend::SIZE, INK, HPos::Left, VPos::Center));
    }
}

/// The sample before a label.
fn key(canvas: &Canvas, key: Key, (x, y): Xy) {
    let line = [(x, y), (x + legend::KEY, y)];
    match key {
        Key::Series { colour, style, band } => series_key(canvas, colour, style, band, (x, y)),
        Key::Mark(i) => {
            let (dash, gap) = MARK_DASHES[i % MARK_DASHES.len()];
            canvas.dashes(&line, dash, gap, Pen::new(MARK, 1.1));
        }
        Key::Nothing => {}
    }
}

fn series_key(canvas: &Canvas, colour: Colour, style: Style, band: bool, (x, y): Xy) {
    let (colour, end) = (colour.rgb(), x + legend::KEY);
    if band && style != Style::Points {
        canvas.fill(&[(x, y - 4.0), (end, y - 4.0), (end, y + 4.0), (x, y + 4.0)], colour, 0.16);
    }
    match style {
        Style::Line => canvas.line(&[(x, y), (end, y)], Pen::new(colour, CURVE)),
        Style::Dashed => canvas.dashes(&[(x, y), (end, y)], 5.0, 3.0, Pen::new(colour, CURVE)),
        Style::Points => canvas.dot((0.5 * (x + end), y), DOT, colour),
    }
}
