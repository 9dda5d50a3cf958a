//! Register tiles: a block of accumulators that stays in registers over the whole inner loop.
//!
//! Maths: t(r, c) = sum_p a(i + r, p) b(p, j + c).
//! Shapes: at most 6 rows and 4 columns, from the lane's list `TILES`; `shape` picks the one that loads least.
//! Cost: MR NR multiply-adds and MR + NR loads a step; a tile is stored, or summed over samples, once.
//! Checked: `product::tests`, every tile of every lane type against a triple loop.

use super::Operand;
use crate::lane::Lane;

/// Where a finished register tile goes.
pub(super) trait Sink<V> {
    /// Whether a product may be cut along its inner loop (each further part is added).
    const DIVISIBLE: bool;
    /// Told before the parts of a cut product, whether the first one comes.
    fn part(&mut self, first: bool);
    /// # Safety
    /// The block at (i, j) lies inside the output block checked by the caller.
    unsafe fn put<const MR: usize, const NR: usize>(&mut self, i: usize, j: usize, t: &[[V; NR]; MR]);
}

/// Lanes stored or added.
pub(super) struct Store<V: Lane> {
    pub out: *mut V,
    pub stride: usize,
    pub add: bool,
    /// Whether the part at hand is added: always after the first one.
    pub adding: bool,
    pub alpha: f64,
}

impl<V: Lane> Sink<V> for Store<V> {
    const DIVISIBLE: bool = true;
    #[inline(always)]
    fn part(&mut self, first: bool) {
        self.adding = self.add || !first;
    }
    #[inline(always)]
    unsafe fn put<const MR: usize, const NR: usize>(&mut self, i: usize, j: usize, t: &[[V; NR]; MR]) {
        for r in 0..MR {
            for c in 0..NR {
                unsafe {
                    let p = self.out.add((i + r) * self.stride + j + c);
                    *p = if self.adding { t[r][c].times_add(self.alpha, *p) } else { t[r][c].times(self.alpha) };
                }
            }
        }
    }
}

/// Sums over the samples of a lane, added.
pub(super) struct Reduce<S> {
    pub out: *mut S,
    pub strides: (usize, usize),
    pub alpha: f64,
}

impl<V: Lane> Sink<V> for Reduce<V::S> {
    const DIVISIBLE: bool = false;
    #[inline(always)]
    fn part(&mut self, _: bool) {}
    #[inline(always)]
    unsafe fn put<const MR: usize, const NR: usize>(&mut self, i: usize, j: usize, t: &[[V; NR]; MR]) {
        let mut four = [V::zero(); 4];
        for x in 0..MR * NR {
            four[x % 4] = t[x / NR][x % NR];
            if x % 4 == 3 || x + 1 == MR * NR {
                let (sums, first) = (V::hsums(four), x - x % 4);
                for y in first..x + 1 {
                    unsafe {
                        let p = self.out.add((i + y / NR) * self.strides.0 + (j + y % NR) * self.strides.1);
                        *p = Lane::times_add(sums[y - first], self.alpha, *p);
                    }
                }
            }
        }
    }
}

/// One register tile: MR x NR accumulators over the whole k loop. The shorter side is held, the longer one streams.
#[inline(always)]
pub(super) unsafe fn tile<V: Lane, const MR: usize, const NR: usize>(
    k: usize,
    a: impl Operand<V>,
    b: impl Operand<V>,
    (i, j): (usize, usize),
    sink: &mut impl Sink<V>,
) {
    let mut t = [[V::zero(); NR]; MR];
    for p in 0..k {
        unsafe {
            if NR <= MR {
                let mut row = [V::zero(); NR];
                for c in 0..NR {
                    row[c] = b.at(p, j + c);
                }
                for r in 0..MR {
                    let x = a.at(i + r, p);
                    for c in 0..NR {
                        t[r][c] = x.accumulate(row[c], t[r][c]);
                    }
                }
            } else {
                let mut column = [V::zero(); MR];
                for r in 0..MR {
                    column[r] = a.at(i + r, p);
                }
                for c in 0..NR {
                    let y = b.at(p, j + c);
                    for r in 0..MR {
                        t[r][c] = column[r].accumulate(y, t[r][c]);
                    }
                }
            }
        }
    }
    unsafe { sink.put(i, j, &t) };
}

/// Splits `total` into nearly equal pieces of at most `limit`: (number, length of the short ones, how many are longer by 1).
#[inline(always)]
pub(super) const fn balanced(total: usize, limit: usize) -> (usize, usize, usize) {
    let pieces = if total > 0 { total.div_ceil(limit) } else { 1 };
    (pieces, total / pieces, total % pieces)
}

