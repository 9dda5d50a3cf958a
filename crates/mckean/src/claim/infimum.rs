//! Proposition 3.3: the least objective of finite networks against that of the limit.
//!
//! Maths: inf Qhat <= inf Q + C E(M, L), E = 1/L + sqrt(log(L + 1)/M) (Gao et al. 2024). Infima are the objectives of flows at rest: for finite networks the best of
//! several seeds, for the limit that of laws of atoms at infinite width and depth. DERIVED: flows may miss an infimum; a limit that does is
//! too high and makes gaps too small, so that exponents are also taken with the limit lowered by what its two depth steps and its starts differ by.
//! The exponent is that of the best of all seeds at each size, its interval the percentiles of a bootstrap over seeds (whole curves, since a seed's
//! networks share draws), at both limits.
//! Shapes: sizes (M, L) from `widths` and `depths` side by side; C comes from the first `fitted` sizes and is held against the others.
//! Cost: one flow to rest a size and seed, and two a start of the limit.
//! Checked: `tests/claims.rs`.

use super::{Context, Found, sample};
use crate::config::Config;
use crate::error::Error;
use crate::stationary::{Cell, Size, StationaryConfig, law, settle};
use mckean_analysis::fit::Shape;
use mckean_dynamics::limit::Problem as Law;
use mckean_num::rng::Seed;

/// Bootstrap replicates.
const REPLICATES: u64 = 1000;

/// A network and where its flow ended.
struct Followed<'a> {
    law: &'a (Config, Law),
    cell: Cell,
    end: Option<Result<Option<f64>, Error>>,
}

/// Exponent in E of the gap of the best seed; 0 when C of the small sizes does not hold at the others.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let (widths, depths) = (c.sizes("widths", 2)?, c.sizes("depths", 2)?);
    if widths.len() != depths.len() {
        let problem = "widths and depths belong together: as many of the one as of the other".into();
        return Err(Error::Value { key: "widths".into(), value: format!("{widths:?}"), problem });
    }
    let (seeds, lambda, fitted) = (c.count("seeds")?, c.positive("lambda")?, c.count("fitted")?);
    if fitted >= widths.len() {
        return Err(c.wrong("fitted", "a whole number from 1 on, less than there are sizes,"));
    }
    let (own, atoms) = (laws(c, &[])?, laws(c, &c.texts("limit")?)?);
    let rules = StationaryConfig { residual: c.positive("residual")?, ..own[0].0.stationary.clone() };
    let steps = rules.depth_steps;
    let sizes: Vec<(usize, usize)> = widths.into_iter().zip(depths).collect();
    let finite = |&(m, l): &(usize, usize)| (0..seeds).map(move |s| (Size::Finite(m, l), s));
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
            return Ok(Found::not_testable(format!("{size} does not come to rest")));
        }
    };
    let limits = ends.split_off(sizes.len() * seeds);
    Ok(found(&sizes, &ends, seeds, &limits, fitted))
}

