//! Attention of one head on one long sample, tokens in lanes: blocks of queries against blocks of keys, memory linear in n.
//!
//! Maths: S_ij = map(e_ij), e_ij = (q_i.k_j)/tau + r_i + b_j; r = -log-sum-exp for normalised kernels, -|q|^2/(2 tau) for the
//! Gaussian, and b_j = -|k_j|^2/(2 tau) for distances. Queries and keys are centred first (distances do not change), so the
//! expanded square errs by about eps |k - mean|^2 / tau. The backward sweep recomputes S from r.
//! Shapes: queries (rows, d) lanes, W consecutive tokens in a lane; keys, values (n, d) scalars: padded keys do not exist.
//! Cost: forward 2 n^2 d multiply-adds and n^2 exponentials, backward 5 n^2 d and n^2; a causal mask skips blocks above the diagonal.
//! Checked: `tests/tokens.rs`.

use super::attention::Attention;
use super::carve;
use super::tiled_rows::{self as rows, Block};
use crate::noise::Noise;
use mckean_model::AttentionKernel;
use mckean_num::lane::Lane;
use mckean_num::product::{lanes, params, product};

/// Query rows and keys of one block: scores, keys and accumulators of a block share the first two cache levels.
const QUERIES: usize = 16;
const KEYS: usize = 32;

/// One head at work on one sample.
#[derive(Clone, Copy)]
pub struct Tiled<'a, S> {
    /// Kernel, temperature, mask.
    pub attention: Attention,
    /// Keys and queries in the sample (n) and their width (d).
    pub sizes: (usize, usize),
    /// Exponent that belongs to the key alone (n).
    pub bias: &'a [S],
    /// Dropout, and the particle it is keyed by.
    pub noise: Noise<'a>,
    /// First particle of the group.
    pub particle: u64,
}

/// Lanes that the sweeps need beside their arguments.
pub fn scratch(d: usize) -> usize {
    3 * QUERIES * KEYS + 2 * KEYS * d + KEYS + 2 * QUERIES
}

/// What the backward sweep reads of the queries: (rows, d), (rows), (rows), (rows, d).
#[derive(Clone, Copy)]
pub struct Queries<'a, V> {
    /// Queries.
    pub q: &'a [V],
    /// Exponent that belongs to the query alone.
    pub r: &'a [V],
    /// Inner product of cotangent and attended value (normalised kernels), else zero.
    pub delta: &'a [V],
    /// Cotangent of the attended values.
    pub g: &'a [V],
}

impl<'a, S> Tiled<'a, S> {
    fn is_normalised(&self) -> bool {
        self.attention.kernel.is_normalised()
    }

    /// Keys that some query of lane rows before `end` sees.
    fn seen<V: Lane>(&self, end: usize) -> usize {
        if self.attention.causal { self.sizes.0.min(end * V::W) } else { self.sizes.0 }
    }

    fn block<V: Lane>(&self, (r0, g): (usize, usize), (j0, b): (usize, usize)) -> Block {
        Block { row: r0, rows: g, key: j0, keys: b, diagonal: self.attention.causal && j0 + b > r0 * V::W + 1 }
    }

    /// Raw products of a block: queries with keys (over tau), or cotangents with values.
    fn scores<V: Lane<S = S>>(&self, at: Block, q: &[V], k: &[S], rate: f64, s: &mut [V]) {
        let d = self.sizes.1;
        let q = lanes(&q[at.row * d..], d, 1);
        product((at.rows, at.keys, d), q, params(&k[at.key * d..], 1, d), rate, false, s, at.keys);
    }

    /// `u` = attended values; `r` becomes minus the log-sum-exp of normalised kernels (is read by the Gaussian).
    /// Keys and values are (n, d); keys are centred if the kernel is a distance.
    pub fn attend<V: Lane<S = S>>(&self, q: &[V], from: (&[S], &[S]), r: &mut [V], u: &mut [V], scratch: &mut [V]) {
        let (total, d) = (r.len(), self.sizes.1);
        u.fill(V::zero());
        for r0 in (0..total).step_by(QUERIES) {
            let g = QUERIES.min(total - r0);
            let (u, r) = (&mut u[r0 * d..(r0 + g) * d], &mut r[r0..r0 + g]);
            self.attend_rows((r0, g), q, from, r, u, scratch);
        }
    }

