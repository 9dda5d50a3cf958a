//! Tests of the lanes: every instruction set this machine has, against f64 and against differences.
//!
//! Maths: relative error in units of the type's epsilon.
//! Shapes: one lane at a time.
//! Cost: milliseconds.
//! Checked: this is the check.

use super::*;

fn inputs() -> Vec<f64> {
    let grid = (-400..=400).map(|i| f64::from(i) * 0.0517);
    grid.chain([0.0, 1e-9, -1e-9, 1e-3, 30.0, -30.0]).collect()
}

fn worst<V: Lane>(lanes: impl Fn(V) -> V, exact: impl Fn(f64) -> f64, relative: bool) -> f64 {
    inputs().iter().fold(0.0, |w, &x| {
        let x = <V::S as Scalar>::new(x, 0.0);
        let y = V::vectorize(|| lanes(V::splat(x)).get(V::W - 1)).re();
        let e = exact(x.re());
        w.max((y - e).abs() / if relative { e.abs().max(1e-290) } else { 1.0 })
    })
}

fn elementary<V: RealLane>() {
    let eps = <V::R as Real>::EPSILON.re();
    assert!(worst::<V>(Lane::exp, f64::exp, true) < 4.0 * eps);
    assert!(worst::<V>(Lane::tanh, f64::tanh, true) < 5.0 * eps);
    assert!(worst::<V>(|x| x.normal_law().0, phi, false) < 3.0 * eps);
    let density = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
    assert!(worst::<V>(|x| x.normal_law().1, density, false) < 2.0 * eps);
    let big = V::vectorize(|| Lane::exp(V::c(1e4)).get(0)).re();
    assert!(big.is_infinite() && V::vectorize(|| Lane::exp(V::c(f64::NAN)).get(0)).re().is_nan());
}

/// Phi by the continued fraction of the tail (|x| > 2) or the series (else), in f64.
fn phi(x: f64) -> f64 {
    let density = (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
    if x.abs() < 2.0 {
        let (mut term, mut sum) = (x, x);
        for k in 1..80 {
            term *= x * x / f64::from(2 * k + 1);
            sum += term;
        }
        return 0.5 + density * sum;
    }
    let tail = density / (1..200).rev().fold(x.abs(), |c, k| x.abs() + f64::from(k) / c);
    if x > 0.0 { 1.0 - tail } else { tail }
}

fn arithmetic<V: RealLane>() {
    V::vectorize(|| {
        let a = V::generate(|i| V::R::new(i as f64 + 1.0, 0.0));
        let n = V::WIDTH as f64;
        assert_eq!(a.hsum().re(), n * (n + 1.0) / 2.0);
        let four = [a, a * V::c(0.3), -a, a / V::c(7.0)];
        let sums = V::hsums(four);
        assert!((0..4).all(|i| sums[i].re() == four[i].hsum().re()), "four sums have the bits of one");
        let (low, high) = Lane::zip(a, -a);
        for i in 0..2 * V::WIDTH {
            let entry = if i < V::WIDTH { low.get(i) } else { high.get(i - V::WIDTH) }.re();
            assert_eq!(entry, if i % 2 == 0 { 1.0 } else { -1.0 } * (i / 2 + 1) as f64, "zip");
        }
        let lanes = [a, a * V::c(0.3)];
        let spread = unsafe { <V as Lane>::spread(&raw const lanes[1], V::WIDTH - 1) };
        assert!((0..V::WIDTH).all(|i| spread.get(i).re() == lanes[1].get(V::WIDTH - 1).re()), "spread");
        let y = Lane::fma(a, a, V::c(1.0)) / a - a;
        for i in 0..V::WIDTH {
            assert!((y.get(i).re() - 1.0 / (i as f64 + 1.0)).abs() < 40.0 * <V::R as Real>::EPSILON.re());
        }
        let s = V::select_gt(a, V::c(2.0), V::c(7.0), -a);
        assert_eq!((s.get(0).re(), s.get(V::WIDTH - 1).re()), (-1.0, if n > 2.0 { 7.0 } else { -n }));
    });
}

fn all<R: Real>() {
    let check = |isa: Isa| isa == Isa::best() || isa == Isa::Portable || Isa::best() == Isa::Avx512;
    elementary::<R>();
    elementary::<R::Plain>();
    arithmetic::<R::Plain>();
    if check(Isa::Avx2) {
        elementary::<R::Middle>();
        arithmetic::<R::Middle>();
    }
    if check(Isa::Avx512) {
        elementary::<R::Wide>();
        arithmetic::<R::Wide>();
    }
}

#[test]
fn elementary_functions_match_f64() {
    all::<f64>();
    all::<f32>();
}

#[test]
fn dual_tangents_match_differences() {
    type D = Dual<f64>;
    type Function = fn(D) -> D;
    let functions: [(&str, Function); 8] = [
        ("exp", |x| x.exp()),
        ("tanh", |x| x.tanh()),
        ("cdf", |x| x.normal_law().0),
        ("pdf", |x| x.normal_law().1),
        ("sqrt", |x| (x * x + D::c(1.0)).sqrt()),
        ("div", |x| D::c(1.0) / (x * x + D::c(2.0))),
        ("fma", |x| x.fma(x, -x)),
        ("ln", |x| (x * x + D::c(0.5)).ln()),
    ];
    for (name, f) in functions {
        for x in [-2.3, -0.4, 0.1, 0.9, 3.0] {
            let h = 1e-5;
            let tangent = f(D::new(x, 1.5)).eps();
            let difference = 1.5 * (f(D::new(x + h, 0.0)).re() - f(D::new(x - h, 0.0)).re()) / (2.0 * h);
            assert!((tangent - difference).abs() < 1e-8 * (1.0 + difference.abs()), "{name} at {x}");
        }
    }
}
