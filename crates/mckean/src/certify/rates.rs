//! What the certificates predict, against what the run did.
//!
//! Maths: dR/dtau = -r^T K r/n^2 - lambda <grad R, beta>; without weight decay R decays at least at rate 2 lambda_min(K)/n while lambda_min holds
//! (derived); explicit Euler is stable below 2 n/lambda_max near R = 0; mean |beta|^2 <= (2/lambda) Q(0).
//! Shapes: one row a prediction.
//! Cost: a short stretch of the flow, a power iteration.
//! Checked: tests below, `tests/certify.rs`.

use super::Looked;
use super::state::Run;
use crate::error::Error;
use crate::problem::Problem;
use mckean_analysis::Verdict;
use mckean_analysis::verdict::smaller;
use mckean_data::Dataset;
use mckean_dynamics::config::Kind;
use mckean_dynamics::objective::{Objective, second_moment};
use mckean_dynamics::stability;
use mckean_engine::Risk;
use mckean_num::par::Par;
use serde::{Deserialize, Serialize};

/// A prediction and a measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// What is compared.
    pub name: String,
    /// Prediction.
    pub predicted: Option<f64>,
    /// Measurement.
    pub measured: Option<f64>,
    /// Whether the measurement is what the prediction allows.
    pub verdict: Verdict,
    /// How they are compared, or why they cannot be.
    pub words: String,
}

/// Relative gap between two rates that should be equal.
const EQUAL: f64 = 0.02;
/// The same between a power iteration, curvature of the residual included, and the kernel alone.
const ALIKE: f64 = 0.5;
/// Share of the risk of outputs 0 up to which residuals count as small.
const SMALL: f64 = 0.01;

/// Share of the first risk below which a risk is rounding.
const FLOOR: f64 = 1e-10;

/// Predictions at one state.
pub fn at_start(problem: &Problem, at: &Looked, par: &Par) -> Result<Vec<Rate>, Error> {
    Ok(vec![instant("decay rate of R at tau = 0", problem, at, par)?, stable(problem, at, par)?])
}

/// Predictions for a run.
pub fn of_run(run: &Run, start: &Looked, end: &Looked, par: &Par) -> Result<Vec<Rate>, Error> {
    let problem = &run.problem;
    Ok(vec![
        instant("decay rate of R at tau = 0", problem, start, par)?,
        instant("decay rate of R at the end", problem, end, par)?,
        decay(run, start, end),
        stable(problem, end, par)?,
        moment(run),
    ])
}

fn not_testable(name: &str, why: impl ToString) -> Rate {
    Rate { name: name.into(), predicted: None, measured: None, verdict: Verdict::NotTestable, words: why.to_string() }
}

fn compared(name: &str, predicted: f64, measured: f64, holds: bool, words: String) -> Rate {
    let verdict = if holds { Verdict::Holds } else { Verdict::Fails };
    Rate { name: name.into(), predicted: Some(predicted), measured: Some(measured), verdict, words }
}

/// The kernel's rate of decay of R now against a short central step along the flow.
fn instant(name: &str, problem: &Problem, at: &Looked, par: &Par) -> Result<Rate, Error> {
    let k = match &at.kernel {
        Ok(k) => k,
        Err(e) => return Ok(not_testable(name, e)),
    };
    let (view, lambda) = (&at.view, problem.config.dynamics.weight_decay);
    let risk = Risk::<f64>::new(problem.net.clone(), view.data.clone(), par.clone())?;
    let mut q = Objective::new(risk, lambda);
    let mut velocity = vec![0.0; view.theta.len()];
    q.velocity(&view.theta, &mut velocity);
    let step = 1e-4 * k.stable_step();
    let at = |h: f64| view.theta.iter().zip(&velocity).map(|(b, v)| b + h * v).collect::<Vec<_>>();
    let mut value = |h: f64| q.value(&at(h)).sums.risk;
    let measured = (value(-step) - value(step)) / (2.0 * step * k.risk);
    let scale = (k.decay.abs() + k.pull.abs()) / k.risk;
    let pull = if lambda == 0.0 { "no weight decay".into() } else { format!("{:.3e} (weight decay)", k.pull / k.risk) };
    let words = format!(
        "equal to within {:.0} % of its parts {:.3e} (kernel) and {pull}; measured by a short step of the flow",
        100.0 * EQUAL,
        k.decay / k.risk
    );
    Ok(compared(name, k.now(), measured, (k.now() - measured).abs() <= EQUAL * scale, words))
}

