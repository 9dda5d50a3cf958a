//! Depth methods: how the depth ODE of the continuous model is discretised, as tables of stages.
//!
//! Maths: T' = F(T, rho_t), F = (mean f + mean h)/2 (Gao et al., eq 3.1). "splitting" is the paper's network (eqs 2.1-2.4), order 1.
//! DERIVED: explicit midpoint with one slice a step (order 2), the classical Runge-Kutta method with slices shared between
//! neighbouring steps (order 4), Kutta's 3/8 rule (order 4; a step visits each of its slices once, so that independent particles of
//! the slices scatter less for the same work), two-node Gauss collocation by Picard sweeps (order 4 from the fourth sweep on).
//! Shapes: step s reads slices s * stride ... ; slice weights are the quadrature weights of the method and sum to one.
//! Cost: evaluations of the field a step: midpoint 2, rk4 and rk38 4, gauss2 2 * `SWEEPS`.
//! Checked: tests below; `mckean-engine/tests/depth.rs` (orders, transposes).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the blocks of a network follow each other in depth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DepthMethod {
    /// Attention, then feed-forward, block after block: the Transformer of the paper, order 1 in 1/L.
    #[default]
    Splitting,
    /// Explicit midpoint rule of the depth ODE, one slice of particles a step, order 2.
    Midpoint,
    /// Classical Runge-Kutta method of the depth ODE, 2 L + 1 slices, order 4.
    Rk4,
    /// Kutta's 3/8 rule for the depth ODE, 3 L + 1 slices, order 4.
    Rk38,
    /// Two-node Gauss collocation of the depth ODE by Picard sweeps, 2 L slices, order 4.
    Gauss2,
}

/// Picard sweeps of a Gauss step; each raises the order by one up to 4, the rest only shrink the remainder.
pub const SWEEPS: usize = 5;

/// One evaluation of the field: K_i = F(T + dt sum_j a_ij K_j, slice).
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Slice, counted from the first one of the step.
    pub slice: usize,
    /// (j, a_ij) with j < i and a_ij not 0.
    pub a: Vec<(usize, f64)>,
}

/// A Runge-Kutta step whose stages read slices of particles.
#[derive(Clone, Debug, PartialEq)]
pub struct Stages {
    /// Evaluations in order.
    pub stages: Vec<Stage>,
    /// T += dt sum_i b_i K_i.
    pub b: Vec<f64>,
    /// Slices from one step to the next.
    pub stride: usize,
}

impl DepthMethod {
    /// Slices of particles of a network with `steps` steps.
    pub fn slices(self, steps: usize) -> usize {
        match self {
            Self::Splitting | Self::Midpoint => steps,
            Self::Rk4 => 2 * steps + 1,
            Self::Rk38 => 3 * steps + 1,
            Self::Gauss2 => 2 * steps,
        }
    }

    /// One over the quadrature weight of a slice (exact for the network of the paper: L).
    pub fn inverse_weight(self, steps: usize, slice: usize) -> f64 {
        let s = steps as f64;
        match self {
            Self::Splitting | Self::Midpoint => s,
            Self::Gauss2 => 2.0 * s,
            Self::Rk4 if slice == 0 || slice == 2 * steps => 6.0 * s,
            Self::Rk4 if slice.is_multiple_of(2) => 3.0 * s,
            Self::Rk4 => 1.5 * s,
            Self::Rk38 if slice == 0 || slice == 3 * steps => 8.0 * s,
            Self::Rk38 if slice.is_multiple_of(3) => 4.0 * s,
            Self::Rk38 => 8.0 * s / 3.0,
        }
    }

    /// Depth t of a slice (splitting: where its block begins).
    pub fn time(self, steps: usize, slice: usize) -> f64 {
        let (s, k) = (steps as f64, slice as f64);
        match self {
            Self::Splitting => k / s,
            Self::Midpoint => (k + 0.5) / s,
            Self::Rk4 => 0.5 * k / s,
            Self::Rk38 => k / 3.0 / s,
            Self::Gauss2 => ((slice / 2) as f64 + 0.5 + if slice.is_multiple_of(2) { -NODE } else { NODE }) / s,
        }
    }

    /// The stages of one step; `None` for the paper's splitting.
    pub fn stages(self) -> Option<Stages> {
        let stage = |slice: usize, a: &[(usize, f64)]| Stage { slice, a: a.to_vec() };
        match self {
            Self::Splitting => None,
            Self::Midpoint => {
                Some(Stages { stages: vec![stage(0, &[]), stage(0, &[(0, 0.5)])], b: vec![0.0, 1.0], stride: 1 })
            }
            Self::Rk4 => Some(Stages {
                stages: vec![stage(0, &[]), stage(1, &[(0, 0.5)]), stage(1, &[(1, 0.5)]), stage(2, &[(2, 1.0)])],
                b: vec![1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0],
                stride: 2,
            }),
            Self::Rk38 => Some(Stages {
                stages: vec![
                    stage(0, &[]),
                    stage(1, &[(0, 1.0 / 3.0)]),
                    stage(2, &[(0, -1.0 / 3.0), (1, 1.0)]),
                    stage(3, &[(0, 1.0), (1, -1.0), (2, 1.0)]),
                ],
                b: vec![0.125, 0.375, 0.375, 0.125],
                stride: 3,
            }),
            Self::Gauss2 => Some(gauss2()),
        }
    }
}

/// Distance of a Gauss node from the middle of its step: sqrt(3)/6.
const NODE: f64 = 0.288_675_134_594_812_9;

fn gauss2() -> Stages {
    let a = [[0.25, 0.25 - NODE], [0.25 + NODE, 0.25]];
    let mut stages = vec![Stage { slice: 0, a: vec![] }, Stage { slice: 1, a: vec![] }];
    for sweep in 1..SWEEPS {
        let before = 2 * (sweep - 1);
        stages.extend((0..2).map(|i| Stage { slice: i, a: (0..2).map(|j| (before + j, a[i][j])).collect() }));
    }
    let mut b = vec![0.0; stages.len()];
    b[2 * SWEEPS - 2..].fill(0.5);
    Stages { stages, b, stride: 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slice_weights_sum_to_one_and_integrate_what_their_order_promises() {
        for (method, degree) in
            [(DepthMethod::Midpoint, 1), (DepthMethod::Rk4, 3), (DepthMethod::Rk38, 3), (DepthMethod::Gauss2, 3)]
        {
            for steps in [1, 2, 5] {
                for k in 0..=degree {
                    let one = |s| method.time(steps, s).powi(k) / method.inverse_weight(steps, s);
                    let sum: f64 = (0..method.slices(steps)).map(one).sum();
                    assert!((sum - 1.0 / f64::from(k + 1)).abs() < 1e-14, "{method:?} {steps} t^{k}: {sum}");
                }
            }
        }
    }

    #[test]
    fn stages_read_slices_of_their_step_at_their_own_times() {
        for method in [DepthMethod::Midpoint, DepthMethod::Rk4, DepthMethod::Rk38, DepthMethod::Gauss2] {
            let s = method.stages().unwrap();
            assert!((s.b.iter().sum::<f64>() - 1.0).abs() < 1e-15);
            let used = s.stages.iter().map(|s| s.slice).max().unwrap();
            assert_eq!(2 * s.stride + used + 1, method.slices(3), "{method:?}");
            let last = s.stages.last().unwrap();
            let c: f64 = last.a.iter().map(|a| a.1).sum();
            assert!((c - method.time(1, last.slice)).abs() < 1e-15, "{method:?}");
        }
    }
}
