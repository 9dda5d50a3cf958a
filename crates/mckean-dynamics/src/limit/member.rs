//! One member of the computation: a particle system, its flow, and what is read off it.
//!
//! Maths: the flow of eqs 2.7-2.8 of Gao et al. on a network with weighted slices, by the adaptive 5(4) pair.
//! Shapes: series over the asked times; outputs (times, samples, outputs).
//! Cost: one gradient a stage on one thread.
//! Checked: `tests/limit.rs`.

use super::coarse::coarse;
use super::{LimitError, Problem, Series, Settings, points, whiten};
use crate::config::{DynamicsConfig, Scheme};
use crate::evolution::{Evolution, Outcome};
use crate::flow::Flow;
use crate::objective::second_moment;
use mckean_engine::{Batch, Network, Risk};
use mckean_model::{DepthMethod, Law, ModelConfig, init};
use mckean_num::par::Par;
use mckean_num::rng::Seed;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

/// Which particles fill the slices.
#[derive(Clone, Debug, PartialEq)]
pub enum Particles {
    /// The atoms of the law at each depth.
    Atoms,
    /// Points of one scrambling; every slice its own, or one for all.
    Sobol {
        /// Which scrambling.
        seed: u64,
        /// Points taken; each gives two particles.
        base: Range<usize>,
        /// One set for all slices.
        shared: bool,
        /// Tensors of at most so many numbers get the exact mean and covariance of the law.
        white: usize,
    },
}

/// A particle system before its flow.
pub(super) struct Member {
    pub net: Arc<Network>,
    pub start: Vec<f64>,
}

/// What a flow leaves behind.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Curves at the times that were reached.
    pub series: Series,
    /// How it ended.
    pub outcome: Outcome,
    /// |Q(0) - Q(last) - int dissipation| over the larger of the two (the energy identity); 0 of coarse flows.
    pub energy: f64,
    /// Velocity calls.
    pub gradients: u64,
    /// Seconds of one thread.
    pub seconds: f64,
    /// Parameters at the times asked for.
    pub kept: Vec<(f64, Vec<f64>)>,
}

impl Member {
    /// A system of `steps` depth steps with these particles in every slice.
    pub fn new(
        problem: &Problem,
        law: &Law,
        particles: &Particles,
        (depth_method, steps): (DepthMethod, usize),
    ) -> Result<Member, LimitError> {
        let width = match particles {
            Particles::Atoms => problem.init.atoms,
            Particles::Sobol { base, .. } => 2 * base.len(),
        };
        let model = ModelConfig { depth_method, depth: steps, heads: width, neurons: width, ..problem.model.clone() };
        let net = Network::new(&model, problem.shape)?;
        let mut start = init::shared(&net.layout, Seed(0));
        for slice in 0..model.slices() {
            let law = law.at(depth_method.time(steps, slice));
            let own = match particles {
                Particles::Atoms => law.atoms(),
                Particles::Sobol { seed, base, shared, white } => {
                    let place = if *shared { 0 } else { slice + 1 };
                    let mut own = points::sobol_particles(&law, *seed, place, base.clone());
                    whiten(&law, *white, &mut own);
                    own
                }
            };
            let slots = init::Slots::new(&net.layout, slice);
            own.iter().enumerate().for_each(|(j, p)| slots.place(j, p, &mut start));
        }
        Ok(Member { net: Arc::new(net), start })
    }
}

/// Follows the flow of `start` on `net` through `taus`; parameters are kept at `keep`. `accuracy` is the tolerance of a step and the
/// least number of steps between two times.
///
/// # Errors
/// Unknown encoders.
pub fn trace(
    problem: &Problem,
    net: &Arc<Network>,
    start: &[f64],
    (taus, keep): (&[f64], &[f64]),
    accuracy: (f64, usize),
) -> Result<Trace, LimitError> {
    trace_unless(problem, (net, start), (taus, keep), accuracy, &|| false)
}

