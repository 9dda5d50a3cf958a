//! Measured orders of the integrators on the flow of a real network.
//!
//! Maths: order p means that halving the step divides the error by 2^p; errors against a much finer run of order 5.
//! Shapes: one small GELU network, since kinks of other activations cost Runge-Kutta methods their order.
//! Cost: a few thousand gradients of a small network.
//! Checked: tests of `verify`; a wrong weight in a tableau was seen to fail here.

use super::problem::{Problem, distance, largest_gap};
use super::settings::theory;
use super::{Fault, Suite};
use mckean_dynamics::config::Scheme;
use mckean_dynamics::{DynamicsConfig, Evolution, Outcome};
use mckean_num::par::Par;

/// Where the comparison is made.
const UNTIL: f64 = 1.0;

/// So few samples that the flow is far from linear.
const SAMPLES: usize = 2;

/// Scheme, name, order and number of steps of the coarser run.
const SCHEMES: [(Scheme, &str, f64, usize); 4] = [
    (Scheme::Euler, "euler", 1.0, 100),
    (Scheme::Heun, "heun", 2.0, 20),
    (Scheme::Rk4, "rk4", 4.0, 10),
    (Scheme::Adaptive, "adaptive", 5.0, 14),
];

pub fn all(suite: &mut Suite) {
    for (scheme, name, order, steps) in SCHEMES {
        suite.finding(format!("{name} has order {order}"), 0.15, |par| {
            let measured = measured_order(scheme, steps, par)?;
            Ok(((measured - order).abs(), format!("measured order {measured:.3} and order {order}")))
        });
    }
    let what = "end point at tolerance 1e-8 and that of a much finer run, largest entry";
    suite.check("adaptive keeps its tolerance", what, 1e-6, adaptive_error);
}

fn measured_order(scheme: Scheme, steps: usize, par: &Par) -> Result<f64, Fault> {
    let p = Problem::new(&theory(), SAMPLES)?;
    let exact = end_point(&p, Scheme::Adaptive, 400, par)?;
    let error = |steps| Ok::<f64, Fault>(distance(&end_point(&p, scheme, steps, par)?, &exact));
    Ok((error(steps)? / error(2 * steps)?).log2())
}

/// Parameters at the end of `steps` equal steps; the tolerances are so loose that the controller never interferes.
fn end_point(p: &Problem, scheme: Scheme, steps: usize, par: &Par) -> Result<Vec<f64>, Fault> {
    let mut e = p.evolution(&config(scheme, UNTIL / steps as f64, 1e6), par)?;
    for k in 1..=steps {
        finished(e.advance(UNTIL * k as f64 / steps as f64))?;
    }
    let taken = e.work().steps;
    if taken == steps as u64 { Ok(e.parameters()) } else { Err(format!("{taken} steps instead of {steps}").into()) }
}

fn adaptive_error(par: &Par) -> Result<f64, Fault> {
    let p = Problem::new(&theory(), SAMPLES)?;
    let exact = end_point(&p, Scheme::Adaptive, 400, par)?;
    let mut e: Box<dyn Evolution> = p.evolution(&config(Scheme::Adaptive, 0.5, 1e-8), par)?;
    finished(e.advance(UNTIL))?;
    Ok(largest_gap(&e.parameters(), &exact))
}

fn config(integrator: Scheme, step: f64, tolerance: f64) -> DynamicsConfig {
    DynamicsConfig { integrator, step, rtol: tolerance, atol: tolerance, weight_decay: 0.1, ..Default::default() }
}

/// Anything but reaching the end is an error here.
pub fn finished(outcome: Outcome) -> Result<(), Fault> {
    match outcome {
        Outcome::Finished => Ok(()),
        other => Err(format!("the evolution ended as \"{}\"", other.name()).into()),
    }
}
