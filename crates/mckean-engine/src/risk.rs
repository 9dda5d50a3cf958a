//! The risk as a function of the flat parameter vector: shards of samples on threads, fixed-order sums.
//!
//! Maths: R = mean loss (eqs 2.5-2.6 of Gao et al. 2024); gradients by the adjoint; Hessian-vector products on dual numbers.
//! Shapes: parameters and gradients are flat vectors in `Layout` order.
//! Cost: forward plus about 2.5 forwards for the gradient; one private gradient a shard.
//! Checked: `tests/derivatives.rs`, `tests/threads.rs` (same bits for any number of threads, no allocation).

use crate::network::Network;
use crate::pass::{Job, Pass, Run, Sums};
use mckean_data::Dataset;
use mckean_model::ModelError;
use mckean_num::lane::{Isa, Scalar};
use mckean_num::par::Par;
use std::sync::Arc;

/// Which samples enter, with which dropout masks.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Sample indices.
    pub items: Vec<u32>,
    /// Dropout probability and the key of this step; none for evaluation.
    pub dropout: Option<(f64, u64)>,
}

impl Batch {
    /// The first `n` samples, no dropout.
    pub fn first(n: usize) -> Self {
        Batch { items: (0..n as u32).collect(), dropout: None }
    }
}

struct Shard<S> {
    pass: Box<dyn Run<S>>,
    grad: Vec<S>,
    sums: Sums,
}

/// The risk of a network on a data set.
pub struct Risk<S: Scalar> {
    net: Arc<Network>,
    data: Arc<Dataset>,
    par: Par,
    shards: Vec<Shard<S>>,
}

/// Shards a full batch is cut into when it is large enough; independent of the number of threads.
const SHARDS: usize = 4;

impl<S: Scalar> Risk<S> {
    /// Prepares the working memory.
    ///
    /// # Errors
    /// Unknown encoders.
    pub fn new(net: Arc<Network>, data: Arc<Dataset>, par: Par) -> Result<Self, ModelError> {
        Self::with_isa(net, data, par, Isa::detect())
    }

    /// As [`Risk::new`] on a given instruction set (which the machine must have).
    ///
    /// # Errors
    /// Unknown encoders.
    pub fn with_isa(net: Arc<Network>, data: Arc<Dataset>, par: Par, isa: Isa) -> Result<Self, ModelError> {
        let shard = |_| {
            let pass: Box<dyn Run<S>> = match isa {
                Isa::Avx512 => Box::new(Pass::<S::Avx512>::new(net.clone())?),
                Isa::Avx2 => Box::new(Pass::<S::Avx2>::new(net.clone())?),
                Isa::Portable => Box::new(Pass::<S::Portable>::new(net.clone())?),
            };
            Ok(Shard { pass, grad: Vec::new(), sums: Sums::default() })
        };
        let shards = (0..SHARDS).map(shard).collect::<Result<_, ModelError>>()?;
        Ok(Risk { net, data, par, shards })
    }

    /// The network.
    pub fn network(&self) -> &Arc<Network> {
        &self.net
    }

    /// The samples.
    pub fn data(&self) -> &Arc<Dataset> {
        &self.data
    }

    /// Number of parameters.
    pub fn dim(&self) -> usize {
        self.net.parameters()
    }

    /// Samples per shard: whole lanes, at most `SHARDS` shares.
    fn share(&self, items: usize) -> usize {
        let lane = self.shards[0].pass.lane();
        items.div_ceil(lane).div_ceil(SHARDS) * lane
    }

    /// Risk of a batch without derivatives.
    pub fn value(&mut self, theta: &[S], batch: &Batch) -> Sums {
        let (share, job) = (self.share(batch.items.len()), self.job(theta, batch));
        let (data, job) = (self.data.clone(), job);
        self.par.each(&mut self.shards, |i, shard| {
            shard.sums = shard.pass.run(job.on(&data, part(&batch.items, share, i)), None, None);
        });
        self.total()
    }

    /// Risk and outputs, row-major (items, C).
    pub fn outputs(&mut self, theta: &[S], batch: &Batch, out: &mut [f64]) -> Sums {
        let (share, c) = (self.share(batch.items.len()), self.net.reader.outputs);
        let (data, job) = (self.data.clone(), self.job(theta, batch));
        for (i, (shard, out)) in self.shards.iter_mut().zip(out.chunks_mut(share * c)).enumerate() {
            shard.sums = shard.pass.run(job.on(&data, part(&batch.items, share, i)), None, Some(out));
        }
        let used = batch.items.len().div_ceil(share);
        self.shards[used..].iter_mut().for_each(|s| s.sums = Sums::default());
        self.total()
    }

    /// Risk and gradient; `grad` is overwritten.
    pub fn value_and_grad(&mut self, theta: &[S], batch: &Batch, grad: &mut [S]) -> Sums {
        let (share, dim) = (self.share(batch.items.len()), self.dim());
        let (data, job) = (self.data.clone(), self.job(theta, batch));
        self.par.each(&mut self.shards, |i, shard| {
            let items = part(&batch.items, share, i);
            shard.grad.resize(if items.is_empty() { 0 } else { dim }, S::zero());
            shard.grad.fill(S::zero());
            shard.sums = shard.pass.run(job.on(&data, items), Some(&mut shard.grad), None);
        });
        let shards = &self.shards;
        self.par.each_chunk(grad, 1 << 14, |start, grad| {
            grad.copy_from_slice(&shards[0].grad[start..start + grad.len()]);
            for shard in shards[1..].iter().filter(|s| !s.grad.is_empty()) {
                grad.iter_mut().zip(&shard.grad[start..]).for_each(|(g, &s)| *g += s);
            }
        });
        self.total()
    }

    fn job<'a>(&self, theta: &'a [S], batch: &Batch) -> Prepared<'a, S> {
        assert_eq!(theta.len(), self.dim(), "parameters: wrong length");
        Prepared { theta, weight: 1.0 / batch.items.len() as f64, dropout: batch.dropout }
    }

    fn total(&self) -> Sums {
        self.shards.iter().fold(Sums::default(), |a, s| a.merge(s.sums))
    }
}

#[derive(Clone, Copy)]
struct Prepared<'a, S> {
    theta: &'a [S],
    weight: f64,
    dropout: Option<(f64, u64)>,
}

impl<'a, S> Prepared<'a, S> {
    fn on<'b>(self, data: &'b Dataset, items: &'b [u32]) -> Job<'b, S>
    where
        'a: 'b,
    {
        Job { theta: self.theta, data, items, weight: self.weight, dropout: self.dropout }
    }
}

fn part(items: &[u32], share: usize, i: usize) -> &[u32] {
    &items[(i * share).min(items.len())..((i + 1) * share).min(items.len())]
}
