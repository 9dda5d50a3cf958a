//! `data.name = "teacher_student"`: Gaussian tokens, answered by a small mean-field Transformer.
//!
//! Maths: y = entry D-1 of the last token after the teacher (Gao et al. 2024, eqs 2.1-2.4). A student with the same encoders
//!   and enough particles and blocks can reach risk 0. With the default teacher_scale = 2 the targets have a variance of
//!   0.2 to 0.9 (seeds 1 to 20; 0.37 for seed 1). Entries are clipped to bounded data (assumption A1).
//! Shapes: `[samples][tokens][D]`; row D-1 of the last token is 0 in the input, so that the answer is computed, not copied.
//! Cost: one teacher pass per sample.
//! Checked: tests below (targets, clipping, variance of the targets), `task/teacher.rs`.

use super::{check_scale, check_size, split, teacher::teacher};
use crate::assemble::Shape;
use crate::error::bad_value;
use crate::{DataConfig, DataError, Dataset, Split, Targets};
use mckean_num::rng::{Draws, Seed};

/// Tokens per sample when `data.tokens` is 0.
pub const DEFAULT_TOKENS: usize = 5;

/// Draws `train` and `test` samples (streams "data.teacher_student", split, sample) and asks the teacher.
pub(crate) fn generate(config: &DataConfig) -> Result<Split, DataError> {
    check(config)?;
    split(config, |samples, which| part(config, samples, which))
}

fn check(config: &DataConfig) -> Result<(), DataError> {
    check_size("dim", config.dim)?;
    check_size("teacher_depth", config.teacher_depth)?;
    check_size("tokens", tokens(config))?;
    check_scale("teacher_scale", config.teacher_scale)?;
    let DataConfig { teacher_heads: heads, teacher_neurons: neurons, dim, .. } = *config;
    let numbers =
        heads.checked_mul(2 * dim * dim).zip(neurons.checked_mul(2 * dim)).and_then(|(a, b)| a.checked_add(b));
    if (heads, neurons) == (0, 0) {
        let remedy = "Give it a head, or a neuron in data.teacher_neurons.";
        return Err(bad_value("teacher_heads", 0, "and no neurons leave the teacher without particles", remedy));
    }
    match numbers.and_then(|n| n.checked_mul(config.teacher_depth)) {
        Some(n) if n <= 1 << 27 => Ok(()),
        _ => Err(DataError::TooLarge {
            what: format!("a teacher of {} blocks with {heads} heads and {neurons} neurons", config.teacher_depth),
            size: numbers.map_or("more numbers than can be counted".into(), |n| format!("{n} numbers a block")),
            limit: format!("{} numbers in all", 1 << 27),
            remedy: "Make the teacher smaller.",
        }),
    }
}

fn tokens(config: &DataConfig) -> usize {
    if config.tokens == 0 { DEFAULT_TOKENS } else { config.tokens }
}

fn part(config: &DataConfig, samples: usize, which: u64) -> Result<Dataset, DataError> {
    let (tokens, dim) = (tokens(config), config.dim);
    let shape = Shape::new(config, samples, tokens, dim)?;
    let stream = Seed(config.seed).stream("data.teacher_student").at(which);
    let teacher = teacher(config);
    let mut data = vec![0.0; samples];
    let inputs = shape.fill(|i, out| {
        clipped_tokens(&mut stream.at(i as u64).open(), dim, out);
        data[i] = teacher.forward(out)[tokens * dim - 1];
    });
    let targets = Targets::Values { data, outputs: 1 };
    Ok(Dataset { name: config.name.clone(), samples, tokens, dim: shape.dim(), inputs, targets })
}

/// Normal tokens, pulled back to the ball of radius 2 sqrt(D); the last entry of the last token is 0.
fn clipped_tokens(draws: &mut Draws, dim: usize, out: &mut [f64]) {
    let radius = 2.0 * (dim as f64).sqrt();
    for token in out.chunks_exact_mut(dim) {
        draws.fill_normal(token);
        let norm = token.iter().map(|x| x * x).sum::<f64>().sqrt();
        let shrink = (radius / norm).min(1.0);
        token.iter_mut().for_each(|x| *x *= shrink);
    }
    if let Some(read) = out.last_mut() {
        *read = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> DataConfig {
        DataConfig { name: "teacher_student".into(), ..DataConfig::default() }
    }

    fn variance(y: &[f64]) -> f64 {
        let mean = y.iter().sum::<f64>() / y.len() as f64;
        y.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / y.len() as f64
    }

    #[test]
    fn targets_are_the_teachers_and_inputs_hide_them() {
        let split = generate(&DataConfig { train: 20, test: 5, ..config() }).unwrap();
        let (teacher, test) = (teacher(&config()), split.test.unwrap());
        for data in [&split.train, &test] {
            let y = data.one_hot_values();
            for i in 0..data.samples {
                assert_eq!(data.inputs_of(i)[39], 0.0);
                assert_eq!(y[i], teacher.forward(data.inputs_of(i))[39]);
            }
        }
        assert_ne!(split.train.inputs_of(0), test.inputs_of(0));
    }

    #[test]
    fn appended_rows_do_not_change_the_answer() {
        let plain = generate(&config()).unwrap().train;
        let padded = generate(&DataConfig { readout_rows: 2, positions: true, ..config() }).unwrap().train;
        assert_eq!((padded.dim, &padded.targets), (8 + 5 + 2, &plain.targets));
        assert_eq!(padded.inputs[15..23], plain.inputs[8..16]);
    }

    #[test]
    fn tokens_stay_in_the_ball() {
        let norms = |dim: usize| -> Vec<f64> {
            let data = generate(&DataConfig { dim, train: 2000, ..config() }).unwrap().train;
            data.inputs.chunks_exact(dim).map(|t| t.iter().map(|x| x * x).sum::<f64>() / dim as f64).collect()
        };
        let small = norms(2);
        assert!(small.iter().all(|n| *n <= 4.0 + 1e-12));
        assert!(small.iter().any(|n| (n - 4.0).abs() < 1e-12), "some tokens are clipped");
        assert!(small.iter().filter(|n| **n < 3.9).count() > 3000, "most of the 10 000 are not");
    }

    #[test]
    fn the_default_teacher_has_targets_of_order_one() {
        let all: Vec<f64> = (1..=20)
            .map(|seed| {
                variance(&generate(&DataConfig { seed, train: 1000, ..config() }).unwrap().train.one_hot_values())
            })
            .collect();
        println!("variance of the targets for seeds 1..=20: {all:.2?}");
        assert!(all.iter().all(|v| (0.1..1.0).contains(v)), "{all:?}");
    }

    #[test]
    fn senseless_teachers_are_refused() {
        let text = |c: DataConfig| generate(&c).unwrap_err().to_string();
        assert!(text(DataConfig { teacher_depth: 0, ..config() }).contains("data.teacher_depth = 0"));
        assert!(text(DataConfig { dim: 5000, ..config() }).contains("data.dim = 5000"));
        assert!(text(DataConfig { teacher_heads: 0, teacher_neurons: 0, ..config() }).contains("without particles"));
        assert!(text(DataConfig { teacher_scale: f64::NAN, ..config() }).contains("data.teacher_scale = NaN"));
        assert!(text(DataConfig { teacher_heads: usize::MAX, ..config() }).contains("Make the teacher smaller"));
        assert!(text(DataConfig { standardise: true, ..config() }).contains("data.standardise"));
    }
}
