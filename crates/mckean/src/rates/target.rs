//! What networks of one depth are compared with: the limit's particles at the depths of their blocks, and the infinitely wide network.
//!
//! Maths: gaps of Theorem 3.1 of Gao et al. 2024 and of its proof; see `clouds` for particles.
//! Shapes: one target a depth of the ladder.
//! Cost: two limits of `STEPS` depth steps or more, and a wide network; without atoms those of `ghosts` and `paired`.
//! Checked: `tests/rates.rs`, `tests/rates_clouds.rs`.

use super::cells::{FINER, Followed, Shared, Wide};
use super::clouds::Clouds;
use super::ended::Ended;
use super::gaps::Gaps;
use super::ghosts::{self, Errors, Ghosts};
use super::paired::{Bias, Paired, side};
use crate::error::Error;
use mckean_dynamics::limit::{Driven, Series, driven};

/// Least depth steps of the limit whose particles are kept.
const STEPS: usize = 16;

/// What a network of depth L is compared with.
pub struct Target {
    /// L.
    pub depth: usize,
    /// The infinitely wide network; how its flow ended if it did so early.
    pub wide: Result<Wide, Ended>,
    /// The limit's particles at the depths of its blocks, for laws of atoms.
    pub driven: Option<Driven>,
    /// Error of these particles: steps in depth and in time.
    pub error: Gaps,
    /// The same error of the curves of the limit that has them.
    curves: Gaps,
}

/// Gaps of one network.
#[derive(Default)]
pub struct Measured {
    /// To the limit.
    pub limit: Gaps,
    /// To the infinitely wide network of its depth (of the latter: its own error).
    pub wide: Gaps,
    /// Particles and clouds against those that the limit drives.
    pub clouds: Option<Clouds>,
    /// Of infinitely wide networks: error of what particles of this depth are compared with.
    pub error: Gaps,
    /// Of infinitely wide networks: their gap to the limit with the same particles.
    pub bias: Option<Bias>,
    /// Risk at every training time.
    pub risk: Vec<f64>,
}

impl Target {
    /// Follows what networks of depth `l` are compared with.
    ///
    /// # Errors
    /// Those of [`Shared`]; an early end of the wide network is none.
    pub fn new(shared: &Shared<'_>, l: usize) -> Result<Target, Error> {
        let wide = match shared.wide(l) {
            Ok(wide) => Ok(wide),
            Err(Error::Ended(e)) => Err(e),
            Err(e) => return Err(e),
        };
        let mut target = Target { depth: l, wide, driven: None, error: Gaps::default(), curves: Gaps::default() };
        if shared.has_atoms() {
            let law = shared.problem.law()?;
            let follow = |steps: usize, tolerance| -> Result<Driven, Error> {
                let atoms = |t: f64, _| law.at(t).atoms();
                Ok(driven(shared.problem, &atoms, &|_| vec![], (l, steps), shared.times(tolerance))?)
            };
            let [rough, fine] = shared.on_all(|i| match i {
                0 => follow(STEPS, shared.tolerance),
                _ => follow(2 * STEPS.div_ceil(l) * l, FINER * shared.tolerance),
            })?;
            let both = rough.trace.kept.len().min(fine.trace.kept.len()) == shared.taus.len();
            if both {
                target.error = shared.compare(&side(&rough, l), &side(&fine, l))?.gaps();
                let samples = shared.problem.data.samples;
                target.curves = Gaps::between(&rough.trace.series, &fine.trace.series, samples);
                target.driven = Some(fine);
            }
        }
        Ok(target)
    }

