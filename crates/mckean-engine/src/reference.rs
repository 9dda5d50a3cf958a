//! The plain definition: one sample, one particle, triple loops, no derivative code. Tests hold the fast path to it.
//!
//! Maths: eqs 2.1-2.4 of Gao et al. 2024 and the kernels of Song et al. 2024, written out.
//! Shapes: tokens are rows of (n, D); parameters are read by name from the layout.
//! Cost: slow on purpose; derivatives come from dual numbers or differences.
//! Checked: `tests/derivatives.rs` (against the fast path), `mckean-data`'s independent teacher, a NumPy script in `examples/`.

use crate::network::Network;
use mckean_data::{Dataset, Targets};
use mckean_model::config::{Embedding, Norm};
use mckean_model::{Activation, AttentionKernel, DepthMethod, Loss, Readout, Role};
use mckean_num::lane::Scalar;

/// The network at given parameters.
pub struct Plain<'a, S> {
    /// Sizes and layout.
    pub net: &'a Network,
    /// Flat parameter vector.
    pub theta: &'a [S],
}

/// A matrix by rows.
type Rows<S> = Vec<Vec<S>>;

impl<S: Scalar> Plain<'_, S> {
    /// Tensor `name` of particle `j` (of the whole if shared).
    fn tensor(&self, name: &str, j: usize) -> &[S] {
        let t = self.net.layout.find(name).unwrap_or_else(|| panic!("no tensor {name}"));
        &self.theta[if t.role == Role::Shared { t.range.clone() } else { t.particle(j) }]
    }

    fn has(&self, name: &str) -> bool {
        self.net.layout.find(name).is_some()
    }

    /// Outputs for one sample of raw tokens.
    pub fn outputs(&self, raw: &[f64]) -> Vec<S> {
        let mut z = self.embed(raw);
        let m = &self.net.config;
        for l in 0..m.depth {
            match m.depth_method {
                DepthMethod::Splitting => self.block(&mut z, l),
                DepthMethod::Midpoint => {
                    z = moved(&z, m.dt(), &self.field(&moved(&z, 0.5 * m.dt(), &self.field(&z, l)), l))
                }
                DepthMethod::Rk4 => z = self.rk4(&z, l),
                DepthMethod::Rk38 => z = self.rk38(&z, l),
                DepthMethod::Gauss2 => z = self.gauss2(&z, l),
            }
        }
        self.read(&self.normed(&z, "norm"))
    }

    /// One block of the paper's network.
    fn block(&self, z: &mut Rows<S>, l: usize) {
        let m = &self.net.config;
        if m.attention != "none" {
            self.branch(z, l, "attention", |me, x, j| me.head(x, l, j), Role::Head);
        }
        if m.feed_forward != "none" {
            self.branch(z, l, "feed_forward", |me, x, j| me.neuron(x, l, j), Role::Neuron);
        }
    }

    /// Half the mean of f plus half the mean of h over the particles of slice `l`, all at the state `z`.
    fn field(&self, z: &Rows<S>, l: usize) -> Rows<S> {
        let m = &self.net.config;
        let mut out = vec![vec![S::zero(); self.net.dim]; z.len()];
        let mut mean = |weights: &[f64], encoder: &dyn Fn(usize) -> Rows<S>| {
            for (j, pi) in weights.iter().enumerate() {
                out.iter_mut().zip(&encoder(j)).for_each(|(o, f)| axpy(S::c(0.5 * pi), f, o));
            }
        };
        if m.attention != "none" {
            mean(self.net.weights.at(Role::Head, l), &|j| self.head(z, l, j));
        }
        if m.feed_forward != "none" {
            mean(self.net.weights.at(Role::Neuron, l), &|j| self.neuron(z, l, j));
        }
        out
    }

    /// The classical Runge-Kutta step from slice 2 l to slice 2 l + 2.
    fn rk4(&self, z: &Rows<S>, l: usize) -> Rows<S> {
        let dt = self.net.config.dt();
        let k1 = self.field(z, 2 * l);
        let k2 = self.field(&moved(z, 0.5 * dt, &k1), 2 * l + 1);
        let k3 = self.field(&moved(z, 0.5 * dt, &k2), 2 * l + 1);
        let k4 = self.field(&moved(z, dt, &k3), 2 * l + 2);
        [(1.0, &k1), (2.0, &k2), (2.0, &k3), (1.0, &k4)].iter().fold(z.clone(), |z, (b, k)| moved(&z, b * dt / 6.0, k))
    }

    /// The 3/8 rule from slice 3 l to slice 3 l + 3.
    fn rk38(&self, z: &Rows<S>, l: usize) -> Rows<S> {
        let dt = self.net.config.dt();
        let k1 = self.field(z, 3 * l);
        let k2 = self.field(&moved(z, dt / 3.0, &k1), 3 * l + 1);
        let k3 = self.field(&moved(&moved(z, -dt / 3.0, &k1), dt, &k2), 3 * l + 2);
        let k4 = self.field(&moved(&moved(&moved(z, dt, &k1), -dt, &k2), dt, &k3), 3 * l + 3);
        [(1.0, &k1), (3.0, &k2), (3.0, &k3), (1.0, &k4)].iter().fold(z.clone(), |z, (b, k)| moved(&z, b * dt / 8.0, k))
    }

    /// Picard sweeps of the collocation equations at the two Gauss nodes.
    fn gauss2(&self, z: &Rows<S>, l: usize) -> Rows<S> {
        let (dt, node) = (self.net.config.dt(), 3f64.sqrt() / 6.0);
        let mut k = [self.field(z, 2 * l), self.field(z, 2 * l + 1)];
        for _ in 1..mckean_model::depth::SWEEPS {
            let first = moved(&moved(z, 0.25 * dt, &k[0]), (0.25 - node) * dt, &k[1]);
            let second = moved(&moved(z, (0.25 + node) * dt, &k[0]), 0.25 * dt, &k[1]);
            k = [self.field(&first, 2 * l), self.field(&second, 2 * l + 1)];
        }
        moved(&moved(z, 0.5 * dt, &k[0]), 0.5 * dt, &k[1])
    }

    /// Mean loss over the samples.
    pub fn risk(&self, data: &Dataset) -> S {
        let raw = self.net.data.tokens * self.net.data.dim;
        let one = |i: usize| self.loss(&self.outputs(&data.inputs[i * raw..(i + 1) * raw]), data, i);
        (0..data.samples).fold(S::zero(), |s, i| s + one(i)) / S::c(data.samples as f64)
    }

    fn embed(&self, raw: &[f64]) -> Rows<S> {
        let (m, d) = (&self.net.config, self.net.dim);
        let row = |x: &[f64]| -> Vec<S> {
            let x: Vec<S> = x.iter().map(|&x| S::new(x, 0.0)).collect();
            let mut z = match m.embedding {
                Embedding::None => x,
                Embedding::Patch => matvec(self.tensor("embedding.weight", 0), &x, d),
                Embedding::Token => self.tensor("embedding.weight", 0)[x[0].re() as usize * d..][..d].to_vec(),
            };
            if self.has("embedding.bias") {
                axpy(S::c(1.0), self.tensor("embedding.bias", 0), &mut z);
            }
            z
        };
        let mut z: Rows<S> = raw.chunks(self.net.data.dim).map(row).collect();
        if m.class_token {
            z.insert(0, self.tensor("class_token", 0).to_vec());
        }
        if m.positions {
            let p = self.tensor("positions", 0);
            z.iter_mut().zip(p.chunks(d)).for_each(|(z, p)| axpy(S::c(1.0), p, z));
        }
        z
    }

    fn branch(
        &self,
        z: &mut Rows<S>,
        l: usize,
        name: &str,
        encoder: impl Fn(&Self, &Rows<S>, usize) -> Rows<S>,
        role: Role,
    ) {
        let x = self.normed(z, &format!("blocks.{l}.{name}.norm"));
        for (j, &scale) in self.net.scales(role, l).iter().enumerate() {
            let f = encoder(self, &x, j);
            z.iter_mut().zip(&f).for_each(|(z, f)| axpy(S::c(scale), f, z));
        }
        let bias = format!("blocks.{l}.{name}.bias");
        if self.has(&bias) {
            z.iter_mut().for_each(|z| axpy(S::c(self.net.config.step()), self.tensor(&bias, 0), z));
        }
    }

    fn normed(&self, z: &Rows<S>, name: &str) -> Rows<S> {
        if self.net.config.norm == Norm::None {
            return z.clone();
        }
        let (gain, bias) = (self.tensor(&format!("{name}.gain"), 0), self.tensor(&format!("{name}.bias"), 0));
        let one = |z: &Vec<S>| {
            let d = S::c(z.len() as f64);
            let mean = z.iter().fold(S::zero(), |s, &x| s + x) / d;
            let var = z.iter().fold(S::zero(), |s, &x| s + (x - mean) * (x - mean)) / d;
            let root = (var + S::c(1e-5)).sqrt();
            z.iter().zip(gain).zip(bias).map(|((&x, &g), &b)| g * (x - mean) / root + b).collect()
        };
        z.iter().map(one).collect()
    }

    fn head(&self, x: &Rows<S>, l: usize, j: usize) -> Rows<S> {
        let m = &self.net.config;
        let name = |t: &str| format!("blocks.{l}.attention.{t}");
        let d = self.net.dim;
        let map = |t: &str, width: usize| -> Rows<S> {
            let bias = name(&format!("{t}_bias"));
            x.iter()
                .map(|x| {
                    let mut y = matvec(self.tensor(&name(t), j), x, width);
                    if self.has(&bias) {
                        axpy(S::c(1.0), self.tensor(&bias, j), &mut y);
                    }
                    y
                })
                .collect()
        };
        let (q, k, v, out, width) = if m.attention == "vw" {
            (map("w", d), x.clone(), x.clone(), "v", d)
        } else {
            let out = if m.attention == "qkvo" { "o" } else { "" };
            (map("q", m.head_dim), map("k", m.head_dim), map("v", m.head_dim), out, m.head_dim)
        };
        let plain = m.attention == "vw" && !m.kernel.is_distance();
        let tau = if m.kernel_tau > 0.0 {
            m.kernel_tau
        } else if plain {
            1.0
        } else {
            (width as f64).sqrt()
        };
        let row = |i: usize| {
            let seen = if m.causal { i + 1 } else { x.len() };
            let s = attention_row(m.kernel, tau, &q[i], &k[..seen]);
            let mut u = vec![S::zero(); v[0].len()];
            s.iter().zip(&v).for_each(|(&s, v)| axpy(s, v, &mut u));
            if out.is_empty() { u } else { matvec(self.tensor(&name(out), j), &u, d) }
        };
        (0..x.len()).map(row).collect()
    }

    fn neuron(&self, x: &Rows<S>, l: usize, j: usize) -> Rows<S> {
        let m = &self.net.config;
        let name = |t: &str| format!("blocks.{l}.feed_forward.{t}");
        let one = |x: &Vec<S>| {
            let mut a = matvec(self.tensor(&name("w1"), j), x, m.hidden);
            if m.bias {
                axpy(S::c(1.0), self.tensor(&name("b1"), j), &mut a);
            }
            let a: Vec<S> = a.into_iter().map(|a| sigma(m.activation, a)).collect();
            matvec(self.tensor(&name("w2"), j), &a, self.net.dim)
        };
        x.iter().map(one).collect()
    }

    fn read(&self, z: &Rows<S>) -> Vec<S> {
        let (r, d) = (&self.net.reader, self.net.dim);
        let mut mean = vec![S::zero(); d];
        let used = if r.kind == Readout::ClassToken { &z[..1] } else { &z[..] };
        used.iter().for_each(|z| axpy(S::c(1.0 / used.len() as f64), z, &mut mean));
        match r.kind {
            Readout::Entry => vec![z[r.entry.0][r.entry.1]],
            Readout::Rows | Readout::Auto => mean[d - r.outputs..].to_vec(),
            Readout::All => z.concat(),
            Readout::Linear | Readout::ClassToken => {
                let mut out = matvec(self.tensor("readout.weight", 0), &mean, r.outputs);
                axpy(S::c(1.0), self.tensor("readout.bias", 0), &mut out);
                out
            }
        }
    }

    fn loss(&self, out: &[S], data: &Dataset, i: usize) -> S {
        let target = |k: usize| match &data.targets {
            Targets::Values { data, outputs } => data[i * outputs + k],
            Targets::Classes { labels, .. } => f64::from(u8::from(labels[i] as usize == k)),
        };
        match self.net.config.loss {
            Loss::Squared => {
                let square = |k: usize| (out[k] - S::c(target(k))) * (out[k] - S::c(target(k)));
                (0..out.len()).fold(S::zero(), |s, k| s + square(k)) * S::c(0.5)
            }
            Loss::CrossEntropy => {
                let sum = out.iter().fold(S::zero(), |s, &o| s + o.exp());
                (0..out.len()).fold(sum.ln(), |s, k| s - S::c(target(k)) * out[k])
            }
        }
    }
}

