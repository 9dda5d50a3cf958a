//! Where the numbers of a particle come from: a stream of draws, or a point of the unit cube.
//!
//! Maths: a normal number is drawn, or is the inverse of the normal distribution function. DERIVED.
//! Shapes: one number a call, in the order of the coordinates of the cube.
//! Cost: an inverse normal number takes about three evaluations of the normal law.
//! Checked: `law/tests.rs` (both have the moments of the law).

use super::inverse_normal;
use mckean_num::rng::Draws;

/// Gives one random number after the other.
pub(super) trait Source {
    /// Uniform on (0, 1).
    fn uniform(&mut self) -> f64;

    /// Standard normal.
    fn normal(&mut self) -> f64 {
        inverse_normal(self.uniform())
    }
}

impl Source for Draws {
    fn uniform(&mut self) -> f64 {
        Draws::uniform(self)
    }

    fn normal(&mut self) -> f64 {
        Draws::normal(self)
    }
}

/// The coordinates of a point of the open unit cube, one after the other.
pub(super) struct Cube<'a>(pub std::slice::Iter<'a, f64>);

impl Source for Cube<'_> {
    fn uniform(&mut self) -> f64 {
        *self.0.next().expect("a point of cube_dim() coordinates")
    }
}
