//! Means, standard errors, quantiles of Student's law.
//!
//! Maths: the 97.5 % quantile: tabulated to 30 degrees of freedom, z + (z^3 + z)/(4 df) beyond. Other levels: P(|T| <= sqrt(df) tan x) is
//! the share of int cos^(df - 1) below x. DERIVED: an interval that is looked at again and again, and kept when it is narrow, covers with
//! 95 % if the error probabilities of all looks sum to 5 %.
//! Shapes: scalars.
//! Cost: `look` about a millisecond.
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

/// Error probability of a look: 1 % for the pilot (cheap to run again), then 2 %, 1 %, 0.5 % ..., 5 % in all.
fn spent(look: usize) -> f64 {
    if look <= 1 { 0.01 } else { 0.04 * 0.5f64.powi(look as i32 - 1) }
}

/// Half width over standard error of an interval that is kept or refined by its width, at the `look`-th time, counted from 1.
pub(super) fn look(freedom: usize, look: usize) -> f64 {
    if freedom == 0 {
        return f64::INFINITY;
    }
    let density = |x: f64| x.cos().powi(freedom as i32 - 1);
    const HALF: f64 = std::f64::consts::FRAC_PI_2;
    const CELLS: usize = 4000;
    let weight = |i: usize| if i == 0 || i == CELLS { 0.5 } else { 1.0 };
    let at = |i: usize| HALF * i as f64 / CELLS as f64;
    let all: f64 = (0..=CELLS).map(|i| weight(i) * density(at(i))).sum();
    let (target, mut sum) = ((1.0 - spent(look)) * all, 0.0);
    for i in 0..CELLS {
        let cell = 0.5 * (density(at(i)) + density(at(i + 1)));
        if sum + cell >= target {
            let x = at(i) + HALF / CELLS as f64 * (target - sum) / cell;
            return (freedom as f64).sqrt() * x.tan();
        }
        sum += cell;
    }
    f64::INFINITY
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
    fn looks_spend_five_per_cent_and_their_quantiles_are_those_of_tables() {
        assert!(((1..60).map(spent).sum::<f64>() - 0.05).abs() < 1e-12);
        for (freedom, n, q) in [(7, 1, 3.499), (15, 2, 2.602), (29, 3, 2.756), (60, 1, 2.660), (500, 4, 2.820)] {
            assert!((look(freedom, n) - q).abs() < 2e-3, "{freedom} {n}: {}", look(freedom, n));
        }
        assert!(look(0, 1).is_infinite());
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
