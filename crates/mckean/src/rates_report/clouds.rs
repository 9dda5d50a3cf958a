//! Particles and clouds in the page: growth in training time, W2 by depth, with and without the floor of sampling.
//!
//! Maths: none of its own; see `rates/clouds.rs` and `rates/profile.rs`.
//! Shapes: one section with two tables and two figures; none where particles were not compared.
//! Cost: milliseconds.
//! Checked: looked at as pictures; `tests/rates_clouds.rs`.

use super::block;
use crate::rates::{DEPTHS, Profile, Record};
use crate::report::short;
use mckean_report::page::{Block, Section};
use mckean_report::{Axis, Colour, Figure, Series, Style};

fn size(p: &Profile) -> String {
    if p.width == 0 { "∞".into() } else { p.width.to_string() }
}

/// The smallest and the largest finite width, and the infinite one, at the largest depth of the grid.
fn corners(r: &Record) -> Vec<&Profile> {
    let deepest = r.grid.depths.iter().max();
    let ends = [r.grid.widths.iter().min(), r.grid.widths.iter().max(), Some(&0)];
    let find = |w: &Option<&usize>| r.profiles.iter().find(|p| Some(&p.depth) == deepest && Some(&p.width) == *w);
    ends.iter().filter_map(find).collect()
}

/// Header and rows for a terminal: the smallest, the largest and the infinite width at the largest depth; empty without particles.
pub fn ends(r: &Record) -> (Vec<String>, Vec<Vec<String>>) {
    whole(&corners(r))
}

/// Header and rows: cells at the last snapshot, and how far particles are at the first and last time.
fn whole(cells: &[&Profile]) -> (Vec<String>, Vec<Vec<String>>) {
    let header = [
        "M",
        "L",
        "cloud W2",
        "floor",
        "floor removed in quadrature",
        "above the floor",
        "particles, rms: first time",
        "last time",
    ];
    let row = |p: &&Profile| {
        let d = p.whole.last().copied().unwrap_or_default();
        let removed = p.removed.last().copied().flatten().map_or("nothing left".into(), short);
        let growing: Vec<&f64> = p.growth.iter().filter(|g| **g > 0.0).collect();
        let ends = [growing.first(), growing.last()].map(|g| g.map_or("-".into(), |g| short(**g)));
        [vec![size(p), p.depth.to_string(), short(d.raw), short(d.floor), removed, short(d.above)], ends.to_vec()]
            .concat()
    };
    (header.map(String::from).to_vec(), cells.iter().map(row).collect())
}

/// Header and rows: distances at single depths.
fn depths(r: &Record) -> (Vec<String>, Vec<Vec<String>>) {
    let header = ["M", "L", "t", "cloud W2", "floor", "above the floor"].map(String::from).to_vec();
    let mut rows = vec![];
    for p in corners(r) {
        for (t, d) in DEPTHS.iter().zip(p.depths.last().into_iter().flatten()) {
            rows.push(vec![size(p), p.depth.to_string(), t.to_string(), short(d.raw), short(d.floor), short(d.above)]);
        }
    }
    (header, rows)
}

/// One line: how particles leave those that the limit drives.
pub fn remark(r: &Record) -> Option<String> {
    let p = corners(r).into_iter().find(|p| p.width > 0)?;
    let there: Vec<(f64, f64)> = r.taus.iter().copied().zip(p.growth.iter().copied()).filter(|x| x.1 > 0.0).collect();
    let ((t, first), (tau, last)) = (there.first()?, there.last()?);
    Some(format!(
        "particles: rms distance to those driven by the limit grows from {first:.2e} at tau = {t} to {last:.2e} at tau = {tau} (M = {}, L = {})",
        p.width, p.depth
    ))
}

fn growth(r: &Record) -> Figure {
    let line = |(i, p): (usize, &&Profile)| {
        let (x, y) = r.taus.iter().zip(&p.growth).filter(|(_, g)| **g > 0.0).map(|(t, g)| (*t, *g)).unzip();
        Series::line(format!("M = {}, L = {}", size(p), p.depth), x, y).colour(Colour::Index(i))
    };
    let series = corners(r).iter().enumerate().map(line).collect();
    let caption = "Root mean square over particles, depth and seeds of the distance to the particle of the same start that is driven by the \
                   limit. The proof bounds it by a factor exp(C tau).";
    let (x, y) = (Axis::linear("τ", "training time"), Axis::log("", "distance"));
    Figure {
        id: "particles-growth".into(),
        title: "Growth in training time".into(),
        caption: caption.into(),
        x,
        y,
        series,
        marks: vec![],
    }
}

fn against_width(r: &Record) -> Figure {
    let deepest = r.grid.depths.iter().max();
    let own: Vec<&Profile> = r.profiles.iter().filter(|p| Some(&p.depth) == deepest && p.width > 0).collect();
    let x: Vec<f64> = own.iter().map(|p| p.width as f64).collect();
    let last = |pick: fn(&crate::rates::Distances) -> f64| {
        own.iter().map(|p| p.whole.last().map_or(f64::NAN, pick)).collect::<Vec<f64>>()
    };
    let (left, removed): (Vec<f64>, Vec<f64>) =
        own.iter().filter_map(|p| Some((p.width as f64, (*p.removed.last()?)?))).unzip();
    let series = vec![
        Series::line("cloud W2", x.clone(), last(|d| d.raw)).colour(Colour::Index(0)),
        Series::line("floor: the draws alone", x.clone(), last(|d| d.floor))
            .style(Style::Dashed)
            .colour(Colour::Index(1)),
        Series::line("removed in quadrature", left, removed).style(Style::Points).colour(Colour::Index(3)),
        Series::line("above the floor", x, last(|d| d.above)).colour(Colour::Index(2)),
    ];
    let series = series.into_iter().filter(|s| !s.y.is_empty()).collect();
    let caption = format!(
        "Root mean square over seeds of sqrt(int W2² dt) at L = {}, last snapshot. The floor is what the same draws have when the limit drives them.",
        deepest.copied().unwrap_or(0)
    );
    let (x, y) = (Axis::log("M", "width"), Axis::log("W2", "distance"));
    Figure { id: "clouds-width".into(), title: "Clouds against the law".into(), caption, x, y, series, marks: vec![] }
}

/// The section, if particles were compared.
pub(super) fn section(r: &Record) -> Option<Section> {
    if r.profiles.is_empty() {
        return None;
    }
    let blocks = vec![
        Block::Figures(vec![growth(r), against_width(r)]),
        block(WHOLE, whole(&r.profiles.iter().collect::<Vec<_>>())),
        block("Distances at single depths, at the last snapshot.", depths(r)),
    ];
    Some(Section::new("Particles and clouds", blocks))
}

const WHOLE: &str = "sqrt(int W2² dt) between clouds and the limit's law at the last snapshot, root mean square over seeds. Floor: the same draws driven by \
                     the limit. Removed in quadrature: sqrt(mean W2² - mean floor²), meaningless where W2 is within a few per cent of the floor. Above: W2 between \
                     the cloud and the same draws driven by the limit.";
