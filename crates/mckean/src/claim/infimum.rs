//! Proposition 3.3: the least objective of finite networks against that of the limit.
//!
//! Maths: inf Qhat <= inf Q + C E(M, L), E = 1/L + sqrt(log(L + 1)/M) (Gao et al. 2024). Infima are the objectives of flows at rest: for finite networks the best of
//! several seeds, for the limit that of laws of atoms at infinite width and depth. DERIVED: flows may miss an infimum; a limit that does is
//! too high and makes gaps too small, so that exponents are also taken with the limit lowered by what its two depth steps and its starts differ by.
//! Shapes: sizes (M, L) from `widths` and `depths` side by side; C comes from the first `fitted` sizes and is held against the others.
//! Cost: one flow to rest a size and seed, and two a start of the limit.
//! Checked: `tests/claims.rs`.

use super::{Context, Found};
use crate::config::Config;
use crate::error::Error;
use crate::stationary::{Cell, Size, StationaryConfig, law, settle};
use mckean_analysis::fit::{Shape, paired};
use mckean_dynamics::limit::Problem as Law;

/// A network and where its flow ended.
struct Followed<'a> {
    law: &'a (Config, Law),
    cell: Cell,
    end: Option<Result<Option<f64>, Error>>,
}

/// Exponent of the gap in E: mean over seeds; 0 when C of the small sizes does not hold at the others.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let (widths, depths) = (c.list("widths")?, c.list("depths")?);
    if widths.len() != depths.len() {
        let problem = "widths and depths belong together: as many of the one as of the other".into();
        return Err(Error::Value { key: "widths".into(), value: format!("{widths:?}"), problem });
    }
    let (seeds, lambda) = (c.number("seeds")? as usize, c.number("lambda")?);
    let (own, atoms) = (laws(c, &[])?, laws(c, &c.texts("limit")?)?);
    let rules = StationaryConfig { residual: c.number("residual")?, ..own[0].0.stationary.clone() };
    let steps = rules.depth_steps;
    let sizes: Vec<(f64, f64)> = widths.into_iter().zip(depths).collect();
    let finite = |&(m, l): &(f64, f64)| (0..seeds).map(move |s| (Size::Finite(m as usize, l as usize), s));
    let mut all: Vec<Followed<'_>> =
        sizes.iter().flat_map(finite).map(|(size, seed)| follow(&own[0], lambda, size, seed)).collect();
    let limits = atoms.iter().flat_map(|a| [steps, 2 * steps].map(|s| follow(a, lambda, Size::Limit(s), 0)));
    all.extend(limits);
    all.reverse(); // the longest first
    c.par.each(&mut all, |_, f| f.end = Some(f.run(&rules)));
    all.reverse();
    let mut ends = match all.into_iter().map(Followed::end).collect::<Result<Result<Vec<f64>, String>, Error>>()? {
        Ok(ends) => ends,
        Err(size) => {
            let why = format!("{size} does not come to rest");
            return Ok(Found { not_testable: Some(why), ..Default::default() });
        }
    };
    let limits = ends.split_off(sizes.len() * seeds);
    found(&sizes, &ends, seeds, &limits, c.number("fitted")? as usize)
}

/// The problem of the claim with overrides, once for each of the tier's `starts`.
fn laws(c: &Context<'_>, sets: &[String]) -> Result<Vec<(Config, Law)>, Error> {
    let one = |start: usize| {
        let base = c.claim.problem(sets)?;
        let config = Config { seed: base.seed + start as u64, ..base };
        let law = law(&config)?;
        Ok((config, law))
    };
    (0..c.number("starts")? as usize).map(one).collect()
}

fn follow(law: &(Config, Law), lambda: f64, size: Size, seed: usize) -> Followed<'_> {
    Followed { law, cell: Cell { lambda, size, seed }, end: None }
}

impl Followed<'_> {
    /// Q at rest.
    fn run(&self, rules: &StationaryConfig) -> Result<Option<f64>, Error> {
        let problem = self.cell.problem(&self.law.0, &self.law.1, rules)?;
        let end = settle::settle(&problem, rules, None, &|| true)?;
        let rests = end.filter(|e| e.outcome == settle::REST);
        Ok(rests.and_then(|e| e.seen.last().map(|s| s.objective)))
    }

    /// Q at rest, or the size that does not rest.
    fn end(self) -> Result<Result<f64, String>, Error> {
        Ok(self.end.transpose()?.flatten().ok_or(self.cell.size.words()))
    }
}

/// `ends` size by size, `limits` in pairs of depth steps.
fn found(sizes: &[(f64, f64)], ends: &[f64], seeds: usize, limits: &[f64], fitted: usize) -> Result<Found, Error> {
    let e: Vec<f64> = sizes.iter().map(|&(m, l)| Shape::Theorem.at(m, l)).collect();
    let (limit, error) = reference(limits);
    if least(ends) <= limit {
        let why = format!("a finite network rests at Q = {:.6}, below the limit's {limit:.6}: no infimum", least(ends));
        return Ok(Found { not_testable: Some(why), ..Default::default() });
    }
    let gaps: Vec<f64> = ends.chunks(seeds).map(|q| least(q) - limit).collect();
    let shares: Vec<f64> = gaps.iter().zip(&e).map(|(g, e)| g / e).collect();
    let (small, large) = shares.split_at(fitted.clamp(1, shares.len() - 1));
    let held = most(large) / most(small);
    let exponent = |limit: f64| {
        let curve = |s: usize| ends.iter().skip(s).step_by(seeds).map(|q| q - limit).collect();
        paired(&e, &(0..seeds).map(curve).collect::<Vec<Vec<f64>>>())
    };
    let (here, lower) = (exponent(limit)?, exponent(limit - error)?.slope);
    let list: Vec<String> = sizes.iter().zip(&gaps).map(|((m, l), g)| format!("{g:.2e} (M = {m}, L = {l})")).collect();
    let slopes: Vec<String> = here.local.iter().map(|s| format!("{s:.2}")).collect();
    let words = format!(
        "gaps to Q = {limit:.6} (its error {error:.0e}) {}; C = {:.2e} from the {} smallest, of which the others need {held:.2} at most; \
         slopes between neighbours {}",
        list.join(", "),
        most(small),
        small.len(),
        slopes.join(", ")
    );
    if held > 1.0 {
        return Ok(Found { value: 0.0, words, ..Default::default() });
    }
    let interval = Some((here.slope.low.min(lower.low), here.slope.high.max(lower.high)));
    Ok(Found { value: here.slope.value, interval, words, ..Default::default() })
}

/// The lowest of the limits, and the most by which two depth steps of one start, or two starts, differ.
fn reference(limits: &[f64]) -> (f64, f64) {
    let finest: Vec<f64> = limits.iter().skip(1).step_by(2).copied().collect();
    let steps = most(&limits.chunks(2).map(|p| (p[0] - p[1]).abs()).collect::<Vec<f64>>());
    (least(limits), steps.max(most(&finest) - least(&finest)))
}

fn least(x: &[f64]) -> f64 {
    x.iter().copied().fold(f64::INFINITY, f64::min)
}

fn most(x: &[f64]) -> f64 {
    x.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}
