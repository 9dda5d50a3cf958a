//! Exponents of the gap between finite networks and the limit along whole flows, for outputs, R and Q.
//!
//! Maths: Theorem 3.1 of Gao et al. 2024 (i)-(iii): gaps of at most C (1/L + sqrt((delta + log(L + 1))/M)). The two parts are separated
//! (DERIVED): noise, the gap to the infinitely wide network of the same depth, shows the exponent in M; infinitely wide networks that in L.
//! Shapes: `widths`, `depths` and `seeds`, or a `ladder` of depths; laws of atoms, whose networks are exact at every width.
//! Cost: one flow a network; `ladder` also solves for the limit to the config's `limit.rtol`.
//! Checked: `tests/claims.rs`, `tests/rates.rs`.

use super::{Context, Found, sample};
use crate::error::Error;
use crate::rates::analyse::noise;
use crate::rates::{Entry, Gaps, Quantity, RatesConfig, Reference, Rung, Shared, ladder};
use mckean_analysis::fit::{Axis, Cell, Estimate, power_law};
use mckean_dynamics::limit::{Problem, Series, Settings, solve};
use mckean_num::par::Par;

/// Exponent in M of the noise: of outputs, R and Q the one farthest from the prediction.
pub fn width(c: &Context<'_>) -> Result<Found, Error> {
    let (problem, settings, grid) = parts(c, &["widths", "depths"])?;
    let shared = Shared::new(&problem, &settings, &grid);
    let mut wide = grid.depths.iter().map(|&l| (l, None)).collect::<Vec<_>>();
    c.par.each(&mut wide, |_, (l, slot)| *slot = Some(shared.wide(*l)));
    let wide = wide.into_iter().filter_map(|(l, w)| Some(w?.map(|w| (l, w)))).collect::<Result<Vec<_>, Error>>()?;
    let seeds = |l: usize, m: usize| (0..grid.seeds).map(move |s| (l, m, s, None));
    let all = grid.depths.iter().flat_map(|&l| grid.widths.iter().flat_map(move |&m| seeds(l, m)));
    let mut all: Vec<_> = all.collect();
    c.par.each(&mut all, |_, (l, m, s, slot)| *slot = Some(shared.finite(*m, *l, *s)));
    let mut entries: Vec<Entry> = wide.iter().map(|(l, w)| entry(*l, 0, 0, w.own.clone())).collect();
    for (l, m, s, curves) in all {
        let Some(own) = curves.transpose()? else { continue };
        let curves = &own.trace.series;
        let own = wide.iter().filter(|w| w.0 == l).map(|w| Gaps::between(curves, &w.1.series, problem.data.samples));
        entries.extend(own.map(|gaps| entry(l, m, s, gaps)));
    }
    let grids = Quantity::THEOREM.into_iter().map(|q| noise(q, &entries, &grid)).collect::<Result<Vec<_>, _>>()?;
    let one = |(q, cells): (Quantity, &Vec<Cell>)| Ok((q, power_law(cells, Axis::Width)?.slope));
    let all = Quantity::THEOREM.into_iter().zip(&grids).map(one).collect::<Result<Vec<_>, Error>>()?;
    let tail = sample::heaviest(grids.iter().map(|g| sample::tail_of(g)));
    let (networks, heavy) = (entries.len(), sample::tail_words(tail));
    let what = format!("{networks} networks, {} seeds each; {heavy}, the heaviest; noise of M particles", grid.seeds);
    Ok(Found { tail, ..worst(&all, c, &what) })
}

/// Exponent in L of the bias: of outputs, R and Q the one farthest from the prediction.
pub fn depth(c: &Context<'_>) -> Result<Found, Error> {
    let (problem, settings, grid) = parts(c, &["ladder"])?;
    let (series, error) = match limit(&problem, &settings, c.par)? {
        Ok(limit) => limit,
        Err(ended) => return Ok(ended),
    };
    let shared = Shared::new(&problem, &settings, &grid);
    let mut all: Vec<_> = grid.ladder.iter().map(|&l| (l, None)).collect();
    c.par.each(&mut all, |_, (l, slot)| *slot = Some(shared.wide(*l)));
    let mut found = vec![];
    for (l, w) in all {
        let Some(w) = w.transpose()? else { continue };
        found.push((l, Gaps::between(&w.series, &series, problem.data.samples), w.own.plus(&error)));
    }
    let rungs =
        |q: Quantity| found.iter().map(|(l, gaps, e)| Rung::new(*l, vec![gaps.of(q)], e.of(q))).collect::<Vec<_>>();
    let one = |q: Quantity| Some((q, ladder::exponent(&rungs(q))?));
    let all: Vec<_> = Quantity::THEOREM.into_iter().filter_map(one).collect();
    if all.len() < Quantity::THEOREM.len() {
        let why = "a bias is not above its known error: lower limit.rtol or the depths".to_string();
        return Ok(Found::not_testable(why));
    }
    Ok(worst(
        &all,
        c,
        &format!(
            "infinitely wide networks of depths {:?}, known error {:.0e}",
            grid.ladder,
            error.of(Quantity::Output)
        ),
    ))
}

pub(super) fn parts(c: &Context<'_>, lists: &[&str]) -> Result<(Problem, Settings, RatesConfig), Error> {
    let config = c.claim.problem(&[])?;
    let problem = crate::limit::problem(&config)?;
    problem.check()?;
    let mut grid = config.rates.clone();
    for &key in lists {
        let list = c.sizes(key, 2)?;
        match key {
            "widths" => grid.widths = list,
            "depths" => grid.depths = list,
            _ => grid.ladder = list,
        }
    }
    if lists.contains(&"widths") {
        grid.seeds = c.count("seeds")?;
        grid.ladder = grid.depths.clone();
    } else {
        grid.depths = grid.ladder.clone();
    }
    grid.tolerance = c.positive("tolerance")?;
    let grid = grid.filled(problem.init.atoms > 0);
    grid.check(&problem)?;
    Ok((problem, crate::limit::settings(&config), grid))
}

/// Curves of the limit and their known error; not testable where it ends early.
pub(super) fn limit(
    problem: &Problem,
    settings: &Settings,
    par: &Par,
) -> Result<std::result::Result<(Series, Gaps), Found>, Error> {
    let limit = solve(problem, settings, par, &mut |_| {})?;
    if limit.taus.len() < settings.taus.len() {
        let why = format!("the limit itself ends early: {}", limit.outcome.name());
        return Ok(Err(Found::not_testable(why)));
    }
    let bands = [&limit.risk, &limit.objective, &limit.moment, &limit.outputs];
    let (series, [error, _]) = Reference::curves(bands, problem.data.samples);
    Ok(Ok((series, error)))
}

fn entry(depth: usize, width: usize, seed: usize, wide: Gaps) -> Entry {
    Entry { depth, width, seed, wide, ..Entry::default() }
}

fn worst(all: &[(Quantity, Estimate)], c: &Context<'_>, what: &str) -> Found {
    let wanted = c.claim.accept.contains.unwrap_or(0.0);
    let far = |e: &Estimate| (e.value - wanted).abs();
    let list: Vec<String> =
        all.iter().map(|(q, e)| format!("{} {:.4} [{:.4}, {:.4}]", q.words(), e.value, e.low, e.high)).collect();
    let words = format!("{what}: {}", list.join(", "));
    let worst = all.iter().map(|a| a.1).max_by(|a, b| far(a).total_cmp(&far(b)));
    match worst {
        Some(e) => Found { value: e.value, interval: Some((e.low, e.high)), words, ..Default::default() },
        None => Found::not_testable(words),
    }
}
