//! What of a series can be drawn, in transformed units, and how much cannot.
//!
//! Maths: as [`super::scale`].
//! Shapes: one optional point per observation; `None` interrupts the line.
//! Cost: linear.
//! Checked: unit tests below; `tests/figure.rs`.

use super::scale::transform;
use super::{Figure, Series};

/// A drawable point; `lo` and `hi` are NaN without a band, and `lo` is minus infinity below a logarithmic axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub x: f64,
    pub y: f64,
    pub lo: f64,
    pub hi: f64,
}

/// A series ready for drawing.
#[derive(Clone, Debug, Default)]
pub(super) struct Clean {
    pub points: Vec<Option<Point>>,
    pub dropped: usize,
}

impl Clean {
    pub(super) fn of(series: &Series, figure: &Figure) -> Clean {
        let length = series.x.len().max(series.y.len());
        let points: Vec<_> = (0..length).map(|i| point(series, figure, i)).collect();
        let dropped = points.iter().filter(|point| point.is_none()).count();
        Clean { points, dropped }
    }

    /// The points that can be drawn.
    pub(super) fn drawable(&self) -> impl Iterator<Item = &Point> {
        self.points.iter().flatten()
    }

    /// Whether no point can be drawn.
    pub(super) fn is_empty(&self) -> bool {
        self.drawable().next().is_none()
    }
}

fn point(series: &Series, figure: &Figure, i: usize) -> Option<Point> {
    let x = transform(*series.x.get(i)?, figure.x.log)?;
    let y = transform(*series.y.get(i)?, figure.y.log)?;
    let (lo, hi) = interval(series, figure.y.log, i).unwrap_or((f64::NAN, f64::NAN));
    Some(Point { x, y, lo, hi })
}

/// The ends of the band at a point; a lower end that is not positive reaches the foot of a logarithmic axis.
fn interval(series: &Series, log: bool, i: usize) -> Option<(f64, f64)> {
    let (lower, upper) = series.band.as_ref()?;
    let (lower, upper) = (*lower.get(i)?, *upper.get(i)?);
    let hi = transform(upper, log)?;
    if log && lower <= 0.0 {
        return Some((f64::NEG_INFINITY, hi));
    }
    Some((transform(lower, log)?, hi))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Axis;

    #[test]
    fn what_has_no_place_is_dropped_and_counted() {
        let y = vec![1.0, 0.0, -1.0, f64::NAN, 100.0, 1.0];
        let series = Series::line("", vec![0.0, 1.0, 2.0, 3.0, 4.0], y).band(vec![-1.0; 5], vec![10.0; 5]);
        let figure = Figure { y: Axis::log("", ""), ..Figure::default() };
        let clean = Clean::of(&series, &figure);
        assert_eq!((clean.dropped, clean.drawable().count()), (4, 2));
        assert_eq!(clean.points[4], Some(Point { x: 4.0, y: 2.0, lo: f64::NEG_INFINITY, hi: 1.0 }));
    }
}
