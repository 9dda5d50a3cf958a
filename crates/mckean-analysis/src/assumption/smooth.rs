//! A3: gradients of encoders are locally Lipschitz in expectation over the samples.
//!
//! Maths: A3 (i)-(iv) of Gao et al. 2024: E|D(T_1, a) - D(T_2, a')| over the distance, D = grad_a g or J_T g. The quotient of a Lipschitz D settles
//! as the distance shrinks; a jump at a sample makes it grow like 1/distance (derived: ReLU neurons, and heads with the ReLU kernel, on finitely
//! many samples: pre-activations or logits that vanish at a sample are kinks).
//! Shapes: four conditions a kind of particle.
//! Cost: `PROBES` times samples times two distances vector-Jacobian products; half of the particles are put where a kink would be.
//! Checked: tests below, `smooth/kink.rs` (ReLU fails as activation and as kernel, the others hold; the quotient of a known derivative).

use super::draws;
use crate::certificate::View;
use crate::verdict::{Condition, larger};
use mckean_engine::Cloud;
use mckean_model::Role;
use mckean_num::rng::{Draws, Seed};

mod kink;

const PROBES: usize = 24;
const SAMPLES: usize = 16;
/// Distances between which the quotient is compared.
const DISTANCES: [f64; 2] = [1e-2, 1e-5];
/// Growth of the quotient that still counts as settled; a jump gives 1000.
const SETTLED: f64 = 10.0;

/// One probe: a particle, a direction for it, a direction for states, a cotangent.
struct Ray {
    alpha: Vec<f64>,
    particle: Vec<f64>,
    state: Vec<f64>,
    cotangent: Vec<f64>,
}

/// The clauses for one kind of particle, `g` the paper's letter.
pub fn conditions(view: &View, role: Role, g: &str) -> Vec<Condition> {
    let clauses = [("i", "grad_a g in T"), ("ii", "J_T g in a"), ("iii", "grad_a g in a"), ("iv", "J_T g in T")];
    let asks = |what: &str| format!("E|difference of {what}| <= phi * distance");
    if let Err(e) = view.check() {
        return clauses.map(|(c, what)| Condition::not_testable(&format!("A3 ({c}) {g}"), &asks(what), &e)).into();
    }
    let found = quotients(view, role);
    let one = |(i, (clause, what)): (usize, (&str, &str))| {
        let (growth, constant) = found[i];
        let name = format!("A3 ({clause}) {g}");
        let words = format!("growth of the quotient from distance 1e-2 to 1e-5; largest constant {constant:.3}");
        Condition::at_most(&name, &asks(what), growth, SETTLED).words(words)
    };
    clauses.into_iter().enumerate().map(one).collect()
}

/// For each clause: largest growth of a probe's quotient, largest quotient at the shorter distance.
pub fn quotients(view: &View, role: Role) -> [(f64, f64); 4] {
    let k = view.net().sublayers.iter().position(|s| s.role == role).expect("the network has this kind");
    let size = view.net().tokens * view.net().dim;
    let states: Vec<&[f64]> = view.trace.states[k].chunks(size).take(SAMPLES).collect();
    let mut draws = Seed(0).stream("assumption.smooth").at(role as u64).open();
    let mut worst = [(0.0f64, 0.0f64); 4];
    for i in 0..PROBES {
        let ray = ray(view, role, &states, i, &mut draws);
        let [near, far] = DISTANCES.map(|h| differences(view, role, &states, &ray, h));
        for (w, (n, f)) in worst.iter_mut().zip(near.into_iter().zip(far)) {
            let floor = 1e-6; // rounding over the shorter distance
            *w = (larger(w.0, f / larger(n, floor)), larger(w.1, f));
        }
    }
    worst
}

fn ray(view: &View, role: Role, states: &[&[f64]], i: usize, draws: &mut Draws) -> Ray {
    let size = states[0].len();
    let mut alpha = draws::particle(view, role, draws, 1.0 + (i % 3) as f64);
    let x = states[i / 2 % states.len()];
    match role {
        _ if !i.is_multiple_of(2) => {}
        Role::Neuron => kink::of_unit(view, &mut alpha, x),
        _ => kink::of_logit(view, &mut alpha, x, i / 2),
    }
    let mut unit = |n: usize| {
        let x: Vec<f64> = (0..n).map(|_| draws.normal()).collect();
        let norm = x.iter().map(|x| x * x).sum::<f64>().sqrt();
        x.into_iter().map(|x| x / norm).collect::<Vec<_>>()
    };
    Ray { particle: unit(alpha.len()), state: unit(size), cotangent: unit(size), alpha }
}