    fn attend_rows<V: Lane<S = S>>(
        &self,
        (r0, g): (usize, usize),
        q: &[V],
        (keys, values): (&[S], &[S]),
        r: &mut [V],
        u: &mut [V],
        scratch: &mut [V],
    ) {
        let ([s, mask], rest) = carve(scratch, QUERIES * KEYS);
        let ([largest, sum], _) = carve(rest, g);
        let (d, seen) = (self.sizes.1, self.seen::<V>(r0 + g));
        largest.fill(V::c(rows::LOW));
        sum.fill(V::zero());
        for j0 in (0..seen).step_by(KEYS) {
            let b = KEYS.min(seen - j0);
            let at = self.block::<V>((r0, g), (j0, b));
            let s = &mut s[..g * b];
            self.scores(at, q, keys, 1.0 / self.attention.tau, s);
            let bias = &self.bias[j0..j0 + b];
            match self.attention.kernel {
                AttentionKernel::Softmax | AttentionKernel::NormalisedGaussian => {
                    rows::softmax(at, bias, s, largest, sum, u);
                }
                AttentionKernel::Gaussian => rows::gaussian(bias, r, s),
                AttentionKernel::Linear => {}
                AttentionKernel::Relu => rows::relu(s),
            }
            if at.diagonal {
                rows::hide(at, V::zero(), s);
            }
            if self.noise.is_on() {
                self.noise.block(self.particle, self.sizes.0, at, mask);
                self.noise.multiply(s, mask);
            }
            product((g, d, b), lanes(s, b, 1), params(&values[j0 * d..], d, 1), 1.0, true, u, d);
        }
        if self.is_normalised() {
            rows::normalise(largest, sum, r, u);
        }
    }

    /// Adds to `dq` (rows, d); puts the gradients of keys and values in their place (a block of keys is used up at once).
    pub fn pull<V: Lane<S = S>>(
        &self,
        from: Queries<'_, V>,
        dq: &mut [V],
        (keys, values): (&mut [S], &mut [S]),
        scratch: &mut [V],
    ) {
        let (n, d) = self.sizes;
        let ([s, t, mask], rest) = carve(scratch, QUERIES * KEYS);
        let ([dk, dv], rest) = carve(rest, KEYS * d);
        let columns = &mut rest[..KEYS];
        let distance = self.attention.kernel.is_distance();
        for j0 in (0..n).step_by(KEYS) {
            let b = KEYS.min(n - j0);
            let (dk, dv, columns) = (&mut dk[..b * d], &mut dv[..b * d], &mut columns[..b]);
            for x in [&mut *dk, &mut *dv, &mut *columns] {
                x.fill(V::zero());
            }
            let first = if self.attention.causal { j0 / V::W } else { 0 };
            for r0 in (first..from.r.len()).step_by(QUERIES) {
                let g = QUERIES.min(from.r.len() - r0);
                let at = self.block::<V>((r0, g), (j0, b));
                let (s, t) = (&mut s[..g * b], &mut t[..g * b]);
                self.cotangents(at, from, (keys, values), s, t, mask);
                let rate = 1.0 / self.attention.tau;
                let (q, own) = (&from.q[r0 * d..], &mut dq[r0 * d..(r0 + g) * d]);
                product((b, d, g), lanes(s, 1, b), lanes(&from.g[r0 * d..], d, 1), 1.0, true, dv, d);
                product((g, d, b), lanes(t, b, 1), params(&keys[j0 * d..], d, 1), rate, true, own, d);
                product((b, d, g), lanes(t, 1, b), lanes(q, d, 1), rate, true, dk, d);
                if distance {
                    rows::centre(at, d, (rate, !self.is_normalised()), t, q, own, columns);
                }
            }
            let block = j0 * d..(j0 + b) * d;
            rows::sums(dv, &mut values[block.clone()]);
            if distance {
                rows::centre_keys(d, columns, &mut keys[block.clone()]);
                rows::add_sums(dk, &mut keys[block]);
            } else {
                rows::sums(dk, &mut keys[block]);
            }
        }
    }

    /// `s` = masked weights, `t` = cotangents of exponents or dot products of a block.
    fn cotangents<V: Lane<S = S>>(
        &self,
        at: Block,
        from: Queries<'_, V>,
        (keys, values): (&[S], &[S]),
        s: &mut [V],
        t: &mut [V],
        mask: &mut [V],
    ) {
        self.scores(at, from.q, keys, 1.0 / self.attention.tau, s);
        self.scores(at, from.g, values, 1.0, t);
        if self.noise.is_on() {
            self.noise.block(self.particle, self.sizes.0, at, mask);
            self.noise.multiply(t, mask);
        }
        let (bias, own) = (&self.bias[at.key..at.key + at.keys], at.row..at.row + at.rows);
        match self.attention.kernel {
            AttentionKernel::Linear => {}
            AttentionKernel::Relu => rows::relu_vjp(s, t),
            _ => rows::exponential_vjp(bias, &from.r[own.clone()], &from.delta[own], s, t),
        }
        if at.diagonal {
            rows::hide(at, V::zero(), s);
            rows::hide(at, V::zero(), t);
        }
        self.noise.multiply(s, mask);
    }
}
