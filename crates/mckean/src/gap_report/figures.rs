//! Figures of the gap: curves beside the limit, the gap over training and its parts, larger networks, particles.
//!
//! Maths: forecasts as in `gap/parts.rs`.
//! Shapes: two, one and two figures.
//! Cost: milliseconds.
//! Checked: looked at as pictures; `tests/gap.rs` looks for their words.

use crate::gap::{Record, predict};
use crate::rates::{DEPTHS, Distances, Quantity};
use mckean_report::{Axis, Colour, Figure, Series, Style};

fn figure(id: &str, title: &str, caption: &str, (x, y): (Axis, Axis), series: Vec<Series>) -> Figure {
    let series = series.into_iter().filter(|s| !s.y.is_empty()).collect();
    Figure { id: id.into(), title: title.into(), caption: caption.into(), x, y, series, marks: vec![] }
}

fn time() -> Axis {
    Axis::linear("τ", "training time")
}

/// Risk of the networks beside the limit, and their gap over training.
pub(super) fn gap(r: &Record) -> Vec<Figure> {
    vec![curves(r), parts(r)]
}

fn curves(r: &Record) -> Figure {
    let (low, high) = r.limit.ends();
    let sizes = format!("M = {}, L = {}", r.width, r.depth);
    let mut series = vec![];
    for (i, risk) in r.networks.iter().enumerate() {
        let label = if i == 0 { format!("{sizes}, one a seed") } else { String::new() };
        series.push(Series::line(label, r.taus.clone(), risk.clone()).colour(Colour::Index(1)));
    }
    let wide = Series::line(format!("M = ∞, L = {}", r.depth), r.taus.clone(), r.wide.clone());
    series.push(wide.style(Style::Dashed).colour(Colour::Index(2)));
    let limit = Series::line("limit", r.taus.clone(), r.limit.value.clone()).band(low, high);
    series.push(limit.colour(Colour::Index(0)));
    let caption = "Networks, the infinitely wide one of the same depth, and the limit of infinite width and depth with its error.";
    figure("risk", "Risk", caption, (time(), Axis::linear("R", "risk")), series)
}

/// Root mean square over networks of the distance of their risk to `from`, by time; nothing without networks.
fn distance(r: &Record, from: &[f64]) -> Vec<f64> {
    let of = |i: usize| {
        let squares: f64 = r.networks.iter().map(|x| (x[i] - from[i]).powi(2)).sum();
        (squares / r.networks.len() as f64).sqrt()
    };
    let times = if r.networks.is_empty() { 0 } else { from.len() };
    (0..times).map(of).collect()
}

fn parts(r: &Record) -> Figure {
    let bias: Vec<f64> = r.wide.iter().zip(&r.limit.value).map(|(w, l)| (w - l).abs()).collect();
    let all = [
        ("networks to the limit", distance(r, &r.limit.value), Style::Line, 1),
        ("networks to M = ∞: noise", distance(r, &r.wide), Style::Line, 3),
        ("M = ∞ to the limit", bias, Style::Line, 2),
        ("error of the limit", r.limit.totals(), Style::Dashed, 0),
    ];
    let line = |(label, y, style, colour): (&str, Vec<f64>, Style, usize)| {
        let (x, y) = r.taus.iter().zip(&y).filter(|p| *p.1 > 0.0).map(|(t, g)| (*t, *g)).unzip();
        Series::line(label, x, y).style(style).colour(Colour::Index(colour))
    };
    let caption = "Root mean square over seeds of the distance between risks, and its parts.";
    let axes = (time(), Axis::log("|ΔR|", "gap of the risk"));
    figure("gap", "Gap over training", caption, axes, all.into_iter().map(line).collect())
}

