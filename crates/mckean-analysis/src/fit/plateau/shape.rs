//! Shapes of the approximation error of a network of width M and depth L.
//!
//! Maths: E(M, L) of Theorem 4.1 of Gao et al. 2024, and derived ones.
//! Shapes: two numbers to one.
//! Cost: none.
//! Checked: tests below.

use serde::{Deserialize, Serialize};

/// The shape of the approximation error E(M, L).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// 1/L + sqrt(log(L + 1)/M), that of Theorem 4.1 of Gao et al. 2024.
    Theorem,
    /// 1/L + 1/sqrt(ML) (derived: layers are independent).
    Sum,
    /// 1/L, depth alone.
    Depth,
    /// 1/sqrt(ML), noise of particles alone (derived).
    Noise,
    /// 1/(ML), the mean effect of that noise (derived).
    Mean,
}

impl Shape {
    /// All of them.
    pub const ALL: [Shape; 5] = [Shape::Theorem, Shape::Sum, Shape::Depth, Shape::Noise, Shape::Mean];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Shape::Theorem => "1/L + sqrt(log(L+1)/M)",
            Shape::Sum => "1/L + 1/sqrt(ML)",
            Shape::Depth => "1/L",
            Shape::Noise => "1/sqrt(ML)",
            Shape::Mean => "1/(ML)",
        }
    }

    /// E at this size.
    pub fn at(self, width: f64, depth: f64) -> f64 {
        match self {
            Shape::Theorem => 1.0 / depth + ((depth + 1.0).ln() / width).sqrt(),
            Shape::Sum => 1.0 / depth + (width * depth).sqrt().recip(),
            Shape::Depth => 1.0 / depth,
            Shape::Noise => (width * depth).sqrt().recip(),
            Shape::Mean => 1.0 / (width * depth),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_have_their_values() {
        let wanted = [0.25 + (5f64.ln() / 16.0).sqrt(), 0.375, 0.25, 0.125, 1.0 / 64.0];
        assert_eq!(Shape::ALL.map(|s| s.at(16.0, 4.0)), wanted);
    }
}
