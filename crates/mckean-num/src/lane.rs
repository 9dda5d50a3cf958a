//! Lanes: one SIMD register whose entries are samples; kernels are written once over them.
//!
//! Maths: element-wise arithmetic; exp, tanh and the normal law from `math`; `Dual` adds exact tangents.
//! Shapes: a lane holds `W` numbers, one per sample; a scalar is a lane with `W = 1`.
//! Cost: one instruction per operation on AVX-512 (8 f64 or 16 f32) and AVX2 (4 or 8); arrays elsewhere.
//! Checked: `lane::tests` (every instruction set against f64), `dual::tests` (tangents against differences).

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

mod dual;
mod isa;
mod math;
mod portable;
mod real;
mod task;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use dual::Dual;
pub use isa::Isa;
pub use portable::Array;
pub use task::Task;
#[cfg(target_arch = "x86_64")]
pub use x86::{F32x8, F32x16, F64x4, F64x8};

/// Element-wise arithmetic that every lane offers through operators.
pub trait Arithmetic:
    Copy
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
{
}

impl<T> Arithmetic for T where
    T: Copy
        + Send
        + Sync
        + 'static
        + Add<Output = T>
        + Sub<Output = T>
        + Mul<Output = T>
        + Div<Output = T>
        + Neg<Output = T>
        + AddAssign
{
}

/// A register of real numbers: the few primitives an instruction set must give.
pub trait RealLane: Arithmetic {
    /// Entry type.
    type R: Real;
    /// Number of entries.
    const WIDTH: usize;
    /// Largest register tiles (rows, columns) of a product that do not spill; the first is preferred.
    const REAL_TILES: [(usize, usize); 2];
    /// The same for dual numbers, which take two registers an entry.
    const DUAL_TILES: [(usize, usize); 2];
    /// Whether code of their own for frequent sizes pays (hardware registers) or is only bulk (arrays).
    const FIXED_SIZES: bool = false;
    /// Whether sums of dual products should hang together by one addition a step instead of two multiply-adds: few
    /// registers mean few independent sums, and then the latency of the longer chain shows.
    const SHORT_CHAINS: bool = false;
    /// All entries equal to `x`.
    fn broadcast(x: Self::R) -> Self;
    /// Entry `i` is `f(i)`.
    fn generate(f: impl FnMut(usize) -> Self::R) -> Self;
    /// Entry `i`.
    fn entry(self, i: usize) -> Self::R;
    /// `self * b + c`.
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// Larger entries; `other` where either is NaN.
    fn larger(self, other: Self) -> Self;
    /// Smaller entries; `other` where either is NaN.
    fn smaller(self, other: Self) -> Self;
    /// Square roots.
    fn square_root(self) -> Self;
    /// 2^n from the shifted integer `n + MAGIC` (see `math`).
    fn power_of_two(shifted: Self) -> Self;
    /// `x` where `a > b`, else `y`.
    fn where_gt(a: Self, b: Self, x: Self, y: Self) -> Self;
    /// Sum of the entries in a fixed order.
    fn sum(self) -> Self::R;
    /// Four sums, each to the same bits as `sum`.
    #[inline(always)]
    fn sums(x: [Self; 4]) -> [Self::R; 4] {
        x.map(Self::sum)
    }
    /// The entries of both in turn, (a0, b0, a1, b1, ...), as two lanes.
    #[inline(always)]
    fn zip(self, other: Self) -> (Self, Self) {
        let pick = |i: usize| if i.is_multiple_of(2) { self.entry(i / 2) } else { other.entry(i / 2) };
        (Self::generate(pick), Self::generate(|i| pick(i + Self::WIDTH)))
    }
    /// All entries equal to entry `i` of the lane at `from`: one load.
    ///
    /// # Safety
    /// `from` points to a lane and `i < WIDTH`. (Every implementation is laid out as `WIDTH` entries.)
    #[inline(always)]
    unsafe fn spread(from: *const Self, i: usize) -> Self {
        Self::broadcast(unsafe { *from.cast::<Self::R>().add(i) })
    }
    /// Runs a task compiled for this instruction set.
    fn compiled<T: Task>(task: T) -> T::Out;
}

