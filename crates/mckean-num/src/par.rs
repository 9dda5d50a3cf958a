//! Explicit parallelism: who runs what is decided by the problem, never by the number of threads.
//!
//! Maths: none; results do not depend on the pool because items are independent and sums are ordered by the caller.
//! Shapes: slices of items or of numbers.
//! Cost: one wake-up of the pool a call (a few microseconds); none with one thread.
//! Checked: tests below.

use rayon::prelude::*;
use std::sync::Arc;

/// A pool of threads, or none.
#[derive(Clone, Debug)]
pub struct Par {
    pool: Option<Arc<rayon::ThreadPool>>,
    threads: usize,
}

impl Par {
    /// A pool of `threads` threads; 0 takes one per core. Falls back to one thread when the pool cannot be made.
    pub fn new(threads: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        let threads = if threads == 0 { cores } else { threads };
        let build = || rayon::ThreadPoolBuilder::new().num_threads(threads).build().ok().map(Arc::new);
        let pool = if threads > 1 { build() } else { None };
        Par { threads: if pool.is_some() { threads } else { 1 }, pool }
    }

    /// One thread: the caller's.
    pub fn serial() -> Self {
        Par { pool: None, threads: 1 }
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Calls `f(index, item)` on every item.
    pub fn each<T: Send>(&self, items: &mut [T], f: impl Fn(usize, &mut T) + Sync) {
        match &self.pool {
            None => items.iter_mut().enumerate().for_each(|(i, t)| f(i, t)),
            Some(pool) => pool.install(|| items.par_iter_mut().enumerate().with_max_len(1).for_each(|(i, t)| f(i, t))),
        }
    }

    /// Calls `f(start, chunk)` on chunks of `len` numbers.
    pub fn each_chunk<T: Send>(&self, items: &mut [T], len: usize, f: impl Fn(usize, &mut [T]) + Sync) {
        match &self.pool {
            Some(pool) if items.len() > len => {
                pool.install(|| items.par_chunks_mut(len).enumerate().for_each(|(i, c)| f(i * len, c)));
            }
            _ => items.chunks_mut(len).enumerate().for_each(|(i, c)| f(i * len, c)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_visited_once_whatever_the_pool() {
        for threads in [1, 2, 3] {
            let par = Par::new(threads);
            let mut items = vec![1usize; 37];
            par.each(&mut items, |i, x| *x += i);
            assert!(items.iter().enumerate().all(|(i, &x)| x == i + 1));
            par.each_chunk(&mut items, 5, |start, c| c.iter_mut().enumerate().for_each(|(k, x)| *x -= start + k));
            assert_eq!(items, [1; 37]);
        }
    }
}
