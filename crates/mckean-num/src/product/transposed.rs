//! Reductions over samples as an outer product: B is turned so that a lane holds columns, and nothing has to be summed within a lane.
//!
//! Maths: as [`super::reduce`]: the samples of a lane become further steps of the inner loop.
//! Shapes: a panel of B, `WIDTH` steps of the inner loop for each of `depth` rows, by the columns of one register tile.
//! Cost: one multiply-add a number; turning a panel costs log2(W) zips a lane of B and is repaid by the rows of A.
//! Checked: `product::tests` (every lane type, ragged sizes).

use super::tile::{Reduce, balanced, possible};
use super::{Lanes, Operand};
use crate::lane::{Lane, Task};
use std::mem::MaybeUninit;

/// Lanes of a panel and their bytes: it stays in the first-level cache while the rows of A pass.
const PANEL: (usize, usize) = (384, 24 << 10);
/// Entries of the widest lane.
const WIDEST: usize = 16;

/// `out(i, j) += alpha sum a(i, p) b(p, j)` with neighbouring columns side by side in `out`.
pub(super) struct Transposed<'a, V: Lane> {
    pub sizes: (usize, usize, usize),
    pub a: Lanes<'a, V>,
    pub b: Lanes<'a, V>,
    pub sink: Reduce<V::S>,
}

/// Whether this way is the faster one: enough rows to repay the turning, columns that fill a lane.
pub(super) fn pays<V: Lane>(rows: usize, columns: usize) -> bool {
    V::W > 1 && V::W <= WIDEST && rows >= 12 && columns >= V::W
}

/// Turns the W x W block at (p, j); columns from `n` on are zero.
///
/// # Safety
/// Row `p` of `b` has `n` columns.
#[inline(always)]
unsafe fn turn<V: Lane>(b: Lanes<'_, V>, p: usize, j: usize, n: usize) -> [V; WIDEST] {
    let mut x = [V::zero(); WIDEST];
    for c in 0..V::W.min(n - j) {
        x[c] = unsafe { b.at(p, j + c) };
    }
    let mut rounds = V::W;
    while rounds > 1 {
        let from = x;
        for i in 0..V::W / 2 {
            (x[2 * i], x[2 * i + 1]) = from[i].zip(from[i + V::W / 2]);
        }
        rounds /= 2;
    }
    x
}

/// Sums of MR rows of A times a panel of NR registers a step.
#[inline(always)]
unsafe fn tile<V: Lane, const MR: usize, const NR: usize>(
    depth: usize,
    a: *const V,
    (rows, columns): (usize, usize),
    panel: *const V,
) -> [[V; NR]; MR] {
    let mut t = [[V::zero(); NR]; MR];
    for p in 0..depth {
        for w in 0..V::W {
            let mut row = [V::zero(); NR];
            for c in 0..NR {
                row[c] = unsafe { *panel.add((p * V::W + w) * NR + c) };
            }
            for r in 0..MR {
                let x = unsafe { V::spread(a.add(r * rows + p * columns), w) };
                for c in 0..NR {
                    t[r][c] = x.accumulate(row[c], t[r][c]);
                }
            }
        }
    }
    t
}

/// Adds `alpha` times a tile to the output at `out`, of which `n` columns exist.
#[inline(always)]
unsafe fn put<V: Lane, const MR: usize, const NR: usize>(
    t: &[[V; NR]; MR],
    (alpha, stride): (f64, usize),
    n: usize,
    out: *mut V::S,
) {
    for r in 0..MR {
        for c in 0..NR {
            unsafe {
                let to = out.add(r * stride + c * V::W);
                if (c + 1) * V::W <= n {
                    let sum = t[r][c].times_add(alpha, V::from_fn(|w| *to.add(w)));
                    for w in 0..V::W {
                        *to.add(w) = sum.get(w);
                    }
                } else {
                    for w in 0..n - c * V::W {
                        *to.add(w) = Lane::times_add(t[r][c].get(w), alpha, *to.add(w));
                    }
                }
            }
        }
    }
}

impl<V: Lane> Transposed<'_, V> {
    /// All rows of A against one panel: NR registers from column `j` on, inner rows `p` to `p + depth`.
    #[inline(always)]
    unsafe fn panel<const NR: usize>(&self, (p, depth): (usize, usize), j: usize, store: &mut [MaybeUninit<V>]) {
        let (m, n, _) = self.sizes;
        for q in 0..depth {
            for c in 0..NR {
                let turned = unsafe { turn(self.b, p + q, j + c * V::W, n) };
                for w in 0..V::W {
                    store[(q * V::W + w) * NR + c].write(turned[w]);
                }
            }
        }
        let panel = store.as_ptr().cast::<V>();
        let (pieces, short, longer) = balanced(m, V::TILES[0].0);
        let mut i = 0;
        for piece in 0..pieces {
            let height = short + usize::from(piece < longer);
            unsafe {
                match height {
                    6 if possible::<V>(6, 1) => self.rows::<6, NR>(i, (p, depth), j, panel),
                    5 if possible::<V>(5, 1) => self.rows::<5, NR>(i, (p, depth), j, panel),
                    4 if possible::<V>(4, 1) => self.rows::<4, NR>(i, (p, depth), j, panel),
                    3 if possible::<V>(3, 1) => self.rows::<3, NR>(i, (p, depth), j, panel),
                    2 => self.rows::<2, NR>(i, (p, depth), j, panel),
                    1 => self.rows::<1, NR>(i, (p, depth), j, panel),
                    _ => {}
                }
            }
            i += height;
        }
    }

    #[inline(always)]
    unsafe fn rows<const MR: usize, const NR: usize>(
        &self,
        i: usize,
        (p, depth): (usize, usize),
        j: usize,
        panel: *const V,
    ) {
        let a = unsafe { self.a.data.as_ptr().add(i * self.a.rows + p * self.a.columns) };
        let t = unsafe { tile::<V, MR, NR>(depth, a, (self.a.rows, self.a.columns), panel) };
        let stride = self.sink.strides.0;
        unsafe { put(&t, (self.sink.alpha, stride), self.sizes.1 - j, self.sink.out.add(i * stride + j)) }
    }
}

impl<V: Lane> Task for Transposed<'_, V> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let (_, n, k) = self.sizes;
        let mut store = [MaybeUninit::uninit(); PANEL.0];
        let widest = V::TILES[0].1;
        let room = PANEL.0.min(PANEL.1 / size_of::<V>());
        let (parts, short, longer) = balanced(k, (room / (widest * V::W)).max(1));
        let (panels, narrow, wider) = balanced(n.div_ceil(V::W), widest);
        let mut p = 0;
        for part in 0..parts {
            let depth = short + usize::from(part < longer);
            let mut j = 0;
            for x in 0..panels {
                let width = narrow + usize::from(x < wider);
                unsafe {
                    match width {
                        4 if possible::<V>(1, 4) => self.panel::<4>((p, depth), j, &mut store),
                        3 if possible::<V>(1, 3) => self.panel::<3>((p, depth), j, &mut store),
                        2 if possible::<V>(1, 2) => self.panel::<2>((p, depth), j, &mut store),
                        1 => self.panel::<1>((p, depth), j, &mut store),
                        _ => {}
                    }
                }
                j += width * V::W;
            }
            p += depth;
        }
    }
}
