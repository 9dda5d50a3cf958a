//! Attention in the factored form, theta = (Q, K, V, O) or (Q, K, V), with optional biases.
//!
//! Maths: f(Z) = W_O W_V Z sigma_A[(W_K Z)^T W_Q Z] (Gao et al. 2024, section 2.2); dot products are divided by tau = sqrt(s).
//! "qkv" leaves W_O out (Song et al. 2024), so s = D.
//! Shapes: q, k, v (heads, s, D), o (heads, D, s), biases q_bias, k_bias, v_bias (heads, s).
//! Cost: 4 n s D + 2 n^2 s multiply-adds forward, twice that backward and the scores again; without room to keep
//! projections and attended values, those too. Heads go in groups whose projections make one state: wide products.
//! Checked: `tests/derivatives.rs`.

use super::attention::{Attention, scores_vjp};
use super::{Encoder, Site, Tile, Work, blocks, carve, store};
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
    group: usize,
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
        let group = if output { (dim / s).clamp(1, m.heads) } else { 1 };
        Qkvo { attention: Attention::new(m, s, false), width: s, output, bias: m.bias, group, tensors }
    }

    /// Which tensor is the bias of projection `k`.
    fn bias_of(&self, k: usize) -> usize {
        3 + usize::from(self.output) + k
    }

    /// Columns of the projections of a group: its heads side by side.
    fn columns<S>(&self, site: &Site<'_, S>) -> usize {
        site.group.count * self.width
    }

    /// Projections of all rows, (rows, columns) each, block by block.
    fn project_all<V: Lane>(&self, site: &Site<'_, V::S>, x: &[V], mut out: [&mut [V]; 3]) {
        let (d, columns) = (site.tile.dim, self.columns(site));
        for rows in blocks::<V>(site.tile.rows(), d) {
            for (k, out) in out.iter_mut().enumerate() {
                let own = &mut out[rows.start * columns..rows.end * columns];
                self.project(site, k, &x[rows.start * d..], own);
            }
        }
    }

    /// Projection `k` (0 query, 1 key, 2 value) of the rows of `out`, (rows, columns).
    pub(super) fn project<V: Lane>(&self, site: &Site<'_, V::S>, k: usize, x: &[V], out: &mut [V]) {
        let (d, s) = (site.tile.dim, self.columns(site));
        let rows = out.len() / s;
        let w = &site.theta[site.group.slot(&self.tensors, k)];
        product((rows, s, d), lanes(x, d, 1), params(w, 1, d), 1.0, false, out, s);
        if self.bias {
            bias::add(&site.theta[site.group.slot(&self.tensors, self.bias_of(k))], 1.0, out);
        }
    }

    /// Parameters of the output map of head `h` of the group.
    fn output_map<'a, S>(&self, site: &Site<'a, S>, h: usize) -> &'a [S] {
        let len = self.width * site.tile.dim;
        &site.theta[site.group.slot(&self.tensors, 3)][h * len..(h + 1) * len]
    }

    /// Cotangent `r` of the attended values, (rows, columns), from that of the output.
    pub(super) fn output_cotangent<V: Lane>(&self, site: &Site<'_, V::S>, p: &[V], r: &mut [V]) {
        let (dim, d, columns) = (site.tile.dim, self.width, self.columns(site));
        if !self.output {
            return scaled(site.scales[site.group.first], p, r);
        }
        for rows in blocks::<V>(site.tile.rows(), dim) {
            for h in 0..site.group.count {
                let o = params(self.output_map(site, h), d, 1);
                let scale = site.scales[site.group.first + h];
                let (p, r) = (&p[rows.start * dim..], &mut r[rows.start * columns + h * d..]);
                product((rows.len(), d, dim), lanes(p, dim, 1), o, scale, false, r, columns);
            }
        }
    }

    /// Adds the output maps of the attended values `u`, (rows, columns), to `out`.
    fn put_out<V: Lane>(&self, site: &Site<'_, V::S>, u: &[V], out: &mut [V]) {
        let (dim, d, columns) = (site.tile.dim, self.width, self.columns(site));
        for rows in blocks::<V>(site.tile.rows(), dim) {
            for h in 0..site.group.count {
                let o = params(self.output_map(site, h), 1, d);
                let (u, out) = (&u[rows.start * columns + h * d..], &mut out[rows.start * dim..]);
                product((rows.len(), dim, d), lanes(u, columns, 1), o, 1.0, true, out, dim);
            }
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
        let (d, s) = (site.tile.dim, self.columns(site));
        let rows = g.len() / s;
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

    fn group(&self) -> usize {
        self.group
    }

    fn scratch(&self, tile: &Tile) -> usize {
        8 * tile.rows() * self.width * self.group + 3 * tile.tokens * tile.tokens
    }

    fn multiply_adds(&self, n: usize, d: usize) -> usize {
        (3 + usize::from(self.output)) * n * d * self.width + 2 * n * n * self.width
    }

    fn kept(&self, tile: &Tile) -> usize {
        4 * tile.rows() * self.width
    }

    fn forward(&self, site: Site<'_, V::S>, x: &[V], out: &mut [V], work: Work<'_, V>) {
        let Tile { chunks, tokens: n, dim } = site.tile;
        let (columns, d) = (self.columns(&site), self.width);
        let ([q, k, v, u], rest) = store(work.kept, work.lanes, site.tile.rows() * columns);
        let ([s, mask], _) = carve(rest, n * n);
        self.project_all(&site, x, [&mut *q, &mut *k, &mut *v]);
        for (h, c) in (0..site.group.count).flat_map(|h| (0..chunks).map(move |c| (h, c))) {
            let (at, head) = (c * n * columns + h * d, site.group.first + h);
            self.attention.scores(n, (d, columns), &q[at..], &k[at..], s);
            site.noise.fill(head as u64, c, mask);
            site.noise.multiply(s, mask);
            let (to, stride) = if self.output { (&mut u[at..], columns) } else { (&mut out[c * n * dim..], dim) };
            let values = lanes(&v[at..], columns, 1);
            product((n, d, n), lanes(s, n, 1), values, site.scales[head], !self.output, to, stride);
        }
        if self.output {
            self.put_out(&site, u, out);
        }
    }

    fn vjp(&self, site: Site<'_, V::S>, (x, p): (&[V], &[V]), g_x: &mut [V], g_theta: &mut [V::S], work: Work<'_, V>) {
        let Tile { chunks, tokens: n, dim } = site.tile;
        let (rows, columns, d) = (site.tile.rows(), self.columns(&site), self.width);
        let again = work.kept.is_none();
        let ([q, k, v, u], rest) = store(work.kept, work.lanes, rows * columns);
        let ([r, dq, dk, dv], rest) = carve(rest, rows * columns);
        let ([s, t, mask], _) = carve(rest, n * n);
        if again {
            self.project_all(&site, x, [&mut *q, &mut *k, &mut *v]);
        }
        self.output_cotangent(&site, p, r);
        dk.fill(V::zero());
        for (h, c) in (0..site.group.count).flat_map(|h| (0..chunks).map(move |c| (h, c))) {
            let (at, head) = (c * n * columns + h * d, site.group.first + h);
            let (q, k, r) = (&q[at..], &k[at..], lanes(&r[at..], columns, 1));
            self.attention.scores(n, (d, columns), q, k, s);
            product((n, n, d), r, lanes(&v[at..], 1, columns), 1.0, false, t, n);
            site.noise.fill(head as u64, c, mask);
            site.noise.multiply(t, mask);
            scores_vjp(self.attention, n, s, t);
            site.noise.multiply(s, mask);
            if self.output && again {
                let (values, scale) = (lanes(&v[at..], columns, 1), site.scales[head]);
                product((n, d, n), lanes(s, n, 1), values, scale, false, &mut u[at..], columns);
            }
            product((n, d, n), lanes(s, 1, n), r, 1.0, false, &mut dv[at..], columns);
            self.attention.queries_keys_vjp(n, (d, columns), (q, k), t, &mut dq[at..], &mut dk[at..]);
        }
        if self.output {
            let g_o = g_theta[site.group.slot(&self.tensors, 3)].chunks_mut(dim * d);
            for (h, g_o) in g_o.enumerate() {
                reduce((dim, d, rows), lanes(p, 1, dim), lanes(&u[h * d..], columns, 1), 1.0, g_o, (d, 1));
            }
        }
        for rows in blocks::<V>(rows, dim) {
            let (wide, own) = (rows.start * dim..rows.end * dim, rows.start * columns..rows.end * columns);
            for (i, g) in [&*dq, &*dk, &*dv].into_iter().enumerate() {
                let at = (&x[wide.clone()], &g[own.clone()]);
                self.project_vjp(&site, i, at, &mut g_x[wide.clone()], g_theta);
            }
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
