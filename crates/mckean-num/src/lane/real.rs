//! Every register of real numbers is a lane.
//!
//! Maths: exp, tanh and the normal law from `math`.
//! Shapes: entries are the register's.
//! Cost: that of the primitives.
//! Checked: `lane::tests`.

use super::{Lane, Real, RealLane, Scalar, Task, math};

impl<V: RealLane> Lane for V {
    type S = V::R;
    const W: usize = V::WIDTH;
    const TILES: [(usize, usize); 2] = V::REAL_TILES;
    const FIXED_SIZES: bool = <V as RealLane>::FIXED_SIZES;
    #[inline(always)]
    fn splat(s: V::R) -> V {
        V::broadcast(s)
    }
    #[inline(always)]
    fn c(x: f64) -> V {
        V::broadcast(V::R::new(x, 0.0))
    }
    #[inline(always)]
    fn from_fn(f: impl FnMut(usize) -> V::R) -> V {
        V::generate(f)
    }
    #[inline(always)]
    fn get(self, i: usize) -> V::R {
        self.entry(i)
    }
    #[inline(always)]
    fn fma(self, b: V, c: V) -> V {
        self.mul_add(b, c)
    }
    #[inline(always)]
    fn times(self, x: f64) -> V {
        self * V::c(x)
    }
    #[inline(always)]
    fn times_add(self, x: f64, c: V) -> V {
        self.mul_add(V::c(x), c)
    }
    #[inline(always)]
    fn sqrt(self) -> V {
        self.square_root()
    }
    #[inline(always)]
    fn exp(self) -> V {
        math::exp(self)
    }
    #[inline(always)]
    fn ln(self) -> V {
        V::generate(|i| self.entry(i).natural_log())
    }
    #[inline(always)]
    fn tanh(self) -> V {
        math::tanh(self)
    }
    #[inline(always)]
    fn normal_law(self) -> (V, V) {
        math::normal_law(self)
    }
    #[inline(always)]
    fn max_detached(self, other: V) -> V {
        self.larger(other)
    }
    #[inline(always)]
    fn select_gt(a: V, b: V, x: V, y: V) -> V {
        V::where_gt(a, b, x, y)
    }
    #[inline(always)]
    fn hsum(self) -> V::R {
        self.sum()
    }
    #[inline(always)]
    fn hsums(x: [V; 4]) -> [V::R; 4] {
        V::sums(x)
    }
    #[inline(always)]
    fn zip(self, other: V) -> (V, V) {
        RealLane::zip(self, other)
    }
    #[inline(always)]
    unsafe fn spread(from: *const V, i: usize) -> V {
        unsafe { <V as RealLane>::spread(from, i) }
    }
    #[inline(always)]
    fn vectorize<T: Task>(task: T) -> T::Out {
        V::compiled(task)
    }
}
