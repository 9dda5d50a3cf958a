//! Tests of the initial laws.
//!
//! Maths: second moments in closed form, through draws and through the cube; shares of components, depth, mirror images, atoms, refusals.
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

/// Component of a mixture of two.
fn component(weight: f64, law: InitialLaw, scale: f64, shift: &[(&str, &[f64])]) -> Component {
    let shift = shift.iter().map(|(name, each)| (name.to_string(), each.to_vec())).collect();
    Component { weight, law, scale, shift, cut: 3.0 }
}

/// One third on a ball of radius 2, two thirds on a box of half side 1 around v = 1, w = (0.5, -2); times 1.5.
fn mixture() -> InitConfig {
    let mixture = vec![
        component(1.0, InitialLaw::Ball, 2.0, &[]),
        component(2.0, InitialLaw::Box, 1.0, &[("v", &[1.0]), ("w", &[0.5, -2.0])]),
    ];
    InitConfig { law: InitialLaw::Mixture, mixture, scale: 1.5, ..Default::default() }
}

/// Mean square over uniform points of the cube.
fn by_cube(law: &LawAt<'_>, n: usize) -> f64 {
    let mut g = Seed(6).stream("law.test").open();
    let mut point = || -> Vec<f64> { (0..law.cube_dim()).map(|_| g.uniform().max(1e-12)).collect() };
    (0..n).map(|_| law.from_cube(&point()).iter().map(|x| x * x).sum::<f64>()).sum::<f64>() / n as f64
}

fn by_draws(law: &LawAt<'_>, n: usize) -> f64 {
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
        agrees(&law.at(0.3), expected, &format!("{kind:?}"));
    }
    // 1.5^2 ((1/3) 4 * 6/8 + (2/3) (6/3 + 4 + 0.25 + 4))
    agrees(&law(mixture()).at(0.3), 2.25 * (1.0 + 2.0 / 3.0 * 10.25), "mixture");
    let deep = InitConfig { depth_scale: vec![[0.0, 2.0], [1.0, 1.0]], ..mixture() };
    agrees(&law(deep.clone()).at(0.5), 2.25 * 2.25 * (1.0 + 2.0 / 3.0 * 10.25), "mixture at depth 1/2");
    assert_eq!(law(deep.clone()).widest().second_moment(), law(deep).at(0.0).second_moment());
}

/// The second moment is the expected one to rounding, and that of draws and of points of the cube within two per cent.
fn agrees(law: &LawAt<'_>, expected: f64, name: &str) {
    let (exact, a, b) = (law.second_moment(), by_draws(law, 40_000), by_cube(law, 40_000));
    assert!((exact / expected - 1.0).abs() < 1e-12, "{name}: {exact} {expected}");
    assert!((a / expected - 1.0).abs() < 0.02, "{name} draws: {a} {expected}");
    assert!((b / expected - 1.0).abs() < 0.02, "{name} cube: {b} {expected}");
}

#[test]
fn means_and_covariances_of_tensors_are_those_of_draws() {
    let deep = InitConfig { depth_scale: vec![[0.0, 2.0], [1.0, 1.0]], ..mixture() };
    let ball = InitConfig { law: InitialLaw::Ball, scale: 2.0, ..Default::default() };
    for init in [deep.clone(), InitConfig { symmetric: true, ..deep }, ball] {
        let (law, symmetric, n) = (law(init.clone()), init.symmetric, 60_000);
        let at = law.at(0.5);
        let mut g = Seed(8).stream("law.test").open();
        let mut draws: Vec<Vec<f64>> = (0..n).map(|_| at.draw(&mut g)).collect();
        draws.iter_mut().step_by(2).filter(|_| symmetric).for_each(|x| at.mirror(x));
        for range in law.tensors() {
            let (mean, covariance) = at.mean_and_covariance(range.clone());
            let average =
                |f: &dyn Fn(&[f64]) -> f64| draws.iter().map(|x| f(&x[range.clone()])).sum::<f64>() / n as f64;
            for i in 0..range.len() {
                assert!((average(&|x| x[i]) - mean[i]).abs() < 0.06, "{range:?} {i}");
                for j in 0..range.len() {
                    let own = average(&|x| (x[i] - mean[i]) * (x[j] - mean[j]));
                    let exact = covariance[i * range.len() + j];
                    assert!((own - exact).abs() < 0.15, "{range:?} {i} {j}: {own} {exact}");
                }
            }
        }
    }
}

