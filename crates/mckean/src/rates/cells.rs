//! Finite networks and the infinitely wide network of the same depth, followed over the same training times.
//!
//! Maths: a network (M, L) of Gao et al. 2024, eqs 2.1-2.8; M -> infinity at fixed L is the network of the atoms with weights 1/K, exactly,
//! or of quasi-random particles (DERIVED). Its gap to the limit is the bias of depth, the gap of (M, L) to it the noise of M particles.
//! Shapes: gaps as in `gaps`; seeds are named by (seed of the config, M, L, number), so that cells are independent.
//! Cost: one flow a network, O(K L) for atoms, O(M L) else; `REPLICATES + 1` flows a wide one.
//! Checked: `tests/rates.rs`.

use super::clouds::{Clouds, MATCHED, Side, compare};
use super::ended::Ended;
use super::gaps::Gaps;
use super::settings::RatesConfig;
use crate::error::Error;
use mckean_dynamics::limit::{
    Finite, Problem, Series, Settings, Times, Trace, blocks, most_whitened, sobol_particles, trace_unless, whiten,
};
use mckean_engine::Network;
use mckean_model::{LawAt, init};
use mckean_num::par::Par;
use mckean_num::rng::{Seed, mix64};
use std::sync::Arc;

/// What all cells of a grid share.
#[derive(Clone)]
pub struct Shared<'a> {
    /// Data, encoders, law.
    pub problem: &'a Problem,
    /// Training times.
    pub taus: &'a [f64],
    /// Which of them are snapshots, at which clouds are compared.
    pub snapshots: Vec<usize>,
    /// Tolerance of a step in training time.
    pub tolerance: f64,
    /// Quasi-random particles that stand for infinitely many, for laws without atoms.
    pub wide: usize,
    /// Whether W2 between clouds is sliced: at all widths, so that exponents are those of one distance.
    pub sliced: bool,
    /// Seed of the config.
    pub seed: u64,
    /// Whether network number s is the one that `mckean run` trains from seed + s; else cells of a grid share no draws.
    pub like_runs: bool,
    /// Once it says so, flows under way are given up: they end as stopped.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// Threads for the flows of one target; cells of a grid have one each.
    pub par: Par,
}

/// A network and its flow.
pub struct Followed {
    /// Network.
    pub net: Arc<Network>,
    /// Its flow, with particles at all times.
    pub trace: Trace,
    /// Its particles at the start.
    pub start: Vec<f64>,
}

impl Followed {
    /// All its particles.
    pub fn side(&self) -> Side<'_> {
        let c = &self.net.config;
        Side { net: &self.net, kept: &self.trace.kept, blocks: (c.depth, 1), range: 0..c.heads }
    }
}

/// An infinitely wide network.
pub struct Wide {
    /// Its curves.
    pub series: Series,
    /// Its own error: steps in training time, and quasi-random particles where they are used.
    pub own: Gaps,
    /// Its atoms, for laws of atoms.
    pub atoms: Option<Followed>,
}

/// Independent scramblings of a wide network without atoms.
pub(super) const REPLICATES: usize = 4;
/// Factor between the tolerances whose difference is the error of time.
pub(super) const FINER: f64 = 0.02;
/// The same for laws without atoms, whose particles err by far more than time.
const ROUGHER: f64 = 0.1;

/// The seed of network number `s` of width `m` and depth `l`: cells of a grid share no draws. Half of it is one that a config can have.
pub(crate) fn seed(base: u64, m: usize, l: usize, s: usize) -> u64 {
    let sizes = mix64(mix64(base ^ mix64(m as u64)) ^ mix64(!(l as u64)));
    mix64(sizes ^ mix64(s as u64 + 1))
}

