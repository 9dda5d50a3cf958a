//! Lanes without intrinsics: single numbers and plain arrays.
//!
//! Maths: as `RealLane`; multiply-add is two roundings here.
//! Shapes: f32 and f64 are lanes of width 1; `Array<R, N>` has N entries.
//! Cost: what the compiler vectorises; the path for machines without AVX2.
//! Checked: `lane::tests` with every other instruction set.

#![allow(clippy::excessive_precision)] // coefficients are written as fitted

use super::{Real, RealLane, Scalar, Task};
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

macro_rules! real {
    ($r:ident, $wide:ty, $middle:ty, $plain:ty, $bias:expr, $shift:expr, { $($constants:tt)* }) => {
        impl RealLane for $r {
            type R = $r;
            const WIDTH: usize = 1;
            const REAL_TILES: [(usize, usize); 2] = [(4, 2); 2];
            const DUAL_TILES: [(usize, usize); 2] = [(4, 1); 2];
            #[inline(always)]
            fn broadcast(x: $r) -> $r { x }
            #[inline(always)]
            fn generate(mut f: impl FnMut(usize) -> $r) -> $r { f(0) }
            #[inline(always)]
            fn entry(self, _: usize) -> $r { self }
            #[inline(always)]
            fn mul_add(self, b: $r, c: $r) -> $r { self * b + c }
            #[inline(always)]
            fn larger(self, o: $r) -> $r { if self > o { self } else { o } }
            #[inline(always)]
            fn smaller(self, o: $r) -> $r { if self < o { self } else { o } }
            #[inline(always)]
            fn square_root(self) -> $r { self.sqrt() }
            #[inline(always)]
            fn power_of_two(shifted: $r) -> $r {
                $r::from_bits(shifted.to_bits().wrapping_add($bias) << $shift)
            }
            #[inline(always)]
            fn where_gt(a: $r, b: $r, x: $r, y: $r) -> $r { if a > b { x } else { y } }
            #[inline(always)]
            fn sum(self) -> $r { self }
            #[inline(always)]
            fn compiled<T: Task>(task: T) -> T::Out { task.run() }
        }

        impl Scalar for $r {
            type Real = $r;
            type Avx512 = $wide;
            type Avx2 = $middle;
            type Portable = $plain;
            #[inline(always)]
            fn new(re: f64, _: f64) -> $r { re as $r }
            #[inline(always)]
            fn re(self) -> f64 { f64::from(self) }
            #[inline(always)]
            fn eps(self) -> f64 { 0.0 }
        }

        impl Real for $r {
            type Wide = $wide;
            type Middle = $middle;
            type Plain = $plain;
            const EPSILON: $r = $r::EPSILON;
            #[inline(always)]
            fn natural_log(self) -> $r { self.ln() }
            $($constants)*
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod registers {
    pub use crate::lane::{F32x8 as MiddleF32, F32x16 as WideF32, F64x4 as MiddleF64, F64x8 as WideF64};
}
#[cfg(not(target_arch = "x86_64"))]
mod registers {
    pub type WideF32 = super::Array<f32, 8>;
    pub type MiddleF32 = super::Array<f32, 8>;
    pub type WideF64 = super::Array<f64, 4>;
    pub type MiddleF64 = super::Array<f64, 4>;
}

real!(f64, registers::WideF64, registers::MiddleF64, Array<f64, 4>, 1023, 52, {
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    const EXP_RANGE: (f64, f64) = (-708.0, 709.9);
    const LN2: (f64, f64) = (6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10);
    const EXPM1: &'static [f64] = &[
        0.5, 0.16666666666666667, 0.041666666666623821, 0.008333333333330038, 0.0013888888917367081,
        0.00019841269863171556, 2.4801521057868205e-5, 2.7557268276905697e-6, 2.7620201591031549e-7,
        2.5100472505694996e-8,
    ];
    const TAIL_CENTRE: f64 = 3.75;
    const TAIL: &'static [f64] = &[
        0.54596145478139455, -0.47937078832645612, 0.36815946261086564, -0.24523514560371897,
        0.13953102451744185, -0.065977700592379546, 0.024559389295966513, -0.0062679399850752501,
        0.00049316916652902608, 0.00039741134414004362, -0.00017432422034625553, 5.2976013705759155e-6,
        1.8738882652168372e-5, -4.4525898312457747e-6, -1.6518593885267688e-6, 8.2671546028540733e-7,
        1.5001964180842122e-7, -1.2707278485163306e-7, -2.1212279753767365e-8, 1.444956477453251e-8,
        3.9578126568732724e-9,
    ];
});

real!(f32, registers::WideF32, registers::MiddleF32, Array<f32, 8>, 127, 23, {
    const MAGIC: f64 = 12_582_912.0;
    const EXP_RANGE: (f64, f64) = (-87.0, 88.9);
    const LN2: (f64, f64) = (0.693_359_375, -2.121_944_400_546_905_8e-4);
    const EXPM1: &'static [f64] = &[
        0.5, 0.16666576666119928, 0.041666554212984150, 0.0083632328836826182, 0.0013926250831497612,
    ];
    const TAIL_CENTRE: f64 = 2.5;
    const TAIL: &'static [f64] = &[
        0.52701591399437491, -0.40232584128320633, 0.22695681878171719, -0.085627856773182471,
        0.014182416661978127, 0.0042140234303030257, -0.0024065953929694140, -0.00026990381540687890,
        0.00031632958464899999, 7.4458618074292209e-5,
    ];
});