/// The least rate promised by the kernels at both ends against the rate of the run.
fn decay(run: &Run, start: &Looked, end: &Looked) -> Rate {
    let name = "decay rate of R over the run";
    let config = &run.problem.config.dynamics;
    let (a, b) = match (&start.kernel, &end.kernel) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(e), _) | (_, Err(e)) => return not_testable(name, e),
    };
    let (Some(tau), Some(risk)) = (run.table.column("tau"), run.table.column("risk")) else {
        return not_testable(name, "the run has no risk in its metrics");
    };
    if config.kind != Kind::Flow || tau.len() < 3 || start.view.data.samples < run.problem.train.samples {
        return not_testable(
            name,
            "needs a flow with three observations, on no more samples than a certificate looks at",
        );
    }
    let Some(slowest) = slowest(tau, risk) else {
        return not_testable(name, format!("no observation after the first has R above {FLOOR} of the first one's"));
    };
    let promised = a.promised().min(b.promised());
    let words = format!(
        "slowest between observations, at least 2 lambda_min/n of the kernels at both ends ({:.3e}, {:.3e})",
        a.promised(),
        b.promised()
    );
    if config.weight_decay > 0.0 {
        let words = format!("{words}; with weight decay R comes to rest above 0 and the promise ends there");
        let row = compared(name, promised, slowest, true, words);
        return Rate { verdict: if slowest >= promised { Verdict::Holds } else { Verdict::NotTestable }, ..row };
    }
    compared(name, promised, slowest, slowest >= promised * (1.0 - EQUAL), words)
}

/// Least rate of decay of R between observations in a row that are above rounding; NaN with any that is none.
fn slowest(tau: &[f64], risk: &[f64]) -> Option<f64> {
    let seen = (1..tau.len()).filter(|&i| risk[i] > FLOOR * risk[0] || risk[i].is_nan());
    seen.map(|i| (risk[i - 1] / risk[i]).ln() / (tau[i] - tau[i - 1])).reduce(smaller)
}

/// The squared loss of outputs 0: what residuals are small against.
fn silent(data: &Dataset) -> f64 {
    0.5 * data.one_hot_values().iter().map(|y| y * y).sum::<f64>() / data.samples as f64
}

/// 2 n/lambda_max against the power iteration on the whole second derivative.
fn stable(problem: &Problem, at: &Looked, par: &Par) -> Result<Rate, Error> {
    let name = "largest stable step";
    let k = match &at.kernel {
        Ok(k) => k,
        Err(e) => return Ok(not_testable(name, e)),
    };
    let lambda = problem.config.dynamics.weight_decay;
    let rate = stability::largest_rate(&problem.net, &at.view.data, &at.view.theta, lambda, 30, par)?;
    let (predicted, measured) = (2.0 / (2.0 / k.stable_step() + lambda), 2.0 / rate);
    let share = k.risk / silent(&at.view.data);
    let words = format!(
        "2/(lambda_max/n + lambda) against a power iteration on second derivatives; alike to within {:.0} % where residuals are small, and here R is \
         {:.1} % of that of outputs 0",
        100.0 * ALIKE,
        100.0 * share
    );
    let alike = (predicted / measured - 1.0).abs() <= ALIKE;
    let row = compared(name, predicted, measured, alike, words);
    Ok(if share <= SMALL { row } else { Rate { verdict: Verdict::NotTestable, ..row } })
}

/// (2/lambda) Q(0) against the second moment at the end.
fn moment(run: &Run) -> Rate {
    let (name, lambda) = ("mean |beta|^2 at the end", run.problem.config.dynamics.weight_decay);
    let first = run.table.column("objective").and_then(|q| q.first().copied());
    let (Some(first), true) = (first, lambda > 0.0) else {
        return not_testable(name, "the bound (2/lambda) Q(0) needs weight decay");
    };
    let (bound, measured) = (2.0 * first / lambda, second_moment(&run.end, &run.problem.net.speeds()));
    compared(name, bound, measured, measured <= bound, "at most (2/lambda) Q(0)".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_of_a_run_are_the_slowest_and_none_without_observations() {
        let tau = [0.0, 1.0, 3.0, 4.0];
        let found = slowest(&tau, &[8.0, 4.0, 2.0, 0.1]).unwrap();
        assert!((found - 0.5 * 2f64.ln()).abs() < 1e-15, "{found}");
        assert_eq!(slowest(&tau, &[1.0, 1e-11, 1e-12, 0.0]), None, "all of it is rounding");
        assert!(slowest(&tau, &[8.0, 4.0, f64::NAN, 0.1]).unwrap().is_nan());
        assert!(slowest(&tau, &[f64::NAN; 4]).unwrap().is_nan());
    }
}
