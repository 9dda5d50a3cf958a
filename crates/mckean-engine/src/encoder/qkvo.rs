//! Attention in the factored form, theta = (Q, K, V, O) or (Q, K, V), with optional biases.
//!
//! Maths: f(Z) = W_O W_V Z sigma_A[(W_K Z)^T W_Q Z] (Gao et al. 2024, section 2.2); dot products are divided by tau = sqrt(s).
//! "qkv" leaves W_O out (Song et al. 2024), so s = D.
//! Shapes: q, k, v (heads, s, D), o (heads, D, s), biases q_bias, k_bias, v_bias (heads, s).
//! Cost: 4 n s D + 2 n^2 s multiply-adds forward, twice that backward and the scores again; without room to keep
//! projections and attended values, those too.
//! Checked: `tests/derivatives.rs`.

use super::attention::{Attention, scores_vjp};
use super::{Encoder, Site, Tile, Work, carve, store};
use crate::kernel::bias;
use mckean_model::{ModelConfig, TensorSpec};
use mckean_num::kernel;
use mckean_num::lane::Lane;
use mckean_num::product::{lanes, params, product, reduce};

/// The factored head.
pub struct Qkvo {
    pub(super) attention: Attention,
    pub(super) width: usize,
    pub(super) output: bool,
    bias: bool,
    pub(super) tensors: Vec<TensorSpec>,
}

const NAMES: [&str; 3] = ["q", "k", "v"];
const BIASES: [&str; 3] = ["q_bias", "k_bias", "v_bias"];

impl Qkvo {
    /// Heads of width `head_dim` on tokens of dimension `dim`, with or without an output map.
    pub fn new(m: &ModelConfig, dim: usize, output: bool) -> Self {
        let s = m.head_dim;
        let spec = |name, shape: Vec<usize>, fan_in, sums_particles| TensorSpec { name, shape, fan_in, sums_particles };
        let last = |name: &str| name == "v" && !output;
        let mut tensors: Vec<_> = NAMES.iter().map(|n| spec(n, vec![s, dim], dim, last(n))).collect();
        if output {
            tensors.push(spec("o", vec![dim, s], s, true));
        }
        if m.bias {
            tensors.extend(BIASES.iter().map(|n| spec(n, vec![s], 0, false)));
        }
        Qkvo { attention: Attention::new(m, s, false), width: s, output, bias: m.bias, tensors }
    }

    /// Which tensor is the bias of projection `k`.
    fn bias_of(&self, k: usize) -> usize {
        3 + usize::from(self.output) + k
    }

    /// Projection `k` (0 query, 1 key, 2 value) of all rows.
    pub(super) fn project<V: Lane>(&self, site: &Site<'_, V::S>, k: usize, x: &[V], out: &mut [V]) {
        let (rows, d, s) = (site.tile.rows(), site.tile.dim, self.width);
        let w = &site.theta[site.group.slot(&self.tensors, k)];
        product((rows, s, d), lanes(x, d, 1), params(w, 1, d), 1.0, false, out, s);
        if self.bias {
            bias::add(&site.theta[site.group.slot(&self.tensors, self.bias_of(k))], 1.0, out);
        }
    }

    /// Cotangent `r` of the attended values, from that of the output.
    pub(super) fn output_cotangent<V: Lane>(&self, site: &Site<'_, V::S>, scale: f64, p: &[V], r: &mut [V]) {
        let (rows, dim, d) = (site.tile.rows(), site.tile.dim, self.width);
        if self.output {
            let o = params(&site.theta[site.group.slot(&self.tensors, 3)], d, 1);
            product((rows, d, dim), lanes(p, dim, 1), o, scale, false, r, d);
        } else {
            scaled(scale, p, r);
        }
    }

    /// Pulls the cotangent `g` of projection `k` back to parameters and state.
    pub(super) fn project_vjp<V: Lane>(
        &self,
        site: &Site<'_, V::S>,
        k: usize,
        (x, g): (&[V], &[V]),
        g_x: &mut [V],
        g_theta: &mut [V::S],
    ) {
        let (rows, d, s) = (site.tile.rows(), site.tile.dim, self.width);
        let slot = site.group.slot(&self.tensors, k);
        product((rows, d, s), lanes(g, s, 1), params(&site.theta[slot.clone()], d, 1), 1.0, true, g_x, d);
        reduce((s, d, rows), lanes(g, 1, s), lanes(x, d, 1), 1.0, &mut g_theta[slot], (d, 1));
        if self.bias {
            bias::vjp(g, 1.0, &mut g_theta[site.group.slot(&self.tensors, self.bias_of(k))]);
        }
    }
}

impl<V: Lane> Encoder<V> for Qkvo {
    fn tensors(&self) -> &[TensorSpec] {
        &self.tensors
    }

    fn scratch(&self, tile: &Tile) -> usize {
        8 * tile.rows() * self.width + 3 * tile.tokens * tile.tokens
    }

