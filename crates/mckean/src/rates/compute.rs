//! The missing networks of a grid, on all threads, seed by seed, until done, stopped, or out of time.
//!
//! Maths: none.
//! Shapes: ladder first (one wide network a depth), then the grid with seeds outermost, so that an unfinished grid is an even one.
//! Cost: that of the networks; each runs on one thread.
//! Checked: `tests/rates.rs`.

use super::Options;
use super::cells::Shared;
use super::log::{Entry, Log};
use super::settings::RatesConfig;
use super::target::{Measured, Target};
use crate::error::Error;
use mckean_dynamics::limit::Series;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// What a caller may show.
pub enum Progress<'a> {
    /// What is being done.
    Say(&'a str),
    /// So many networks are missing.
    Begin(usize),
    /// One more is done.
    Done(&'a str),
    /// An infinitely wide network was there, but had to be followed again for others of its depth.
    Again(&'a str),
}

/// Calls `one` for 0..n on `jobs` threads, in order of their beginning; results in order, without those not begun.
fn on_threads<T: Send>(jobs: usize, n: usize, one: impl Fn(usize) -> Option<T> + Sync) -> Vec<T> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new(vec![]));
    let worker = || {
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= n {
                return;
            }
            let result = one(i);
            results.lock().unwrap_or_else(|e| e.into_inner()).push((i, result));
        }
    };
    std::thread::scope(|s| (0..jobs.clamp(1, n.max(1))).for_each(|_| drop(s.spawn(worker))));
    let mut results = results.into_inner().unwrap_or_else(|e| e.into_inner());
    results.sort_by_key(|r| r.0);
    results.into_iter().filter_map(|r| r.1).collect()
}

/// Flows under way are given up after so many budgets, and seconds more.
const OVER: f64 = 1.5;
const GRACE: f64 = 3.0;

/// Follows the networks of `grid` that are not in `before`, and appends them to the log. What is given up leaves no trace.
pub(super) fn missing(
    shared: &Shared<'_>,
    grid: &RatesConfig,
    limit: &Series,
    (log, key, before): (&Log, &str, &[Entry]),
    options: &Options<'_>,
) -> Result<Vec<Entry>, Error> {
    let begun = Instant::now();
    let there: std::collections::HashSet<_> = before.iter().map(|e| (e.depth, e.width, e.seed)).collect();
    let depths = grid.depths.iter().rev();
    let all =
        (0..grid.seeds).flat_map(|s| depths.clone().flat_map(move |&l| grid.widths.iter().map(move |&m| (l, m, s))));
    let open: Vec<(usize, usize, usize)> = all.filter(|c| !there.contains(c)).collect();
    let needs = |l: &usize| !there.contains(&(*l, 0, 0)) || open.iter().any(|c| c.0 == *l);
    let ladder: Vec<usize> = grid.ladder.iter().copied().filter(needs).collect();
    (options.progress)(Progress::Begin(open.len() + ladder.len()));
    let may_begin = || !options.stop.load(Ordering::Relaxed) && begun.elapsed().as_secs_f64() < grid.budget;
    let given_up =
        || options.stop.load(Ordering::Relaxed) || begun.elapsed().as_secs_f64() > OVER * grid.budget + GRACE;
    let shared = &Shared { stop: &given_up, ..shared.clone() };
    let keep = |depth, width, seed, found: Result<Measured, Error>| {
        let (m, ended) = match found {
            Ok(m) => (m, None),
            Err(Error::Ended(e)) => (Measured::default(), Some(e)),
            Err(e) => return Err(e),
        };
        let Measured { limit, wide, clouds, error, bias, risk } = m;
        let entry = Entry { key: key.into(), depth, width, seed, limit, wide, error, bias, clouds, risk, ended };
        log.append(&entry)?;
        let size = if width == 0 { "infinity".into() } else { width.to_string() };
        (options.progress)(Progress::Done(&format!("M = {size}, L = {depth}")));
        Ok(entry)
    };
    let target = |i: usize| -> Option<Result<(Target, Option<Entry>), Error>> {
        let l = *ladder.get(i).filter(|_| may_begin())?;
        let (found, again) = (Target::new(shared, l), there.contains(&(l, 0, 0)));
        let bias = found.as_ref().ok().filter(|_| !again).map(|target| target.bias(shared, limit));
        if given_up() {
            return None;
        }
        if again {
            (options.progress)(Progress::Again(&format!("M = infinity, L = {l}")));
        }
        let entry = bias.map(|found| keep(l, 0, 0, found)).transpose();
        Some(found.and_then(|target| Ok((target, entry?))))
    };
    let targets = on_threads(options.jobs, ladder.len(), target).into_iter().collect::<Result<Vec<_>, Error>>()?;
    let groups = groups(open, grid, shared);
    let finite = |i: usize| -> Option<Result<Vec<Entry>, Error>> {
        let l = groups[i][0].0;
        let target = targets.iter().map(|t| &t.0).find(|t| t.depth == l).filter(|_| may_begin())?;
        let all: Vec<_> = groups[i].iter().map(|&(l, m, s)| shared.finite(m, l, s)).collect();
        let measured = target.measure_all(shared, &all, limit);
        if given_up() {
            return None;
        }
        let keep_all = |found: Vec<Option<Measured>>| {
            let named = groups[i].iter().zip(all).zip(found);
            named.map(|((&(l, m, s), own), found)| keep(l, m, s, own.map(|_| found.unwrap_or_default()))).collect()
        };
        Some(measured.and_then(keep_all))
    };
    let finite = on_threads(options.jobs, groups.len(), finite).into_iter().collect::<Result<Vec<_>, Error>>()?;
    Ok(targets.into_iter().filter_map(|t| t.1).chain(finite.into_iter().flatten()).collect())
}

/// Networks (L, M, seed) that are followed together: single ones of atoms; else all widths of one depth and some seeds.
fn groups(
    mut open: Vec<(usize, usize, usize)>,
    grid: &RatesConfig,
    shared: &Shared<'_>,
) -> Vec<Vec<(usize, usize, usize)>> {
    let seeds = grid.together();
    let name = |c: &(usize, usize, usize)| (c.2 / seeds, std::cmp::Reverse(c.0));
    if !shared.has_atoms() {
        open.sort_by_key(name);
    }
    open.chunk_by(|a, b| !shared.has_atoms() && name(a) == name(b)).map(<[_]>::to_vec).collect()
}
