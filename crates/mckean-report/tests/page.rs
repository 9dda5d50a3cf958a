//! Reports: nothing in them is obeyed as markup, they stay small, and they carry their data.
//!
//! Maths: none.
//! Shapes: from an empty page to one with millions of points.
//! Cost: a second.
//! Checked: this is a test.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mckean_report::{Axis, Block, Figure, Headline, Mark, Page, Row, Section, Series, Status};

const EVIL: &str = "<script>alert('x')</script>\"&]]>";

fn evil_page() -> Page {
    let figure = Figure {
        id: EVIL.into(),
        title: EVIL.into(),
        caption: EVIL.into(),
        x: Axis::linear(EVIL, EVIL),
        y: Axis::linear(EVIL, EVIL),
        series: vec![Series::line(EVIL, vec![0.0, 1.0], vec![0.0, 1.0])],
        marks: vec![Mark::vertical(0.5, EVIL)],
    };
    let text = || EVIL.to_string();
    let table =
        Block::Table { caption: text(), header: vec![text()], rows: vec![Row::new([EVIL]).status(Status::Fails)] };
    let list = Block::List(vec![text()]);
    let blocks = vec![Block::Text(text()), Block::Code(text()), table, list, Block::Figures(vec![figure])];
    let headline = Headline { label: text(), value: text(), interval: text(), note: text() };
    let sections = vec![Section::new(EVIL, blocks); 4];
    Page { title: text(), subtitle: text(), headline: vec![headline], sections }
}

/// The targets of all downloads of one kind, decoded.
fn downloads(html: &str, kind: &str) -> Vec<String> {
    let start = format!("href=\"data:{kind};charset=utf-8;base64,");
    let encoded = html.split(&start).skip(1).map(|rest| rest.split('"').next().unwrap());
    encoded.map(|text| String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()).collect()
}

fn curves(figures: usize, series: usize, points: usize) -> Page {
    let noisy = |k: usize, i: usize| ((i * 7919 + k * 104_729) % 1013) as f64 / 1013.0 * (-0.001 * i as f64).exp();
    let one = |k: usize| {
        let x: Vec<f64> = (0..points).map(|i| 0.1 * i as f64).collect();
        let y: Vec<f64> = (0..points).map(|i| noisy(k, i)).collect();
        let (lo, hi) = (y.iter().map(|y| y - 0.1).collect(), y.iter().map(|y| y + 0.1).collect());
        Series::line(format!("M = {k}"), x, y).band(lo, hi)
    };
    let figure = Figure { id: "risk".into(), series: (0..series).map(one).collect(), ..Figure::default() };
    let blocks = vec![Block::Figures(vec![figure; figures])];
    Page { sections: vec![Section::new("Risk", blocks)], ..Page::default() }
}

#[test]
fn no_text_becomes_markup() {
    let html = evil_page().html();
    assert!(!html.contains("<script"));
    assert!(html.contains("&lt;script&gt;alert"));
    assert!(downloads(&html, "image/svg+xml").iter().all(|svg| !svg.contains("<script")));
}

#[test]
fn a_page_refers_to_nothing_outside_itself() {
    let html = evil_page().html();
    let addresses = html.matches("http").count();
    let names = html.matches("http://www.w3.org/2000/svg").count() + html.matches("http-equiv").count();
    assert_eq!(addresses, names);
    assert!(!html.contains("src=\"") && !html.contains("@import") && !html.contains("url("));
}

#[test]
fn downloads_hold_the_data_and_the_drawing() {
    let page = curves(1, 2, 50);
    let Block::Figures(figures) = &page.sections[0].blocks[0] else { unreachable!() };
    let html = page.html();
    let (given, exact) = (downloads(&html, "text/csv").remove(0), figures[0].csv());
    let numbers = |csv: &str| -> Vec<f64> { csv.split([',', '\n']).filter_map(|field| field.parse().ok()).collect() };
    let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-7 * b.abs();
    assert_eq!(numbers(&given).len(), numbers(&exact).len());
    assert!(numbers(&given).iter().zip(&numbers(&exact)).all(close));
    assert_eq!(downloads(&html, "image/svg+xml"), [figures[0].svg()]);
    assert!(html.contains("download=\"risk.csv\""));
}

#[test]
fn reports_stay_below_a_megabyte() {
    for (figures, series, points) in [(1, 1, 5000), (12, 6, 400), (12, 8, 3000), (20, 10, 8_000)] {
        let html = curves(figures, series, points).html();
        assert!(html.len() < 1_000_000, "{figures} figures: {} bytes", html.len());
    }
}

#[test]
fn one_curve_of_5000_points_is_kept_whole_and_a_longer_one_says_it_is_thinned() {
    let html = curves(1, 1, 5000).html();
    assert_eq!(downloads(&html, "text/csv")[0].lines().count(), 5001);
    assert!(!html.contains("thinned to"));
    assert!(curves(1, 1, 5001).html().contains("thinned to 5000 rows"));
}

#[test]
fn contents_appear_with_the_fourth_section() {
    let page = |n| Page { sections: vec![Section::new("S", vec![]); n], ..Page::default() };
    assert!(!page(3).html().contains("<nav"));
    assert!(page(4).html().contains("href=\"#section-4\""));
    assert!(page(0).html().contains("</html>"));
}

#[test]
fn a_status_is_a_word_and_a_shape() {
    let rows = [Status::Holds, Status::Fails, Status::NotTestable].map(|status| Row::new(["c", "0.5"]).status(status));
    let table = Block::Table { caption: String::new(), header: vec!["condition".into()], rows: rows.into() };
    let page = Page { sections: vec![Section::new("S", vec![table])], ..Page::default() };
    let html = page.html();
    for word in ["</svg>holds", "</svg>fails", "</svg>not testable", ">status</th>", "class=\"num\">0.5"] {
        assert!(html.contains(word), "{word}");
    }
}
