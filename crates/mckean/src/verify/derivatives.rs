//! Values, gradients, velocities and second derivatives against definitions that share no derivative code.
//!
//! Maths: grad R . v = d/ds R(beta + s v); velocity = -(L/pi) grad Q (Gao et al. 2024, eqs 2.7-2.8); u.Hv = v.Hu.
//! Shapes: one small network per encoder, kernel, activation and option.
//! Cost: milliseconds a check; the plain definition on dual numbers is most of it.
//! Checked: tests of `verify`; each gap was seen to grow when the derivative under it was broken.

use super::problem::*;
use super::settings::*;
use super::{Fault, Suite};
use mckean_analysis::verdict::larger;
use mckean_dynamics::objective::Objective;
use mckean_engine::Batch;
use mckean_engine::reference::Plain;
use mckean_model::ModelConfig;
use mckean_num::lane::Dual;
use mckean_num::par::Par;

pub fn all(suite: &mut Suite) {
    for (name, m) in attentions().into_iter().chain(activations()).chain(options()) {
        first_order(suite, &name, &m);
    }
    for (name, m) in smooth() {
        second_order(suite, &name, &m);
    }
    velocities(suite);
    dropout(suite);
    for (name, m) in [("theory model", theory()), ("practical model", practical())] {
        let what = "gradient in f32 and in f64, relative";
        suite.check(format!("{name}: single precision"), what, 1e-4, |par| single(&m, par));
    }
}

fn first_order(suite: &mut Suite, name: &str, m: &ModelConfig) {
    let what = "risk of the engine and of the plain definition";
    suite.check(format!("{name}: value"), what, 1e-12, |par| Ok(plain_gaps(m, par)?.0));
    let what = "slope by the engine's gradient and by dual numbers through the plain definition";
    suite.check(format!("{name}: gradient"), what, 1e-11, |par| Ok(plain_gaps(m, par)?.1));
}

/// Gaps of value and directional derivative between engine and plain definition.
fn plain_gaps(m: &ModelConfig, par: &Par) -> Result<(f64, f64), Fault> {
    let p = Problem::new(m, 19)?;
    let (theta, v) = (p.draw("theta"), p.draw("direction"));
    let plain: Dual<f64> = Plain { net: &p.net, theta: &duals(&theta, &v) }.risk(&p.data);
    let (value, grad) = gradient(&mut p.risk::<f64>(par)?, &theta, &p.batch());
    Ok((gap(value, plain.re), gap(dot(&grad, &v), plain.eps)))
}

fn second_order(suite: &mut Suite, name: &str, m: &ModelConfig) {
    suite.check(format!("{name}: Hessian is symmetric"), "u.Hv and v.Hu", 1e-12, |par| symmetry(m, par));
    let what = "Hv and differences of gradients";
    suite.check(format!("{name}: Hessian"), what, 1e-8, |par| hessian(m, par));
}

fn symmetry(m: &ModelConfig, par: &Par) -> Result<f64, Fault> {
    let p = Problem::new(m, 9)?;
    let (theta, u, v, mut risk) = (p.draw("theta"), p.draw("u"), p.draw("v"), p.risk(par)?);
    let mut product = |x: &[f64]| hessian_product(&mut risk, &theta, x, &p.batch());
    let (hu, hv) = (product(&u), product(&v));
    Ok(gap(dot(&u, &hv), dot(&v, &hu)))
}

fn hessian(m: &ModelConfig, par: &Par) -> Result<f64, Fault> {
    let p = Problem::new(m, 9)?;
    let (theta, v, batch, h) = (p.draw("theta"), p.draw("v"), p.batch(), 2e-4);
    let exact = hessian_product(&mut p.risk(par)?, &theta, &v, &batch);
    let mut risk = p.risk::<f64>(par)?;
    let [a, b, c, d] = [h, -h, 2.0 * h, -2.0 * h].map(|s| gradient(&mut risk, &moved(&theta, s, &v), &batch).1);
    let slope = |i: usize| (8.0 * (a[i] - b[i]) - (c[i] - d[i])) / (12.0 * h);
    let differences: Vec<f64> = (0..theta.len()).map(slope).collect();
    Ok(relative_distance(&differences, &exact))
}

fn velocities(suite: &mut Suite) {
    let what = "velocity and -M L times central differences of Q, over all parameters";
    suite.check("velocity of the flow", what, 1e-8, |par| velocity(&theory(), par));
    let unequal = ModelConfig { head_weights: vec![1.0, 2.0, 5.0], ..theory() };
    let what = "velocity and -(L / weight) times central differences of Q, over all parameters";
    suite.check("velocity of the flow, unequal weights", what, 1e-8, |par| velocity(&unequal, par));
}

/// Distance of the velocity from minus speed times differences of Q, relative.
fn velocity(m: &ModelConfig, par: &Par) -> Result<f64, Fault> {
    let p = Problem::new(m, 9)?;
    let (beta, mut field) = (p.start(), Objective::new(p.risk::<f64>(par)?, 0.3));
    let mut velocity = vec![0.0; beta.len()];
    field.velocity(&beta, &mut velocity);
    let (speeds, mut point) = (speeds(&p), beta.clone());
    let mut expected = |i: usize| {
        let slope = difference(1e-3, |s| {
            point[i] = beta[i] + s;
            field.value(&point).objective()
        });
        point[i] = beta[i];
        -speeds[i] * slope
    };
    let expected: Vec<f64> = (0..beta.len()).map(&mut expected).collect();
    Ok(relative_distance(&velocity, &expected))
}

/// M L of every parameter, or L over the weight of its head, spelled out from the config alone.
fn speeds(p: &Problem) -> Vec<f64> {
    let (m, mut speeds) = (&p.net.config, vec![f64::NAN; p.net.parameters()]);
    let sum: f64 = m.head_weights.iter().sum();
    for t in &p.net.layout.tensors {
        let attention = t.name.contains(".attention.");
        for j in 0..t.shape[0] {
            let equal = if attention { m.heads as f64 } else { m.neurons as f64 };
            let inverse = if attention && sum > 0.0 { sum / m.head_weights[j] } else { equal };
            speeds[t.particle(j)].fill(m.depth as f64 * inverse);
        }
    }
    speeds
}

fn dropout(suite: &mut Suite) {
    let what = "slope with fixed masks and central differences of the masked risk";
    suite.check("practical model with dropout: gradient", what, 1e-9, |par| {
        let p = Problem::new(&ModelConfig { dropout: 0.3, ..practical() }, 12)?;
        let (theta, v, mut risk) = (p.draw("theta"), p.draw("v"), p.risk::<f64>(par)?);
        let batch = Batch { dropout: Some((0.3, 3)), ..p.batch() };
        let slope = dot(&gradient(&mut risk, &theta, &batch).1, &v);
        Ok(gap(difference(2e-4, |s| risk.value(&moved(&theta, s, &v), &batch).risk), slope))
    });
}

fn single(m: &ModelConfig, par: &Par) -> Result<f64, Fault> {
    let p = Problem::new(m, 21)?;
    let theta = p.draw("theta");
    let (a, double) = gradient(&mut p.risk::<f64>(par)?, &theta, &p.batch());
    let (b, float) = gradient(&mut p.risk::<f32>(par)?, &theta, &p.batch());
    Ok(larger(relative_distance(&float, &double), gap(b, a)))
}
