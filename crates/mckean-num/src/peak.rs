//! What this machine can do at most: fused multiply-adds in registers, and bytes through memory.
//!
//! Maths: x <- x a + b in twelve independent chains; the triad a_i <- b_i + s c_i.
//! Shapes: one set of chains, or three arrays of 32 MB, a thread.
//! Cost: a tenth of a second each.
//! Checked: tests below (finite, a lesser instruction set is not faster); on an AVX2 core the first comes to 16 f64 a cycle.

use crate::kernel;
use crate::lane::{Isa, Lane, Real, Scalar};
use crate::par::Par;
use std::hint::black_box;
use std::time::Instant;

const CHAINS: usize = 12;
const ROUNDS: usize = 1 << 20;
const REPEATS: usize = 5;

kernel! {
    fn chains<'a, V>(factors: &'a [f64; 2], out: &'a mut [V]) {
        let (a, b) = (V::c(factors[0]), V::c(factors[1]));
        let mut x = [V::zero(); CHAINS];
        for _ in 0..ROUNDS {
            x = x.map(|x| x.fma(a, b));
        }
        out[0] = x.iter().fold(V::zero(), |s, &x| s + x);
    }
}

/// Shortest wall time of several calls on every thread at once.
fn shortest(par: &Par, f: impl Fn(&mut f64) + Sync) -> f64 {
    let mut out = vec![0.0; par.threads()];
    let once = |_| {
        let begun = Instant::now();
        par.each(&mut out, |_, o| f(o));
        black_box(&out);
        begun.elapsed().as_secs_f64()
    };
    (0..REPEATS).map(once).fold(f64::INFINITY, f64::min)
}

/// Floating-point operations a second of all threads together, two a fused multiply-add.
pub fn flops<T: Real>(isa: Isa, par: &Par) -> f64 {
    fn run<V: Lane>(out: &mut f64) {
        let mut lane = [V::zero()];
        chains(black_box(&[0.999, 1e-9]), &mut lane);
        *out = lane[0].get(0).re();
    }
    let (seconds, width) = match isa {
        Isa::Avx512 => (shortest(par, run::<<T as Scalar>::Avx512>), <T as Scalar>::Avx512::W),
        Isa::Avx2 => (shortest(par, run::<<T as Scalar>::Avx2>), <T as Scalar>::Avx2::W),
        Isa::Portable => (shortest(par, run::<<T as Scalar>::Portable>), <T as Scalar>::Portable::W),
    };
    (2 * CHAINS * ROUNDS * width * par.threads()) as f64 / seconds
}

/// Bytes a second through memory, read and written, by all threads together.
pub fn bandwidth(par: &Par) -> f64 {
    const LEN: usize = 4 << 20;
    let arrays = || [vec![0.0f64; LEN], vec![1.0; LEN], vec![2.0; LEN]];
    let mut all: Vec<[Vec<f64>; 3]> = (0..par.threads()).map(|_| arrays()).collect();
    let triad = |_: usize, [a, b, c]: &mut [Vec<f64>; 3]| {
        a.iter_mut().zip(b.iter()).zip(c.iter()).for_each(|((a, b), c)| *a = b + 3.0 * c);
    };
    let mut once = |_| {
        let begun = Instant::now();
        par.each(&mut all, triad);
        black_box(&all);
        begun.elapsed().as_secs_f64()
    };
    let seconds = (0..REPEATS).map(&mut once).fold(f64::INFINITY, f64::min);
    (3 * 8 * LEN * par.threads()) as f64 / seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_are_rates() {
        let par = Par::serial();
        let (best, plain) = (flops::<f32>(Isa::detect(), &par), flops::<f64>(Isa::Portable, &par));
        assert!(best.is_finite() && plain > 1e7 && best > plain, "{best:.2e} against {plain:.2e}");
        assert!(bandwidth(&par) > 1e7);
    }
}
