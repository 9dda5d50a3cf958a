//! Identities along a flow: energy, distance travelled, balances, moments, token norms; descent against the Euler flow.
//!
//! Maths: Q(0) - Q(tau) = int D; mean |beta(s2) - beta(s1)|^2 <= (s2 - s1)(Q(s1) - Q(s2)); balances decay as
//!   exp(-2 lambda tau); mean |beta|^2 <= (2/lambda) Q(0); |T(1)| below its certificate (Gao et al. 2024, section 3).
//! Shapes: small networks; one sample where kinks of ReLU would cost the integrator its order.
//! Cost: a few hundred gradients a check.
//! Checked: tests of `verify`; each was seen to fail when the flow was broken.

use super::super::orders::finished;
use super::super::problem::*;
use super::super::settings::theory;
use super::super::{Fault, Suite};
use mckean_analysis::verdict::larger;
use mckean_dynamics::config::{Kind, Rule, Scheme};
use mckean_dynamics::observe::{self, Log};
use mckean_dynamics::{DynamicsConfig, Evolution, Measurement, State};
use mckean_model::{Activation, AttentionKernel, ModelConfig};
use mckean_num::par::Par;

const LAMBDA: f64 = 0.05;

pub fn all(suite: &mut Suite) {
    let what = "objective lost and dissipation integrated by Simpson's rule, relative";
    suite.check("energy identity", what, 1e-8, energy);
    let what = "objective lost and the dissipation that the flow adds up, relative";
    suite.check("energy identity as logged", what, 1e-5, logged_energy);
    let what = "distance travelled squared over time times objective lost, largest ratio over ten intervals";
    suite.check("kinetic inequality", what, 1.0, |par| largest("kinetic_ratio", &theory(), 0.05, par));
    for (name, m) in balanced() {
        let what = "balances and their initial values times exp(-2 lambda tau), relative";
        suite.check(format!("balances of {name}"), what, 1e-6, |par| largest("balance_drift", &m, 0.01, par));
    }
    let what = "mean squared particle norm over 2 Q(0) / lambda, largest ratio";
    suite.check("second moment", what, 1.0, |par| bound("second_moment", par));
    let what = "largest token norm over its certificate, largest ratio";
    suite.check("forward certificate", what, 1.0, |par| bound("token_norm", par));
    let what = "parameters after 5 steps of gradient descent and of the Euler flow, largest entry";
    suite.check("gradient descent is the Euler flow", what, 1e-13, descent);
}

/// Settings whose flow keeps balances.
fn balanced() -> Vec<(&'static str, ModelConfig)> {
    let relu = ModelConfig { attention: "none".into(), activation: Activation::Relu, hidden: 2, ..theory() };
    let heads = |kernel| ModelConfig { attention: "qkvo".into(), feed_forward: "none".into(), kernel, ..theory() };
    vec![
        ("ReLU feed-forward", relu),
        ("factored softmax attention", heads(AttentionKernel::Softmax)),
        ("factored gaussian attention", heads(AttentionKernel::Gaussian)),
    ]
}

fn config(integrator: Scheme, step: f64) -> DynamicsConfig {
    DynamicsConfig { integrator, step, weight_decay: LAMBDA, ..Default::default() }
}

/// Advances in equal steps of `step` up to tau = 1 and hands every point to `look`, the first included.
fn walk(
    p: &Problem,
    c: &DynamicsConfig,
    steps: usize,
    par: &Par,
    look: &mut dyn FnMut(&dyn Evolution, Measurement),
) -> Result<(), Fault> {
    let mut e = p.evolution(c, par)?;
    for k in 0..=steps {
        finished(e.advance(k as f64 / steps as f64))?;
        let now = e.measure();
        look(&*e, now);
    }
    Ok(())
}

fn energy(par: &Par) -> Result<f64, Fault> {
    let (p, steps, mut seen) = (Problem::new(&theory(), 8)?, 100, vec![]);
    walk(&p, &config(Scheme::Rk4, 1.0 / steps as f64), steps, par, &mut |_, now| seen.push(now))?;
    let simpson = |k: usize| match k {
        0 => 1.0,
        _ if k == steps => 1.0,
        _ => 2.0 + 2.0 * (k % 2) as f64,
    };
    let spent: f64 =
        seen.iter().enumerate().map(|(k, now)| simpson(k) * now.dissipation).sum::<f64>() / 3.0 / steps as f64;
    Ok(((seen[0].objective - seen[steps].objective) / spent - 1.0).abs())
}

fn logged_energy(par: &Par) -> Result<f64, Fault> {
    let (p, mut seen) = (Problem::new(&theory(), 8)?, vec![]);
    walk(&p, &config(Scheme::Rk4, 0.01), 1, par, &mut |_, now| seen.push(now))?;
    Ok(((seen[0].objective - seen[1].objective) / seen[1].dissipated - 1.0).abs())
}

/// Logs of all observers at eleven times.
fn logs(p: &Problem, step: f64, par: &Par) -> Result<Vec<Log>, Fault> {
    let (mut observers, speeds, mut logs) = (observe::all(&p.net, LAMBDA), p.net.speeds(), vec![]);
    walk(p, &config(Scheme::Rk4, step), 10, par, &mut |e, now| {
        let (beta, mut log) = (e.parameters(), Log::default());
        for o in &mut observers {
            let (net, data_norm) = (&*p.net, p.data_norm());
            o.observe(State { net, beta: &beta, speeds: &speeds, lambda: LAMBDA, now, data_norm }, &mut log);
        }
        logs.push(log);
    })?;
    Ok(logs)
}

fn value(log: &Log, name: &str) -> Result<f64, Fault> {
    let found = log.values.iter().find(|(n, _)| n == name);
    Ok(found.ok_or_else(|| format!("no observer measures \"{name}\""))?.1)
}

/// Largest value of a column after the first observation (some compare with the one before); one sample, so that kinks are crossed rarely.
fn largest(column: &str, m: &ModelConfig, step: f64, par: &Par) -> Result<f64, Fault> {
    let logs = logs(&Problem::new(m, 1)?, step, par)?;
    logs[1..].iter().map(|log| value(log, column)).try_fold(0.0, |worst, x| Ok(larger(worst, x?)))
}

/// Largest ratio of a column to its bound.
fn bound(column: &str, par: &Par) -> Result<f64, Fault> {
    let logs = logs(&Problem::new(&theory(), 8)?, 0.05, par)?;
    let ratio = |log: &Log| Ok::<_, Fault>(value(log, column)? / value(log, &format!("{column}_bound"))?);
    logs.iter().map(ratio).try_fold(0.0, |worst, x| Ok(larger(worst, x?)))
}

fn descent(par: &Par) -> Result<f64, Fault> {
    let p = Problem::new(&theory(), 10)?;
    let (h, steps) = (0.05, 5.0);
    let gd = DynamicsConfig { kind: Kind::Descent, optimizer: Rule::Gd, learning_rate: h, ..config(Scheme::Euler, h) };
    let (mut gd, mut euler) = (p.evolution(&gd, par)?, p.evolution(&config(Scheme::Euler, h), par)?);
    finished(gd.advance(steps))?;
    finished(euler.advance(h * steps))?;
    Ok(largest_gap(&gd.parameters(), &euler.parameters()))
}
