//! What a thread is asked to do and what it answers.
//!
//! Maths: sums over samples of weighted losses, counts and maxima.
//! Shapes: outputs are row-major (items, C).
//! Cost: none of its own.
//! Checked: `tests/threads.rs`.

use mckean_data::Dataset;

/// Which samples, and how they are treated.
#[derive(Clone, Copy)]
pub struct Job<'a, S> {
    /// Parameters.
    pub theta: &'a [S],
    /// Samples.
    pub data: &'a Dataset,
    /// Indices of the samples of this shard.
    pub items: &'a [u32],
    /// Weight of each sample in the risk (1 / batch size).
    pub weight: f64,
    /// Dropout probability and key of this step.
    pub dropout: Option<(f64, u64)>,
}

/// Sums over samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// Weighted sum of losses.
    pub risk: f64,
    /// Its tangent (dual parameters only).
    pub tangent: f64,
    /// Correctly classified samples (0 for regression).
    pub correct: usize,
    /// Largest 2-norm of a token at depth 1, before any normalisation.
    pub token_norm: f64,
}

impl Sums {
    /// Sums of two sets of samples.
    pub fn merge(self, o: Sums) -> Sums {
        let larger = o.token_norm > self.token_norm || o.token_norm.is_nan();
        Sums {
            risk: self.risk + o.risk,
            tangent: self.tangent + o.tangent,
            correct: self.correct + o.correct,
            token_norm: if larger { o.token_norm } else { self.token_norm },
        }
    }
}

/// What a thread can do with a shard; hides the lane type.
pub trait Run<S>: Send {
    /// Risk of the items; adds to `grad` if given; writes outputs (items, C) if given.
    fn run(&mut self, job: Job<'_, S>, grad: Option<&mut [S]>, outputs: Option<&mut [f64]>) -> Sums;
}
