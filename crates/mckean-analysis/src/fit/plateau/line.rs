//! y = floor + constant E with neither number negative, and its error at sizes it has not seen.
//!
//! Maths: least squares of relative residuals; two numbers, so the best is the free solution or one of two boundary ones. DERIVED.
//! Shapes: one E and one positive y a size.
//! Cost: linear; quadratic for the error left out.
//! Checked: tests below (boundaries, errors by hand).

/// Floor and constant, neither negative, of least relative squares; y is positive.
pub(super) fn line(e: &[f64], y: &[f64]) -> (f64, f64) {
    let (mut aa, mut ab, mut bb, mut a1, mut b1) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (e, y) in e.iter().zip(y) {
        let (a, b) = (1.0 / y, e / y); // floor a + constant b should be 1
        (aa, ab, bb, a1, b1) = (aa + a * a, ab + a * b, bb + b * b, a1 + a, b1 + b);
    }
    let determinant = aa * bb - ab * ab;
    let free = ((a1 * bb - b1 * ab) / determinant, (b1 * aa - a1 * ab) / determinant);
    let gain = (a1 * a1 / aa, b1 * b1 / bb); // by which either number alone lowers the sum of squares
    match free {
        (floor, constant) if floor >= 0.0 && constant >= 0.0 => free,
        _ if gain.0 > gain.1 => (a1 / aa, 0.0),
        _ => (0.0, b1 / bb),
    }
}

/// Root-mean-square relative error at each size of the line through the others.
pub(super) fn left_out(e: &[f64], y: &[f64]) -> f64 {
    let without = |i: usize, x: &[f64]| -> Vec<f64> { [&x[..i], &x[i + 1..]].concat() };
    let error = |i: usize| {
        let (floor, constant) = line(&without(i, e), &without(i, y));
        ((floor + constant * e[i]) / y[i] - 1.0).powi(2)
    };
    ((0..e.len()).map(error).sum::<f64>() / e.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_number_is_negative_and_what_is_left_is_the_best_of_its_kind() {
        let e = [0.5, 1.0, 2.0];
        let (floor, constant) = line(&e, &[0.4, 0.95, 2.1]); // steeper than through zero
        assert!(floor == 0.0 && (constant - 0.9098).abs() < 1e-4, "{constant}");
        let (floor, constant) = line(&e, &[2.0, 1.9, 1.8]); // falls with E
        assert!(constant == 0.0 && (floor - 1.8930).abs() < 1e-4, "{floor}");
    }

    #[test]
    fn errors_are_those_of_sizes_that_the_fit_has_not_seen() {
        let error = left_out(&[1.0, 2.0, 4.0], &[1.0, 2.0, 3.0]); // lines through two points miss the third by 1/2, 1/6 and 1/3
        assert!((error - (0.25f64 + 1.0 / 36.0 + 1.0 / 9.0).sqrt() / 3f64.sqrt()).abs() < 1e-12, "{error}");
    }
}