    /// The gaps of a network of this depth; `limit` are the limit's curves.
    ///
    /// # Errors
    /// Particles that are not finite.
    pub fn measure(&self, shared: &Shared<'_>, own: &Followed, limit: &Series) -> Result<Measured, Error> {
        let samples = shared.problem.data.samples;
        let series = &own.trace.series;
        let mut found = Measured { risk: series.risk.clone(), ..Measured::default() };
        found.limit = Gaps::between(series, limit, samples);
        if let Some(d) = &self.driven {
            let clouds = shared.compare(&own.side(), &side(d, self.depth))?;
            found.limit = found.limit.plus(&clouds.gaps());
            found.clouds = Some(clouds);
        }
        if let Ok(w) = &self.wide {
            found.wide = Gaps::between(series, &w.series, samples);
            if let Some(atoms) = &w.atoms {
                found.wide = found.wide.plus(&shared.compare(&own.side(), &atoms.side())?.gaps());
            }
        }
        Ok(found)
    }

    /// The gaps of several networks of this depth; for laws without atoms with their particles, which one law drives.
    ///
    /// # Errors
    /// Sizes that do not fit into memory; those of single networks are their own.
    pub fn measure_all(
        &self,
        shared: &Shared<'_>,
        all: &[Result<Followed, Error>],
        limit: &Series,
    ) -> Result<Vec<Option<Measured>>, Error> {
        let mut found = vec![];
        for own in all {
            found.push(own.as_ref().ok().map(|own| self.measure(shared, own, limit)).transpose()?);
        }
        let there: Vec<&Followed> = all.iter().flatten().collect();
        if shared.has_atoms() || self.wide.is_err() || there.is_empty() {
            return Ok(found);
        }
        let (ghosts, mut from) = (Ghosts::of(shared, &there)?, 0);
        for (own, m) in there.into_iter().zip(found.iter_mut().flatten()).filter(|_| ghosts.complete(shared)) {
            let range = from..from + own.net.config.heads;
            from = range.end;
            let (clouds, wide) = ghosts.compare(shared, &own.side(), &range)?;
            m.limit = std::mem::take(&mut m.limit).plus(&ghosts::gaps(&clouds));
            m.wide = std::mem::take(&mut m.wide).plus(&wide);
            m.clouds = Some(clouds);
        }
        Ok(found)
    }

    /// Gaps of the particles of the infinitely wide network to those that the limit drives, and their known errors; none without atoms.
    ///
    /// # Errors
    /// An early end.
    pub fn particles(&self, shared: &Shared<'_>) -> Result<Option<(Gaps, Gaps)>, Error> {
        let wide = self.wide.as_ref().map_err(Clone::clone)?;
        let (Some(atoms), Some(d)) = (&wide.atoms, &self.driven) else { return Ok(None) };
        let gaps = shared.compare(&atoms.side(), &side(d, self.depth))?.gaps();
        Ok(Some((gaps, self.error.clone().plus(&wide.own))))
    }

    /// The gaps of the infinitely wide network itself, with its own error and its bias.
    ///
    /// # Errors
    /// An early end.
    pub fn bias(&self, shared: &Shared<'_>, limit: &Series) -> Result<Measured, Error> {
        let wide = self.wide.as_ref().map_err(Clone::clone)?;
        let (own, samples) = (wide.own.clone(), shared.problem.data.samples);
        let Some(atoms) = &wide.atoms else {
            let (errors, (bias, clouds)) = (Errors::new(shared, self.depth)?, Bias::sobol(shared, self.depth)?);
            return Ok(Measured {
                limit: Gaps::between(&wide.series, limit, samples),
                wide: own.plus(&errors.wide),
                clouds: Some(clouds),
                error: errors.limit,
                bias: Some(bias),
                risk: wide.series.risk.clone(),
            });
        };
        let found = self.measure(shared, atoms, limit)?;
        let particles = found.clouds.as_ref().map(Clouds::gaps).unwrap_or_default();
        let pair = |d: &Driven| Paired::new(&wide.series, &d.trace.series, samples, &particles);
        let error = self.error.clone().plus(&self.curves).plus(&own);
        let bias = self.driven.as_ref().map(|d| Bias { scramblings: vec![pair(d)], error });
        Ok(Measured { wide: own, error: self.error.clone(), bias, ..found })
    }
}
