//! Small networks on random data, and the few computations that checks share.
//!
//! Maths: risk, gradient and Hessian-vector product of `mckean-engine`; evolutions of `mckean-dynamics`.
//! Shapes: odd sizes, so that no register and no shard is ever full.
//! Cost: a few hundred parameters and a few dozen samples each.
//! Checked: by every check that uses it.

use super::Fault;
use mckean_analysis::verdict::larger;
use mckean_data::{Dataset, Targets};
use mckean_dynamics::{DynamicsConfig, Evolution, build};
use mckean_engine::{Batch, DataShape, Network, Risk};
use mckean_model::config::Embedding;
use mckean_model::{InitConfig, ModelConfig, Readout, init};
use mckean_num::lane::{Dual, Isa, Real, Scalar};
use mckean_num::par::Par;
use mckean_num::rng::Seed;
use std::sync::Arc;

/// A network and its data.
pub struct Problem {
    pub net: Arc<Network>,
    pub data: Arc<Dataset>,
}

/// Different integer tokens of a token embedding.
const VOCABULARY: usize = 9;

impl Problem {
    /// Random tokens; three classes if the read-out is trained, one number otherwise.
    pub fn new(m: &ModelConfig, samples: usize) -> Result<Self, Fault> {
        let mut g = Seed(11).stream("verify.data").open();
        let ids = m.embedding == Embedding::Token;
        let (tokens, dim) = if ids { (6, 1) } else { (4, 5) };
        let one = |_| if ids { g.below(VOCABULARY) as f64 } else { 0.7 * g.normal() };
        let inputs = (0..samples * tokens * dim).map(one).collect();
        let targets = if matches!(m.readout, Readout::Linear | Readout::ClassToken) {
            Targets::Classes { labels: (0..samples).map(|_| g.below(3) as u32).collect(), classes: 3 }
        } else {
            Targets::Values { data: (0..samples).map(|_| g.normal()).collect(), outputs: 1 }
        };
        Self::on(m, Dataset { name: "random".into(), samples, tokens, dim, inputs, targets })
    }

    /// The network of a config on given data.
    pub fn on(m: &ModelConfig, data: Dataset) -> Result<Self, Fault> {
        data.check()?;
        let shape = DataShape { tokens: data.tokens, dim: data.dim, outputs: data.outputs(), vocabulary: VOCABULARY };
        Ok(Problem { net: Arc::new(Network::new(m, shape)?), data: Arc::new(data) })
    }

    /// All samples, no dropout.
    pub fn batch(&self) -> Batch {
        Batch::first(self.data.samples)
    }

    /// Parameters of order one, biases and gains included; other names give other numbers.
    pub fn draw(&self, name: &str) -> Vec<f64> {
        let mut g = Seed(5).stream(name).open();
        (0..self.net.parameters()).map(|_| 0.6 * g.normal()).collect()
    }

    /// Particles of the initial law, twice as large as usual.
    pub fn start(&self) -> Vec<f64> {
        init::draw(&self.net.config, &InitConfig { scale: 2.0, ..Default::default() }, &self.net.layout, Seed(4))
    }

    /// The risk on the machine's best instruction set.
    pub fn risk<S: Scalar>(&self, par: &Par) -> Result<Risk<S>, Fault> {
        self.risk_on(par, Isa::detect())
    }

    /// The risk on a given instruction set.
    pub fn risk_on<S: Scalar>(&self, par: &Par, isa: Isa) -> Result<Risk<S>, Fault> {
        Ok(Risk::with_isa(self.net.clone(), self.data.clone(), par.clone(), isa)?)
    }

    /// An evolution from the initial law.
    pub fn evolution(&self, c: &DynamicsConfig, par: &Par) -> Result<Box<dyn Evolution>, Fault> {
        Ok(build(c, &self.net, &self.data, &self.start(), Seed(1), par)?)
    }

    /// Outputs at `beta`, row-major (samples, outputs).
    pub fn outputs(&self, beta: &[f64], par: &Par) -> Result<Vec<f64>, Fault> {
        let mut out = vec![0.0; self.data.samples * self.data.outputs()];
        self.risk::<f64>(par)?.outputs(beta, &self.batch(), &mut out);
        Ok(out)
    }

    /// Largest token norm of the data.
    pub fn data_norm(&self) -> f64 {
        self.data.inputs.chunks(self.data.dim).map(|token| dot(token, token).sqrt()).fold(0.0, f64::max)
    }
}

/// Value and gradient of a risk in its own precision.
pub fn gradient<S: Real>(risk: &mut Risk<S>, theta: &[f64], batch: &Batch) -> (f64, Vec<f64>) {
    let theta: Vec<S> = theta.iter().map(|&x| S::new(x, 0.0)).collect();
    let mut grad = vec![S::zero(); theta.len()];
    let value = risk.value_and_grad(&theta, batch, &mut grad).risk;
    (value, grad.iter().map(|g| g.re()).collect())
}

/// Hessian times `v`.
pub fn hessian_product(risk: &mut Risk<Dual<f64>>, theta: &[f64], v: &[f64], batch: &Batch) -> Vec<f64> {
    let point = duals(theta, v);
    let mut grad = vec![Dual::default(); theta.len()];
    risk.value_and_grad(&point, batch, &mut grad);
    grad.iter().map(|g| g.eps()).collect()
}

/// Points with tangents.
pub fn duals(theta: &[f64], v: &[f64]) -> Vec<Dual<f64>> {
    theta.iter().zip(v).map(|(&t, &v)| Dual::new(t, v)).collect()
}

/// Fourth-order central difference of `f` at zero.
pub fn difference(h: f64, mut f: impl FnMut(f64) -> f64) -> f64 {
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

/// Inner product.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// |a - b| in units of `1 + |b|`.
pub fn gap(a: f64, b: f64) -> f64 {
    (a - b).abs() / (1.0 + b.abs())
}

/// 2-norm of the difference.
pub fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

/// Distance in units of the norm of `b`.
pub fn relative_distance(a: &[f64], b: &[f64]) -> f64 {
    distance(a, b) / dot(b, b).sqrt().max(f64::MIN_POSITIVE)
}

/// Largest entry of the difference, not a number if there is such an entry.
pub fn largest_gap(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, larger)
}

/// `beta + s v`.
pub fn moved(beta: &[f64], s: f64, v: &[f64]) -> Vec<f64> {
    beta.iter().zip(v).map(|(b, v)| b + s * v).collect()
}
