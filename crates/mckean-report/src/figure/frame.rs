//! What surrounds the curves: grid, axes, ticks, words.
//!
//! Maths: none.
//! Shapes: pixels.
//! Cost: a few dozen elements.
//! Checked: `tests/figure.rs`; the gallery is looked at.

use super::canvas::{Canvas, Font, Pen, Xy};
use super::layout::{Layout, TITLE};
use super::text::{fit, minus};
use super::ticks::{self, Label};
use super::{Figure, WIDTH};
use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, VPos};

pub(super) const INK: RGBColor = RGBColor(0x1a, 0x1a, 0x1a);
/// Reference lines, notes.
pub(super) const MARK: RGBColor = RGBColor(0x66, 0x66, 0x66);
const AXIS: RGBColor = RGBColor(0x44, 0x44, 0x44);
const GRID: RGBColor = RGBColor(0xe4, 0xe4, 0xe4);
const CAPTION: f64 = 11.5;

pub(super) fn font(size: f64, colour: RGBColor, h: HPos, v: VPos) -> Font {
    Font { size, colour, h, v, upward: false }
}

pub(super) fn grid(canvas: &Canvas, layout: &Layout) {
    for (place, _) in &layout.x_ticks.major {
        let x = layout.across(*place);
        canvas.line(&[(x, layout.top), (x, layout.bottom)], Pen::new(GRID, 0.7));
    }
    for (place, _) in &layout.y_ticks.major {
        let y = layout.up(*place);
        canvas.line(&[(layout.left, y), (layout.right, y)], Pen::new(GRID, 0.7));
    }
}

pub(super) fn axes(canvas: &Canvas, layout: &Layout) {
    let pen = Pen::new(AXIS, 0.9);
    let (left, bottom) = (layout.left, layout.bottom);
    canvas.line(&[(left, layout.top), (left, bottom), (layout.right, bottom)], pen);
    for place in &layout.x_ticks.minor {
        let x = layout.across(*place);
        canvas.line(&[(x, bottom), (x, bottom + 2.5)], Pen::new(AXIS, 0.6));
    }
    for place in &layout.y_ticks.minor {
        let y = layout.up(*place);
        canvas.line(&[(left - 2.5, y), (left, y)], Pen::new(AXIS, 0.6));
    }
    for (place, label) in &layout.x_ticks.major {
        let x = layout.across(*place);
        canvas.line(&[(x, bottom), (x, bottom + 4.5)], pen);
        tick_label(canvas, label, (x + 0.5 * label.width(), bottom + 13.0));
    }
    for (place, label) in &layout.y_ticks.major {
        let y = layout.up(*place);
        canvas.line(&[(left - 4.5, y), (left, y)], pen);
        tick_label(canvas, label, (left - 7.0, y));
    }
}

/// A tick label whose right end is at `at`.
fn tick_label(canvas: &Canvas, label: &Label, (x, y): Xy) {
    match label {
        Label::Plain(text) => canvas.text(text, (x, y), font(ticks::SIZE, INK, HPos::Right, VPos::Center)),
        Label::Power { exponent, .. } => power(canvas, &label.base(), *exponent, (x, y), label.width()),
    }
}

/// A power of ten with its exponent raised, `width` pixels wide and ending at `x`.
fn power(canvas: &Canvas, base: &str, exponent: i32, (x, y): Xy, width: f64) {
    let exponent = minus(&exponent.to_string());
    let joint = x - width + super::text::width(base, ticks::SIZE);
    canvas.text(base, (joint, y), font(ticks::SIZE, INK, HPos::Right, VPos::Center));
    canvas.text(&exponent, (joint + 0.8, y - 4.2), font(ticks::SIZE_UP, INK, HPos::Left, VPos::Center));
}

pub(super) fn words(canvas: &Canvas, figure: &Figure, layout: &Layout) {
    let (middle, centre) = (layout.across(0.5), layout.up(0.5));
    for (i, line) in layout.title.iter().enumerate() {
        let half = 0.5 * super::text::width(line, TITLE) + 8.0;
        let x = middle.clamp(half.min(0.5 * WIDTH), (WIDTH - half).max(0.5 * WIDTH));
        canvas.text(line, (x, 14.0 + 15.5 * i as f64), font(TITLE, INK, HPos::Center, VPos::Center));
    }
    let x_caption = fit(&figure.x.caption(), CAPTION, layout.right - layout.left + 40.0);
    let y_caption = fit(&figure.y.caption(), CAPTION, layout.bottom - layout.top + 20.0);
    canvas.text(&x_caption, (middle, layout.bottom + 32.0), font(CAPTION, INK, HPos::Center, VPos::Center));
    let upward = Font { upward: true, ..font(CAPTION, INK, HPos::Center, VPos::Center) };
    canvas.text(&y_caption, (14.0, centre), upward);
    factors(canvas, layout);
    if let Some(note) = &layout.note {
        let at = (layout.left, layout.height - 9.0);
        canvas.text(note, at, font(9.0, MARK, HPos::Left, VPos::Center));
    }
}

/// "×10ⁿ" at the end of an axis whose labels leave it out.
fn factors(canvas: &Canvas, layout: &Layout) {
    let width = |exponent: i32| Label::Power { mantissa: 1, exponent }.width() + 9.0;
    if let Some(exponent) = layout.y_ticks.factor {
        let x = layout.left - 4.0 + width(exponent);
        power(canvas, "×10", exponent, (x, layout.top - 8.0), width(exponent));
    }
    if let Some(exponent) = layout.x_ticks.factor {
        power(canvas, "×10", exponent, (layout.right, layout.bottom + 31.0), width(exponent));
    }
}
