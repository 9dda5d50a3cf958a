//! Normal distribution function and its inverse.
//!
//! Maths: Halley's iteration on Phi(x) = u in the lower half, from the tail expansion or the slope at the middle.
//! Shapes: scalars.
//! Cost: about three evaluations of the normal law.
//! Checked: tests below (inverse of the distribution function, symmetry, known quantiles).

use mckean_num::lane::Lane;

/// Phi(x).
pub(super) fn distribution(x: f64) -> f64 {
    x.normal_law().0
}

/// The x with Phi(x) = u, for u in (0, 1); infinite at the ends.
pub fn inverse_normal(u: f64) -> f64 {
    if u > 0.5 {
        return -inverse_normal(1.0 - u);
    }
    if u <= 0.0 {
        return f64::NEG_INFINITY;
    }
    let mut x = start(u);
    for _ in 0..20 {
        let (below, density) = x.normal_law();
        let newton = (below - u) / density;
        let step = newton / (1.0 + 0.5 * x * newton).max(0.5);
        x -= step;
        if step.abs() <= 1e-12 * (1.0 + x.abs()) {
            break;
        }
    }
    x
}

/// A first guess for u <= 1/2.
fn start(u: f64) -> f64 {
    if u > 0.2 {
        return (u - 0.5) * (2.0 * std::f64::consts::PI).sqrt();
    }
    let far = (-2.0 * u.ln()).sqrt();
    -(far - (far * (2.0 * std::f64::consts::PI).sqrt()).ln() / far)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverts_the_distribution_function() {
        for k in 1..2000 {
            let u = f64::from(k) / 2000.0;
            assert!((distribution(inverse_normal(u)) - u).abs() < 1e-14, "{u}");
        }
        for e in 2..280 {
            let u = 10f64.powi(-e);
            assert!((distribution(inverse_normal(u)) / u - 1.0).abs() < 1e-9, "{u}: {}", inverse_normal(u));
            assert!(e > 10 || (inverse_normal(1.0 - u) + inverse_normal(u)).abs() < 1e-5);
        }
        assert!((inverse_normal(0.975) - 1.959_963_984_540_054).abs() < 1e-12);
        assert_eq!((inverse_normal(0.5), inverse_normal(0.0)), (0.0, f64::NEG_INFINITY));
    }
}
