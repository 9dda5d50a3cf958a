//! The particle law at chosen times and depths: cells against particles, depths against finer steps, what is refused.
//!
//! Maths: moments of the law; mean over depth of |beta|^2 is the curve of the second moment.
//! Shapes: tokens of dimension 1, heads and neurons of two numbers.
//! Cost: seconds.
//! Checked: this is a test.

use mckean_data::{Dataset, Targets};
use mckean_dynamics::Limit;
use mckean_dynamics::limit::{Problem, Settings, Snapshot, Source, solve};
use mckean_engine::DataShape;
use mckean_model::{InitConfig, InitialLaw, ModelConfig, Readout, Role};
use mckean_num::par::Par;
use mckean_num::rng::Seed;
use std::sync::Arc;

fn problem(atoms: usize) -> Problem {
    let mut g = Seed(5).stream("test").open();
    let inputs: Vec<f64> = (0..48).map(|_| g.normal()).collect();
    let answer = |x: &[f64]| 1.2 * x[2] + 0.4 * (x[0] + x[1]).max(0.0);
    let targets = Targets::Values { data: inputs.chunks(3).map(answer).collect(), outputs: 1 };
    let data = Arc::new(Dataset { name: "line".into(), samples: 16, tokens: 3, dim: 1, inputs, targets });
    let model = ModelConfig { readout: Readout::Entry, ..Default::default() };
    let init = InitConfig {
        law: InitialLaw::Normal,
        scale: 0.5,
        atoms,
        depth_scale: vec![[0.0, 1.2], [1.0, 0.8]],
        ..Default::default()
    };
    Problem { model, shape: DataShape { tokens: 3, dim: 1, outputs: 1, vocabulary: 0 }, data, init, lambda: 1e-2 }
}

fn limit(atoms: usize, source: Source, (rtol, depths): (f64, &[f64])) -> Limit {
    let (taus, snapshots, depths) = (vec![0.0, 1.0, 2.0], vec![0.0, 2.0], depths.to_vec());
    let s = Settings { taus, rtol, source, seed: 3, snapshots, depths, ..Settings::default() };
    solve(&problem(atoms), &s, &Par::new(2), &mut |_| {}).unwrap()
}

/// Mean of f over the law of `role` at the `place`-th slice kept; f gets the two numbers of a particle.
fn mean(s: &Snapshot, (role, place): (Role, usize), f: impl Fn(f64, f64) -> f64) -> f64 {
    let slice = s.slices[place];
    let own: Vec<_> = s.net.layout.particles(slice, role).collect();
    let number = |tensor: usize, j: usize| s.parameters[own[tensor].range.start + j];
    let mass = s.net.weights.at(role, slice);
    mass.iter().enumerate().map(|(j, m)| m * f(number(0, j), number(1, j))).sum()
}

#[test]
fn cells_and_particles_have_the_same_law_at_every_depth_asked_for() {
    let depths = [0.0, 0.2, 1.0];
    let [a, b] = [Source::Rqmc, Source::Grid].map(|source| limit(0, source, (1e-2, &depths)));
    for l in [&a, &b] {
        println!("{:?} particles or cells, law {}, {:.1} s", l.size, l.snapshots[0].net.config.heads, l.seconds);
        assert_eq!(l.snapshots.iter().map(|s| s.tau).collect::<Vec<_>>(), [0.0, 2.0]);
        for s in &l.snapshots {
            assert!(s.slices.iter().zip(depths).all(|(k, t)| (s.depth(*k) - t).abs() < 1e-12) && s.slices.len() == 3);
        }
    }
    let (mut moved, mut differ) = (0.0f64, 0.0f64);
    for role in [Role::Head, Role::Neuron] {
        for place in 0..3 {
            let of = |l: &Limit, i: usize, f: fn(f64, f64) -> f64| mean(&l.snapshots[i], (role, place), f);
            for f in [|x, _| x, |_, y| y, |x, y| x * y, |x, _| x * x, |_, y| y * y] as [fn(f64, f64) -> f64; 5] {
                let (x, y, start) = (of(&a, 1, f), of(&b, 1, f), of(&b, 0, f));
                println!("{role:?} {place}: particles {x:.5} cells {y:.5} at first {start:.5}");
                assert!((x - y).abs() < 1e-2, "{role:?} {place}: particles {x} cells {y}");
                moved = moved.max((y - start).abs());
            }
            differ = differ.max((of(&b, 1, |x, _| x * x) - mean(&b.snapshots[1], (role, 0), |x, _| x * x)).abs());
        }
    }
    assert!(moved > 0.05 && differ > 0.05, "the law moves ({moved}) and depends on depth ({differ})");
}

#[test]
fn the_law_on_cells_has_the_second_moment_of_the_curve() {
    let l = limit(0, Source::Grid, (1e-2, &[]));
    for (s, i) in l.snapshots.iter().zip([0, 2]) {
        let simpson = [1.0, 4.0, 2.0, 4.0, 1.0].map(|w| w / 12.0);
        let size = |place| {
            [Role::Head, Role::Neuron].map(|role| mean(s, (role, place), |x, y| x * x + y * y)).iter().sum::<f64>()
        };
        let (own, curve) = ((0..5).map(|place| simpson[place] * size(place)).sum::<f64>(), l.moment.value[i]);
        assert!(s.slices.len() == 5 && (own - curve).abs() < 2e-2 * curve, "{own} {curve}");
    }
}

#[test]
fn atoms_at_a_depth_do_not_depend_on_the_steps_that_lead_there() {
    let [a, b] = [&[0.25, 0.5][..], &[0.03125, 0.25, 0.5]].map(|depths| limit(5, Source::Atoms, (1e-7, depths)));
    let of = |l: &Limit, t: f64| {
        let s = &l.snapshots[1];
        let place = s.slices.iter().position(|k| (s.depth(*k) - t).abs() < 1e-12).unwrap();
        [mean(s, (Role::Head, place), |x, y| x + 0.3 * y * y), mean(s, (Role::Neuron, place), |x, y| x * y)]
    };
    for t in [0.25, 0.5] {
        let (x, y) = (of(&a, t), of(&b, t));
        assert!(x.iter().zip(y).all(|(x, y)| (x - y).abs() < 1e-3 * x.abs()), "{x:?} {y:?}");
    }
    assert!(a.snapshots[1].net.config.depth < b.snapshots[1].net.config.depth, "other steps");
}

#[test]
fn depths_that_no_step_ends_at_are_refused() {
    for (depths, words) in [(vec![0.5, 1.5], "from 0 to 1"), (vec![f64::NAN], "from 0 to 1"), (vec![0.4142], "1/n")] {
        let s = Settings { taus: vec![1.0], depths, ..Settings::default() };
        let e = solve(&problem(5), &s, &Par::serial(), &mut |_| {}).unwrap_err().to_string();
        assert!(e.contains("limit.depths") && e.contains(words), "{e}");
    }
}
