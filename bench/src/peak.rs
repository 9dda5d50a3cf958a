//! The arithmetic peak of one core, measured: independent chains of fused multiply-adds in registers.
//!
//! Maths: x <- x a + b, twelve chains.
//! Shapes: one lane a chain.
//! Cost: about 5 ms a call.
//! Checked: against the product of clock, two units and lane width of the processors it ran on.

use crate::clock::cpu_ns;
use mckean_num::lane::{Isa, Lane, Scalar, Task};
use std::hint::black_box;
use std::marker::PhantomData;

const CHAINS: usize = 12;
const STEPS: usize = 1 << 21;

struct Chains<V>(PhantomData<V>);

impl<V: Lane> Task for Chains<V> {
    type Out = f64;
    #[inline(always)]
    fn run(self) -> f64 {
        let (a, b) = (V::c(black_box(0.999)), V::c(black_box(1e-9)));
        let mut x = [V::zero(); CHAINS];
        for _ in 0..STEPS {
            x = x.map(|x| x.fma(a, b));
        }
        x.iter().fold(V::zero(), |s, &x| s + x).hsum().re()
    }
}

fn measure<V: Lane>() -> f64 {
    let start = cpu_ns();
    black_box(V::vectorize(Chains::<V>(PhantomData)));
    (2 * CHAINS * STEPS * V::W) as f64 / (cpu_ns() - start)
}

/// Billions of additions and multiplications a second of processor time.
pub fn gflops<S: Scalar>() -> f64 {
    match Isa::detect() {
        Isa::Avx512 => measure::<S::Avx512>(),
        Isa::Avx2 => measure::<S::Avx2>(),
        Isa::Portable => measure::<S::Portable>(),
    }
}