/// As [`trace`], given up once `stop` says so.
///
/// # Errors
/// As [`trace`].
pub fn trace_unless(
    problem: &Problem,
    (net, start): (&Arc<Network>, &[f64]),
    (taus, keep): (&[f64], &[f64]),
    (tolerance, least): (f64, usize),
    stop: &dyn Fn() -> bool,
) -> Result<Trace, LimitError> {
    let begun = Instant::now();
    let config = DynamicsConfig {
        weight_decay: problem.lambda,
        integrator: Scheme::Adaptive,
        step: taus.iter().find(|t| **t > 0.0).map_or(0.1, |t| t.min(0.1)),
        rtol: tolerance,
        atol: tolerance,
        until: taus.last().copied().unwrap_or(1.0).max(1e-300),
        max_steps: 100_000,
        ..DynamicsConfig::default()
    };
    let risk = || Risk::<f64>::new(net.clone(), problem.data.clone(), Par::serial());
    let (mut reader, mut flow) = (risk()?, Flow::new(&config, risk()?, start.to_vec()));
    let (speeds, batch) = (net.speeds(), Batch::first(problem.data.samples));
    let mut out = vec![0.0; problem.data.samples * net.reader.outputs];
    let mut trace = Trace {
        series: Series::default(),
        outcome: Outcome::Finished,
        energy: 0.0,
        gradients: 0,
        seconds: 0.0,
        kept: vec![],
    };
    let first = flow.measure().objective;
    for &tau in taus {
        let from = flow.tau();
        for part in 1..=least {
            let until = if part == least { tau } else { from + (tau - from) * part as f64 / least as f64 };
            trace.outcome = flow.advance_unless(until, stop);
            if trace.outcome != Outcome::Finished {
                break;
            }
        }
        if trace.outcome != Outcome::Finished {
            break;
        }
        let (now, beta) = (flow.measure(), flow.parameters());
        trace.energy = mismatch(first - now.objective, now.dissipated);
        reader.outputs(&beta, &batch, &mut out);
        trace.series.push(now.risk, now.objective, second_moment(&beta, &speeds), &out);
        if keep.contains(&tau) {
            trace.kept.push((tau, beta));
        }
    }
    trace.gradients = flow.work().gradients;
    trace.seconds = begun.elapsed().as_secs_f64();
    Ok(trace)
}

/// How far the fall of Q and the dissipated energy are apart, relative; 0 where neither is above rounding.
pub(super) fn mismatch(fall: f64, dissipated: f64) -> f64 {
    let size = fall.abs().max(dissipated.abs());
    if size > 1e-14 { (fall - dissipated).abs() / size } else { 0.0 }
}

/// How the steps in training time are chosen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stepping {
    /// The adaptive pair: tolerance of a step, least number of steps between two times.
    Adaptive(f64, usize),
    /// This many equal steps, see `coarse`; parameters are not kept.
    Coarse(usize),
}

/// Traces of many members at once, one a thread, in order; flows under way when the solver is stopped end as such.
pub(super) fn traces(
    problem: &Problem,
    members: &[Member],
    settings: &Settings,
    steppings: &[Stepping],
    par: &Par,
) -> Result<Vec<Trace>, LimitError> {
    let taus = &settings.taus[..];
    let mut work: Vec<(usize, Option<Result<Trace, LimitError>>)> = (0..members.len()).map(|i| (i, None)).collect();
    par.each(&mut work, |_, (i, slot)| {
        let m = &members[*i];
        *slot = Some(match steppings[*i] {
            Stepping::Adaptive(tolerance, least) => {
                trace_unless(problem, (&m.net, &m.start), (taus, &[]), (tolerance, least), &|| settings.is_stopped())
            }
            Stepping::Coarse(steps) => coarse(problem, m, taus, steps),
        });
    });
    work.into_iter().filter_map(|(_, t)| t).collect()
}
