//! How fast this build runs here, against what the machine can do: the library side of `mckean bench`.
//!
//! Maths: model FLOPs of a gradient are 3 forward passes, 2 a multiply-add, all matrix products counted; a Hessian-vector
//! product counts twice a gradient.
//! Shapes: a workload is a network, its samples and a dynamics.
//! Cost: some seconds.
//! Checked: `mckean-cli/tests/bench.rs`; `bench/peers` compares with other frameworks.

mod host;
mod preset;
mod timing;

pub use preset::{PRESETS, Workload, find, of_config};
pub use timing::Spread;

use crate::error::Error;
use mckean_dynamics::config::{Kind, Precision};
use mckean_engine::{Batch, Risk};
use mckean_num::lane::{Dual, Isa, Real, Scalar};
use mckean_num::par::Par;
use mckean_num::peak;
use mckean_num::rng::Seed;
use serde::Serialize;
use std::sync::Arc;

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Value and gradient over one batch.
    Gradient,
    /// A whole step of the optimiser or the flow.
    Step,
    /// An exact Hessian-vector product, which also gives value and gradient.
    Hvp,
}

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// Preset or config.
    pub name: String,
    /// What was timed.
    pub what: What,
    /// "f32" or "f64".
    pub precision: &'static str,
    /// Instruction set.
    pub isa: &'static str,
    /// Processor.
    pub cpu: String,
    /// Threads.
    pub threads: usize,
    /// Parameters of the network.
    pub parameters: usize,
    /// Samples of one batch.
    pub samples: usize,
    /// Median time.
    pub median_ms: f64,
    /// Lower quartile.
    pub low_ms: f64,
    /// Upper quartile.
    pub high_ms: f64,
    /// Processor time of all threads for one of them.
    pub cpu_ms: Option<f64>,
    /// Times taken.
    pub repetitions: usize,
    /// Value without derivatives.
    pub forward_ms: f64,
    /// Gradient less value.
    pub backward_ms: f64,
    /// Step less gradient (steps only).
    pub optimiser_ms: Option<f64>,
    /// Time over that of a gradient (Hessian-vector products only).
    pub hvp_ratio: Option<f64>,
    /// Model FLOPs in billions.
    pub model_gflop: f64,
    /// Model FLOPs a second, in billions.
    pub gflops: f64,
    /// Fused multiply-adds in registers reach this, same threads and precision.
    pub peak_gflops: f64,
    /// Share of it.
    pub peak_share: f64,
    /// Memory bandwidth (triad), billions of bytes a second.
    pub bandwidth_gb_s: f64,
    /// Largest resident memory of this process so far.
    pub peak_rss_mb: Option<f64>,
    /// Share of the processor time of this machine that others used meanwhile.
    pub others_busy: Option<f64>,
}

/// Times a workload for about `seconds` and measures the machine beside it.
///
/// # Errors
/// Dynamics or encoders that cannot be built.
pub fn measure(work: &Workload, what: What, seconds: f64, par: &Par) -> Result<Measured, Error> {
    match work.dynamics.precision {
        Precision::F32 => typed::<f32>(work, what, seconds, par),
        Precision::F64 => typed::<f64>(work, what, seconds, par),
    }
}

fn typed<T: Real>(work: &Workload, what: What, seconds: f64, par: &Par) -> Result<Measured, Error>
where
    Dual<T>: Scalar<Real = T>,
{
    let (batch, peak_flops) = (Batch::first(work.batch), peak::flops::<T>(Isa::detect(), par));
    let busy = host::Busy::now();
    let theta: Vec<T> = work.start.iter().map(|&x| T::new(x, 0.0)).collect();
    let (mut risk, mut grad) = (risk::<T>(work, par)?, vec![T::zero(); theta.len()]);
    let share = if what == What::Gradient { 0.7 } else { 0.25 };
    let forward = timing::time(0.15 * seconds, || {
        risk.value(&theta, &batch);
    });
    let gradient = timing::time(share * seconds, || {
        risk.value_and_grad(&theta, &batch, &mut grad);
    });
    drop((risk, grad));
    let spread = match what {
        What::Gradient => gradient.clone(),
        What::Step => step(work, 0.6 * seconds, par)?,
        What::Hvp => hvp::<T>(work, &batch, 0.6 * seconds, par)?,
    };
    let others_busy = busy.share_of_others();
    let flops = work.gradient_flops() * if what == What::Hvp { 2.0 } else { 1.0 };
    let gflops = 1e-6 * flops / spread.median_ms;
    Ok(Measured {
        name: work.name.clone(),
        what,
        precision: if size_of::<T>() == 4 { "f32" } else { "f64" },
        isa: Isa::detect().name(),
        cpu: crate::store::cpu(),
        threads: par.threads(),
        parameters: work.net.parameters(),
        samples: work.batch,
        median_ms: spread.median_ms,
        low_ms: spread.low_ms,
        high_ms: spread.high_ms,
        cpu_ms: spread.cpu_ms,
        repetitions: spread.repetitions,
        forward_ms: forward.median_ms,
        backward_ms: gradient.median_ms - forward.median_ms,
        optimiser_ms: (what == What::Step).then_some((spread.median_ms - gradient.median_ms).max(0.0)),
        hvp_ratio: (what == What::Hvp).then_some(spread.median_ms / gradient.median_ms),
        model_gflop: 1e-9 * flops,
        gflops,
        peak_gflops: 1e-9 * peak_flops,
        peak_share: 1e9 * gflops / peak_flops,
        peak_rss_mb: host::peak_rss_mb(), // before the arrays of the next line
        bandwidth_gb_s: 1e-9 * peak::bandwidth(par),
        others_busy,
    })
}

fn risk<S: Scalar>(work: &Workload, par: &Par) -> Result<Risk<S>, Error> {
    Ok(Risk::<S>::new(work.net.clone(), Arc::clone(&work.data), par.clone())?)
}

fn step(work: &Workload, seconds: f64, par: &Par) -> Result<Spread, Error> {
    let mut e = mckean_dynamics::build(&work.dynamics, &work.net, &work.data, &work.start, Seed(1), par)?;
    let ahead = match work.dynamics.kind {
        Kind::Flow => work.dynamics.step,
        Kind::Descent => 1e-6, // any time after this step is reached by one more
    };
    Ok(timing::time(seconds, || {
        e.advance(e.tau() + ahead);
    }))
}

fn hvp<T: Real>(work: &Workload, batch: &Batch, seconds: f64, par: &Par) -> Result<Spread, Error>
where
    Dual<T>: Scalar<Real = T>,
{
    let mut draws = Seed(1).stream("direction").open();
    let theta: Vec<Dual<T>> = work.start.iter().map(|&x| Dual::new(x, draws.normal())).collect();
    let (mut risk, mut grad) = (risk::<Dual<T>>(work, par)?, vec![Dual::<T>::default(); theta.len()]);
    Ok(timing::time(seconds, || {
        risk.value_and_grad(&theta, batch, &mut grad);
    }))
}
