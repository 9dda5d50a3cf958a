//! A flow by few fixed steps in single precision: cheap, and nearly as wrong for one replicate as for another, so that a few
//! replicates followed both ways correct the mean of many.
//!
//! Maths: Heun's method with equal steps, cubic Hermite interpolation of the particles at the asked times. DERIVED: E[fine] = E[coarse] +
//! E[fine - coarse], both means from independent replicates (multilevel Monte Carlo, Giles 2008); measured with four steps to tau = 5,
//! the difference scatters 8 to 1000 times less than the curve.
//! Shapes: as `member::trace`.
//! Cost: two gradients a step and one more, a forward pass a time asked for.
//! Checked: `tests/limit.rs` (orders of the difference to the fine flow).

use super::member::{Member, Trace};
use super::{LimitError, Problem, Series};
use crate::config::Scheme;
use crate::evolution::Outcome;
use crate::integrator::RungeKutta;
use crate::objective::{Objective, second_moment};
use mckean_engine::{Batch, Risk};
use mckean_num::par::Par;
use std::time::Instant;

/// A particle system that moves by fixed steps.
struct Coarse {
    field: Objective<f32>,
    method: RungeKutta<f32>,
    /// Particles; their velocity is the first stage of `method`.
    beta: Vec<f32>,
    /// Particles and velocity before the last step.
    old: (Vec<f32>, Vec<f32>),
}

impl Coarse {
    /// The velocity at `beta`, once.
    fn look(&mut self) {
        self.field.velocity(&self.beta, self.method.first());
    }

    /// One step of length `h` from where `look` was; what was before it is in `old`.
    fn step(&mut self, h: f64) {
        self.old.1.copy_from_slice(self.method.first());
        self.old.0.copy_from_slice(&self.beta);
        self.method.step(&mut self.field, h, &self.old.0, &mut self.beta);
        self.look();
    }

    /// Particles at the share `s` of the last step, of length `h`.
    fn between(&mut self, s: f64, h: f64, at: &mut [f32]) {
        let weights = [(1.0 + 2.0 * s) * (1.0 - s) * (1.0 - s), h * s * (1.0 - s) * (1.0 - s)];
        let ends = [s * s * (3.0 - 2.0 * s), h * s * s * (s - 1.0)];
        let ([a, b], [c, d]) = (weights.map(|x| x as f32), ends.map(|x| x as f32));
        let (old, new) = (self.old.0.iter().zip(&self.old.1), self.beta.iter().zip(self.method.first()));
        for (x, ((y, v), (z, w))) in at.iter_mut().zip(old.zip(new)) {
            *x = a * y + b * v + c * z + d * *w;
        }
    }
}

/// Follows the flow of a member through `taus` by `steps` equal steps.
///
/// # Errors
/// Unknown encoders.
pub(super) fn coarse(problem: &Problem, member: &Member, taus: &[f64], steps: usize) -> Result<Trace, LimitError> {
    let begun = Instant::now();
    let risk = || Risk::<f32>::new(member.net.clone(), problem.data.clone(), Par::serial());
    let beta: Vec<f32> = member.start.iter().map(|x| *x as f32).collect();
    let mut c = Coarse {
        field: Objective::new(risk()?, problem.lambda),
        method: RungeKutta::new(Scheme::Heun, beta.len()),
        old: (beta.clone(), vec![0.0; beta.len()]),
        beta,
    };
    let (batch, mut reader, mut at) = (Batch::first(problem.data.samples), risk()?, c.beta.clone());
    let mut out = vec![0.0; problem.data.samples * member.net.reader.outputs];
    let (mut series, mut outcome, mut done) = (Series::default(), Outcome::Finished, 0);
    let h = taus.last().copied().unwrap_or(0.0) / steps as f64;
    c.look();
    for &tau in taus {
        while done < steps && tau > done as f64 * h * (1.0 + 1e-12) {
            c.step(h);
            done += 1;
        }
        if done > 0 {
            c.between(((tau - (done - 1) as f64 * h) / h).min(1.0), h, &mut at);
        }
        let now = reader.outputs(&at, &batch, &mut out).risk;
        if !now.is_finite() {
            outcome = Outcome::Diverged { tau };
            break;
        }
        series.push(now, now + c.field.penalty(&at), second_moment(&at, &c.field.speeds), &out);
    }
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Trace { series, outcome, energy: 0.0, gradients: c.field.gradients, seconds, kept: vec![] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::member::{Particles, trace};
    use mckean_data::DataConfig;
    use mckean_engine::DataShape;
    use mckean_model::{Activation, DepthMethod, InitConfig, InitialLaw, ModelConfig, Readout};
    use std::sync::Arc;

    fn problem() -> Problem {
        let data =
            DataConfig { name: "in_context".into(), x_dim: 1, context: 2, train: 8, seed: 3, ..Default::default() };
        let data = Arc::new(mckean_data::load(&data).unwrap().train);
        let model =
            ModelConfig { readout: Readout::Entry, readout_row: 1, activation: Activation::Gelu, ..Default::default() };
        let shape = DataShape { tokens: data.tokens, dim: data.dim, outputs: 1, vocabulary: 0 };
        let init = InitConfig { law: InitialLaw::Normal, ..Default::default() };
        Problem { model, shape, data, init, lambda: 0.1 }
    }

    #[test]
    fn errors_fall_with_the_square_of_the_steps_also_between_them() {
        let p = problem();
        let particles = Particles::Sobol { seed: 1, base: 0..4, shared: false, white: 0 };
        let m = Member::new(&p, &p.law().unwrap(), &particles, (DepthMethod::Rk38, 1)).unwrap();
        let taus = [0.0, 0.37, 1.0, 1.9, 2.0];
        let fine = trace(&p, &m.net, &m.start, (&taus, &[]), (1e-10, 1)).unwrap().series;
        let error = |steps: usize| -> Vec<f64> {
            let c = coarse(&p, &m, &taus, steps).unwrap();
            assert_eq!((c.gradients, c.series.len()), (2 * steps as u64 + 1, 5));
            let gap = |a: &[f64], b: &[f64], i: usize| (a[i] - b[i]).abs() / b[i].abs();
            assert!(gap(&c.series.risk, &fine.risk, 0) < 1e-6);
            [1, 3, 4]
                .iter()
                .flat_map(|&i| [gap(&c.series.risk, &fine.risk, i), gap(&c.series.moment, &fine.moment, i)])
                .collect()
        };
        let (a, b) = (error(16), error(32));
        assert!(a.iter().all(|e| *e < 5e-3 && *e > 2e-5), "{a:?}");
        assert!(a.iter().zip(&b).all(|(a, b)| (3.4..4.6).contains(&(a / b))), "{a:?} {b:?}");
    }
}
