//! Figures take any numbers and any words.
//!
//! Maths: none.
//! Shapes: series of any and of unequal lengths.
//! Cost: a few seconds.
//! Checked: this is a test.

use mckean_report::{Axis, Colour, Figure, Mark, Series, Style};
use proptest::prelude::*;

/// Any f64, with the troublesome ones often.
fn number() -> impl Strategy<Value = f64> {
    let odd = [0.0, -0.0, 1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 5e-324, 1e-310, f64::MAX, f64::MIN, 1e300];
    prop_oneof![
        prop::num::f64::ANY,
        prop::sample::select(odd.to_vec()),
        -10.0..10.0,
        (0..9_000_000u32).prop_map(|ulps| 1.0 + f64::from(ulps) * f64::EPSILON)
    ]
}

fn numbers() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(number(), 0..40)
}

fn series() -> impl Strategy<Value = Series> {
    let style = prop_oneof![Just(Style::Line), Just(Style::Points), Just(Style::Dashed)];
    let colour = prop_oneof![any::<usize>().prop_map(Colour::Index), number().prop_map(Colour::Ramp)];
    let band = prop::option::of((numbers(), numbers()));
    (any::<String>(), numbers(), numbers(), band, colour, style).prop_map(|(label, x, y, band, colour, style)| Series {
        label,
        x,
        y,
        band,
        colour,
        style,
    })
}

fn axis() -> impl Strategy<Value = Axis> {
    (any::<String>(), any::<String>(), any::<bool>()).prop_map(|(symbol, label, log)| Axis { symbol, label, log })
}

fn figure() -> impl Strategy<Value = Figure> {
    let mark = (number(), any::<bool>()).prop_map(
        |(at, h)| {
            if h { Mark::horizontal(at, "h") } else { Mark::vertical(at, "v") }
        },
    );
    let marks = prop::collection::vec(mark, 0..4);
    (any::<String>(), any::<String>(), axis(), axis(), prop::collection::vec(series(), 0..5), marks).prop_map(
        |(title, caption, x, y, series, marks)| Figure { id: String::new(), title, caption, x, y, series, marks },
    )
}

/// The numbers in all `points` attributes lie in the picture, and brackets match.
fn is_sound(svg: &str) -> bool {
    let view = svg.split("viewBox=\"0 0 ").nth(1).unwrap().split('"').next().unwrap();
    let (width, height) = view.split_once(' ').unwrap();
    let (width, height): (i64, i64) = (width.parse().unwrap(), height.parse().unwrap());
    let pairs = svg.split("points=\"").skip(1).flat_map(|rest| rest.split('"').next().unwrap().split_whitespace());
    let inside = |pair: &str| {
        let (x, y) = pair.split_once(',').unwrap();
        (0..=width).contains(&x.parse().unwrap()) && (0..=height).contains(&y.parse().unwrap())
    };
    let brackets = svg.matches('<').count() == svg.matches('>').count();
    brackets && svg.ends_with("</svg>\n") && pairs.into_iter().all(inside)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_input_panics_or_leaves_the_picture(figure in figure()) {
        prop_assert!(is_sound(&figure.svg()));
        figure.csv();
    }
}

fn plain(series: Vec<Series>, x: Axis, y: Axis) -> String {
    Figure { series, x, y, ..Figure::default() }.svg()
}

#[test]
fn nothing_to_draw_is_said() {
    for series in [vec![], vec![Series::line("a", vec![], vec![])], vec![Series::line("a", vec![1.0], vec![f64::NAN])]]
    {
        assert!(plain(series, Axis::default(), Axis::default()).contains("no data"));
    }
}

#[test]
fn a_gap_breaks_the_line_and_is_counted() {
    let y = vec![1.0, 2.0, f64::NAN, 3.0, 1.0];
    let svg = plain(vec![Series::line("", vec![0.0, 1.0, 2.0, 3.0, 4.0], y)], Axis::default(), Axis::default());
    assert_eq!(svg.matches("stroke=\"#0072B2\"").count(), 2);
    assert!(svg.contains("1 of 5 values not drawn (not finite)"));
}

#[test]
fn log_axes_drop_and_count_what_is_not_positive() {
    let series = Series::line("", vec![0.0, 1.0, 10.0], vec![1.0, -1.0, 10.0]);
    let svg = plain(vec![series], Axis::log("M", "heads"), Axis::log("Q", "objective"));
    assert!(svg.contains("2 of 3 values not drawn"));
    assert!(svg.contains("Q, objective") && svg.contains("M, heads"));
}

#[test]
fn long_smooth_curves_are_small() {
    let x: Vec<f64> = (0..200_000).map(|i| f64::from(i) * 1e-4).collect();
    let y = x.iter().map(|x| (-x).exp()).collect();
    let svg = plain(vec![Series::line("risk", x, y)], Axis::default(), Axis::default());
    assert!(svg.len() < 12_000, "{} bytes", svg.len());
}
