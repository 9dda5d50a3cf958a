//! A small Transformer of the paper with plain loops: the teacher, and an independent witness of the engine.
//!
//! Maths: Gao et al. 2024, eqs 2.1-2.4 with f = V Z softmax(Z^T W Z) (columns) and h = w2 HubReLU(w1 . z), residual step
//!   dt/2 = 1/(2 depth) and averages over particles. No norm, no bias, no 1/sqrt(d).
//! Shapes: tokens are rows, `[n][D]`; with logits A_ij = (W z_i).z_j and S = row softmax of A, token i gains V sum_j S_ij z_j.
//! Cost: O(depth (heads n D (D + n) + neurons n D)).
//! Checked: tests below (hand-worked cases, equal tokens, particle averages); written apart from the engine on purpose.

use crate::DataConfig;
use mckean_num::rng::{Seed, Stream};

/// Particles of a teacher, particle-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Teacher {
    /// Number of blocks.
    pub depth: usize,
    /// Heads per block.
    pub heads: usize,
    /// Neurons per block.
    pub neurons: usize,
    /// Dimension of a token, D.
    pub dim: usize,
    /// Value matrices, `[depth][heads][D][D]`.
    pub v: Vec<f64>,
    /// Query-key matrices, `[depth][heads][D][D]`.
    pub w: Vec<f64>,
    /// Input vectors, `[depth][neurons][D]`.
    pub w1: Vec<f64>,
    /// Output vectors, `[depth][neurons][D]`.
    pub w2: Vec<f64>,
}

/// The teacher that "teacher_student" uses for this configuration (streams "data.teacher", tensor, block, particle), with
/// entries N(0, teacher_scale^2 / dim). Sizes are taken as they are; `load` refuses absurd ones.
pub fn teacher(config: &DataConfig) -> Teacher {
    let DataConfig { teacher_depth: depth, teacher_heads: heads, teacher_neurons: neurons, dim, .. } = *config;
    let sigma = config.teacher_scale / (dim as f64).sqrt();
    let root = Seed(config.seed).stream("data.teacher");
    let draw = |tensor, particles, size| particles_of(root.at(tensor), depth, particles, size, sigma);
    let (v, w) = (draw(0, heads, dim * dim), draw(1, heads, dim * dim));
    Teacher { depth, heads, neurons, dim, v, w, w1: draw(2, neurons, dim), w2: draw(3, neurons, dim) }
}

fn particles_of(stream: Stream, depth: usize, particles: usize, size: usize, sigma: f64) -> Vec<f64> {
    let mut out = Vec::with_capacity(depth * particles * size);
    for block in 0..depth {
        for particle in 0..particles {
            let mut draws = stream.at(block as u64).at(particle as u64).open();
            out.extend((0..size).map(|_| sigma * draws.normal()));
        }
    }
    out
}

impl Teacher {
    /// The tokens after the last block, `[n][D]` from `[n][D]`. Panics if the length is not a multiple of D.
    pub fn forward(&self, tokens: &[f64]) -> Vec<f64> {
        assert!(
            tokens.len().is_multiple_of(self.dim),
            "{} numbers are not tokens of dimension {}",
            tokens.len(),
            self.dim
        );
        let mut z = tokens.to_vec();
        for block in 0..self.depth {
            let branch = self.attention(block, &z);
            self.add(&mut z, &branch, self.heads);
            let branch = self.feed_forward(block, &z);
            self.add(&mut z, &branch, self.neurons);
        }
        z
    }

    /// z += (dt/2) (1/particles) branch.
    fn add(&self, z: &mut [f64], branch: &[f64], particles: usize) {
        let step = 0.5 / self.depth as f64 / particles.max(1) as f64;
        z.iter_mut().zip(branch).for_each(|(z, b)| *z += step * b);
    }

    /// Sum over heads of V_j sum_k S_ik z_k, `[n][D]`.
    fn attention(&self, block: usize, z: &[f64]) -> Vec<f64> {
        let d = self.dim;
        let mut out = vec![0.0; z.len()];
        for head in 0..self.heads {
            let matrix = (block * self.heads + head) * d * d..(block * self.heads + head + 1) * d * d;
            let (v, w) = (&self.v[matrix.clone()], &self.w[matrix]);
            for (query, out) in z.chunks_exact(d).zip(out.chunks_exact_mut(d)) {
                let value = times(v, &attend(&times(w, query), z));
                out.iter_mut().zip(value).for_each(|(o, x)| *o += x);
            }
        }
        out
    }

    /// Sum over neurons of w2_j HubReLU(w1_j . z_i), `[n][D]`.
    fn feed_forward(&self, block: usize, z: &[f64]) -> Vec<f64> {
        let d = self.dim;
        let mut out = vec![0.0; z.len()];
        for neuron in 0..self.neurons {
            let vector = (block * self.neurons + neuron) * d..(block * self.neurons + neuron + 1) * d;
            let (w1, w2) = (&self.w1[vector.clone()], &self.w2[vector]);
            for (token, out) in z.chunks_exact(d).zip(out.chunks_exact_mut(d)) {
                let hidden = hub_relu(dot(w1, token));
                out.iter_mut().zip(w2).for_each(|(o, x)| *o += hidden * x);
            }
        }
        out
    }
}

