//! Conditions (a) and (b) of Theorem 4.1: particles stay in a ball, and at some depth their support surrounds what it must.
//!
//! Maths: Gao et al. 2024, Theorem 4.1: (b) the support at t* contains D x K x {w_0}, D separating the spheres |alpha_1| = 1/R and R, K a compact set of
//! alpha_2 (the unit ball in Proposition G.1). For M particles (derived): covering radius of K by alpha_2 and of the sphere of directions by
//! alpha_1, each against that of M uniform points, since no finite support contains an open set.
//! Shapes: one row a sublayer.
//! Cost: `PROBES` times particles times dimension.
//! Checked: tests below (uniform clouds pass, narrow and one-sided ones do not), `tests/failures.rs`.

use super::View;
use super::probe::{Probe, square};
use crate::verdict::{larger, smaller};
use mckean_num::rng::{Draws, Seed};
use serde::Serialize;

const PROBES: usize = 1000;
/// Uniform clouds whose covering radius is averaged.
const CLOUDS: u64 = 3;

/// How the particles of one sublayer lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Coverage {
    /// Depth t.
    pub depth: f64,
    /// Whether these are heads.
    pub heads: bool,
    /// Largest |beta|.
    pub radius: f64,
    /// Least |alpha_1|.
    pub least_outer: f64,
    /// Largest |alpha_1|.
    pub largest_outer: f64,
    /// Covering radius of the unit ball by alpha_2.
    pub inner: f64,
    /// The same by as many uniform points.
    pub inner_floor: f64,
    /// Covering radius of the unit sphere by the directions of alpha_1.
    pub directions: f64,
    /// The same by as many uniform directions.
    pub directions_floor: f64,
    /// Least over largest |alpha|: small when 0 is near the support.
    pub nearest: f64,
    /// What M uniform points in a ball have: M^(-1/dim).
    pub nearest_floor: f64,
}

/// Uniform points farther than this from what they should cover are too few to tell.
const TOO_FEW: f64 = 0.95;
/// How much worse than uniform points still counts as covering.
pub const SLACK: f64 = 1.5;

impl Coverage {
    /// Whether M particles could show anything: M uniform ones would cover.
    pub fn is_testable(&self) -> bool {
        self.inner_floor < TOO_FEW
    }

    /// Covering radii against those of uniform points: the worse ratio.
    pub fn ratio(&self) -> f64 {
        larger(self.inner / self.inner_floor, self.directions / self.directions_floor)
    }

    /// Whether both are covered about as well as uniform points would.
    pub fn covers(&self) -> bool {
        self.ratio() <= SLACK
    }

    /// Largest `nearest` at which 0 counts as near: twice that of uniform points.
    pub fn nearest_limit(&self) -> f64 {
        2.0 * self.nearest_floor
    }
}

/// Coverage at every sublayer.
pub fn coverage(view: &View) -> Vec<Coverage> {
    (0..view.net().sublayers.len()).map(|k| at(view, k)).collect()
}

fn at(view: &View, k: usize) -> Coverage {
    let probe = Probe::new(view, k);
    let all: Vec<Vec<f64>> = probe.particles().into_iter().map(|p| p.1).collect();
    let part = |outer: bool| -> Vec<Vec<f64>> {
        let own =
            |alpha: &Vec<f64>| alpha.iter().zip(&probe.outer).filter(|(_, o)| **o == outer).map(|p| *p.0).collect();
        all.iter().map(own).collect()
    };
    let (outer, inner) = (part(true), part(false));
    let norms = |x: &[Vec<f64>]| x.iter().map(|x| square(x).sqrt()).collect::<Vec<_>>();
    let least = |x: &[f64]| x.iter().copied().fold(f64::INFINITY, smaller);
    let largest = |x: &[f64]| x.iter().copied().fold(0.0, larger);
    let (whole, outer_norms) = (norms(&all), norms(&outer));
    let unit: Vec<Vec<f64>> = outer.iter().map(|x| on_sphere(x.clone())).collect();
    let (count, dim) = (all.len(), inner[0].len());
    let mut draws = Seed(0).stream("certificate.coverage").at(k as u64).open();
    let ball: Vec<Vec<f64>> = (0..PROBES).map(|_| in_ball(&mut draws, dim)).collect();
    let sphere: Vec<Vec<f64>> = (0..PROBES).map(|_| direction(&mut draws, outer[0].len())).collect();
    let mut uniform = |sample: fn(&mut Draws, usize) -> Vec<f64>, probes: &[Vec<f64>]| {
        let one = |_| covering(probes, &(0..count).map(|_| sample(&mut draws, probes[0].len())).collect::<Vec<_>>());
        (0..CLOUDS).map(one).sum::<f64>() / CLOUDS as f64
    };
    Coverage {
        depth: view.depth(k),
        heads: probe.role == mckean_model::Role::Head,
        radius: largest(&whole),
        least_outer: least(&outer_norms),
        largest_outer: largest(&outer_norms),
        inner_floor: uniform(in_ball, &ball),
        directions_floor: uniform(direction, &sphere),
        inner: covering(&ball, &inner),
        directions: covering(&sphere, &unit),
        nearest: least(&whole) / largest(&whole),
        nearest_floor: (count as f64).powf(-1.0 / all[0].len() as f64),
    }
}

