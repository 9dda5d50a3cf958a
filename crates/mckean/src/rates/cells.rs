//! Finite networks and the infinitely wide network of the same depth, followed over the same training times.
//!
//! Maths: a network (M, L) of Gao et al. 2024, eqs 2.1-2.8; M -> infinity at fixed L is the network of the atoms with weights 1/K, exactly,
//! or of quasi-random particles (DERIVED). Its gap to the limit is the bias of depth, the gap of (M, L) to it the noise of M particles.
//! Shapes: gaps as in `gaps`; seeds are named by (seed of the config, M, L, number), so that cells are independent.
//! Cost: one flow a network, O(K L) for atoms, O(M L) else; `REPLICATES + 1` flows a wide one.
//! Checked: `tests/rates.rs`.

use super::gaps::Gaps;
use crate::error::Error;
use mckean_dynamics::Outcome;
use mckean_dynamics::limit::{Finite, Problem, Series, Trace, blocks, exact, sobol_particles, trace};
use mckean_engine::Network;
use mckean_model::init;
use mckean_num::rng::{Seed, mix64};
use std::sync::Arc;

/// What all cells of a grid share.
pub struct Shared<'a> {
    /// Data, encoders, law.
    pub problem: &'a Problem,
    /// Training times.
    pub taus: &'a [f64],
    /// Tolerance of a step in training time.
    pub tolerance: f64,
    /// Quasi-random particles that stand for infinitely many, for laws without atoms.
    pub wide: usize,
    /// Seed of the config.
    pub seed: u64,
}

/// An infinitely wide network.
pub struct Wide {
    /// Its curves.
    pub series: Series,
    /// Its own error: steps in training time, and quasi-random particles where they are used.
    pub own: Gaps,
}

/// Independent scramblings of a wide network without atoms.
const REPLICATES: usize = 4;
/// Factor between the tolerances whose difference is the error of time.
const FINER: f64 = 0.02;

impl Shared<'_> {
    /// The curves of the network of width `m`, depth `l`, number `s`.
    ///
    /// # Errors
    /// A flow that ends early.
    pub fn finite(&self, m: usize, l: usize, s: usize) -> Result<Series, Error> {
        let found = self.named(m, l, s).trace(self.problem, self.taus, self.tolerance)?;
        whole(found, &format!("M = {m}, L = {l}, seed number {s}")).map(|t| t.series)
    }

    /// The network of width `m`, depth `l`, number `s`.
    fn named(&self, m: usize, l: usize, s: usize) -> Finite {
        let sizes = mix64(mix64(self.seed ^ mix64(m as u64)) ^ mix64(!(l as u64)));
        Finite { width: m, depth: l, seed: mix64(sizes ^ mix64(s as u64 + 1)) }
    }

    /// The atoms of a network (width 0: infinitely wide) at every training time, as parameters of the returned network. Equal layouts for
    /// all widths: atom k of block l is the same particle at the start.
    ///
    /// # Errors
    /// A flow that ends early, a law without atoms.
    pub fn atoms(&self, m: usize, l: usize, s: usize) -> Result<(Arc<Network>, Vec<Vec<f64>>), Error> {
        let (net, start) = match m {
            0 => {
                let law = self.problem.law()?;
                self.start(l, |t, _| law.at(t).atoms())?
            }
            _ => exact(self.problem, self.named(m, l, s))?,
        };
        let found = trace(self.problem, &net, &start, (self.taus, self.taus), (self.tolerance, 1))?;
        let found = whole(found, &format!("M = {m}, L = {l}, seed number {s}"))?;
        Ok((net, found.kept.into_iter().map(|k| k.1).collect()))
    }

    /// The infinitely wide network of depth `l`.
    ///
    /// # Errors
    /// A flow that ends early.
    pub fn wide(&self, l: usize) -> Result<Wide, Error> {
        let (law, samples) = (self.problem.law()?, self.problem.data.samples);
        if self.problem.init.atoms > 0 {
            let follow = |tolerance| self.system(l, |t, _| law.at(t).atoms(), tolerance);
            let (series, fine) = (follow(self.tolerance)?, follow(FINER * self.tolerance)?);
            return Ok(Wide { own: Gaps::between(&series, &fine, samples), series });
        }
        let scrambled = |r: usize, tolerance| {
            let seed = self.seed.wrapping_add(r as u64);
            let points = |t, block| sobol_particles(&law.at(t), seed, block + 1, 0..self.wide / 2);
            self.system(l, points, tolerance)
        };
        let all = (0..REPLICATES).map(|r| scrambled(r, self.tolerance)).collect::<Result<Vec<Series>, Error>>()?;
        let series = mean(&all);
        let spread = all.iter().fold(Gaps::default(), |sum, s| sum.plus(Gaps::between(s, &series, samples)));
        let n = REPLICATES as f64;
        let time = Gaps::between(&all[0], &scrambled(0, FINER * self.tolerance)?, samples);
        Ok(Wide { own: spread.times(1.0 / (n * (n - 1.0).sqrt())).plus(time), series })
    }

    /// The flow of the network whose blocks hold `particles` (of a depth t and a block) with equal weights.
    fn system(
        &self,
        l: usize,
        particles: impl Fn(f64, usize) -> Vec<Vec<f64>>,
        tolerance: f64,
    ) -> Result<Series, Error> {
        let (net, start) = self.start(l, particles)?;
        let found = trace(self.problem, &net, &start, (self.taus, &[]), (tolerance, 1))?;
        whole(found, &format!("M = infinity, L = {l}")).map(|t| t.series)
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

/// A flow that reached its last time.
fn whole(found: Trace, value: &str) -> Result<Trace, Error> {
    if found.outcome == Outcome::Finished {
        return Ok(found);
    }
    let tau = found.outcome.tau().unwrap_or(0.0);
    let problem = format!(
        "the flow of this network ends as {} at tau = {tau}: there is no gap. Lower init.scale, or the last of limit.taus.",
        found.outcome.name()
    );
    Err(Error::Value { key: "rates".into(), value: value.into(), problem })
}

fn mean(all: &[Series]) -> Series {
    let of = |pick: fn(&Series) -> &Vec<f64>| -> Vec<f64> {
        let sum = |i: usize| all.iter().map(|s| pick(s)[i]).sum::<f64>() / all.len() as f64;
        (0..pick(&all[0]).len()).map(sum).collect()
    };
    Series {
        risk: of(|s| &s.risk),
        objective: of(|s| &s.objective),
        moment: of(|s| &s.moment),
        outputs: of(|s| &s.outputs),
    }
}