/// 0 below 0, x^2/2 on `[0, 1]`, x - 1/2 above.
fn hub_relu(x: f64) -> f64 {
    match x {
        x if x <= 0.0 => 0.0,
        x if x <= 1.0 => 0.5 * x * x,
        x => x - 0.5,
    }
}

/// The mean of the tokens of z with weights softmax(q . z_k).
fn attend(q: &[f64], z: &[f64]) -> Vec<f64> {
    let logits: Vec<f64> = z.chunks_exact(q.len()).map(|t| dot(q, t)).collect();
    let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = logits.iter().map(|a| (a - top).exp()).collect();
    let total: f64 = weights.iter().sum();
    let mut out = vec![0.0; q.len()];
    for (weight, token) in weights.iter().zip(z.chunks_exact(q.len())) {
        out.iter_mut().zip(token).for_each(|(o, x)| *o += weight / total * x);
    }
    out
}

/// A square matrix (row-major) times a vector.
fn times(matrix: &[f64], x: &[f64]) -> Vec<f64> {
    matrix.chunks_exact(x.len()).map(|row| dot(row, x)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(v: f64, w: f64, w1: f64, w2: f64) -> Teacher {
        Teacher { depth: 1, heads: 1, neurons: 1, dim: 1, v: vec![v], w: vec![w], w1: vec![w1], w2: vec![w2] }
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        found.iter().zip(expected).for_each(|(a, b)| assert!((a - b).abs() < 1e-14, "{found:?} against {expected:?}"));
    }

    #[test]
    fn two_tokens_of_dimension_one_by_hand() {
        // token 2 attends to (1, 2) with weights e^2 : e^4, token 1 with e : e^2 (W = 1), then V = 3
        let mean = |a: f64| (1.0 + 2.0 * a) / (1.0 + a);
        let expected = [1.0 + 1.5 * mean(1f64.exp()), 2.0 + 1.5 * mean(2f64.exp())];
        close(&small(3.0, 1.0, 0.0, 0.0).forward(&[1.0, 2.0]), &expected);
    }

    #[test]
    fn hub_relu_has_three_pieces() {
        let out = |z: f64| small(0.0, 0.0, 1.0, 2.0).forward(&[z])[0] - z;
        close(&[out(-1.0), out(0.5), out(1.0), out(3.0)], &[0.0, 0.125, 0.5, 2.5]);
    }

    #[test]
    fn one_token_attends_to_itself_through_the_rows_of_v() {
        let mut t = teacher(&DataConfig { dim: 2, teacher_heads: 1, teacher_neurons: 0, ..DataConfig::default() });
        t.v = vec![0.0, 1.0, 4.0, 0.0];
        close(&t.forward(&[1.0, 3.0]), &[1.0 + 1.5, 3.0 + 2.0]);
    }

    #[test]
    fn w_acts_on_the_query() {
        // W maps e1 to e2: the query e1 looks for e2; the query e2 has logits zero
        let mut t = teacher(&DataConfig { dim: 2, teacher_heads: 1, teacher_neurons: 0, ..DataConfig::default() });
        (t.v, t.w) = (vec![2.0, 0.0, 0.0, 2.0], vec![0.0, 0.0, 40.0, 0.0]);
        close(&t.forward(&[1.0, 0.0, 0.0, 1.0]), &[1.0, 1.0, 0.5, 1.5]);
    }

    #[test]
    fn copies_of_a_particle_change_nothing_and_blocks_compose() {
        let one = teacher(&DataConfig { teacher_heads: 1, teacher_neurons: 1, ..DataConfig::default() });
        let double = |x: &[f64]| [x, x].concat();
        let wide = Teacher {
            heads: 2,
            neurons: 2,
            v: double(&one.v),
            w: double(&one.w),
            w1: double(&one.w1),
            w2: double(&one.w2),
            ..one
        };
        let z: Vec<f64> = (0..16).map(|k| (k as f64).sin()).collect();
        close(&one.forward(&z), &wide.forward(&z));
        // two blocks of step 1/4 with doubled output particles are two passes of step 1/2
        let twice = |x: &[f64]| x.iter().map(|a| 2.0 * a).collect::<Vec<_>>();
        let deep = Teacher {
            depth: 2,
            v: twice(&double(&one.v)),
            w: double(&one.w),
            w1: double(&one.w1),
            w2: twice(&double(&one.w2)),
            ..one
        };
        close(&deep.forward(&z), &one.forward(&one.forward(&z)));
    }

    #[test]
    fn wider_and_deeper_teachers_begin_with_the_smaller_one() {
        let config = DataConfig::default();
        let wide = teacher(&DataConfig { teacher_heads: 3, teacher_depth: 2, ..config.clone() });
        let small = teacher(&config);
        assert_eq!(small, teacher(&config));
        assert_eq!(small.v[..], wide.v[..small.v.len()]);
        assert_ne!(small, teacher(&DataConfig { seed: 2, ..config }));
    }
}
