//! Reductions too large for the first-level cache, block by block.
//!
//! Maths: as [`super::reduce`]; the inner loop is cut, and every block is summed over the samples by itself.
//! Shapes: blocks of at most `DEPTH` inner steps, copied with an odd stride: columns a power of two apart share few places
//!   of the cache.
//! Cost: one copied lane for every ten or more multiply-adds.
//! Checked: `product::tests` (sizes beyond `LARGE`).

use super::tile::{Reduce, balanced, bands};
use super::{Operand, lanes};
use crate::lane::{Lane, Task};
use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// Lanes of B from which blocks pay.
pub(super) const LARGE: usize = 6000;
/// Lanes of a copied block of B: 20 KB on AVX2.
const LANES: usize = 640;
/// Lanes of a copied block of A, read band by band.
const TALL: usize = 2400;
/// Inner steps of a block.
const DEPTH: usize = 72;

pub(super) struct Blocked<V: Lane, A, B> {
    pub sizes: (usize, usize, usize),
    pub a: A,
    pub b: B,
    pub sink: Reduce<V::S>,
    pub lane: PhantomData<V>,
}

/// Pieces of `total`, at most `limit` each, as (start, length).
#[inline(always)]
fn piece(total: usize, limit: usize, x: usize) -> (usize, usize) {
    let (_, short, longer) = balanced(total, limit);
    (x * short + x.min(longer), short + usize::from(x < longer))
}

/// Copies the (m, n) block at (i, j) with row stride `stride`.
///
/// # Safety
/// The block lies inside the operand.
#[inline(always)]
unsafe fn copy<V: Lane>(
    x: impl Operand<V>,
    (i, j): (usize, usize),
    (m, n): (usize, usize),
    stride: usize,
    to: &mut [MaybeUninit<V>],
) -> &[V] {
    for r in 0..m {
        let row = &mut to[r * stride..(r + 1) * stride];
        for c in 0..n {
            row[c].write(unsafe { x.at(i + r, j + c) });
        }
        for c in n..stride {
            row[c].write(V::zero());
        }
    }
    unsafe { std::slice::from_raw_parts(to.as_ptr().cast(), m * stride) }
}

/// A read with rows and columns exchanged, so that copies of A run along its rows of lanes.
#[derive(Clone, Copy)]
struct Transposed<A>(A);

impl<V: Lane, A: Operand<V>> Operand<V> for Transposed<A> {
    #[inline(always)]
    fn holds(&self, m: usize, n: usize) -> bool {
        self.0.holds(n, m)
    }
    #[inline(always)]
    unsafe fn at(&self, i: usize, j: usize) -> V {
        unsafe { self.0.at(j, i) }
    }
}

impl<V: Lane, A: Operand<V>, B: Operand<V>> Task for Blocked<V, A, B> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let (m, n, k) = self.sizes;
        let (mut tall, mut wide) = ([MaybeUninit::uninit(); TALL], [MaybeUninit::uninit(); LANES]);
        for x in 0..balanced(k, DEPTH).0 {
            let (p, depth) = piece(k, DEPTH, x);
            let (height, width) = ((TALL / depth - 1) & !3, LANES / depth);
            for y in 0..balanced(m, height).0 {
                let (i, rows) = piece(m, height, y);
                let stride = rows | 1;
                let a = unsafe { copy(Transposed(self.a), (p, i), (depth, rows), stride, &mut tall) };
                for z in 0..balanced(n, width).0 {
                    let (j, columns) = piece(n, width, z);
                    let b = unsafe { copy(self.b, (p, j), (depth, columns), columns, &mut wide) };
                    let out = unsafe { self.sink.out.add(i * self.sink.strides.0 + j * self.sink.strides.1) };
                    let mut sink = Reduce { out, strides: self.sink.strides, alpha: self.sink.alpha };
                    unsafe { bands((rows, columns, depth), lanes(a, 1, stride), lanes(b, columns, 1), &mut sink) }
                }
            }
        }
    }
}
