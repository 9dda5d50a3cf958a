//! One (V, W) head on short sequences: the whole map in one function, compiled for the lane and for frequent sizes.
//!
//! Maths: with Q = rate Z W^T and R = scale P V, [A; T] = [Q; R] Z^T, S = row map of A, dA from (S, T);
//!   U = scale S Z, dQ = rate dA Z, dZ += [dA; S]^T [Q; R] + dQ W, G_V += P^T U, G_W += dQ^T Z.
//! Shapes: chunk by chunk (n, D) lanes; [Q; R] and [A; T] are 2 n rows of one buffer; gradients one product over all rows.
//! Cost: backward 7 n D^2 + 6 n^2 D multiply-adds and n^2 exponentials a head and sample.
//! Checked: `tests/derivatives.rs`, `tests/sizes.rs` (every fixed size against the run-time code and the plain reference).

use super::super::Tile;
use super::super::attention::Attention;
use mckean_num::lane::{Lane, Task};
use mckean_num::product::{lanes, params, product, product_sized, reduce, reduce_sized};

/// Parameters and sizes of a head.
#[derive(Clone, Copy)]
pub struct Head<'a, S> {
    pub tile: Tile,
    pub attention: Attention,
    pub scale: f64,
    pub v: &'a [S],
    pub w: &'a [S],
}

/// `N` and `D` known to the compiler; 0 takes them from the tile.
#[inline(always)]
fn sizes<const N: usize, const D: usize>(tile: Tile) -> (usize, usize) {
    (if N > 0 { N } else { tile.tokens }, if D > 0 { D } else { tile.dim })
}

/// Calls `$f::<V, N, D>` with the constants of a frequent size (tokens, dimension), or with (0, 0).
macro_rules! by_size {
    ($tile:expr, $f:ident, ($($args:expr),*)) => {
        match ($tile.tokens, $tile.dim) {
            _ if !V::FIXED_SIZES => $f::<V, 0, 0>($($args),*),
            (5, 8) => $f::<V, 5, 8>($($args),*),
            (5, 4) => $f::<V, 5, 4>($($args),*),
            (8, 8) => $f::<V, 8, 8>($($args),*),
            _ => $f::<V, 0, 0>($($args),*),
        }
    };
}

/// `out += scale V Z S`.
pub fn forward<V: Lane>(head: Head<'_, V::S>, x: &[V], out: &mut [V], scratch: &mut [V]) {
    by_size!(head.tile, forward_sized, (head, x, out, scratch));
}

/// The adjoint: `g_x += ...`, `(g_v, g_w) += ...`.
pub fn vjp<V: Lane>(
    head: Head<'_, V::S>,
    xp: (&[V], &[V]),
    g_x: &mut [V],
    grads: (&mut [V::S], &mut [V::S]),
    scratch: &mut [V],
) {
    by_size!(head.tile, vjp_sized, (head, xp, g_x, grads, scratch));
}

struct Forward<'a, V: Lane, const N: usize, const D: usize> {
    head: Head<'a, V::S>,
    x: &'a [V],
    out: &'a mut [V],
    scratch: &'a mut [V],
}

fn forward_sized<V: Lane, const N: usize, const D: usize>(
    head: Head<'_, V::S>,
    x: &[V],
    out: &mut [V],
    scratch: &mut [V],
) {
    V::vectorize(Forward::<V, N, D> { head, x, out, scratch });
}

impl<V: Lane, const N: usize, const D: usize> Task for Forward<'_, V, N, D> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let (n, d) = sizes::<N, D>(self.head.tile);
        let (q, rest) = self.scratch.split_at_mut(n * d);
        let (u, rest) = rest.split_at_mut(n * d);
        let a = &mut rest[..n * n];
        for (x, out) in self.x.chunks_exact(n * d).zip(self.out.chunks_exact_mut(n * d)) {
            product_sized::<V, N, D>(
                (n, d, d),
                lanes(x, d, 1),
                params(self.head.w, 1, d),
                self.head.attention.rate(),
                false,
                q,
                d,
            );
            product_sized::<V, N, N>((n, n, d), lanes(q, d, 1), lanes(x, 1, d), 1.0, false, a, n);
            self.head.attention.plain_map(n, a);
            product_sized::<V, N, D>((n, d, n), lanes(a, n, 1), lanes(x, d, 1), self.head.scale, false, u, d);
            product_sized::<V, N, D>((n, d, d), lanes(u, d, 1), params(self.head.v, 1, d), 1.0, true, out, d);
        }
    }
}

