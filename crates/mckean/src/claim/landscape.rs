//! Lemma E.1: with risk left there is a law nu towards which the objective falls, but for a multiple of lambda.
//!
//! Maths: int dQ/drho (nu - rho) <= C_1 lambda - C_2 R at one depth t*, nu as in appendix F.7 of Gao et al. 2024 (`mckean_analysis::certificate::descent`),
//! C_2 = e^(-2 C_0)/4. DERIVED: C_1 = (|nu|^2 + |rho|^2)/2; the accuracy of nu is relative to p, so that C_1 might grow as the risk falls. Whether one C_1
//! serves is what is measured. The lemma's constants belong to a radius of rho: those of whole flows, from the start on, are taken at the largest weight
//! decay and held against whole flows at the smaller ones, where less risk is left; those of states at rest, apart, against states at rest.
//! Shapes: states of `looks` training times and at rest, for each of `lambdas`, every sublayer of heads, each seed.
//! Cost: one flow to rest a weight decay and seed; a fit and Jacobians a state.
//! Checked: `tests/claims.rs`; the left side against differences of Q in `certificate/descent.rs`.

use super::{Context, Found, sample};
use crate::config::Config;
use crate::error::Error;
use crate::problem::Problem;
use crate::stationary::{Cell, Size, StationaryConfig, law, settle};
use mckean_analysis::certificate::descent::{Descent, descent};
use mckean_analysis::verdict::larger;
use mckean_analysis::{AnalysisError, View};
use mckean_dynamics::Outcome;
use mckean_dynamics::limit::Problem as Law;
use mckean_model::Role;
use mckean_num::par::Par;

/// nu at one state.
struct State {
    lambda: f64,
    risk: f64,
    /// Which of the training times; one more at rest.
    stage: usize,
    nu: Descent,
}

impl State {
    /// (left side + C_2 R)/lambda.
    fn needed(&self, share: f64) -> f64 {
        (self.nu.left + share * self.risk) / self.lambda
    }
}

/// What a claim asks of every flow.
struct Asked {
    config: Config,
    law: Law,
    rules: StationaryConfig,
    looks: Vec<f64>,
    accuracy: f64,
}

/// Largest share of C_1 that is needed where C_1 was not measured.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let (lambdas, seeds, config) = (c.positives("lambdas", 2)?, c.count("seeds")?, c.claim.problem(&[])?);
    let rules = StationaryConfig { residual: c.positive("residual")?, ..config.stationary.clone() };
    let law = law(&config)?;
    let asked = Asked { law, rules, looks: c.list("looks")?, accuracy: c.positive("accuracy")?, config };
    let size = Size::Finite(asked.config.model.heads, asked.config.model.depth);
    let at = |seed: usize| lambdas.iter().map(move |&lambda| (Cell { lambda, size, seed }, None));
    let mut flows: Vec<_> = (0..seeds).flat_map(at).collect();
    c.par.each(&mut flows, |_, (cell, states)| *states = Some(asked.states(cell)));
    let mut all: Vec<Vec<State>> = (0..seeds).map(|_| vec![]).collect();
    for (cell, states) in flows {
        match states.transpose() {
            Ok(states) => all[cell.seed].extend(states.unwrap_or_default()),
            Err(Error::Analysis(AnalysisError::NotTestable(why))) => {
                return Ok(Found::not_testable(why));
            }
            Err(e) => return Err(e),
        }
    }
    Ok(found(&all, &lambdas, asked.looks.len()))
}

impl Asked {
    /// nu at every stage of a flow and every sublayer of heads.
    fn states(&self, cell: &Cell) -> Result<Vec<State>, Error> {
        let p = cell.problem(&self.config, &self.law, &self.rules)?;
        let heads: Vec<usize> = (0..p.net.sublayers.len()).filter(|&k| p.net.sublayers[k].role == Role::Head).collect();
        let mut all = vec![];
        for (stage, theta) in self.stages(&p)?.into_iter().enumerate() {
            let view = View::new(p.net.clone(), p.train.clone(), theta, cell.lambda)?;
            for &k in &heads {
                let nu = descent(&view, k, self.accuracy)?;
                all.push(State { lambda: cell.lambda, risk: view.trace.risk(), stage, nu });
            }
        }
        Ok(all)
    }