/// The problem of the claim with overrides, once for each of the tier's `starts`.
fn laws(c: &Context<'_>, sets: &[String]) -> Result<Vec<(Config, Law)>, Error> {
    let one = |start: usize| {
        let base = c.claim.problem(sets)?;
        let config = Config { seed: base.seed + start as u64, ..base };
        let law = law(&config)?;
        Ok((config, law))
    };
    (0..c.count("starts")?).map(one).collect()
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
fn found(sizes: &[(usize, usize)], ends: &[f64], seeds: usize, limits: &[f64], fitted: usize) -> Found {
    let e: Vec<f64> = sizes.iter().map(|&(m, l)| Shape::Theorem.at(m as f64, l as f64)).collect();
    let (limit, error) = reference(limits);
    if least(ends) <= limit {
        let why = format!("a finite network rests at Q = {:.6}, below the limit's {limit:.6}: no infimum", least(ends));
        return Found::not_testable(why);
    }
    let own: Vec<usize> = (0..seeds).collect();
    let gaps = best(ends, seeds, &own, limit);
    let shares: Vec<f64> = gaps.iter().zip(&e).map(|(g, e)| g / e).collect();
    let (small, large) = shares.split_at(fitted);
    let held = most(large) / most(small);
    let value = sample::slope(&e, &gaps);
    let local: Vec<String> =
        (1..e.len()).map(|i| format!("{:.2}", sample::slope(&e[i - 1..=i], &gaps[i - 1..=i]))).collect();
    let list: Vec<String> = sizes.iter().zip(&gaps).map(|((m, l), g)| format!("{g:.2e} (M = {m}, L = {l})")).collect();
    let words = format!(
        "best of {seeds} seeds: gaps to Q = {limit:.6} (its error {error:.0e}) {}; C = {:.2e} from the {} smallest, of which the others need \
         {held:.2} at most; slopes between neighbours {}",
        list.join(", "),
        most(small),
        small.len(),
        local.join(", ")
    );
    if held > 1.0 {
        return Found { value: 0.0, words, ..Default::default() };
    }
    let slope = |drawn: &[usize], limit: f64| sample::slope(&e, &best(ends, seeds, drawn, limit));
    Found { value, interval: Some(bootstrap(seeds, &[limit, limit - error], slope)), words, ..Default::default() }
}

/// Gap at each size of the best of the seeds `drawn`.
fn best(ends: &[f64], seeds: usize, drawn: &[usize], limit: f64) -> Vec<f64> {
    let one = |q: &[f64]| drawn.iter().map(|&s| q[s]).fold(f64::INFINITY, f64::min) - limit;
    ends.chunks(seeds).map(one).collect()
}

/// Percentiles of `slope` over seeds drawn again with replacement, the widest over the limits; everything from one seed, which knows no chance.
fn bootstrap(seeds: usize, limits: &[f64], slope: impl Fn(&[usize], f64) -> f64) -> (f64, f64) {
    if seeds < 2 {
        return (f64::NEG_INFINITY, f64::INFINITY);
    }
    let one = |limit: f64| -> (f64, f64) {
        let draw = |b: u64| -> Vec<usize> {
            let mut draws = Seed(0).stream("claim.infimum").at(b).open();
            (0..seeds).map(|_| draws.below(seeds)).collect()
        };
        let mut all: Vec<f64> = (0..REPLICATES).map(|b| slope(&draw(b), limit)).collect();
        all.sort_by(f64::total_cmp);
        (all[all.len() / 40], all[all.len() - 1 - all.len() / 40])
    };
    let all: Vec<(f64, f64)> = limits.iter().map(|&l| one(l)).collect();
    (least(&all.iter().map(|a| a.0).collect::<Vec<_>>()), most(&all.iter().map(|a| a.1).collect::<Vec<_>>()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponent_is_that_of_the_best_seed_with_the_chance_of_others() {
        let sizes = [(4, 2), (8, 4), (16, 8), (32, 16)];
        let e = sizes.map(|(m, l)| Shape::Theorem.at(m as f64, l as f64));
        // the first seed falls with power 2, the others start higher and fall faster: they are best nowhere
        let curve = |e: f64, s: usize| 1.0 + [1.0, 20.0, 20.0][s] * e.powf([2.0, 2.2, 2.2][s]);
        let ends: Vec<f64> = e.iter().flat_map(|&e| (0..3).map(move |s| curve(e, s))).collect();
        let all = found(&sizes, &ends, 3, &[1.0, 1.0], 2);
        let (low, high) = all.interval.unwrap();
        assert!((all.value - 2.0).abs() < 1e-9, "not the mean over seeds, 2.13: {all:?}");
        assert!((low - 2.0).abs() < 1e-9 && (high - 2.2).abs() < 1e-9, "{all:?}");
        let single: Vec<f64> = e.iter().map(|&e| curve(e, 0)).collect();
        assert_eq!(found(&sizes, &single, 1, &[1.0, 1.0], 2).interval, Some((f64::NEG_INFINITY, f64::INFINITY)));
    }
}
