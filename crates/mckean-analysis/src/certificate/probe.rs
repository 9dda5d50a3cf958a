//! One particle held against the samples at one depth: the first variation of the objective, and its best value.
//!
//! Maths: eq. (3.4) of Gao et al. 2024, one part: V(alpha) = 1/2 E tr(g(T, alpha)^T p) + lambda/2 |alpha|^2. Encoders are linear in their output map
//! alpha_1, so with A(alpha_2) = E grad_{alpha_1} tr(g^T p) the best alpha_1 is -A/(2 lambda), of value -|A|^2/(8 lambda) + lambda/2 |alpha_2|^2 (derived).
//! f is paired with (T(t), p(t + dt/2)), h with (T(t + dt/2), p(t + dt)).
//! Shapes: a particle is its tensors one after the other; A has its length, zero outside the output map.
//! Cost: one vector-Jacobian product of one particle over all samples.
//! Checked: tests below (differences, the closed form against a search).

use super::View;
use mckean_engine::Cloud;
use mckean_model::Role;

/// The samples at one depth, ready to be met by particles.
pub struct Probe<'a> {
    view: &'a View,
    k: usize,
    /// Heads or neurons.
    pub role: Role,
    /// Adjoint behind the sublayer, divided by the number of samples.
    adjoint: Vec<f64>,
    /// Which numbers of a particle belong to its output map alpha_1.
    pub outer: Vec<bool>,
}

impl<'a> Probe<'a> {
    /// At sublayer `k`.
    pub fn new(view: &'a View, k: usize) -> Self {
        let role = view.net().sublayers[k].role;
        let samples = view.data.samples as f64;
        let adjoint = view.trace.adjoints[k + 1].iter().map(|p| p / samples).collect();
        let outer = outer(view, role);
        Probe { view, k, role, adjoint, outer }
    }

    /// The particles of this sublayer, with weights that sum to one in mean-field scaling.
    pub fn particles(&self) -> Vec<(f64, Vec<f64>)> {
        let (net, view) = (self.view.net(), self.view);
        let one = |(j, scale): (usize, &f64)| (scale / net.config.step(), view.maps.particle(&view.theta, self.k, j));
        net.scales(self.role, net.sublayers[self.k].slice).iter().enumerate().map(one).collect()
    }

    /// E grad_alpha tr(g(T, alpha)^T p).
    pub fn gradient(&self, alpha: &[f64]) -> Vec<f64> {
        let cloud = Cloud { role: self.role, theta: alpha, scales: &[1.0] };
        self.view.maps.pull(cloud, &self.view.trace.states[self.k], &self.adjoint).1
    }

    /// A(alpha_2): the gradient in the output map, which does not depend on it.
    pub fn pairing(&self, alpha: &[f64]) -> Vec<f64> {
        let g = self.gradient(alpha);
        g.iter().zip(&self.outer).map(|(g, outer)| if *outer { *g } else { 0.0 }).collect()
    }

    /// V(alpha).
    pub fn value(&self, alpha: &[f64]) -> f64 {
        let a = self.pairing(alpha);
        let tr: f64 = a.iter().zip(alpha).map(|(a, b)| a * b).sum();
        0.5 * tr + 0.5 * self.view.lambda * square(alpha)
    }

    /// Least value over alpha_1 at this alpha_2, and its gradient in alpha_2 (zero in the output map). Needs lambda > 0.
    pub fn best(&self, alpha: &[f64]) -> (f64, Vec<f64>) {
        let lambda = self.view.lambda;
        let a = self.pairing(alpha);
        let inner = |x: &[f64]| x.iter().zip(&self.outer).map(|(x, o)| if *o { 0.0 } else { *x }).collect::<Vec<_>>();
        let alpha_2 = inner(alpha);
        let mixed: Vec<f64> = a.iter().zip(&alpha_2).map(|(a, b)| a + b).collect();
        let slope = inner(&self.gradient(&mixed)); // of |A|^2/2
        let gradient = slope.iter().zip(&alpha_2).map(|(s, b)| lambda * b - s / (4.0 * lambda)).collect();
        (0.5 * lambda * square(&alpha_2) - square(&a) / (8.0 * lambda), gradient)
    }

    /// Half of |A|^2 at this alpha_2, and its gradient there.
    pub fn strength(&self, alpha: &[f64]) -> (f64, Vec<f64>) {
        let a = self.pairing(alpha);
        let mixed: Vec<f64> =
            a.iter().zip(alpha).zip(&self.outer).map(|((a, b), o)| if *o { *a } else { *b }).collect();
        let mut slope = self.gradient(&mixed);
        slope.iter_mut().zip(&self.outer).for_each(|(s, o)| *s = if *o { 0.0 } else { *s });
        (0.5 * square(&a), slope)
    }
}

/// Which numbers of a particle belong to its output map.
pub fn outer(view: &View, role: Role) -> Vec<bool> {
    view.maps.tensors(role).iter().flat_map(|t| std::iter::repeat_n(t.sums_particles, t.len())).collect()
}

/// |x|^2.
pub fn square(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{small, view};
    use super::*;
    use mckean_model::ModelConfig;

    fn settings() -> Vec<ModelConfig> {
        let qkvo = ModelConfig { attention: "qkvo".into(), head_dim: 2, hidden: 2, ..small() };
        vec![small(), qkvo]
    }

    #[test]
    fn the_value_is_the_trace_written_out() {
        for m in settings() {
            let v = view(&m, 4, 0.7, 0.3);
            for k in 0..2 {
                let (probe, alpha) = (Probe::new(&v, k), v.maps.particle(&v.theta, k, 1));
                let cloud = Cloud { role: probe.role, theta: &alpha, scales: &[1.0] };
                let g = v.maps.forward(cloud, &v.trace.states[k]);
                let tr: f64 = g.iter().zip(&v.trace.adjoints[k + 1]).map(|(g, p)| g * p).sum::<f64>() / 4.0;
                assert!((probe.value(&alpha) - 0.5 * tr - 0.15 * square(&alpha)).abs() < 1e-13);
            }
        }
    }

    #[test]
    fn the_best_output_map_beats_all_others_and_its_gradient_is_a_difference() {
        for m in settings() {
            let v = view(&m, 4, 0.7, 0.3);
            for k in 0..2 {
                let probe = Probe::new(&v, k);
                let mut alpha = v.maps.particle(&v.theta, k, 0);
                let (best, gradient) = probe.best(&alpha);
                let a = probe.pairing(&alpha);
                for i in 0..alpha.len() {
                    if probe.outer[i] {
                        alpha[i] = -a[i] / 0.6;
                    }
                }
                assert!((probe.value(&alpha) - best).abs() < 1e-13);
                for i in 0..alpha.len() {
                    let mut other = alpha.clone();
                    other[i] += 0.01;
                    assert!(!probe.outer[i] || probe.value(&other) > best);
                    let at = |h: f64| {
                        let mut x = alpha.clone();
                        x[i] += h;
                        probe.best(&x).0
                    };
                    assert!((gradient[i] - (at(1e-5) - at(-1e-5)) / 2e-5).abs() < 1e-8, "sublayer {k} entry {i}");
                }
            }
        }
    }
}
