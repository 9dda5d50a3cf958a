//! Tests of the initial laws.
//!
//! Maths: second moments through draws and through the cube, mirror images, atoms, refusals.
//! Shapes: particles of a few numbers.
//! Cost: milliseconds.
//! Checked: this is the check.

use super::*;
use crate::layout::{Layout, Role, TensorSpec};

fn law(init: InitConfig) -> Law {
    let spec = |name, n: usize, sums| TensorSpec { name, shape: vec![n], fan_in: n, sums_particles: sums };
    let mut layout = Layout::default();
    layout.push_particles(0, "attention", Role::Head, 3, &[spec("v", 4, true), spec("w", 2, false)]);
    Law::new(&init, &layout.tensors)
}

/// Mean square over uniform points of the cube.
fn by_cube(law: &Law, n: usize) -> f64 {
    let mut g = Seed(6).stream("law.test").open();
    let mut point = || -> Vec<f64> { (0..law.cube_dim()).map(|_| g.uniform().max(1e-12)).collect() };
    (0..n).map(|_| law.from_cube(&point()).iter().map(|x| x * x).sum::<f64>()).sum::<f64>() / n as f64
}

fn by_draws(law: &Law, n: usize) -> f64 {
    let mut g = Seed(5).stream("law.test").open();
    (0..n).map(|_| law.draw(&mut g).iter().map(|x| x * x).sum::<f64>()).sum::<f64>() / n as f64
}

#[test]
fn draws_and_the_cube_have_the_second_moment_of_the_law() {
    let cut = 1.5f64;
    let kept = 1.0
        - 2.0 * cut * (-0.5 * cut * cut).exp()
            / (2.0 * std::f64::consts::PI).sqrt()
            / (1.0 - 2.0 * normal::distribution(-cut));
    let cases = [
        (InitialLaw::Gaussian, 8.0),          // two tensors of mean square scale^2
        (InitialLaw::Normal, 24.0),           // six numbers of variance scale^2
        (InitialLaw::Truncated, 24.0 * kept), // the variance of a cut normal law
        (InitialLaw::Box, 8.0),               // six numbers uniform on [-2, 2]
        (InitialLaw::Ball, 3.0),              // scale^2 p / (p + 2)
    ];
    for (kind, expected) in cases {
        let law = law(InitConfig { law: kind, scale: 2.0, cut, ..Default::default() });
        let (a, b) = (by_draws(&law, 40_000), by_cube(&law, 40_000));
        assert!((a / expected - 1.0).abs() < 0.02, "{kind:?} draws: {a} {expected}");
        assert!((b / expected - 1.0).abs() < 0.02, "{kind:?} cube: {b} {expected}");
    }
}

#[test]
fn supports_are_respected() {
    let within = |kind, bound: f64| {
        let law = law(InitConfig { law: kind, scale: 2.0, cut: 1.5, ..Default::default() });
        let mut g = Seed(1).stream("law.test").open();
        (0..2000).flat_map(|_| law.draw(&mut g)).all(|x| x.abs() <= bound)
    };
    assert!(within(InitialLaw::Truncated, 3.0) && within(InitialLaw::Box, 2.0) && within(InitialLaw::Ball, 2.0));
    assert!(!within(InitialLaw::Normal, 3.0), "a law without bound");
}

#[test]
fn the_mirror_flips_output_maps_only_and_atoms_come_in_pairs() {
    let law = law(InitConfig { atoms: 6, symmetric: true, ..Default::default() });
    let atoms = law.atoms();
    assert_eq!(atoms.len(), 6);
    for pair in atoms.chunks(2) {
        assert!((0..4).all(|i| pair[0][i] == -pair[1][i]) && pair[0][4..] == pair[1][4..]);
    }
    assert_ne!(atoms[0], atoms[2]);
}

#[test]
fn a_law_that_depends_on_the_width_has_no_limit() {
    let e = law(InitConfig { law: InitialLaw::FanIn, ..Default::default() }).check_limit().unwrap_err().to_string();
    assert!(e.contains("init.law = \"fan_in\"") && e.contains("normal"), "{e}");
    assert!(law(InitConfig::default()).check_limit().is_ok());
}
