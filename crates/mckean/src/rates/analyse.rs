//! From the gaps of a grid to exponents, laws, tails and a plan.
//!
//! Maths: Theorem 3.1 of Gao et al. 2024: gaps of at most C (1/L + sqrt(log(L + 1)/M)). DERIVED: layers are independent, so noise is
//! (M L)^-1/2 and bias 1/L. Noise (gap to the infinitely wide network of the same depth) gives the exponent in M, and one in L;
//! infinitely wide networks give that of the bias in L, against the limit with the same particles (`paired`). Known errors of references are
//! taken off in quadrature.
//! Shapes: entries of a grid to one record a quantity.
//! Cost: nested bootstrap, about a second a quantity.
//! Checked: `tests/rates.rs`, `fit` (tests on made-up laws), `ladder` (the same).

use super::gaps::Quantity;
use super::ladder::{self, Rung};
use super::log::Entry;
use super::reference::Reference;
use super::richardson::{Richardson, richardson};
use super::settings::RatesConfig;
use mckean_analysis::AnalysisError;
use mckean_analysis::fit::{
    Axis, Cell, Choice, Estimate, Plan, PowerLaw, Tail, choose, corrected, plan, power_law, tail,
};
use mckean_analysis::verdict::larger;
use mckean_dynamics::limit::student;
use serde::Serialize;

/// A measured exponent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exponent {
    /// What it should be.
    pub predicted: f64,
    /// By whom: "theorem" or "derived".
    pub by: &'static str,
    /// What was fitted, and how the interval came about.
    pub of: &'static str,
    /// The exponent with its 95 % interval; none when it could not be measured, infinite ends where the interval says nothing.
    pub measured: Option<Estimate>,
    /// Why not, or why there is no interval.
    pub problem: Option<String>,
}

/// Length beyond which an interval of an exponent says nothing.
const WIDE: f64 = 5.0;

impl Exponent {
    /// An exponent without an interval where its own says nothing, for the reason `few`.
    pub(super) fn told(self, few: &str) -> Exponent {
        match self.measured {
            Some(m) if m.high - m.low <= WIDE => self,
            Some(Estimate { value, .. }) => {
                let none = Estimate { value, low: f64::NEG_INFINITY, high: f64::INFINITY };
                Exponent { measured: Some(none), problem: Some(few.into()), ..self }
            }
            None => self,
        }
    }

    /// Whether there is an interval.
    pub fn is_known(&self) -> bool {
        self.measured.is_some_and(|m| m.half_width().is_finite())
    }
}

/// Everything about one quantity.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// Which one.
    pub quantity: Quantity,
    /// Exponent in M of the noise, all depths together.
    pub width: Exponent,
    /// Exponent in L of the bias.
    pub depth: Exponent,
    /// Exponent in L of the noise at equal widths.
    pub noise_depth: Exponent,
    /// Exponent in M of the gap to the limit as it is, at the largest depth.
    pub raw_width: Exponent,
    /// Exponent in L of the gap to the limit as it is, at the largest width.
    pub raw_depth: Exponent,
    /// Gaps of infinitely wide networks to the limit with the same particles.
    pub bias: Vec<Rung>,
    /// Bias of pairs of depths, extrapolated; for quantities of curves.
    pub richardson: Option<Richardson>,
    /// Noise by cell.
    pub noise: Vec<Summary>,
    /// Gap to the limit by cell.
    pub gaps: Vec<Summary>,
    /// Laws for the gap to the limit, best first.
    pub laws: Option<Choice>,
    /// Tail over seeds of the noise in the cell of smallest width and depth.
    pub tail: Option<Tail>,
    /// Seeds to add, at which width and depth, for the asked interval of the exponent in M.
    pub plan: Option<Plan>,
}

/// Root mean square over seeds of one cell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// M.
    pub width: f64,
    /// L.
    pub depth: f64,
    /// Seeds.
    pub seeds: usize,
    /// Root mean square.
    pub rms: f64,
    /// Its 95 % interval is about rms times or over one plus this (delta method).
    pub relative: f64,
}

/// Analyses `entries` of the grid of `config`, one quantity after the other. Networks of atoms cost the same at every width.
pub fn analyse(entries: &[Entry], config: &RatesConfig, reference: &Reference, atoms: bool) -> Vec<Found> {
    let own = entries.iter().filter(|e| e.width == 0).map(|e| &e.error);
    let error = |q: Quantity| reference.deviation.of(q) + own.clone().map(|e| e.of(q)).fold(0.0, larger);
    let there = |q: &&Quantity| entries.iter().any(|e| e.limit.get(**q).is_some());
    Quantity::ALL.iter().filter(there).map(|&q| one(q, entries, config, (error(q), reference.samples), atoms)).collect()
}

/// The cells of one kind of gap; only those with two seeds or more.
pub fn cells(entries: &[Entry], config: &RatesConfig, gap: impl Fn(&Entry) -> Option<f64>) -> Vec<Cell> {
    let mut all = vec![];
    for &depth in &config.depths {
        for &width in &config.widths {
            let own = entries.iter().filter(|e| e.depth == depth && e.width == width && e.seed < config.seeds);
            let gaps: Vec<f64> = own.filter_map(&gap).collect();
            if gaps.len() > 1 {
                all.push(Cell { width: width as f64, depth: depth as f64, gaps });
            }
        }
    }
    all
}

