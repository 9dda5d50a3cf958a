//! Work that is compiled for the instruction set of its lanes, and the macro that makes it.
//!
//! Maths: none.
//! Shapes: none.
//! Cost: one call through a function that has the instruction set switched on.
//! Checked: `.ci/run` (no fused multiply-add is left as a call), `product` tests on every set.

/// A piece of work that must be compiled for the instruction set of its lanes: `run` has to be `#[inline(always)]`.
///
/// Closures are tasks too, but the compiler need not inline a large one; use [`kernel!`](crate::kernel) where speed counts.
pub trait Task {
    /// What it returns.
    type Out;
    /// Does the work.
    fn run(self) -> Self::Out;
}

impl<O, F: FnOnce() -> O> Task for F {
    type Out = O;
    #[inline(always)]
    fn run(self) -> O {
        self()
    }
}

/// Defines a function over lanes whose body is compiled for the lane's instruction set.
///
/// `kernel! { pub fn scale<'a, V>(a: f64, x: &'a mut [V]) { ... } }`: `V` is a [`Lane`](crate::lane::Lane), every
/// reference carries the named lifetime, and calls inside the body must themselves be inlined or kernels.
#[macro_export]
macro_rules! kernel {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$l:lifetime, $v:ident>($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? $body:block) => {
        $(#[$meta])*
        $vis fn $name<$l, $v: $crate::lane::Lane>($($arg: $type),*) $(-> $out)? {
            struct Work<$l, $v: $crate::lane::Lane> { $($arg: $type,)* lifetime: std::marker::PhantomData<&$l $v> }
            impl<$l, $v: $crate::lane::Lane> $crate::lane::Task for Work<$l, $v> {
                type Out = $crate::kernel!(@out $($out)?);
                #[inline(always)]
                fn run(self) -> Self::Out {
                    let Work { $($arg,)* lifetime: _ } = self;
                    $body
                }
            }
            $v::vectorize(Work { $($arg,)* lifetime: std::marker::PhantomData })
        }
    };
    (@out) => { () };
    (@out $out:ty) => { $out };
}