impl<'a> Shared<'a> {
    /// For the times of `settings` and the accuracy of `grid`.
    pub fn new(problem: &'a Problem, settings: &'a Settings, grid: &RatesConfig) -> Shared<'a> {
        let taus = &settings.taus[..];
        let snapshots = (0..taus.len()).filter(|&i| settings.snapshots.contains(&taus[i])).collect();
        let widest = grid.widths.iter().copied().max().unwrap_or(0);
        let sliced = problem.init.atoms == 0 && widest > MATCHED;
        let (tolerance, wide, seed) = (grid.tolerance, grid.wide, settings.seed);
        Shared {
            problem,
            taus,
            snapshots,
            tolerance,
            wide,
            sliced,
            seed,
            like_runs: false,
            stop: &|| false,
            par: Par::serial(),
        }
    }

    /// Whether the law has atoms, so that particles can be told one by one at every width.
    pub fn has_atoms(&self) -> bool {
        self.problem.init.atoms > 0
    }

    /// Seed of scrambling `r` of the particles that stand for the law.
    pub(super) fn scrambling(&self, r: usize) -> u64 {
        mix64(!self.seed).wrapping_add(r as u64)
    }

    /// The network of width `m`, depth `l`, number `s`, and its start.
    ///
    /// # Errors
    /// Sizes that do not fit into memory.
    pub fn network(&self, m: usize, l: usize, s: usize) -> Result<(Arc<Network>, Vec<f64>), Error> {
        let seed = if self.like_runs { self.seed.wrapping_add(s as u64) } else { seed(self.seed, m, l, s) };
        let finite = Finite { width: m, depth: l, seed };
        Ok(finite.start(self.problem)?)
    }

    /// The same, followed.
    ///
    /// # Errors
    /// A flow that ends early.
    pub fn finite(&self, m: usize, l: usize, s: usize) -> Result<Followed, Error> {
        self.follow(self.network(m, l, s)?, self.tolerance, &format!("M = {m}, L = {l}, seed number {s}"))
    }

    /// The infinitely wide network of depth `l`.
    ///
    /// # Errors
    /// A flow that ends early.
    pub fn wide(&self, l: usize) -> Result<Wide, Error> {
        let law = self.problem.law()?;
        let samples = self.problem.data.samples;
        let name = format!("M = infinity, L = {l}");
        if self.has_atoms() {
            let follow = |i: usize| {
                self.follow(self.start(l, |t, _| law.at(t).atoms())?, [1.0, FINER][i] * self.tolerance, &name)
            };
            let [one, fine] = self.on_all(follow)?;
            let steps = Gaps::between(&one.trace.series, &fine.trace.series, samples);
            let own = steps.plus(&self.compare(&one.side(), &fine.side())?.gaps());
            return Ok(Wide { own, series: fine.trace.series.clone(), atoms: Some(fine) });
        }
        let scrambled = |i: usize| -> Result<Series, Error> {
            let (r, tolerance) = if i < REPLICATES { (i, self.tolerance) } else { (0, ROUGHER * self.tolerance) };
            let points = |t, block| self.points(&law.at(t), self.scrambling(r), block + 1);
            Ok(self.follow(self.start(l, points)?, tolerance, &name)?.trace.series)
        };
        let flows: [Series; REPLICATES + 1] = self.on_all(scrambled)?;
        let (all, finer) = (&flows[..REPLICATES], &flows[REPLICATES]);
        let parts: Vec<(f64, &Series)> = all.iter().map(|s| (1.0 / REPLICATES as f64, s)).collect();
        let series = Series::combined(&parts);
        let apart: Vec<Gaps> = all.iter().map(|s| Gaps::between(s, &series, samples)).collect();
        let n = REPLICATES as f64;
        let spread = Gaps::quadrature(&apart).times(1.0 / (n * (n - 1.0)).sqrt());
        let time = Gaps::between(&all[0], finer, samples);
        Ok(Wide { own: spread.plus(&time), series, atoms: None })
    }

    /// `rates.wide` whitened particles of a law without atoms, from the scrambling `seed` of one place.
    pub(super) fn points(&self, law: &LawAt<'_>, seed: u64, place: usize) -> Vec<Vec<f64>> {
        let mut own = sobol_particles(law, seed, place, 0..self.wide / 2);
        whiten(law, most_whitened(self.wide), &mut own);
        own
    }

    /// Particles and clouds of `own` against those that move by another field.
    ///
    /// # Errors
    /// Particles that are not finite.
    pub fn compare(&self, own: &Side<'_>, other: &Side<'_>) -> Result<Clouds, Error> {
        Ok(compare(own, other, None, (&self.snapshots, self.sliced))?)
    }

    /// Calls `one` for 0..N on its threads; results in order.
    ///
    /// # Errors
    /// The first one of `one`.
    pub(super) fn on_all<T: Send, const N: usize>(
        &self,
        one: impl Fn(usize) -> Result<T, Error> + Sync,
    ) -> Result<[T; N], Error> {
        let mut work: [Option<Result<T, Error>>; N] = std::array::from_fn(|_| None);
        self.par.each(&mut work, |i, slot| *slot = Some(one(i)));
        let all = work.into_iter().flatten().collect::<Result<Vec<T>, Error>>()?;
        Ok(all.try_into().unwrap_or_else(|_| unreachable!("one result each")))
    }

    /// The times of its flows, at this tolerance.
    pub(super) fn times(&self, tolerance: f64) -> Times<'_> {
        (self.taus, tolerance, self.stop)
    }

    /// The flow of a network.
    fn follow(&self, (net, start): (Arc<Network>, Vec<f64>), tolerance: f64, what: &str) -> Result<Followed, Error> {
        let trace = trace_unless(self.problem, (&net, &start), (self.taus, self.taus), (tolerance, 1), self.stop)?;
        Ended::check(&trace, what)?;
        Ok(Followed { net, trace, start })
    }

    fn start(
        &self,
        l: usize,
        particles: impl Fn(f64, usize) -> Vec<Vec<f64>>,
    ) -> Result<(Arc<Network>, Vec<f64>), Error> {
        let m = blocks(self.problem, particles(0.0, 0).len(), l);
        let net = Network::new(&m, self.problem.shape)?;
        let mut start = init::shared(&net.layout, Seed(0));
        for block in 0..l {
            let slots = init::Slots::new(&net.layout, block);
            let own = particles(m.depth_method.time(l, block), block);
            own.iter().enumerate().for_each(|(j, p)| slots.place(j, p, &mut start));
        }
        Ok((Arc::new(net), start))
    }
}
