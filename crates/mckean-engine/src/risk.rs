//! The risk as a function of the flat parameter vector: shards of samples on threads, fixed-order sums.
//!
//! Maths: R = mean loss (eqs 2.5-2.6 of Gao et al. 2024); gradients by the adjoint; Hessian-vector products on dual numbers.
//! Shapes: parameters and gradients are flat vectors in `Layout` order.
//! Cost: forward plus about 2.5 forwards for the gradient; one private gradient a shard, one working memory a thread.
//! Checked: `tests/derivatives.rs`, `tests/threads.rs` (same bits for any number of threads, no allocation).

use crate::job::{Job, Run, Sums};
use crate::network::Network;
use crate::pass::Pass;
use crate::plan::{LaneAxis, Plan, plan};
use mckean_data::Dataset;
use mckean_model::ModelError;
use mckean_num::lane::{Isa, Lane, Scalar};
use mckean_num::par::Par;
use std::ops::Range;
use std::sync::{Arc, Mutex};

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

#[derive(Clone)]
struct Shard<S> {
    grad: Vec<S>,
    sums: Sums,
}

type Pooled<S> = Box<dyn Run<S>>;

/// Working memories, made when a thread first asks for one; which thread gets which does not matter.
struct Passes<S> {
    net: Arc<Network>,
    axis: LaneAxis,
    make: fn(Arc<Network>, LaneAxis) -> Result<Pooled<S>, ModelError>,
    free: Mutex<Vec<Pooled<S>>>,
}

impl<S> Passes<S> {
    fn run(&self, job: Job<'_, S>, grad: Option<&mut [S]>, outputs: Option<&mut [f64]>) -> Sums {
        if job.items.is_empty() {
            return Sums::default();
        }
        let free = self.free.lock().expect("no thread panicked").pop();
        let make = || (self.make)(self.net.clone(), self.axis).expect("the network knows its encoders");
        let mut pass = free.unwrap_or_else(make);
        let sums = pass.run(job, grad, outputs);
        self.free.lock().expect("no thread panicked").push(pass);
        sums
    }
}

/// The risk of a network on a data set.
pub struct Risk<S: Scalar> {
    net: Arc<Network>,
    data: Arc<Dataset>,
    par: Par,
    plan: Plan,
    lane: usize,
    passes: Passes<S>,
    shards: Vec<Shard<S>>,
}

/// Least and largest number of shards of a batch that is large enough; independent of the number of threads.
const SHARDS: (usize, usize) = (4, 16);
/// Lane groups of a shard that fill a tile.
const GROUPS: usize = 8;
/// Bytes that the gradients of more than the least number of shards may take.
const GRADIENT_BYTES: usize = 256 << 20;