/// Noise by cell, with the own error of the wide networks taken off.
pub fn noise(q: Quantity, entries: &[Entry], config: &RatesConfig) -> Result<Vec<Cell>, AnalysisError> {
    let own = |l: f64| entries.iter().find(|e| e.width == 0 && e.depth as f64 == l).map_or(0.0, |e| e.wide.of(q));
    let grid = cells(entries, config, |e| e.wide.get(q));
    let each = grid.iter().map(|c| corrected(std::slice::from_ref(c), own(c.depth)).map(|mut one| one.remove(0)));
    each.collect()
}

/// The bias of the infinitely wide networks of the ladder.
pub fn bias(q: Quantity, entries: &[Entry], config: &RatesConfig) -> Vec<Rung> {
    let own = entries.iter().filter(|e| e.width == 0 && config.ladder.contains(&e.depth));
    own.filter_map(|e| e.bias.as_ref()?.rung(q, e.depth)).collect()
}

const NOISE: &str =
    "noise: gap to the infinitely wide network of the same depth; interval by nested bootstrap over seeds";
const BIAS: &str = "bias: gap of infinitely wide networks to the limit with the same particles, with the next term of the expansion; \
                    interval by residuals, by the shallowest left out, by known errors and by scramblings";
const FEW_SEEDS: &str = "too few seeds for an interval";
/// Of exponents that know no chance.
pub(super) const FEW_DEPTHS: &str = "too few depths for an interval";
const FOUR: &str = "four depths with a bias above its known error are needed";
const RAW: &str = "gap to the limit as it is; interval by nested bootstrap over seeds";

fn one(q: Quantity, entries: &[Entry], config: &RatesConfig, (error, samples): (f64, usize), atoms: bool) -> Found {
    let (noise, bias) = (noise(q, entries, config), bias(q, entries, config));
    let plain = cells(entries, config, |e| e.limit.get(q));
    let raw = corrected(&plain, error);
    let ([in_m, in_l, noise_l], by) = q.predicted();
    let exponent = |grid: &Result<Vec<Cell>, AnalysisError>, axis, predicted, by, of| {
        let fitted =
            grid.as_ref().map_err(ToString::to_string).and_then(|g| power_law(g, axis).map_err(|e| e.to_string()));
        of_fit(fitted, predicted, by, of)
    };
    let ladder = ladder::exponent(&bias).ok_or_else(|| FOUR.to_string());
    let widest = raw.as_ref().map_or(0.0, |g| g.iter().fold(0.0, |m: f64, c| m.max(c.width)));
    let deepest = raw.as_ref().map_or(0.0, |g| g.iter().fold(0.0, |m: f64, c| m.max(c.depth)));
    let some = |g: &Result<Vec<Cell>, AnalysisError>, keep: &dyn Fn(&Cell) -> bool| match g {
        Ok(g) => Ok(g.iter().filter(|c| keep(c)).cloned().collect()),
        Err(e) => Err(AnalysisError::NotTestable(e.to_string())),
    };
    let shallow = noise.as_ref().ok().and_then(|g| g.first().cloned());
    let cost = |c: &Cell| if atoms { c.depth } else { c.width * c.depth };
    let width = exponent(&noise, Axis::Width, in_m, by, NOISE);
    let problem = ladder.as_ref().err().cloned();
    let depth = Exponent { predicted: in_l, by, of: BIAS, problem, measured: ladder.ok() };
    let planned = noise.as_ref().ok().filter(|_| width.is_known());
    Found {
        quantity: q,
        depth: depth.told(FEW_DEPTHS),
        noise_depth: exponent(&noise, Axis::Depth, noise_l, "derived", NOISE),
        raw_width: exponent(&some(&raw, &|c| c.depth == deepest), Axis::Width, in_m, by, RAW),
        raw_depth: exponent(&some(&raw, &|c| c.width == widest), Axis::Depth, in_l, by, RAW),
        richardson: richardson(q, entries, config, samples),
        bias,
        gaps: plain.iter().map(summary).collect(),
        laws: raw.as_ref().ok().and_then(|g| choose(g).ok()),
        tail: shallow.as_ref().and_then(|c| tail(c).ok()),
        plan: planned.and_then(|g| plan(g, config.half_width, cost).ok()),
        width,
        noise: noise.as_ref().map_or(vec![], |g| g.iter().map(summary).collect()),
    }
}

fn of_fit(fitted: Result<PowerLaw, String>, predicted: f64, by: &'static str, of: &'static str) -> Exponent {
    let problem = fitted.as_ref().err().cloned();
    Exponent { predicted, by, of, measured: fitted.ok().map(|f| f.slope), problem }.told(FEW_SEEDS)
}

/// Root mean square of a cell and the interval of it.
pub fn summary(c: &Cell) -> Summary {
    let (n, rms) = (c.gaps.len(), c.rms());
    let spread = c.gaps.iter().map(|g| (g * g / (rms * rms) - 1.0).powi(2)).sum::<f64>() / (n as f64 - 1.0);
    Summary {
        width: c.width,
        depth: c.depth,
        seeds: n,
        rms,
        relative: 0.5 * student(n - 1) * (spread / n as f64).sqrt(),
    }
}
