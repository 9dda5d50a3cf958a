//! Statistics that several kinds of claims share.
//!
//! Maths: mean with Student's interval; least-squares slope of log y on log x.
//! Shapes: plain slices.
//! Cost: linear.
//! Checked: tests below.

/// 97.5 % quantiles of Student's t with 1, 2, ... degrees of freedom, then the normal one.
const STUDENT: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/// Mean and 95 % interval of independent numbers; no interval from fewer than two.
pub fn mean(x: &[f64]) -> (f64, Option<(f64, f64)>) {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    if x.len() < 2 {
        return (mean, None);
    }
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let half = STUDENT.get(x.len() - 2).unwrap_or(&1.96) * (variance / n).sqrt();
    (mean, Some((mean - half, mean + half)))
}

/// Slope of log y on log x.
pub fn slope(x: &[f64], y: &[f64]) -> f64 {
    let (x, y): (Vec<f64>, Vec<f64>) = x.iter().zip(y).map(|(x, y)| (x.ln(), y.ln())).unzip();
    let (mx, my) = (mean(&x).0, mean(&y).0);
    let cross: f64 = x.iter().zip(&y).map(|(x, y)| (x - mx) * (y - my)).sum();
    cross / x.iter().map(|x| (x - mx).powi(2)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_slopes() {
        let (m, i) = mean(&[1.0, 2.0, 3.0]);
        let (low, high) = i.unwrap();
        assert_eq!(m, 2.0);
        assert!((high - 2.0 - 4.303 / 3f64.sqrt()).abs() < 1e-12 && (low + high - 4.0).abs() < 1e-12);
        assert_eq!(mean(&[5.0]), (5.0, None));
        let x = [1.0, 2.0, 4.0, 8.0];
        assert!((slope(&x, &x.map(|x: f64| 3.0 * x.powf(-1.5))) + 1.5).abs() < 1e-12);
    }
}
