//! `[rates]`: which widths, depths and seeds are compared with the limit.
//!
//! Maths: none.
//! Shapes: widths times depths times seeds, and a ladder of depths without a width.
//! Cost: none.
//! Checked: `tests/rates.rs`.

use super::ghosts;
use crate::error::Error;
use mckean_dynamics::limit::{Problem, blocks};
use mckean_engine::Network;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[rates]`: exponents of the gap between finite networks and the limit (`mckean rates`). Times are those of `[limit]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RatesConfig {
    /// Widths M; empty makes 64, 256, ... 65536 for laws of atoms (whose networks cost the same at every width), else 8, 32, 128.
    pub widths: Vec<usize>,
    /// Depths L; empty makes 16, 32, 64, 128 for laws of atoms, else 4, 8, 16.
    pub depths: Vec<usize>,
    /// Depths at which networks of infinite width are followed, for the exponent in depth; empty makes all depths and the middle
    /// of each two.
    pub ladder: Vec<usize>,
    /// Seeds of each width and depth; more of them later find the ones that are there.
    pub seeds: usize,
    /// Tolerance of a step in training time; 0 makes 1e-7 for laws of atoms, else 1e-5.
    pub tolerance: f64,
    /// Laws without atoms: quasi-random particles a block that stand for infinitely many.
    pub wide: usize,
    /// Half width of the 95 % interval of the exponent in M that further seeds are planned for.
    pub half_width: f64,
    /// Seconds after which no further network is begun.
    pub budget: f64,
}

impl Default for RatesConfig {
    fn default() -> Self {
        let (widths, depths, ladder) = (vec![], vec![], vec![]);
        RatesConfig { widths, depths, ladder, seeds: 48, tolerance: 0.0, wide: 256, half_width: 0.03, budget: 600.0 }
    }
}

/// Largest width of networks of atoms: counts beyond it are not whole numbers of a double.
const WIDEST: usize = 1 << 40;
/// Most particles in all blocks of one network.
const MOST: usize = 1 << 26;
/// Most networks.
const NETWORKS: usize = 1_000_000;

fn refuse<T>(key: &str, value: impl std::fmt::Debug, problem: &str) -> Result<T, Error> {
    Err(Error::Value { key: format!("rates.{key}"), value: format!("{value:?}"), problem: problem.into() })
}

impl RatesConfig {
    /// The same with empty lists and a tolerance of 0 filled in.
    pub fn filled(&self, atoms: bool) -> RatesConfig {
        let or = |own: &Vec<usize>, with: &[usize], without: &[usize]| match (own.is_empty(), atoms) {
            (false, _) => own.clone(),
            (_, true) => with.to_vec(),
            _ => without.to_vec(),
        };
        let widths = or(&self.widths, &[64, 256, 1024, 4096, 16384, 65536], &[8, 32, 128]);
        let depths = or(&self.depths, &[16, 32, 64, 128], &[4, 8, 16]);
        let mut ladder = self.ladder.clone();
        if ladder.is_empty() {
            ladder.extend(&depths);
            ladder.extend(depths.windows(2).map(|d| (d[0] + d[1]) / 2));
        }
        ladder.extend(&depths);
        ladder.sort_unstable();
        ladder.dedup();
        let tolerance = match self.tolerance {
            0.0 if atoms => 1e-7,
            0.0 => 1e-5,
            given => given,
        };
        RatesConfig { widths, depths, ladder, tolerance, ..self.clone() }
    }

    /// Seeds of networks without atoms that one law drives together: as many as have about twice its particles.
    pub(super) fn together(&self) -> usize {
        (2 * self.wide / self.all_widths()).max(1)
    }

    fn all_widths(&self) -> usize {
        self.widths.iter().fold(0usize, |sum, m| sum.saturating_add(*m)).max(1)
    }

    /// Most particles that one law drives, in a slice.
    fn draws(&self) -> usize {
        self.together().min(self.seeds).saturating_mul(self.all_widths()).max(ghosts::DRAWS)
    }

    /// Most slices in which it drives them, at depth `l`.
    fn slices(&self, l: usize) -> usize {
        l.max(ghosts::STEPS).saturating_mul(4).saturating_add(l.saturating_mul(2)).saturating_add(1)
    }

    /// Refuses what cannot be computed, before anything is.
    ///
    /// # Errors
    /// The first value outside its range; networks that do not fit into memory.
    pub fn check(&self, problem: &Problem) -> Result<(), Error> {
        let rising = |l: &[usize]| l.windows(2).all(|w| w[0] < w[1]) && l.first().is_some_and(|x| *x > 0);
        for (key, list) in [("widths", &self.widths), ("depths", &self.depths), ("ladder", &self.ladder)] {
            if !rising(list) || list.len() < 2 {
                return refuse(key, list, "two or more whole numbers > 0 in ascending order are needed.");
            }
        }
        self.check_sizes(problem)
    }

    /// The same of everything but the number of widths and depths.
    pub(crate) fn check_sizes(&self, problem: &Problem) -> Result<(), Error> {
        let atoms = problem.init.atoms > 0;
        let (wide, deep) = (self.widths[self.widths.len() - 1], self.ladder[self.ladder.len() - 1]);
        if wide > WIDEST {
            return refuse("widths", wide, "at most 2^40 is possible.");
        }
        let own = if atoms { problem.init.atoms } else { wide.max(self.wide) };
        let most = if atoms {
            own.saturating_mul(deep)
        } else {
            self.slices(deep).saturating_mul(self.wide.saturating_add(self.draws()))
        };
        if most > MOST {
            let what = "width times depth (without atoms: with the particles that the limit drives) is more than 67,108,864 particles. \
                        Choose smaller ones, or a law of atoms (init.atoms).";
            return refuse("widths", wide, what);
        }
        if self.seeds < 2 || self.widths.len() * self.depths.len() * self.seeds > NETWORKS {
            return refuse("seeds", self.seeds, "2 or more are needed, and at most 1,000,000 networks in all.");
        }
        if !(1e-12..=1e-2).contains(&self.tolerance) {
            return refuse("tolerance", self.tolerance, "double precision allows 1e-12 to 1e-2, and 0 chooses.");
        }
        if !(2..=65_536).contains(&self.wide) || !self.wide.is_multiple_of(2) {
            return refuse("wide", self.wide, "an even number of 2 to 65,536 is needed.");
        }
        for (key, x) in [("half_width", self.half_width), ("budget", self.budget)] {
            if !(x.is_finite() && x > 0.0) {
                return refuse(key, x, "a finite number > 0 is needed.");
            }
        }
        Ok(Network::new(&blocks(problem, own, deep), problem.shape).map(drop)?)
    }
}