/// A way to grow: its name, how it shares a factor of cost between width and depth, its colour.
type Way = (&'static str, fn(f64) -> (f64, f64), usize);
/// One of the distances of clouds, by name.
type Kind = (&'static str, fn(&Distances) -> f64);

/// Factors of growth that are drawn, as powers of two.
const DOUBLINGS: i32 = 8;

/// The gap of outputs of larger networks against their cost.
pub(super) fn growth(r: &Record) -> Vec<Figure> {
    let Some(part) = r.parts.iter().find(|p| p.quantity == Quantity::Output) else { return vec![] };
    let ways: [Way; 3] = [
        ("wider only", |c| (c, 1.0), 1),
        ("deeper only", |c| (1.0, c), 2),
        ("both alike", |c| (c.sqrt(), c.sqrt()), 3),
    ];
    let mut series = vec![];
    for (label, grow, colour) in ways {
        let at = |k: i32| {
            let cost = f64::from(k).exp2();
            let (wider, deeper) = grow(cost);
            predict(part, wider, deeper).map(|g| (cost, g))
        };
        let all: Vec<_> = (0..=DOUBLINGS).filter_map(at).collect();
        let of = |pick: fn(&crate::gap::Predicted) -> f64| all.iter().map(|(_, g)| pick(g)).collect::<Vec<f64>>();
        let line = Series::line(label, all.iter().map(|x| x.0).collect(), of(|g| g.value));
        series.push(line.band(of(|g| g.low), of(|g| g.high)).style(Style::Dashed).colour(Colour::Index(colour)));
    }
    if let Some(g) = part.gap {
        let ends = (vec![g.rms / (1.0 + g.relative)], vec![g.rms * (1.0 + g.relative)]);
        let own = Series::line(format!("measured: M = {}, L = {}", r.width, r.depth), vec![1.0], vec![g.rms]);
        series.push(own.band(ends.0, ends.1).style(Style::Points).colour(Colour::Index(0)));
    }
    if part.bias.is_none() || part.noise.is_none() {
        return vec![];
    }
    let caption = "Output gap foretold for networks that cost so many times as much to train. Width alone ends at the bias of depth.";
    let axes = (Axis::log("", "cost over that of the measured size"), Axis::log("", "output gap"));
    vec![figure("growth", "Larger networks", caption, axes, series)]
}

/// Distance of particles to driven ones over training, and of clouds by depth.
pub(super) fn particles(r: &Record) -> Vec<Figure> {
    let name = |width: usize| if width == 0 { "M = ∞".to_string() } else { format!("M = {width}") };
    let mut moving = vec![];
    let mut clouds = vec![];
    for (i, p) in r.profiles.iter().enumerate() {
        let (x, y) = r.taus.iter().zip(&p.growth).filter(|p| *p.1 > 0.0).map(|(t, g)| (*t, *g)).unzip();
        moving.push(Series::line(name(p.width), x, y).colour(Colour::Index(i)));
        let Some(last) = p.depths.last().filter(|_| p.width > 0) else { continue };
        let kinds: [Kind; 3] =
            [("to the law", |d| d.raw), ("draws alone to the law", |d| d.floor), ("above the floor", |d| d.above)];
        for (k, (what, pick)) in kinds.into_iter().enumerate() {
            let y: Vec<f64> = last.iter().map(pick).collect();
            let style = if k == 1 { Style::Dashed } else { Style::Line };
            clouds.push(Series::line(what, DEPTHS[..y.len()].to_vec(), y).style(style).colour(Colour::Index(k)));
        }
    }
    if moving.is_empty() {
        return vec![];
    }
    let far = "Root mean square over particles, depth and seeds of the distance to the particle of the same start that the limit drives.";
    let w2 = "W2 between the cloud of a block and the limit's law at its depth, at the last snapshot (without atoms: 256 points of it); floor: the same draws driven by the limit.";
    vec![
        figure("particles", "Particles leave the limit's", far, (time(), Axis::log("", "distance")), moving),
        figure(
            "clouds",
            "Clouds against the law",
            w2,
            (Axis::linear("t", "depth"), Axis::log("W2", "distance")),
            clouds,
        ),
    ]
}
