//! Follows one network until it rests, in stages; a stage is kept, so that a killed flow goes on from it to the same bits.
//!
//! Maths: eqs 2.7-2.8 of Gao et al. 2024; residual D/(lambda Q) with D = (1/ML) sum |G|^2 = -dQ/dtau.
//! Shapes: the start, a stage to tau = 1/(64 lambda), then stages to `GROWTH` times tau, none longer than 1/(4 lambda); five numbers a stage, all finite.
//! Cost: that of the flow.
//! Checked: `tests/stationary.rs` (interrupted flows end at the same bits).

use super::settings::StationaryConfig;
use crate::error::Error;
use crate::problem::Problem;
use crate::store;
use mckean_dynamics::{Evolution, Outcome, observe};
use mckean_num::par::Par;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Ratio of the ends of two stages.
const GROWTH: f64 = 1.2;
/// First stage and longest stage, in units of 1/lambda.
const STAGE: (f64, f64) = (1.0 / 64.0, 0.25);

/// What is seen at the end of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// Training time.
    pub tau: f64,
    /// Risk R.
    pub risk: f64,
    /// Objective Q.
    pub objective: f64,
    /// D/(lambda Q).
    pub residual: f64,
    /// Largest particle norm.
    pub radius: f64,
}

/// A flow at its end.
pub struct Settled {
    /// `rest`, `unsettled` (at the horizon), or how the flow ended early.
    pub outcome: String,
    /// All stages; the last is the end.
    pub seen: Vec<Seen>,
    /// Parameters at the end.
    pub parameters: Vec<f64>,
    /// Gradients taken.
    pub gradients: u64,
}

/// Outcome of a flow that rests.
pub const REST: &str = "rest";
/// Outcome of a flow that does not rest at the horizon.
pub const UNSETTLED: &str = "unsettled";

/// Follows `problem`, kept in the file `path` if there is one, as long as `may_go` says so; nothing when it was stopped.
///
/// # Errors
/// A damaged checkpoint, a folder that cannot be written.
pub fn settle(
    problem: &Problem,
    rules: &StationaryConfig,
    path: Option<&Path>,
    may_go: &dyn Fn() -> bool,
) -> Result<Option<Settled>, Error> {
    let lambda = problem.config.dynamics.weight_decay;
    let (mut flow, mut seen) = (problem.evolution(&Par::serial())?, vec![]);
    if let Some((saved, _)) = path.map(store::read_saved).transpose()?.flatten() {
        flow.restore(&saved)?;
        let all = saved.arrays.iter().find(|a| a.0 == STAGES).map_or(&[][..], |a| &a.1);
        seen.extend(all.chunks_exact(5).map(Seen::read));
    } else {
        seen.push(look(problem, &mut *flow));
    }
    let end = problem.config.dynamics.until;
    let mut reached = Outcome::Finished;
    loop {
        let last = seen[seen.len() - 1];
        if let Some(outcome) = ended(&last, reached, lambda, rules) {
            let (parameters, gradients) = (flow.parameters(), flow.work().gradients);
            return Ok(Some(Settled { outcome, seen, parameters, gradients }));
        }
        if !may_go() {
            return Ok(None);
        }
        let next = (GROWTH * last.tau).clamp(last.tau + STAGE.0 / lambda, last.tau + STAGE.1 / lambda);
        reached = flow.advance(next.min(end));
        seen.extend(Some(look(problem, &mut *flow)).filter(|s| s.numbers().iter().all(|x| x.is_finite())));
        if let Some(path) = path {
            let mut saved = flow.save();
            saved.arrays.push((STAGES.into(), seen.iter().flat_map(|s| s.numbers()).collect()));
            store::write_saved(path, &saved, &[])?;
        }
    }
}

const STAGES: &str = "stages";

/// How a flow ended, if it did.
fn ended(last: &Seen, reached: Outcome, lambda: f64, rules: &StationaryConfig) -> Option<String> {
    match reached {
        Outcome::Finished if last.residual <= rules.residual && last.tau * lambda >= 1.0 => Some(REST.into()),
        Outcome::Finished if last.tau * lambda >= rules.horizon * (1.0 - 1e-12) => Some(UNSETTLED.into()),
        Outcome::Finished => None,
        early => Some(early.name().into()),
    }
}

fn look(problem: &Problem, flow: &mut dyn Evolution) -> Seen {
    let (now, lambda) = (flow.measure(), problem.config.dynamics.weight_decay);
    let (tau, risk, objective) = (now.tau, now.risk, now.objective);
    let radius = observe::radius(&problem.net, &flow.parameters());
    Seen { tau, risk, objective, residual: now.dissipation / (lambda * objective), radius }
}

impl Seen {
    fn numbers(&self) -> [f64; 5] {
        [self.tau, self.risk, self.objective, self.residual, self.radius]
    }

    fn read(x: &[f64]) -> Seen {
        Seen { tau: x[0], risk: x[1], objective: x[2], residual: x[3], radius: x[4] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::stationary::cells::{Cell, Size, law};
    use std::cell::Cell as Counter;

    #[test]
    fn a_flow_stopped_in_the_middle_goes_on_to_the_same_bits() {
        let text = "[data]\nname = \"in_context\"\nx_dim = 1\ncontext = 2\ntrain = 4\n[model]\ndepth = 2\nheads = 4\nneurons = 4\nreadout_row = 1\n[init]\nscale = 2.0\n";
        let config = Config::parse(text, "test", &[]).unwrap();
        let cell = Cell { lambda: 3e-2, size: Size::Finite(4, 2), seed: 0 };
        let rules = config.stationary.clone();
        let problem = cell.problem(&config, &law(&config).unwrap(), &rules).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("1.safetensors"), folder.path().join("2.safetensors"));
        let whole = settle(&problem, &rules, Some(&one), &|| true).unwrap().unwrap();
        assert_eq!(whole.outcome, REST);
        let left = Counter::new(7);
        let may_go = || left.replace(left.get() - 1) > 0;
        assert!(settle(&problem, &rules, Some(&two), &may_go).unwrap().is_none(), "stopped after seven stages");
        let rest = settle(&problem, &rules, Some(&two), &|| true).unwrap().unwrap();
        assert!(whole.seen == rest.seen && whole.parameters == rest.parameters && whole.gradients == rest.gradients);
        let soon = StationaryConfig { residual: 1e-13, horizon: 1.0, ..rules };
        let mut early = problem;
        early.config.dynamics.until = soon.horizon / cell.lambda;
        let path = folder.path().join("3.safetensors");
        assert_eq!(settle(&early, &soon, Some(&path), &|| true).unwrap().unwrap().outcome, "unsettled");
    }
}