#[test]
fn one_coordinate_of_the_cube_picks_the_component() {
    let law = law(mixture());
    let (at, n) = (law.at(0.0), 3000);
    let boxed = |i: usize| {
        let u = [&[(i as f64 + 0.5) / n as f64][..], &[0.5; 7]].concat();
        at.from_cube(&u)[5] == -3.0 // the middle of the box, times 1.5
    };
    assert_eq!(at.cube_dim(), 8, "six numbers, the radius of the ball, the pick");
    assert_eq!((0..n).filter(|&i| boxed(i)).count(), 2000);
    assert!(!boxed(999) && boxed(1000));
    let mut g = Seed(2).stream("law.test").open();
    let far = (0..30_000).filter(|_| at.draw(&mut g).iter().map(|x| x * x).sum::<f64>() > 9.0).count();
    assert!(far > 17_000 && far < 20_000, "most of the box lies outside of the ball: {far}");
}

#[test]
fn depth_and_mixtures_multiply_what_is_drawn() {
    let deep = |init: InitConfig| InitConfig { depth_scale: vec![[0.0, 1.0], [1.0, 3.0]], ..init };
    let file = InitConfig { particles: "p".into(), scale: 0.5, ..Default::default() };
    let file = file.with_particles(vec![vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], vec![0.0; 6]]);
    for init in [deep(mixture()), deep(InitConfig { atoms: 3, ..mixture() }), deep(file.clone())] {
        let law = law(init);
        let draw = |t: f64| match law.at(t).atoms() {
            atoms if atoms.is_empty() => vec![law.at(t).draw(&mut Seed(1).stream("law.test").open())],
            atoms => atoms,
        };
        for (a, b) in draw(0.0).concat().iter().zip(draw(0.25).concat()) {
            assert!((1.5 * a - b).abs() < 1e-14, "{a} {b}");
        }
    }
    let law = law(file);
    assert_eq!(law.at(0.7).atoms()[0], [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]);
    assert_eq!(law.at(0.7).second_moment(), 0.25 * 91.0 / 2.0);
}

#[test]
fn a_shifted_output_map_breaks_the_mirror_unless_images_are_added() {
    let shifted = |name: &str| {
        let mixture = vec![component(1.0, InitialLaw::Normal, 1.0, &[(name, &[0.3])])];
        InitConfig { law: InitialLaw::Mixture, mixture, ..Default::default() }
    };
    assert!(law(InitConfig::default()).is_mirrored() && law(shifted("w")).is_mirrored());
    assert!(!law(shifted("v")).is_mirrored() && !law(mixture()).is_mirrored());
    assert!(law(InitConfig { symmetric: true, ..mixture() }).is_mirrored());
}

#[test]
fn shifts_that_fit_no_tensor_are_refused() {
    let refused = |name: &str, each: &[f64]| {
        let mixture = vec![component(1.0, InitialLaw::Normal, 1.0, &[(name, each)])];
        law(InitConfig { law: InitialLaw::Mixture, mixture, ..Default::default() }).check().unwrap_err().to_string()
    };
    let e = refused("w1", &[1.0]);
    assert!(e.contains("shift.w1") && e.contains("v (4), w (2)"), "{e}");
    assert!(refused("v", &[1.0, 2.0]).contains("2 numbers for a tensor of 4"));
    assert!(law(mixture()).check().is_ok());
}

#[test]
fn supports_are_respected() {
    let within = |kind, bound: f64| {
        let law = law(InitConfig { law: kind, scale: 2.0, cut: 1.5, ..Default::default() });
        let mut g = Seed(1).stream("law.test").open();
        (0..2000).flat_map(|_| law.at(0.0).draw(&mut g)).all(|x| x.abs() <= bound)
    };
    assert!(within(InitialLaw::Truncated, 3.0) && within(InitialLaw::Box, 2.0) && within(InitialLaw::Ball, 2.0));
    assert!(!within(InitialLaw::Normal, 3.0), "a law without bound");
}

#[test]
fn the_mirror_flips_output_maps_only_and_atoms_come_in_pairs() {
    let law = law(InitConfig { atoms: 6, symmetric: true, ..Default::default() });
    let atoms = law.at(0.0).atoms();
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
    let mixture = vec![component(1.0, InitialLaw::FanIn, 1.0, &[])];
    let e = law(InitConfig { law: InitialLaw::Mixture, mixture, ..Default::default() }).check_limit();
    assert!(e.unwrap_err().to_string().contains("fan_in"));
    assert!(law(InitConfig::default()).check_limit().is_ok());
}