    /// Parameters at the training times of `looks`, and at rest.
    fn stages(&self, p: &Problem) -> Result<Vec<Vec<f64>>, Error> {
        let mut flow = p.evolution(&Par::serial())?;
        let mut at = |tau: &f64| match flow.advance(*tau) {
            Outcome::Finished => Ok(flow.parameters()),
            early => Err(AnalysisError::NotTestable(format!("a flow ends {} before tau = {tau}", early.name()))),
        };
        let mut all = self.looks.iter().map(&mut at).collect::<Result<Vec<Vec<f64>>, _>>()?;
        let end = settle::settle(p, &self.rules, None, &|| true)?.expect("nothing stops it");
        if end.outcome != settle::REST {
            let why =
                format!("a flow at lambda = {} ends {}, not at rest", p.config.dynamics.weight_decay, end.outcome);
            return Err(AnalysisError::NotTestable(why).into());
        }
        all.push(end.parameters);
        Ok(all)
    }
}

fn found(all: &[Vec<State>], lambdas: &[f64], rest: usize) -> Found {
    let worst: Vec<f64> = all.iter().map(|states| worst(states, lambdas[0], rest)).collect();
    let value = largest(worst.iter().copied());
    let curve: Vec<String> = lambdas.iter().map(|&l| words(all, l, rest)).collect();
    let (mean, interval) = sample::mean(&worst);
    let spread = interval.map_or(String::new(), |(a, b)| format!(" [{a:.3}, {b:.3}]"));
    let way = largest(all.iter().flatten().filter(|s| s.stage < rest).map(|s| s.nu.constant()));
    let (seeds, curve) = (all.len(), curve.join("; "));
    let words = format!("mean over {seeds} seeds {mean:.3}{spread}; at rest {curve}; on the way C_1 up to {way:.0}");
    Found { value, words, ..Default::default() }
}

fn largest(x: impl Iterator<Item = f64>) -> f64 {
    sample::largest(f64::NEG_INFINITY, x)
}

/// Largest (left side + C_2 R)/(C_1 lambda) at the smaller weight decays, with C_1 and C_2 of the same states at `lambda`: all, and those at rest.
fn worst(states: &[State], lambda: f64, rest: usize) -> f64 {
    let from = |first: usize| {
        let (own, others): (Vec<&State>, Vec<&State>) =
            states.iter().filter(|s| s.stage >= first).partition(|s| s.lambda == lambda);
        let constant = largest(own.iter().map(|s| s.nu.constant()));
        let share = -largest(own.iter().map(|s| -s.nu.share()));
        largest(others.iter().map(|s| s.needed(share) / constant))
    };
    larger(from(0), from(rest))
}

/// What the states at rest at one weight decay need, over seeds and depths.
fn words(all: &[Vec<State>], lambda: f64, rest: usize) -> String {
    let at: Vec<&State> = all.iter().flatten().filter(|s| s.stage == rest && s.lambda == lambda).collect();
    let most = |of: &dyn Fn(&State) -> f64| largest(at.iter().map(|s| of(s)));
    let least = |of: &dyn Fn(&State) -> f64| -most(&|s| -of(s));
    format!(
        "lambda {lambda:.0e}: R {:.1e}, (left + C_2 R)/lambda {:.1} at most, C_1 {:.1} to {:.1}, C_2 {:.3} at least",
        most(&|s| s.risk),
        most(&|s| s.needed(s.nu.share())),
        least(&|s| s.nu.constant()),
        most(&|s| s.nu.constant()),
        least(&|s| s.nu.share())
    )
}