/// Mean quotients of the four clauses at distance `h`, the larger one of both directions.
fn differences(view: &View, role: Role, states: &[&[f64]], ray: &Ray, h: f64) -> [f64; 4] {
    let pull =
        |x: &[f64], alpha: &[f64]| view.maps.pull(Cloud { role, theta: alpha, scales: &[1.0] }, x, &ray.cotangent);
    let far = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    let moved = |x: &[f64], u: &[f64], h: f64| x.iter().zip(u).map(|(x, u)| x + h * u).collect::<Vec<_>>();
    let mut worst = [0.0f64; 4];
    for sign in [1.0, -1.0] {
        let mut sums = [0.0; 4];
        let alpha = moved(&ray.alpha, &ray.particle, sign * h);
        for x in states {
            let (g_x, g) = pull(x, &ray.alpha);
            let (g_x_state, g_state) = pull(&moved(x, &ray.state, sign * h), &ray.alpha);
            let (g_x_particle, g_particle) = pull(x, &alpha);
            let own = [far(&g, &g_state), far(&g_x, &g_x_particle), far(&g, &g_particle), far(&g_x, &g_x_state)];
            sums.iter_mut().zip(own).for_each(|(s, o)| *s += o / (h * states.len() as f64));
        }
        worst.iter_mut().zip(sums).for_each(|(w, s)| *w = larger(*w, s));
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::tests::{small, view};
    use crate::verdict::Verdict;
    use mckean_model::{Activation, AttentionKernel, ModelConfig};

    #[test]
    fn only_relu_on_finitely_many_samples_fails() {
        for activation in [Activation::Relu, Activation::HubRelu, Activation::Gelu, Activation::Tanh] {
            let v = view(&ModelConfig { activation, ..small() }, 8, 0.5, 0.0);
            for (role, kinked) in [(Role::Head, false), (Role::Neuron, activation == Activation::Relu)] {
                let worst = quotients(&v, role).map(|q| q.0);
                assert_eq!(worst.iter().any(|w| *w > SETTLED), kinked, "{role:?} {activation:?} {worst:?}");
                assert!(worst.iter().all(|w| *w > 0.5), "a quotient that vanishes says nothing: {worst:?}");
            }
        }
    }

    #[test]
    fn only_the_relu_kernel_on_finitely_many_samples_fails() {
        use AttentionKernel::{Gaussian, Linear, NormalisedGaussian, Relu, Softmax};
        let vw = ModelConfig { activation: Activation::Tanh, ..small() };
        let factored = |name: &str| ModelConfig { attention: name.into(), head_dim: 2, ..vw.clone() };
        let causal = ModelConfig { causal: true, ..vw.clone() };
        for m in [vw.clone(), causal, factored("qkvo"), ModelConfig { head_dim: 3, ..factored("qkv") }] {
            for kernel in [Softmax, Gaussian, NormalisedGaussian, Linear, Relu] {
                let v = view(&ModelConfig { kernel, ..m.clone() }, 8, 0.5, 0.0);
                let worst = quotients(&v, Role::Head).map(|q| q.0);
                assert_eq!(worst.map(|w| w > SETTLED), [kernel == Relu; 4], "{} {kernel:?} {worst:?}", m.attention);
                assert!(quotients(&v, Role::Neuron).iter().all(|q| q.0 <= SETTLED));
            }
        }
    }

    #[test]
    fn states_that_are_not_finite_are_not_testable() {
        let all = conditions(&view(&small(), 2, 1e20, 0.0), Role::Head, "f");
        assert!(all.len() == 4 && all.iter().all(|c| c.verdict == Verdict::NotTestable && c.value.is_none()));
    }

    #[test]
    fn quotients_are_second_derivatives_where_they_exist() {
        let v = view(&ModelConfig { activation: Activation::Tanh, ..small() }, 1, 0.5, 0.0);
        let states: Vec<&[f64]> = vec![&v.trace.states[1]];
        let mut draws = Seed(4).stream("smooth.test").open();
        let ray = ray(&v, Role::Neuron, &states, 1, &mut draws);
        let [_, _, gradient, _] = differences(&v, Role::Neuron, &states, &ray, 1e-6);
        // second differences of <cotangent, h> in the particle, entry by entry
        let value = |alpha: &[f64]| {
            let out = v.maps.forward(Cloud { role: Role::Neuron, theta: alpha, scales: &[1.0] }, states[0]);
            out.iter().zip(&ray.cotangent).map(|(o, c)| o * c).sum::<f64>()
        };
        let mut square = 0.0;
        for e in 0..ray.alpha.len() {
            let at = |s: f64, t: f64| {
                let mut x: Vec<f64> = ray.alpha.iter().zip(&ray.particle).map(|(a, u)| a + s * u).collect();
                x[e] += t;
                value(&x)
            };
            let h = 1e-4;
            square += ((at(h, h) - at(h, -h) - at(-h, h) + at(-h, -h)) / (4.0 * h * h)).powi(2);
        }
        assert!((gradient / square.sqrt() - 1.0).abs() < 1e-3, "{gradient} {}", square.sqrt());
    }
}