/// `z + c k`.
fn moved<S: Scalar>(z: &Rows<S>, c: f64, k: &Rows<S>) -> Rows<S> {
    let mut z = z.clone();
    z.iter_mut().zip(k).for_each(|(z, k)| axpy(S::c(c), k, z));
    z
}

/// `y = a x` with `a` row-major (rows, x.len()).
fn matvec<S: Scalar>(a: &[S], x: &[S], rows: usize) -> Vec<S> {
    let dot = |r: &[S]| r.iter().zip(x).fold(S::zero(), |s, (&a, &x)| s + a * x);
    (0..rows).map(|i| dot(&a[i * x.len()..(i + 1) * x.len()])).collect()
}

fn axpy<S: Scalar>(a: S, x: &[S], y: &mut [S]) {
    y.iter_mut().zip(x).for_each(|(y, &x)| *y += a * x);
}

fn attention_row<S: Scalar>(kernel: AttentionKernel, tau: f64, q: &[S], keys: &[Vec<S>]) -> Vec<S> {
    let dot = |k: &Vec<S>| q.iter().zip(k).fold(S::zero(), |s, (&a, &b)| s + a * b) * S::c(1.0 / tau);
    let far = |k: &Vec<S>| q.iter().zip(k).fold(S::zero(), |s, (&a, &b)| s + (a - b) * (a - b)) * S::c(-0.5 / tau);
    let normalise = |e: Vec<S>| {
        let e: Vec<S> = e.into_iter().map(|e| e.exp()).collect();
        let sum = e.iter().fold(S::zero(), |s, &e| s + e);
        e.into_iter().map(|e| e / sum).collect()
    };
    match kernel {
        AttentionKernel::Softmax => normalise(keys.iter().map(dot).collect()),
        AttentionKernel::NormalisedGaussian => normalise(keys.iter().map(far).collect()),
        AttentionKernel::Gaussian => keys.iter().map(|k| far(k).exp()).collect(),
        AttentionKernel::Linear => keys.iter().map(dot).collect(),
        AttentionKernel::Relu => keys.iter().map(dot).map(|x| if x.re() > 0.0 { x } else { S::zero() }).collect(),
    }
}

fn sigma<S: Scalar>(activation: Activation, x: S) -> S {
    match activation {
        Activation::Relu => {
            if x.re() > 0.0 {
                x
            } else {
                S::zero()
            }
        }
        Activation::HubRelu if x.re() <= 0.0 => S::zero(),
        Activation::HubRelu if x.re() <= 1.0 => x * x * S::c(0.5),
        Activation::HubRelu => x - S::c(0.5),
        Activation::Gelu => x * x.normal_law().0,
        Activation::Tanh => {
            let e = (x + x).exp();
            (e - S::c(1.0)) / (e + S::c(1.0))
        }
    }
}
