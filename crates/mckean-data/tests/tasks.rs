//! Generated tasks through the front door: reproducible, extendable, with their known optima.
//!
//! Maths: Gao et al. 2024, section 2.1.
//! Shapes: the defaults.
//! Cost: milliseconds.
//! Checked: these are tests.

use mckean_data::task::in_context::{best_risk, noiseless_optimum};
use mckean_data::{DataConfig, DataError, load, teacher};

fn named(name: &str) -> DataConfig {
    DataConfig { name: name.into(), ..DataConfig::default() }
}

#[test]
fn a_seed_gives_the_same_data_and_more_samples_extend_fewer() {
    for name in ["in_context", "teacher_student"] {
        let (a, b) = (load(&named(name)).unwrap(), load(&DataConfig { train: 300, test: 9, ..named(name) }).unwrap());
        assert_eq!((a.train.samples, &a.test), (256, &None));
        assert_eq!(a.train, b.train.take(0..256), "{name}");
        assert_ne!(a.train, load(&DataConfig { seed: 2, ..named(name) }).unwrap().train, "{name}");
        assert_eq!(b.test.unwrap().samples, 9);
    }
}

#[test]
fn the_default_in_context_task_can_be_solved_exactly() {
    let config = named("in_context");
    assert_eq!(noiseless_optimum(config.x_dim, config.context), 0.0);
    let data = load(&config).unwrap().train;
    assert!(best_risk(&data, &config) < 1e-16);
    // the same data with answers changed cannot
    let mut wrong = data.clone();
    if let mckean_data::Targets::Values { data, .. } = &mut wrong.targets {
        data.iter_mut().for_each(|y| *y += 0.1);
    }
    assert!((best_risk(&wrong, &config) - 0.005).abs() < 1e-12);
}

#[test]
fn appended_rows_do_not_disturb_the_optimum() {
    let config = DataConfig { positions: true, readout_rows: 3, ..named("in_context") };
    let data = load(&config).unwrap().train;
    assert_eq!(data.dim, 8 + 17 + 3);
    assert!(best_risk(&data, &config) < 1e-16);
}

#[test]
fn the_exported_teacher_answers_as_the_data_do() {
    let config = DataConfig { teacher_depth: 3, dim: 4, tokens: 3, ..named("teacher_student") };
    let (data, teacher) = (load(&config).unwrap().train, teacher(&config));
    let answers: Vec<f64> = (0..data.samples).map(|i| teacher.forward(data.inputs_of(i))[11]).collect();
    assert_eq!(answers, data.one_hot_values());
}

#[test]
fn absurd_requests_are_refused_before_memory_is_taken() {
    let huge = DataConfig { train: usize::MAX, ..named("in_context") };
    assert!(matches!(load(&huge), Err(DataError::TooLarge { .. })));
    let huge = DataConfig { train: 1 << 40, ..named("teacher_student") };
    assert!(matches!(load(&huge), Err(DataError::TooLarge { .. })));
    for (config, key) in [
        (DataConfig { x_dim: 0, ..named("in_context") }, "data.x_dim = 0"),
        (DataConfig { context: 5000, ..named("in_context") }, "data.context = 5000"),
        (DataConfig { noise: -1.0, ..named("in_context") }, "data.noise = -1"),
    ] {
        let text = load(&config).unwrap_err().to_string();
        assert!(text.contains(key), "{text}");
    }
}
