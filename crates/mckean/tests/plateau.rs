//! Floors and constants of made-up ends: the E that made them is found, with the power of its floors; sizes that cannot tell are left out.
//!
//! Maths: R = lambda^2 (7 + 3 E).
//! Shapes: ends without networks.
//! Cost: milliseconds.
//! Checked: this is a test.

use mckean::stationary::{Cell, End, Seen, Size, plateaus};
use mckean_analysis::fit::Shape;

/// R = lambda^2 (7 + 3 E) and a little for every seed.
fn ends(shape: Shape, (widths, depths, lambdas): (&[usize], &[usize], &[f64])) -> Vec<End> {
    let mut all = vec![];
    for &lambda in lambdas {
        for (m, l, seed) in widths.iter().flat_map(|&m| depths.iter().flat_map(move |&l| [(m, l, 0), (m, l, 1)])) {
            let risk = lambda * lambda * (7.0 + 3.0 * shape.at(m as f64, l as f64)) * (1.0 + 0.01 * seed as f64);
            let last = Seen { tau: 1.0, risk, objective: 1.0, residual: 0.0, radius: 1.0 };
            let cell = Cell { lambda, size: Size::Finite(m, l), seed };
            let (outcome, drift, adjoint) = ("rest".into(), None, None);
            all.push(End { cell, outcome, last, drift, stages: vec![], conditions: vec![], adjoint, gradients: 0 });
        }
    }
    all
}

#[test]
fn made_up_plateaus_are_found_with_the_power_of_their_floors() {
    for shape in Shape::ALL {
        let found = plateaus(&ends(shape, (&[2, 4, 8], &[1, 2, 4], &[1e-2, 3e-3, 1e-3])));
        let best = &found[0];
        assert!(found.len() == 5 && best.shape == shape && best.left_out < 1e-9, "{shape:?}");
        assert!(best.fits.len() == 3 && best.fits[0].lambda == 1e-2 && best.fits[0].sizes.len() == 9);
        let fit = &best.fits[0].fit;
        assert!((fit.floor.value / 7.035e-4 - 1.0).abs() < 1e-9 && (fit.constant.value / 3.015e-4 - 1.0).abs() < 1e-9);
        let power = best.floors.as_ref().unwrap();
        assert!((power.slope.value - 2.0).abs() < 1e-9 && power.curves == 2, "{power:?}");
    }
}

#[test]
fn sizes_that_cannot_tell_are_left_out() {
    let two = ends(Shape::Sum, (&[2, 4], &[1, 2], &[1e-2]));
    assert!(plateaus(&two).is_empty(), "two widths and two depths");
    let wide = plateaus(&ends(Shape::Sum, (&[2, 4, 8, 16], &[2], &[1e-2, 3e-3])));
    let shapes: Vec<Shape> = wide.iter().map(|p| p.shape).collect();
    assert!(shapes.len() == 4 && !shapes.contains(&Shape::Depth), "1/L is the same everywhere: {shapes:?}");
    assert!(wide[0].shape == Shape::Theorem && wide[0].problem.as_ref().unwrap().contains("three weight decays"));
    let mut open = ends(Shape::Sum, (&[2, 4, 8], &[2], &[1e-2]));
    open[0].outcome = "unsettled".into();
    assert!(plateaus(&open).is_empty(), "a width that does not rest does not count");
}
