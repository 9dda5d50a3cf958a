//! Lanes in AVX-512 and AVX2 registers.
//!
//! Maths: as `RealLane`, one instruction per operation.
//! Shapes: 8 f64 or 16 f32 (AVX-512), 4 f64 or 8 f32 (AVX2).
//! Cost: one instruction each; `sum` about six.
//! Checked: `lane::tests`, each type when the machine has it.
//!
//! Safety: a value of these types is made and used only inside `compiled`, which the caller enters after
//! [`super::Isa::detect`] has found the instruction set; every `unsafe` block below rests on that.

use super::{RealLane, Task};
use std::arch::x86_64::*;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// 16 registers: 12 accumulators, the held side and one that streams.
const AVX2_TILES: [(usize, usize); 2] = [(6, 2), (4, 3)];
const AVX2_DUAL_TILES: [(usize, usize); 2] = [(2, 2); 2];

macro_rules! lane {
    ($(#[$doc:meta])* $name:ident, $reg:ident, $r:ident, $w:literal, $tiles:expr, $dual_tiles:expr, $features:literal,
     $set1:ident, $add:ident, $sub:ident, $mul:ident, $div:ident, $fma:ident, $max:ident, $min:ident, $sqrt:ident,
     |$p:ident| $pow2:expr, |$a:ident, $b:ident, $x:ident, $y:ident| $select:expr,
     |$four:ident| $sums:expr, |$za:ident, $zb:ident| $zip:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        #[repr(transparent)]
        pub struct $name($reg);

        lane!(@op $name, Add add $add, Sub sub $sub, Mul mul $mul, Div div $div);

        impl Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self { unsafe { Self($sub($set1(0.0), self.0)) } }
        }

        impl AddAssign for $name {
            #[inline(always)]
            fn add_assign(&mut self, o: Self) { *self = *self + o; }
        }

        impl RealLane for $name {
            type R = $r;
            const WIDTH: usize = $w;
            const REAL_TILES: [(usize, usize); 2] = $tiles;
            const DUAL_TILES: [(usize, usize); 2] = $dual_tiles;
            const FIXED_SIZES: bool = true;
            const SHORT_CHAINS: bool = $dual_tiles[0].0 * $dual_tiles[0].1 < 8;
            #[inline(always)]
            fn broadcast(x: $r) -> Self { unsafe { Self($set1(x)) } }
            #[inline(always)]
            fn generate(f: impl FnMut(usize) -> $r) -> Self {
                let entries: [$r; $w] = std::array::from_fn(f);
                unsafe { std::mem::transmute::<[$r; $w], Self>(entries) }
            }
            #[inline(always)]
            fn entry(self, i: usize) -> $r {
                let entries = unsafe { std::mem::transmute::<Self, [$r; $w]>(self) };
                entries[i]
            }
            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self { unsafe { Self($fma(self.0, b.0, c.0)) } }
            #[inline(always)]
            fn larger(self, o: Self) -> Self { unsafe { Self($max(self.0, o.0)) } }
            #[inline(always)]
            fn smaller(self, o: Self) -> Self { unsafe { Self($min(self.0, o.0)) } }
            #[inline(always)]
            fn square_root(self) -> Self { unsafe { Self($sqrt(self.0)) } }
            #[inline(always)]
            fn power_of_two(shifted: Self) -> Self {
                let $p = shifted.0;
                unsafe { Self($pow2) }
            }
            #[inline(always)]
            fn where_gt(a: Self, b: Self, x: Self, y: Self) -> Self {
                let ($a, $b, $x, $y) = (a.0, b.0, x.0, y.0);
                unsafe { Self($select) }
            }
            #[inline(always)]
            fn sum(self) -> $r {
                let mut e = unsafe { std::mem::transmute::<Self, [$r; $w]>(self) };
                let mut half = $w / 2;
                while half > 0 {
                    for i in 0..half { e[i] += e[i + half]; }
                    half /= 2;
                }
                e[0]
            }
            #[inline(always)]
            fn sums($four: [Self; 4]) -> [$r; 4] { $sums }
            #[inline(always)]
            fn zip(self, o: Self) -> (Self, Self) {
                let ($za, $zb) = (self.0, o.0);
                let (low, high) = unsafe { $zip };
                (Self(low), Self(high))
            }
            #[inline(always)]
            fn compiled<T: Task>(task: T) -> T::Out {
                #[target_feature(enable = $features)]
                unsafe fn enter<T: Task>(task: T) -> T::Out { task.run() }
                unsafe { enter(task) }
            }
        }
    };
    (@op $name:ident, $($trait:ident $method:ident $f:ident),*) => {$(
        impl $trait for $name {
            type Output = Self;
            #[inline(always)]
            fn $method(self, o: Self) -> Self { unsafe { Self($f(self.0, o.0)) } }
        }
    )*};
}

