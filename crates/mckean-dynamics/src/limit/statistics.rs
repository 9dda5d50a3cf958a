//! Means, standard errors, quantiles of Student's law.
//!
//! Maths: the 97.5 % quantile: tabulated to 30 degrees of freedom, z + (z^3 + z)/(4 df) beyond.
//! Shapes: scalars.
//! Cost: none.
//! Checked: tests below.

const TABLE: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/// The 97.5 % quantile of Student's law; infinite without degrees of freedom.
pub fn student(freedom: usize) -> f64 {
    const Z: f64 = 1.959_964;
    match freedom {
        0 => f64::INFINITY,
        1..=30 => TABLE[freedom - 1],
        _ => Z + (Z.powi(3) + Z) / (4.0 * freedom as f64),
    }
}

/// Mean, its standard error, and how many numbers there were.
pub(super) fn mean(x: &[f64]) -> (f64, f64, usize) {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let square: f64 = x.iter().map(|x| (x - mean) * (x - mean)).sum();
    (mean, (square / (n * (n - 1.0))).sqrt(), x.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_fall_to_the_normal_one_without_a_jump() {
        assert!((1..2000).all(|f| student(f) > student(f + 1)));
        assert!((student(60) - 2.0003).abs() < 1e-3 && (student(100_000) - 1.96).abs() < 1e-4);
        assert!(student(0).is_infinite());
        let (m, e, n) = mean(&[1.0, 2.0, 3.0]);
        assert!(m == 2.0 && n == 3 && (e - (1.0f64 / 3.0).sqrt()).abs() < 1e-15);
    }
}
