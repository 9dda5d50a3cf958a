//! A drawing surface in CSS pixels over the SVG backend.
//!
//! Maths: the backend draws on whole numbers, so one pixel is ten of its units and curves are placed to 0.1 pixel.
//! Shapes: points in pixels from the upper left corner.
//! Cost: linear in what is drawn.
//! Checked: through [`super::draw`].

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::element::{Circle, DashedPathElement, Drawable, PathElement, PointCollection, Polygon, Text};
use plotters::prelude::IntoDrawingArea;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, IntoFont, RGBAColor, RGBColor, ShapeStyle, TextStyle};

/// Units of the backend per pixel.
const UNIT: f64 = 10.0;
/// The backend writes font sizes divided by this.
const FONT_UNIT: f64 = 1.24;
/// Name written by the backend for the font, removed again in favour of [`FONTS`] on the root.
const FONT_MARK: &str = "f";
const FONTS: &str = "Helvetica Neue,Helvetica,Arial,Liberation Sans,DejaVu Sans,sans-serif";

pub(super) type Xy = (f64, f64);

/// A line: colour, opacity, width in pixels.
#[derive(Clone, Copy)]
pub(super) struct Pen {
    pub colour: RGBColor,
    pub alpha: f64,
    pub width: f64,
}

impl Pen {
    pub(super) fn new(colour: RGBColor, width: f64) -> Pen {
        Pen { colour, alpha: 1.0, width }
    }

    fn style(self) -> ShapeStyle {
        let stroke_width = (self.width * UNIT).round() as u32;
        ShapeStyle { color: self.colour.mix(self.alpha), filled: true, stroke_width }
    }
}

/// How a text sits at its point.
#[derive(Clone, Copy)]
pub(super) struct Font {
    pub size: f64,
    pub colour: RGBColor,
    pub h: HPos,
    pub v: VPos,
    pub upward: bool,
}

pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// An SVG element of this size, drawn by `paint`, with an accessible name.
pub(super) fn svg(width: f64, height: f64, name: &str, paint: impl FnOnce(&Canvas)) -> String {
    let mut drawing = String::new();
    let area = SVGBackend::with_string(&mut drawing, (units(width) as u32, units(height) as u32)).into_drawing_area();
    paint(&Canvas { area });
    let body = drawing.split_once('>').map_or("", |(_, body)| body);
    let body = body.replace(&format!(" font-family=\"{FONT_MARK}\""), "").replace(" opacity=\"1\"", "");
    let name = super::text::escape(name);
    let (w, h) = (units(width), units(height));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{name}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" viewBox=\"0 0 {w} {h}\" font-family=\"{FONTS}\" stroke-linejoin=\"round\">\
         <rect width=\"{w}\" height=\"{h}\" fill=\"#fff\"/>{body}"
    )
}

fn units(pixels: f64) -> i32 {
    (pixels * UNIT).round() as i32
}

fn place((x, y): Xy) -> (i32, i32) {
    (units(x), units(y))
}

/// The points in units, without immediate repetitions.
fn places(points: &[Xy]) -> Vec<(i32, i32)> {
    let mut placed: Vec<_> = points.iter().copied().map(place).collect();
    placed.dedup();
    placed
}

impl<'a> Canvas<'a> {
    /// Draws an element; the string behind the backend never refuses.
    fn draw<E>(&self, element: &E)
    where
        for<'b> &'b E: PointCollection<'b, (i32, i32)>,
        E: Drawable<SVGBackend<'a>>,
    {
        let _ = self.area.draw(element);
    }

    /// A polyline.
    pub(super) fn line(&self, points: &[Xy], pen: Pen) {
        self.draw(&PathElement::new(places(points), pen.style()));
    }

    /// A dashed polyline: dashes and gaps in pixels.
    pub(super) fn dashes(&self, points: &[Xy], dash: f64, gap: f64, pen: Pen) {
        let (dash, gap) = (units(dash) as u32, units(gap) as u32);
        self.draw(&DashedPathElement::new(places(points), dash, gap, pen.style()));
    }

    /// A filled polygon.
    pub(super) fn fill(&self, points: &[Xy], colour: RGBColor, alpha: f64) {
        let fill: RGBAColor = colour.mix(alpha);
        self.draw(&Polygon::new(places(points), fill));
    }

    /// A filled circle.
    pub(super) fn dot(&self, at: Xy, radius: f64, colour: RGBColor) {
        self.draw(&Circle::new(place(at), units(radius), colour.filled()));
    }

    /// A line of text.
    pub(super) fn text(&self, text: &str, at: Xy, font: Font) {
        let turn = if font.upward { FontTransform::Rotate270 } else { FontTransform::None };
        let plain = (FONT_MARK, font.size * UNIT * FONT_UNIT).into_font().transform(turn);
        let style = TextStyle::from(plain).color(&font.colour).pos(Pos::new(font.h, font.v));
        self.draw(&Text::new(text.to_string(), place(at), style));
    }
}
