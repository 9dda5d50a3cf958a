//! The particle law of a limit on file (`arrays/law`), and as figures of its page.
//!
//! Maths: weighted empirical distribution functions: the share of mass whose number (or whose tensor's Frobenius norm) is at most x.
//! Shapes: `tau` of the snapshots, `t` of the slices kept; `I.slices.S.attention.v` (particles, ...) and
//! `I.slices.S.attention.mass` (particles) of snapshot I, and so on.
//! Cost: sorts the particles of a few slices.
//! Checked: `tests/limits.rs`; looked at as pictures.

use crate::error::Error;
use mckean_dynamics::limit::Snapshot;
use mckean_engine::Network;
use mckean_model::{Role, Tensor};
use mckean_report::tensors::{self, NamedTensor, TensorData, Tensors};
use mckean_report::{Axis, Colour, Figure, RunDir, Series, Style};

/// Points of a drawn distribution function.
const POINTS: usize = 200;

/// Writes the law at the snapshot times, with the depth of every slice.
///
/// # Errors
/// A directory that cannot be written.
pub fn save(dir: &RunDir, snapshots: &[Snapshot]) -> Result<(), Error> {
    let taus: Vec<f64> = snapshots.iter().map(|s| s.tau).collect();
    let mut all = vec![NamedTensor::f64("tau", &[taus.len()], taus)];
    if let Some(s) = snapshots.first() {
        let depths = s.slices.iter().map(|k| s.depth(*k)).collect();
        all.push(NamedTensor::f64("t", &[s.slices.len()], depths));
    }
    for (i, s) in snapshots.iter().enumerate() {
        for (place, &slice) in s.slices.iter().enumerate() {
            all.extend(particles(&s.net, &s.parameters, (i, place, slice)));
        }
    }
    Ok(tensors::save(dir.array("law"), &all, &[])?)
}

/// Tensors and masses of the particles of a slice.
fn particles(net: &Network, beta: &[f64], (snapshot, place, slice): (usize, usize, usize)) -> Vec<NamedTensor> {
    let mut all = vec![];
    for (role, sublayer) in [(Role::Head, "attention"), (Role::Neuron, "feed_forward")] {
        let name = |what: &str| format!("{snapshot}.slices.{place}.{sublayer}.{what}");
        let own: Vec<&Tensor> = net.layout.particles(slice, role).collect();
        all.extend(own.iter().map(|t| NamedTensor::f64(name(t.leaf()), &t.shape, beta[t.range.clone()].to_vec())));
        if !own.is_empty() {
            let mass = net.weights.at(role, slice).to_vec();
            all.push(NamedTensor::f64(name("mass"), &[mass.len()], mass));
        }
    }
    all
}

/// One figure a tensor: distribution functions at the first, middle and last depth kept, at the last snapshot and (dashed) at the first.
/// None for a directory without a law.
pub fn figures(dir: &RunDir) -> Vec<Figure> {
    let Ok(law) = tensors::load(dir.array("law")) else { return vec![] };
    let (taus, depths) = (numbers(&law, "tau"), numbers(&law, "t"));
    let Some(last) = taus.len().checked_sub(1).filter(|_| !depths.is_empty()) else { return vec![] };
    let names = law.entries.iter().filter_map(|e| e.name.strip_prefix("0.slices.0."));
    let mut places = vec![0, depths.len() / 2, depths.len() - 1];
    places.dedup();
    let one = |name: &str| {
        let line = |snapshot: usize, (i, place): (usize, &usize)| {
            let (x, y) = distribution(&law, name, (snapshot, *place))?;
            let label = format!("t = {}, τ = {}", rounded(depths[*place]), rounded(taus[snapshot]));
            Some(Series::line(label, x, y).colour(Colour::Index(i)))
        };
        let ends = places.iter().enumerate().filter_map(|p| line(last, p));
        let starts = places.iter().enumerate().filter_map(|p| line(0, p)).filter(|_| last > 0);
        let series: Vec<Series> = ends.chain(starts.map(|s| s.style(Style::Dashed))).collect();
        let is_number =
            law.get(&format!("0.slices.0.{name}")).is_ok_and(|t| t.shape[1..].iter().product::<usize>() == 1);
        let leaf = name.rsplit('.').next().unwrap_or(name);
        let x = if is_number { Axis::linear(leaf, "") } else { Axis::linear(&format!("|{leaf}|"), "Frobenius norm") };
        Figure {
            id: format!("law-{}", name.replace(['.', '_'], "-")),
            title: format!("Law of {}", name.replace('.', " ").replace('_', "-")),
            caption: "Share of the particles (of their mass) at or below x, at three depths.".into(),
            x,
            y: Axis::linear("", "share of the mass"),
            series,
            marks: vec![],
        }
    };
    names.filter(|n| !n.ends_with(".mass")).map(one).filter(|f| !f.series.is_empty()).collect()
}

/// To three decimal places.
fn rounded(x: f64) -> f64 {
    (1e3 * x).round() / 1e3
}

fn numbers(law: &Tensors, name: &str) -> Vec<f64> {
    match law.get(name).map(|t| &t.data) {
        Ok(TensorData::F64(x)) => x.clone(),
        _ => vec![],
    }
}

/// Distribution function of a tensor at a slice of a snapshot: of the number itself, or of the norm. Steps where there are few particles.
fn distribution(law: &Tensors, name: &str, (snapshot, place): (usize, usize)) -> Option<(Vec<f64>, Vec<f64>)> {
    let at = |what: &str| numbers(law, &format!("{snapshot}.slices.{place}.{what}"));
    let (values, mass) = (at(name), at(&format!("{}.mass", name.split('.').next()?)));
    let each = values.len().checked_div(mass.len()).filter(|n| *n > 0)?;
    let size = |x: &[f64]| if each == 1 { x[0] } else { x.iter().map(|v| v * v).sum::<f64>().sqrt() };
    let mut points: Vec<(f64, f64)> = values.chunks(each).map(size).zip(mass).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut curve, mut sum) = (vec![], 0.0);
    let stride = (points.len() / POINTS).max(1);
    for (i, (value, mass)) in points.iter().enumerate() {
        if stride == 1 {
            curve.push((*value, sum));
        }
        sum += mass;
        if i % stride == stride - 1 || i + 1 == points.len() {
            curve.push((*value, sum));
        }
    }
    Some(curve.into_iter().unzip())
}