lane!(
    /// Eight f64 in an AVX-512 register.
    F64x8, __m512d, f64, 8, [(6, 4); 2], [(4, 2); 2], "avx512f,avx512dq,avx512vl,avx2,fma,bmi1,bmi2",
    _mm512_set1_pd, _mm512_add_pd, _mm512_sub_pd, _mm512_mul_pd, _mm512_div_pd, _mm512_fmadd_pd,
    _mm512_max_pd, _mm512_min_pd, _mm512_sqrt_pd,
    |p| _mm512_castsi512_pd(_mm512_slli_epi64::<52>(_mm512_add_epi64(_mm512_castpd_si512(p), _mm512_set1_epi64(1023)))),
    |a, b, x, y| _mm512_mask_blend_pd(_mm512_cmp_pd_mask::<_CMP_GT_OQ>(a, b), y, x),
    |x| {
        // halves added, then quarters, then neighbours: the order of `sum`
        let [Self(a), Self(b), Self(c), Self(d)] = x;
        unsafe {
            let ab = _mm512_add_pd(_mm512_shuffle_f64x2::<0x44>(a, b), _mm512_shuffle_f64x2::<0xee>(a, b));
            let cd = _mm512_add_pd(_mm512_shuffle_f64x2::<0x44>(c, d), _mm512_shuffle_f64x2::<0xee>(c, d));
            let two = _mm512_add_pd(_mm512_shuffle_f64x2::<0x88>(ab, cd), _mm512_shuffle_f64x2::<0xdd>(ab, cd));
            let one = _mm512_add_pd(two, _mm512_permute_pd::<0x55>(two));
            let e = std::mem::transmute::<__m512d, [f64; 8]>(one);
            [e[0], e[2], e[4], e[6]]
        }
    },
    |a, b| (
        _mm512_permutex2var_pd(a, _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11), b),
        _mm512_permutex2var_pd(a, _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15), b),
    )
);
lane!(
    /// Sixteen f32 in an AVX-512 register.
    F32x16, __m512, f32, 16, [(6, 4); 2], [(4, 2); 2], "avx512f,avx512dq,avx512vl,avx2,fma,bmi1,bmi2",
    _mm512_set1_ps, _mm512_add_ps, _mm512_sub_ps, _mm512_mul_ps, _mm512_div_ps, _mm512_fmadd_ps,
    _mm512_max_ps, _mm512_min_ps, _mm512_sqrt_ps,
    |p| _mm512_castsi512_ps(_mm512_slli_epi32::<23>(_mm512_add_epi32(_mm512_castps_si512(p), _mm512_set1_epi32(127)))),
    |a, b, x, y| _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b), y, x),
    |x| {
        let [Self(a), Self(b), Self(c), Self(d)] = x;
        unsafe {
            let ab = _mm512_add_ps(_mm512_shuffle_f32x4::<0x44>(a, b), _mm512_shuffle_f32x4::<0xee>(a, b));
            let cd = _mm512_add_ps(_mm512_shuffle_f32x4::<0x44>(c, d), _mm512_shuffle_f32x4::<0xee>(c, d));
            let four = _mm512_add_ps(_mm512_shuffle_f32x4::<0x88>(ab, cd), _mm512_shuffle_f32x4::<0xdd>(ab, cd));
            let two = _mm512_add_ps(four, _mm512_permute_ps::<0x4e>(four));
            let one = _mm512_add_ps(two, _mm512_permute_ps::<0xb1>(two));
            let e = std::mem::transmute::<__m512, [f32; 16]>(one);
            [e[0], e[4], e[8], e[12]]
        }
    },
    |a, b| (
        _mm512_permutex2var_ps(a, _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), b),
        _mm512_permutex2var_ps(a, _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), b),
    )
);
lane!(
    /// Four f64 in an AVX2 register.
    F64x4, __m256d, f64, 4, AVX2_TILES, AVX2_DUAL_TILES, "avx2,fma,bmi1,bmi2",
    _mm256_set1_pd, _mm256_add_pd, _mm256_sub_pd, _mm256_mul_pd, _mm256_div_pd, _mm256_fmadd_pd,
    _mm256_max_pd, _mm256_min_pd, _mm256_sqrt_pd,
    |p| _mm256_castsi256_pd(_mm256_slli_epi64::<52>(_mm256_add_epi64(_mm256_castpd_si256(p), _mm256_set1_epi64x(1023)))),
    |a, b, x, y| _mm256_blendv_pd(y, x, _mm256_cmp_pd::<_CMP_GT_OQ>(a, b)),
    |x| {
        // halves added, then neighbours: the order of `sum`
        let [Self(a), Self(b), Self(c), Self(d)] = x;
        unsafe {
            let ac = _mm256_add_pd(_mm256_permute2f128_pd::<0x20>(a, c), _mm256_permute2f128_pd::<0x31>(a, c));
            let bd = _mm256_add_pd(_mm256_permute2f128_pd::<0x20>(b, d), _mm256_permute2f128_pd::<0x31>(b, d));
            std::mem::transmute::<__m256d, [f64; 4]>(_mm256_hadd_pd(ac, bd))
        }
    },
    |a, b| {
        let (low, high) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
        (_mm256_permute2f128_pd::<0x20>(low, high), _mm256_permute2f128_pd::<0x31>(low, high))
    }
);
lane!(
    /// Eight f32 in an AVX2 register.
    F32x8, __m256, f32, 8, AVX2_TILES, AVX2_DUAL_TILES, "avx2,fma,bmi1,bmi2",
    _mm256_set1_ps, _mm256_add_ps, _mm256_sub_ps, _mm256_mul_ps, _mm256_div_ps, _mm256_fmadd_ps,
    _mm256_max_ps, _mm256_min_ps, _mm256_sqrt_ps,
    |p| _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_add_epi32(_mm256_castps_si256(p), _mm256_set1_epi32(127)))),
    |a, b, x, y| _mm256_blendv_ps(y, x, _mm256_cmp_ps::<_CMP_GT_OQ>(a, b)),
    |x| {
        let [Self(a), Self(b), Self(c), Self(d)] = x;
        unsafe {
            let ac = _mm256_add_ps(_mm256_permute2f128_ps::<0x20>(a, c), _mm256_permute2f128_ps::<0x31>(a, c));
            let bd = _mm256_add_ps(_mm256_permute2f128_ps::<0x20>(b, d), _mm256_permute2f128_ps::<0x31>(b, d));
            let quarters = _mm256_add_ps(_mm256_shuffle_ps::<0x44>(ac, bd), _mm256_shuffle_ps::<0xee>(ac, bd));
            let e = std::mem::transmute::<__m256, [f32; 8]>(_mm256_hadd_ps(quarters, quarters));
            [e[0], e[1], e[4], e[5]]
        }
    },
    |a, b| {
        let (low, high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
        (_mm256_permute2f128_ps::<0x20>(low, high), _mm256_permute2f128_ps::<0x31>(low, high))
    }
);