/// The largest tile (rows, columns) for an (m, n) block: the one of the lane's list that loads least.
#[inline(always)]
pub(super) const fn shape<V: Lane>(m: usize, n: usize) -> (usize, usize) {
    let mut best = V::TILES[0];
    let mut x = 1;
    while x < V::TILES.len() {
        let tile = V::TILES[x];
        if loads(tile, m, n) < loads(best, m, n) {
            best = tile;
        }
        x += 1;
    }
    best
}

#[inline(always)]
const fn loads(tile: (usize, usize), m: usize, n: usize) -> usize {
    n * m.div_ceil(tile.0) + m * n.div_ceil(tile.1)
}

/// Whether tiles of this size are ever asked for: keeps the code of the others out of the binary.
#[inline(always)]
pub(super) const fn possible<V: Lane>(rows: usize, columns: usize) -> bool {
    let mut x = 0;
    while x < V::TILES.len() {
        if rows <= V::TILES[x].0 && columns <= V::TILES[x].1 {
            return true;
        }
        x += 1;
    }
    false
}

/// An operand from row `1` and column `2` on.
#[derive(Clone, Copy)]
struct Shifted<A>(A, usize, usize);

impl<V: Lane, A: Operand<V>> Operand<V> for Shifted<A> {
    #[inline(always)]
    fn holds(&self, m: usize, n: usize) -> bool {
        self.0.holds(m + self.1, n + self.2)
    }
    #[inline(always)]
    unsafe fn at(&self, i: usize, j: usize) -> V {
        unsafe { self.0.at(i + self.1, j + self.2) }
    }
}

/// Bytes of the rows of A under one band: with the parameters they share a first-level cache of 32 KB.
const BAND_BYTES: usize = 20 << 10;

/// A row of tiles of fixed height; a long inner loop is cut, so that the rows of A stay in the first-level cache.
#[inline(always)]
unsafe fn band<V: Lane, const MR: usize>(
    (n, k, columns): (usize, usize, usize),
    a: impl Operand<V>,
    b: impl Operand<V>,
    i: usize,
    sink: &mut impl Sink<V>,
) {
    let depth = const { BAND_BYTES / (MR * size_of::<V>()) };
    if !sink_divisible(sink) || k <= depth {
        sink.part(true);
        return unsafe { row_of_tiles::<V, MR>((n, k, columns), a, b, i, sink) };
    }
    let (parts, short, longer) = balanced(k, depth);
    let mut p = 0;
    for part in 0..parts {
        let own = short + usize::from(part < longer);
        sink.part(part == 0);
        unsafe { row_of_tiles::<V, MR>((n, own, columns), Shifted(a, 0, p), Shifted(b, p, 0), i, sink) }
        p += own;
    }
}

#[inline(always)]
fn sink_divisible<V, K: Sink<V>>(_: &K) -> bool {
    K::DIVISIBLE
}

#[inline(always)]
unsafe fn row_of_tiles<V: Lane, const MR: usize>(
    (n, k, columns): (usize, usize, usize),
    a: impl Operand<V>,
    b: impl Operand<V>,
    i: usize,
    sink: &mut impl Sink<V>,
) {
    let (pieces, short, longer) = balanced(n, columns);
    let mut j = 0;
    for piece in 0..pieces {
        let width = short + usize::from(piece < longer);
        unsafe {
            match width {
                4 if possible::<V>(MR, 4) => tile::<V, MR, 4>(k, a, b, (i, j), sink),
                3 if possible::<V>(MR, 3) => tile::<V, MR, 3>(k, a, b, (i, j), sink),
                2 if possible::<V>(MR, 2) => tile::<V, MR, 2>(k, a, b, (i, j), sink),
                1 if possible::<V>(MR, 1) => tile::<V, MR, 1>(k, a, b, (i, j), sink),
                _ => {}
            }
        }
        j += width;
    }
}

/// The whole block, tile by tile.
#[inline(always)]
pub(super) unsafe fn bands<V: Lane>(
    (m, n, k): (usize, usize, usize),
    a: impl Operand<V>,
    b: impl Operand<V>,
    sink: &mut impl Sink<V>,
) {
    let (rows, columns) = shape::<V>(m, n);
    let (pieces, short, longer) = balanced(m, rows);
    let mut i = 0;
    for piece in 0..pieces {
        let height = short + usize::from(piece < longer);
        unsafe {
            match height {
                6 if possible::<V>(6, 1) => band::<V, 6>((n, k, columns), a, b, i, sink),
                5 if possible::<V>(5, 1) => band::<V, 5>((n, k, columns), a, b, i, sink),
                4 if possible::<V>(4, 1) => band::<V, 4>((n, k, columns), a, b, i, sink),
                3 if possible::<V>(3, 1) => band::<V, 3>((n, k, columns), a, b, i, sink),
                2 => band::<V, 2>((n, k, columns), a, b, i, sink),
                1 => band::<V, 1>((n, k, columns), a, b, i, sink),
                _ => {}
            }
        }
        i += height;
    }
}