impl<S: Scalar> Risk<S> {
    /// Prepares the evaluation; working memory is taken at the first one.
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
        Ok(match isa {
            Isa::Avx512 => Self::on::<S::Avx512>(net, data, par),
            Isa::Avx2 => Self::on::<S::Avx2>(net, data, par),
            Isa::Portable => Self::on::<S::Portable>(net, data, par),
        })
    }

    fn on<V: Lane<S = S>>(net: Arc<Network>, data: Arc<Dataset>, par: Par) -> Self {
        let plan = plan(&net, data.samples, V::W, size_of::<V>());
        let (axis, free) = (plan.axis, Mutex::new(Vec::with_capacity(par.threads())));
        let lane = if axis == LaneAxis::Tokens { 1 } else { V::W };
        let passes = Passes { net: net.clone(), axis, make: make::<V>, free };
        let shards = vec![Shard { grad: Vec::new(), sums: Sums::default() }; SHARDS.1];
        Risk { net, data, par, plan, lane, passes, shards }
    }

    /// The network.
    pub fn network(&self) -> &Arc<Network> {
        &self.net
    }

    /// The samples.
    pub fn data(&self) -> &Arc<Dataset> {
        &self.data
    }

    /// What a lane holds, and why.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Number of parameters.
    pub fn dim(&self) -> usize {
        self.net.parameters()
    }

    /// How a batch is cut: a property of the problem. Whole lanes, shares that differ by one lane group at most.
    fn cut(&self, items: usize) -> Cut {
        let groups = items.div_ceil(self.lane);
        let wanted = if self.plan.axis == LaneAxis::Tokens { groups } else { groups / GROUPS };
        let room = GRADIENT_BYTES / (self.dim() * size_of::<S>()).max(1);
        let shards = wanted.min(room).clamp(SHARDS.0, SHARDS.1);
        Cut { items, groups, shards, lane: self.lane }
    }

    /// Risk of a batch without derivatives.
    pub fn value(&mut self, theta: &[S], batch: &Batch) -> Sums {
        let (cut, job, data) = (self.cut(batch.items.len()), self.job(theta, batch), &self.data);
        let passes = &self.passes;
        self.par.each(&mut self.shards[..cut.shards], |i, shard| {
            let items = &batch.items[cut.part(i)];
            shard.sums = passes.run(job.on(data, items), None, None);
        });
        self.total(cut)
    }

    /// Risk and outputs, row-major (items, C).
    pub fn outputs(&mut self, theta: &[S], batch: &Batch, out: &mut [f64]) -> Sums {
        let (cut, c) = (self.cut(batch.items.len()), self.net.reader.outputs);
        let (job, data, passes) = (self.job(theta, batch), &self.data, &self.passes);
        let mut rest = out;
        let mut work = Vec::with_capacity(cut.shards);
        for (i, shard) in self.shards[..cut.shards].iter_mut().enumerate() {
            let (own, tail) = rest.split_at_mut(cut.part(i).len() * c);
            work.push((shard, own));
            rest = tail;
        }
        self.par.each(&mut work, |i, (shard, own)| {
            let items = &batch.items[cut.part(i)];
            shard.sums = passes.run(job.on(data, items), None, Some(own));
        });
        self.total(cut)
    }

    /// Risk and gradient; `grad` is overwritten.
    pub fn value_and_grad(&mut self, theta: &[S], batch: &Batch, grad: &mut [S]) -> Sums {
        let (cut, dim) = (self.cut(batch.items.len()), self.dim());
        let (job, data, passes) = (self.job(theta, batch), &self.data, &self.passes);
        self.par.each(&mut self.shards[..cut.shards], |i, shard| {
            let items = &batch.items[cut.part(i)];
            shard.grad.resize(if items.is_empty() { 0 } else { dim }, S::zero());
            shard.grad.fill(S::zero());
            shard.sums = passes.run(job.on(data, items), Some(&mut shard.grad), None);
        });
        let shards = &self.shards[..cut.shards];
        self.par.each_chunk(grad, 1 << 14, |start, grad| {
            grad.fill(S::zero());
            for shard in shards.iter().filter(|s| !s.grad.is_empty()) {
                grad.iter_mut().zip(&shard.grad[start..]).for_each(|(g, &s)| *g += s);
            }
        });
        self.total(cut)
    }

    fn job<'a>(&self, theta: &'a [S], batch: &Batch) -> Prepared<'a, S> {
        assert_eq!(theta.len(), self.dim(), "parameters: wrong length");
        Prepared { theta, weight: 1.0 / batch.items.len() as f64, dropout: batch.dropout }
    }

    fn total(&self, cut: Cut) -> Sums {
        self.shards[..cut.shards].iter().fold(Sums::default(), |a, s| a.merge(s.sums))
    }
}

fn make<V: Lane>(net: Arc<Network>, axis: LaneAxis) -> Result<Pooled<V::S>, ModelError> {
    Ok(Box::new(Pass::<V>::new(net, axis)?))
}

/// How a batch is cut into shards.
#[derive(Clone, Copy)]
struct Cut {
    items: usize,
    groups: usize,
    shards: usize,
    lane: usize,
}

impl Cut {
    /// Items of shard `i`.
    fn part(&self, i: usize) -> Range<usize> {
        let at = |i: usize| (self.groups * i / self.shards * self.lane).min(self.items);
        at(i)..at(i + 1)
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
