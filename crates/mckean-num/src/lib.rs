//! Numbers: what every other crate computes with. Knows nothing of Transformers.
//!
//! Maths: dual numbers, SIMD lanes, register-tiled small products, named random streams, order fits.
//! Shapes: slices and strided operands; see each module.
//! Cost: stated per module.
//! Checked: unit tests beside the code.

pub mod lane;
pub mod par;
pub mod peak;
pub mod product;
pub mod rng;