/// `N` numbers in a plain array.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Array<R, const N: usize>([R; N]);

impl<R: Copy, const N: usize> Array<R, N> {
    #[inline(always)]
    fn zip(self, o: Self, f: impl Fn(R, R) -> R) -> Self {
        Array(std::array::from_fn(|i| f(self.0[i], o.0[i])))
    }
}

macro_rules! operator {
    ($($trait:ident $method:ident $op:tt),*) => {$(
        impl<R: Real, const N: usize> $trait for Array<R, N> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, o: Self) -> Self { self.zip(o, |a, b| a $op b) }
        }
    )*};
}
operator!(Add add +, Sub sub -, Mul mul *, Div div /);

impl<R: Real, const N: usize> Neg for Array<R, N> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Array(self.0.map(|a| -a))
    }
}

impl<R: Real, const N: usize> AddAssign for Array<R, N> {
    #[inline(always)]
    fn add_assign(&mut self, o: Self) {
        *self = *self + o;
    }
}

impl<R: Real, const N: usize> RealLane for Array<R, N> {
    type R = R;
    const WIDTH: usize = N;
    const REAL_TILES: [(usize, usize); 2] = [(2, 2); 2];
    const DUAL_TILES: [(usize, usize); 2] = [(2, 1); 2];
    #[inline(always)]
    fn broadcast(x: R) -> Self {
        Array([x; N])
    }
    #[inline(always)]
    fn generate(f: impl FnMut(usize) -> R) -> Self {
        Array(std::array::from_fn(f))
    }
    #[inline(always)]
    fn entry(self, i: usize) -> R {
        self.0[i]
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        self * b + c
    }
    #[inline(always)]
    fn larger(self, o: Self) -> Self {
        self.zip(o, |a, b| a.larger(b))
    }
    #[inline(always)]
    fn smaller(self, o: Self) -> Self {
        self.zip(o, |a, b| a.smaller(b))
    }
    #[inline(always)]
    fn square_root(self) -> Self {
        Array(self.0.map(|a| a.square_root()))
    }
    #[inline(always)]
    fn power_of_two(shifted: Self) -> Self {
        Array(shifted.0.map(R::power_of_two))
    }
    #[inline(always)]
    fn where_gt(a: Self, b: Self, x: Self, y: Self) -> Self {
        Array(std::array::from_fn(|i| if a.0[i] > b.0[i] { x.0[i] } else { y.0[i] }))
    }
    #[inline(always)]
    fn sum(self) -> R {
        let mut s = self.0[0];
        for &x in &self.0[1..] {
            s += x;
        }
        s
    }
    #[inline(always)]
    fn compiled<T: Task>(task: T) -> T::Out {
        task.run()
    }
}