struct Vjp<'a, V: Lane, const N: usize, const D: usize> {
    head: Head<'a, V::S>,
    xp: (&'a [V], &'a [V]),
    g_x: &'a mut [V],
    grads: (&'a mut [V::S], &'a mut [V::S]),
    scratch: &'a mut [V],
}

fn vjp_sized<V: Lane, const N: usize, const D: usize>(
    head: Head<'_, V::S>,
    xp: (&[V], &[V]),
    g_x: &mut [V],
    grads: (&mut [V::S], &mut [V::S]),
    scratch: &mut [V],
) {
    V::vectorize(Vjp::<V, N, D> { head, xp, g_x, grads, scratch });
}

impl<V: Lane, const N: usize, const D: usize> Task for Vjp<'_, V, N, D> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Vjp { head, xp: (x, p), g_x, grads, scratch } = self;
        let (n, d) = sizes::<N, D>(head.tile);
        let rows = head.tile.chunks * n;
        let (u, rest) = scratch.split_at_mut(rows * d);
        let (dq, rest) = rest.split_at_mut(rows * d);
        for c in 0..head.tile.chunks {
            let own = c * n * d..(c + 1) * n * d;
            let (u, dq, g_x) = (&mut u[own.clone()], &mut dq[own.clone()], &mut g_x[own.clone()]);
            chunk_vjp::<V, N, D>((n, d), head, (&x[own.clone()], &p[own]), (u, dq, g_x), rest);
        }
        reduce_sized::<V, D, D>((d, d, rows), lanes(p, 1, d), lanes(u, d, 1), 1.0, grads.0, (d, 1));
        reduce_sized::<V, D, D>((d, d, rows), lanes(dq, 1, d), lanes(x, d, 1), 1.0, grads.1, (d, 1));
    }
}

/// Everything of one chunk but the gradients of the parameters.
#[inline(always)]
fn chunk_vjp<V: Lane, const N: usize, const D: usize>(
    (n, d): (usize, usize),
    head: Head<'_, V::S>,
    (x, p): (&[V], &[V]),
    (u, dq, g_x): (&mut [V], &mut [V], &mut [V]),
    scratch: &mut [V],
) {
    let rate = head.attention.rate();
    let (qr, rest) = scratch.split_at_mut(2 * n * d);
    let at = &mut rest[..2 * n * n];
    let (q, r) = qr.split_at_mut(n * d);
    product_sized::<V, N, D>((n, d, d), lanes(x, d, 1), params(head.w, 1, d), rate, false, q, d);
    product_sized::<V, N, D>((n, d, d), lanes(p, d, 1), params(head.v, d, 1), head.scale, false, r, d);
    let (a, t) = at.split_at_mut(n * n);
    product_sized::<V, N, N>((n, n, d), lanes(q, d, 1), lanes(x, 1, d), 1.0, false, a, n);
    product_sized::<V, N, N>((n, n, d), lanes(r, d, 1), lanes(x, 1, d), 1.0, false, t, n);
    head.attention.plain_map(n, a);
    head.attention.plain_map_vjp(n, a, t);
    product_sized::<V, N, D>((n, d, n), lanes(t, n, 1), lanes(x, d, 1), head.scale, false, u, d);
    product_sized::<V, N, D>((n, d, n), lanes(a, n, 1), lanes(x, d, 1), rate, false, dq, d);
    product_sized::<V, N, D>((n, d, 2 * n), lanes(at, 1, n), lanes(qr, d, 1), 1.0, true, g_x, d);
    product_sized::<V, N, D>((n, d, d), lanes(dq, d, 1), params(head.w, d, 1), 1.0, true, g_x, d);
}

/// The end of the adjoint with other kernels: `G_V += P^T U`, `G_W += dQ^T Z`, `g_x += dQ W`.
pub fn gradients<V: Lane>(
    (rows, d): (usize, usize),
    w: &[V::S],
    (x, p, u, dq): (&[V], &[V], &[V], &[V]),
    g_x: &mut [V],
    (g_v, g_w): (&mut [V::S], &mut [V::S]),
) {
    reduce((d, d, rows), lanes(p, 1, d), lanes(u, d, 1), 1.0, g_v, (d, 1));
    reduce((d, d, rows), lanes(dq, 1, d), lanes(x, d, 1), 1.0, g_w, (d, 1));
    product((rows, d, d), lanes(dq, d, 1), params(w, d, 1), 1.0, true, g_x, d);
}