/// f32 or f64, with the constants of its elementary functions.
pub trait Real: RealLane<R = Self> + Scalar<Real = Self> + PartialOrd {
    /// Register of the AVX-512 path.
    type Wide: RealLane<R = Self>;
    /// Register of the AVX2 path.
    type Middle: RealLane<R = Self>;
    /// Plain array, for every other machine.
    type Plain: RealLane<R = Self>;
    /// Distance from 1 to the next number.
    const EPSILON: Self;
    /// 1.5 * 2^(mantissa bits): adding it rounds to an integer held in the low bits.
    const MAGIC: f64;
    /// Range of exponents in which `exp` neither underflows nor overflows.
    const EXP_RANGE: (f64, f64);
    /// ln 2 in two parts; the first has trailing zero bits.
    const LN2: (f64, f64);
    /// (e^r - 1 - r) / r^2 on |r| <= ln(2)/2, lowest power first (Chebyshev fit).
    const EXPM1: &'static [f64];
    /// Centre `a` of the map t = (z - a)/(z + a) used for the normal law.
    const TAIL_CENTRE: f64;
    /// exp(z^2) erfc(z) (z + a) / 2 as a polynomial in t, lowest power first (Chebyshev fit).
    const TAIL: &'static [f64];
    /// Natural logarithm.
    fn natural_log(self) -> Self;
}

/// What kernels compute with: real or dual entries, one per sample.
pub trait Lane: Arithmetic {
    /// Entry type; parameters are stored as this.
    type S: Scalar;
    /// Number of entries.
    const W: usize;
    /// Largest register tiles (rows, columns) of a product; the first is preferred.
    const TILES: [(usize, usize); 2];
    /// Whether code of their own for frequent sizes pays.
    const FIXED_SIZES: bool;
    /// All entries equal to `s`.
    fn splat(s: Self::S) -> Self;
    /// All entries equal to the constant `x`.
    fn c(x: f64) -> Self;
    /// Zero.
    #[inline(always)]
    fn zero() -> Self {
        Self::c(0.0)
    }
    /// Entry `i` is `f(i)`.
    fn from_fn(f: impl FnMut(usize) -> Self::S) -> Self;
    /// Entry `i`.
    fn get(self, i: usize) -> Self::S;
    /// `self * b + c`.
    fn fma(self, b: Self, c: Self) -> Self;
    /// `self * b + c` where `c` is a running sum.
    #[inline(always)]
    fn accumulate(self, b: Self, c: Self) -> Self {
        self.fma(b, c)
    }
    /// `self * x` for a constant.
    fn times(self, x: f64) -> Self;
    /// `self * x + c` for a constant `x`.
    fn times_add(self, x: f64, c: Self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// e^x.
    fn exp(self) -> Self;
    /// Natural logarithm (entry by entry; for losses only).
    fn ln(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Distribution function and density of the standard normal law.
    fn normal_law(self) -> (Self, Self);
    /// Larger of the two values, with zero tangent: a shift that derivatives may ignore.
    fn max_detached(self, other: Self) -> Self;
    /// `x` where the value of `a` exceeds that of `b`, else `y`.
    fn select_gt(a: Self, b: Self, x: Self, y: Self) -> Self;
    /// Sum over the entries in a fixed order.
    fn hsum(self) -> Self::S;
    /// Four sums over the entries, each to the same bits as `hsum`.
    fn hsums(x: [Self; 4]) -> [Self::S; 4];
    /// The entries of both in turn, (a0, b0, a1, b1, ...), as two lanes.
    fn zip(self, other: Self) -> (Self, Self);
    /// All entries equal to entry `i` of the lane at `from`.
    ///
    /// # Safety
    /// `from` points to a lane and `i < W`.
    unsafe fn spread(from: *const Self, i: usize) -> Self;
    /// Runs a task compiled for this lane's instruction set.
    fn vectorize<T: Task>(task: T) -> T::Out;
}

/// A single number usable as parameter: f32, f64, or a dual of one.
pub trait Scalar: Lane<S = Self> + Default + std::fmt::Debug {
    /// The real type underneath.
    type Real: Real;
    /// Lane of the AVX-512 path.
    type Avx512: Lane<S = Self>;
    /// Lane of the AVX2 path.
    type Avx2: Lane<S = Self>;
    /// Lane of the portable path.
    type Portable: Lane<S = Self>;
    /// From value and tangent (a real type drops the tangent).
    fn new(re: f64, eps: f64) -> Self;
    /// Value.
    fn re(self) -> f64;
    /// Tangent (0 for real types).
    fn eps(self) -> f64;
}
