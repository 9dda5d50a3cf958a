//! Products whose output size is known to the compiler: the tiles are chosen then, and nothing else is in the code.
//!
//! Maths: as [`super::product`] and [`super::reduce`].
//! Shapes: (M, N) outputs cut into nearly equal tiles: `longer` pieces of length short + 1, then those of length short.
//! Cost: no call, no choice at run time; strides known at the call become part of the addresses.
//! Checked: `product::tests`, against the run-time code to the last bit.

use super::Operand;
use super::tile::{Sink, balanced, shape, tile};
use crate::lane::Lane;
use std::marker::PhantomData;

/// How an (M, N) output is cut.
struct Plan<V, const M: usize, const N: usize>(PhantomData<V>);

impl<V: Lane, const M: usize, const N: usize> Plan<V, M, N> {
    const ROWS: (usize, usize, usize) = balanced(M, shape::<V>(M, N).0);
    const COLUMNS: (usize, usize, usize) = balanced(N, shape::<V>(M, N).1);
    const TALL: usize = if Self::ROWS.2 > 0 { Self::ROWS.1 + 1 } else { 0 };
    const SHORT: usize = if Self::ROWS.2 < Self::ROWS.0 { Self::ROWS.1 } else { 0 };
    const WIDE: usize = if Self::COLUMNS.2 > 0 { Self::COLUMNS.1 + 1 } else { 0 };
    const NARROW: usize = if Self::COLUMNS.2 < Self::COLUMNS.0 { Self::COLUMNS.1 } else { 0 };
}

/// The trip count, hidden from the compiler: a rolled loop is shorter and as fast.
#[inline(always)]
fn rolled(k: usize) -> usize {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    unsafe {
        let mut k = k;
        std::arch::asm!("/* {0} */", inout(reg) k, options(pure, nomem, nostack, preserves_flags));
        return k;
    }
    #[allow(unreachable_code)]
    k
}

/// All tiles of a band of fixed height; `MR == 0` stands for a band that does not occur.
#[inline(always)]
unsafe fn band<V: Lane, const M: usize, const N: usize, const MR: usize>(
    k: usize,
    a: impl Operand<V>,
    b: impl Operand<V>,
    i: usize,
    sink: &mut impl Sink<V>,
) {
    let (pieces, _, longer) = Plan::<V, M, N>::COLUMNS;
    let (wide, narrow) = (Plan::<V, M, N>::WIDE, Plan::<V, M, N>::NARROW);
    for x in 0..longer {
        let at = (i, x * wide);
        unsafe {
            match Plan::<V, M, N>::WIDE {
                4 => tile::<V, MR, 4>(k, a, b, at, sink),
                3 => tile::<V, MR, 3>(k, a, b, at, sink),
                2 => tile::<V, MR, 2>(k, a, b, at, sink),
                _ => {}
            }
        }
    }
    for x in 0..pieces - longer {
        let at = (i, longer * wide + x * narrow);
        unsafe {
            match Plan::<V, M, N>::NARROW {
                4 => tile::<V, MR, 4>(k, a, b, at, sink),
                3 => tile::<V, MR, 3>(k, a, b, at, sink),
                2 => tile::<V, MR, 2>(k, a, b, at, sink),
                1 => tile::<V, MR, 1>(k, a, b, at, sink),
                _ => {}
            }
        }
    }
}

/// The whole (M, N) block.
#[inline(always)]
pub(super) unsafe fn bands<V: Lane, const M: usize, const N: usize>(
    k: usize,
    a: impl Operand<V>,
    b: impl Operand<V>,
    sink: &mut impl Sink<V>,
) {
    let k = rolled(k);
    let (pieces, _, longer) = Plan::<V, M, N>::ROWS;
    let (tall, short) = (Plan::<V, M, N>::TALL, Plan::<V, M, N>::SHORT);
    for x in 0..longer {
        let i = x * tall;
        unsafe {
            match Plan::<V, M, N>::TALL {
                6 => band::<V, M, N, 6>(k, a, b, i, sink),
                5 => band::<V, M, N, 5>(k, a, b, i, sink),
                4 => band::<V, M, N, 4>(k, a, b, i, sink),
                3 => band::<V, M, N, 3>(k, a, b, i, sink),
                2 => band::<V, M, N, 2>(k, a, b, i, sink),
                _ => {}
            }
        }
    }
    for x in 0..pieces - longer {
        let i = longer * tall + x * short;
        unsafe {
            match Plan::<V, M, N>::SHORT {
                6 => band::<V, M, N, 6>(k, a, b, i, sink),
                5 => band::<V, M, N, 5>(k, a, b, i, sink),
                4 => band::<V, M, N, 4>(k, a, b, i, sink),
                3 => band::<V, M, N, 3>(k, a, b, i, sink),
                2 => band::<V, M, N, 2>(k, a, b, i, sink),
                1 => band::<V, M, N, 1>(k, a, b, i, sink),
                _ => {}
            }
        }
    }
}