    fn multiply_adds(&self, n: usize, d: usize) -> usize {
        (3 + usize::from(self.output)) * n * d * self.width + 2 * n * n * self.width
    }

    fn kept(&self, tile: &Tile) -> usize {
        4 * tile.rows() * self.width
    }

    fn forward(&self, site: Site<'_, V::S>, x: &[V], out: &mut [V], work: Work<'_, V>) {
        let Tile { chunks, tokens: n, dim } = site.tile;
        let (rows, scale, d) = (site.tile.rows(), site.scales[site.group.first], self.width);
        let ([q, k, v, u], rest) = store(work.kept, work.lanes, rows * d);
        let ([s, mask], _) = carve(rest, n * n);
        for (i, projection) in [&mut *q, &mut *k, &mut *v].into_iter().enumerate() {
            self.project(&site, i, x, projection);
        }
        for c in 0..chunks {
            let own = c * n * d..(c + 1) * n * d;
            self.attention.scores(n, d, &q[own.clone()], &k[own.clone()], s);
            site.noise.fill(site.group.first as u64, c, mask);
            site.noise.multiply(s, mask);
            let to = if self.output { &mut u[own.clone()] } else { &mut out[own.clone()] };
            product((n, d, n), lanes(s, n, 1), lanes(&v[own], d, 1), scale, !self.output, to, d);
        }
        if !self.output {
            return;
        }
        let o = &site.theta[site.group.slot(&self.tensors, 3)];
        product((rows, dim, d), lanes(u, d, 1), params(o, 1, d), 1.0, true, out, dim);
    }

    fn vjp(&self, site: Site<'_, V::S>, (x, p): (&[V], &[V]), g_x: &mut [V], g_theta: &mut [V::S], work: Work<'_, V>) {
        let Tile { chunks, tokens: n, dim } = site.tile;
        let (rows, scale, d) = (site.tile.rows(), site.scales[site.group.first], self.width);
        let again = work.kept.is_none();
        let ([q, k, v, u], rest) = store(work.kept, work.lanes, rows * d);
        let ([r, dq, dk, dv], rest) = carve(rest, rows * d);
        let ([s, t, mask], _) = carve(rest, n * n);
        if again {
            for (i, projection) in [&mut *q, &mut *k, &mut *v].into_iter().enumerate() {
                self.project(&site, i, x, projection);
            }
        }
        self.output_cotangent(&site, scale, p, r);
        dk.fill(V::zero());
        for c in 0..chunks {
            let own = c * n * d..(c + 1) * n * d;
            let (q, k, v, r) = (&q[own.clone()], &k[own.clone()], &v[own.clone()], &r[own.clone()]);
            self.attention.scores(n, d, q, k, s);
            product((n, n, d), lanes(r, d, 1), lanes(v, 1, d), 1.0, false, t, n);
            site.noise.fill(site.group.first as u64, c, mask);
            site.noise.multiply(t, mask);
            scores_vjp(self.attention, n, s, t);
            site.noise.multiply(s, mask);
            if self.output && again {
                product((n, d, n), lanes(s, n, 1), lanes(v, d, 1), scale, false, &mut u[own.clone()], d);
            }
            product((n, d, n), lanes(s, 1, n), lanes(r, d, 1), 1.0, false, &mut dv[own.clone()], d);
            self.attention.queries_keys_vjp(n, d, (q, k), t, &mut dq[own.clone()], &mut dk[own]);
        }
        if self.output {
            let o = site.group.slot(&self.tensors, 3);
            reduce((dim, d, rows), lanes(p, 1, dim), lanes(u, d, 1), 1.0, &mut g_theta[o], (d, 1));
        }
        for (i, g) in [&*dq, &*dk, &*dv].into_iter().enumerate() {
            self.project_vjp(&site, i, (x, g), g_x, g_theta);
        }
    }

    fn scratch_long(&self, tile: &Tile, tokens: usize) -> (usize, usize) {
        Qkvo::scratch_long(self, tile, tokens)
    }

    fn kept_long(&self, tile: &Tile) -> usize {
        Qkvo::kept_long(self, tile)
    }

    fn forward_long(&self, site: Site<'_, V::S>, x: &[V], out: &mut [V], work: Work<'_, V>) {
        Qkvo::forward_long(self, site, x, out, work);
    }

    fn vjp_long(&self, site: Site<'_, V::S>, at: (&[V], &[V]), g_x: &mut [V], g: &mut [V::S], work: Work<'_, V>) {
        Qkvo::vjp_long(self, site, at, g_x, g, work);
    }
}

kernel! {
    /// `r = scale * p`.
    fn scaled<'a, V>(scale: f64, p: &'a [V], r: &'a mut [V]) {
        for (r, &p) in r.iter_mut().zip(p) { *r = p * V::c(scale); }
    }
}
