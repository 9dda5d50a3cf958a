//! Means, standard errors, quantiles of Student's law.
//!
//! Maths: the 97.5 % quantile: tabulated to 30 degrees of freedom, z + (z^3 + z)/(4 df) beyond. Stein's two stages: the spread of the
//! first numbers says how many are taken in all and how wide the interval of their mean is; its coverage is exact.
//! Shapes: scalars.
//! Cost: linear.
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

/// Mean of all numbers, and the half width of the 95 % interval about one of them, from the spread of the first `pilot`: over the root of
/// the number of them it is that of the mean, exactly (for normal numbers) even if the first ones said how many to take (Stein 1945).
pub(super) fn two_stage(x: &[f64], pilot: usize) -> (f64, f64) {
    let first = &x[..pilot.min(x.len())];
    let (mean, error, n) = mean(first);
    let all = if first.len() == x.len() { mean } else { x.iter().sum::<f64>() / x.len() as f64 };
    (all, student(n.saturating_sub(1)) * error * (n as f64).sqrt())
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
    fn two_stages_cover_whatever_the_spread_asks_for() {
        // as many numbers as the spread of the first ten says: intervals of a fixed half width
        let (runs, asked, mut inside, mut all) = (4000u64, 0.5, 0, 0);
        for run in 0..runs {
            let mut g = mckean_num::rng::Seed(5).stream("stein").at(run).open();
            let mut x: Vec<f64> = (0..10).map(|_| g.normal()).collect();
            let needed = (two_stage(&x, 10).1 / asked).powi(2) as usize;
            x.extend((x.len()..needed).map(|_| g.normal()));
            let (mean, one) = two_stage(&x, 10);
            assert!(one / (x.len() as f64).sqrt() <= asked * 1.1);
            inside += usize::from(mean.abs() <= one / (x.len() as f64).sqrt());
            all += x.len();
        }
        assert!(all > 15 * runs as usize, "more than the first stage");
        assert!((0.94..0.97).contains(&(inside as f64 / runs as f64)), "{inside} of {runs}");
    }

    #[test]
    fn quantiles_fall_to_the_normal_one_without_a_jump() {
        assert!((1..2000).all(|f| student(f) > student(f + 1)));
        assert!((student(60) - 2.0003).abs() < 1e-3 && (student(100_000) - 1.96).abs() < 1e-4);
        assert!(student(0).is_infinite());
        let (m, e, n) = mean(&[1.0, 2.0, 3.0]);
        assert!(m == 2.0 && n == 3 && (e - (1.0f64 / 3.0).sqrt()).abs() < 1e-15);
    }
}