/// Largest distance of a probe to its nearest point.
fn covering(probes: &[Vec<f64>], points: &[Vec<f64>]) -> f64 {
    let far = |p: &Vec<f64>, q: &Vec<f64>| p.iter().zip(q).map(|(p, q)| (p - q).powi(2)).sum::<f64>();
    let nearest = |p: &Vec<f64>| points.iter().map(|q| far(p, q)).fold(f64::INFINITY, f64::min);
    probes.iter().map(nearest).fold(0.0, f64::max).sqrt()
}

fn on_sphere(mut x: Vec<f64>) -> Vec<f64> {
    let norm = square(&x).sqrt().max(1e-300);
    x.iter_mut().for_each(|x| *x /= norm);
    x
}

fn direction(draws: &mut Draws, dim: usize) -> Vec<f64> {
    on_sphere((0..dim).map(|_| draws.normal()).collect())
}

fn in_ball(draws: &mut Draws, dim: usize) -> Vec<f64> {
    let radius = draws.uniform().powf(1.0 / dim as f64);
    direction(draws, dim).into_iter().map(|x| radius * x).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{small, view};
    use super::*;
    use mckean_model::ModelConfig;

    #[test]
    fn wide_clouds_cover_narrow_and_one_sided_ones_do_not() {
        let m = ModelConfig { neurons: 300, depth: 1, ..small() };
        let neurons = |v: &View| coverage(v)[1];
        let wide = neurons(&view(&m, 2, 0.6, 0.0));
        assert!(wide.is_testable() && wide.covers() && !wide.heads, "{wide:?}");
        assert!(wide.least_outer < wide.largest_outer && wide.largest_outer < wide.radius);
        let narrow = neurons(&view(&m, 2, 0.02, 0.0));
        assert!(!narrow.covers() && narrow.inner > 0.9, "{narrow:?}");
        let mut v = view(&m, 2, 0.6, 0.0);
        let w2 = v.net().layout.find("blocks.0.feed_forward.w2").unwrap().range.clone();
        v.theta[w2].iter_mut().for_each(|x| *x = x.abs());
        let sided = neurons(&v);
        assert!(!sided.covers() && sided.inner == wide.inner && sided.directions > 1.2, "{sided:?}");
    }

    #[test]
    fn zero_is_seen_when_it_is_near() {
        let m = ModelConfig { neurons: 300, depth: 1, ..small() };
        let mut v = view(&m, 2, 0.6, 0.0);
        let far = coverage(&v)[1];
        let layout = v.net().layout.clone();
        for name in ["w1", "w2"] {
            let t = layout.find(&format!("blocks.0.feed_forward.{name}")).unwrap();
            v.theta[t.particle(7)].iter_mut().for_each(|x| *x *= 1e-3);
        }
        let near = coverage(&v)[1];
        assert!(near.nearest < 0.01 * far.nearest && near.nearest <= near.nearest_limit(), "{near:?} {far:?}");
        let parts = ["w1", "w2"].map(|name| layout.find(&format!("blocks.0.feed_forward.{name}")).unwrap());
        for j in 0..300 {
            let norm = parts.map(|t| square(&v.theta[t.particle(j)])).iter().sum::<f64>().sqrt();
            parts.iter().for_each(|t| v.theta[t.particle(j)].iter_mut().for_each(|x| *x /= norm));
        }
        let shell = coverage(&v)[1];
        assert!((shell.nearest - 1.0).abs() < 1e-12 && shell.nearest > shell.nearest_limit(), "{shell:?}");
    }

    #[test]
    fn few_particles_cannot_tell() {
        let few = coverage(&view(&ModelConfig { neurons: 2, depth: 1, ..small() }, 2, 0.6, 0.0))[1];
        assert!(!few.is_testable(), "{few:?}");
    }
}
