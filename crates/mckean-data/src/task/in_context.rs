//! `data.name = "in_context"`: linear regression in context. Examples (x_i; y_i) come first, then a query without answer.
//!
//! Maths: Gao et al. 2024, section 2.1: w ~ N(0, I/d) per sample, x uniform on the sphere of radius sqrt(d) (bounded, as
//!   assumption A1 asks; E x x^T = I), y = w.x + noise. Best possible risk 1/2 E(prediction - y)^2: without noise it is
//!   (1 - N/d)/2 for N < d and 0 from N = d on; with noise it is that of ridge regression with penalty d noise^2, which is
//!   the posterior mean, at least noise^2 / 2.
//! Shapes: `[samples][N + 1][d + 3]`, token i = (x_i; y_i; 1; query flag), the query has y = 0 and flag 1; one target, y_{N+1},
//!   to be read from row d (0-based) of the last token. Without `constant`, d + 2 rows; `token_scale` multiplies tokens and target.
//! Cost: O(samples (N + 1) d); the optimum solves one system of size min(N, d) per sample.
//! Checked: tests below: layout, closed form against least squares, ridge against its large-N expansion.

use super::{check_scale, check_size, split};
use crate::assemble::Shape;
use crate::{DataConfig, DataError, Dataset, Split, Targets};
use mckean_num::rng::{Draws, Seed};

/// Rows after x: y, the constant one if asked for, the query flag.
fn extra(config: &DataConfig) -> usize {
    2 + usize::from(config.constant)
}

/// Draws `train` and `test` samples (streams "data.in_context", split, sample).
pub(crate) fn generate(config: &DataConfig) -> Result<Split, DataError> {
    check_size("x_dim", config.x_dim)?;
    check_size("context", config.context)?;
    check_scale("noise", config.noise)?;
    check_scale("token_scale", config.token_scale)?;
    split(config, |samples, which| part(config, samples, which))
}

fn part(config: &DataConfig, samples: usize, which: u64) -> Result<Dataset, DataError> {
    let tokens = config.context + 1;
    let shape = Shape::new(config, samples, tokens, config.x_dim + extra(config))?;
    let stream = Seed(config.seed).stream("data.in_context").at(which);
    let mut data = vec![0.0; samples];
    let inputs = shape.fill(|i, out| data[i] = sample(config, &mut stream.at(i as u64).open(), out));
    let targets = Targets::Values { data, outputs: 1 };
    Ok(Dataset { name: config.name.clone(), samples, tokens, dim: shape.dim(), inputs, targets })
}

/// Writes one sample, `[N + 1][d + 2 or d + 3]`, and returns the answer to its query.
fn sample(config: &DataConfig, draws: &mut Draws, out: &mut [f64]) -> f64 {
    let (d, rows) = (config.x_dim, config.x_dim + extra(config));
    let w: Vec<f64> = (0..d).map(|_| draws.normal() / (d as f64).sqrt()).collect();
    for token in out.chunks_exact_mut(rows) {
        on_sphere(draws, &mut token[..d]);
        token[d] = dot(&w, &token[..d]) + config.noise * draws.normal();
        if config.constant {
            token[d + 1] = 1.0;
        }
    }
    let query = config.context * rows;
    out[query + rows - 1] = 1.0;
    let answer = std::mem::take(&mut out[query + d]);
    out.iter_mut().for_each(|x| *x *= config.token_scale);
    answer * config.token_scale
}

/// A point uniform on the sphere of radius sqrt(d).
fn on_sphere(draws: &mut Draws, x: &mut [f64]) {
    draws.fill_normal(x);
    let norm = dot(x, x).sqrt().max(f64::MIN_POSITIVE);
    let radius = (x.len() as f64).sqrt();
    x.iter_mut().for_each(|v| *v *= radius / norm);
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// The least possible risk, 1/2 E(prediction - y)^2, without noise: (1 - N/d)/2 for N < d, else 0.
///
/// With N < d examples the projection of w on the span of x_1..x_N is known and the rest is N(0, I/d) on d - N dimensions;
/// the query, independent and with E x x^T = I, sees a variance of (d - N)/d.
pub fn noiseless_optimum(x_dim: usize, context: usize) -> f64 {
    0.5 * (1.0 - context as f64 / x_dim as f64).max(0.0)
}

/// The best prediction from one sample, `tokens` = `[N + 1][dim]`: ridge regression with penalty d noise^2 (the posterior
/// mean), which is least squares (of least norm when N < d) without noise. Panics if `dim < x_dim + 1`.
pub fn best_prediction(tokens: &[f64], dim: usize, x_dim: usize, noise: f64) -> f64 {
    let rows: Vec<&[f64]> = tokens.chunks_exact(dim).collect();
    let Some((query, examples)) = rows.split_last() else {
        return 0.0;
    };
    let penalty = x_dim as f64 * noise * noise;
    let x = |i: usize| &examples[i][..x_dim];
    let y = |i: usize| examples[i][x_dim];
    let count = examples.len();
    if count < x_dim {
        // dual: w = X^T (X X^T + penalty)^-1 y
        let a = solve(count, penalty, |i, j| dot(x(i), x(j)), y);
        return (0..count).map(|i| a[i] * dot(x(i), &query[..x_dim])).sum();
    }
    // primal: w = (X^T X + penalty)^-1 X^T y
    let sum = |f: &dyn Fn(usize) -> f64| (0..count).map(f).sum::<f64>();
    let w = solve(x_dim, penalty, |a, b| sum(&|i| x(i)[a] * x(i)[b]), |a| sum(&|i| x(i)[a] * y(i)));
    dot(&w, &query[..x_dim])
}

/// Solves (A + penalty I) u = b for symmetric positive definite A, by Cholesky.
fn solve(n: usize, penalty: f64, a: impl Fn(usize, usize) -> f64, b: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut l = vec![0.0; n * n];
    let mut u: Vec<f64> = (0..n).map(b).collect();
    for i in 0..n {
        for j in 0..=i {
            let rest = a(i, j) - dot(&l[i * n..i * n + j], &l[j * n..j * n + j]);
            l[i * n + j] = if i == j { (rest + penalty).sqrt() } else { rest / l[j * n + j] };
        }
        u[i] = (u[i] - dot(&l[i * n..i * n + i], &u[..i])) / l[i * n + i];
    }
    for i in (0..n).rev() {
        let above: f64 = (i + 1..n).map(|k| l[k * n + i] * u[k]).sum();
        u[i] = (u[i] - above) / l[i * n + i];
    }
    u
}

/// The risk of [`best_prediction`] on a data set of this task, mean of 1/2 (prediction - target)^2: what no network beats
/// in expectation. `config` is the one the data were made with.
pub fn best_risk(data: &Dataset, config: &DataConfig) -> f64 {
    let targets = data.one_hot_values();
    let loss = |i: usize| {
        let prediction = best_prediction(data.inputs_of(i), data.dim, config.x_dim, config.noise * config.token_scale);
        0.5 * (prediction - targets[i]).powi(2)
    };
    (0..data.samples).map(loss).sum::<f64>() / data.samples as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(x_dim: usize, context: usize, noise: f64, train: usize) -> DataConfig {
        DataConfig { name: "in_context".into(), x_dim, context, noise, train, ..DataConfig::default() }
    }

    fn risk(config: &DataConfig) -> f64 {
        best_risk(&generate(config).unwrap().train, config)
    }

    #[test]
    fn tokens_are_laid_out_as_in_the_paper() {
        let (d, n) = (3, 4);
        let data = generate(&config(d, n, 0.0, 50)).unwrap().train;
        assert_eq!((data.samples, data.tokens, data.dim, data.outputs()), (50, n + 1, d + 3, 1));
        for (t, token) in data.inputs.chunks_exact(d + 3).enumerate() {
            let query = t % (n + 1) == n;
            assert!((dot(&token[..d], &token[..d]) - d as f64).abs() < 1e-12);
            assert_eq!((token[d] == 0.0, token[d + 1], token[d + 2]), (query, 1.0, f64::from(u8::from(query))));
        }
    }

    #[test]
    fn the_constant_can_be_left_out_and_everything_scales() {
        let plain = generate(&config(2, 4, 0.0, 20)).unwrap().train;
        let other = DataConfig { constant: false, token_scale: 1.5, ..config(2, 4, 0.0, 20) };
        let bare = generate(&other).unwrap().train;
        assert_eq!((bare.tokens, bare.dim), (5, 4));
        for (a, b) in plain.inputs.chunks(5).zip(bare.inputs.chunks(4)) {
            assert_eq!([a[0], a[1], a[2], a[4]].map(|x| 1.5 * x), b[..4]);
        }
        assert!((plain.one_hot_values()[3] * 1.5 - bare.one_hot_values()[3]).abs() < 1e-15);
        assert!(best_risk(&bare, &other) < 1e-16);
    }

    #[test]
    fn least_squares_is_exact_from_d_examples_on() {
        for (d, n) in [(1, 1), (3, 5), (5, 16), (4, 8)] {
            assert_eq!(noiseless_optimum(d, n), 0.0);
            assert!(risk(&config(d, n, 0.0, 100)) < 1e-16, "{d} {n}");
        }
    }

    #[test]
    fn with_fewer_examples_the_risk_is_the_closed_form() {
        for (d, n) in [(4, 1), (5, 3), (8, 4)] {
            let (found, known) = (risk(&config(d, n, 0.0, 20_000)), noiseless_optimum(d, n));
            // the loss has standard deviation below 2 x mean, so the error of 20 000 is below 0.015 x mean
            assert!((found / known - 1.0).abs() < 0.05, "{d} {n}: {found} against {known}");
        }
    }

    #[test]
    fn with_noise_the_excess_risk_falls_as_d_over_n() {
        let (d, n, s) = (3, 60, 0.5);
        let known = 0.5 * s * s * (1.0 + d as f64 / n as f64);
        let found = risk(&config(d, n, s, 20_000));
        assert!((found / known - 1.0).abs() < 0.05, "{found} against {known}");
        let without = DataConfig { noise: 0.0, ..config(d, n, s, 20_000) };
        let data = generate(&config(d, 4, s, 5000)).unwrap().train;
        assert!(
            best_risk(&data, &config(d, 4, s, 5000)) < 0.9 * best_risk(&data, &without),
            "ridge beats least squares"
        );
    }

    #[test]
    fn targets_have_variance_one_and_splits_differ() {
        let split = generate(&DataConfig { test: 10, ..config(5, 2, 0.0, 20_000) }).unwrap();
        let y = split.train.one_hot_values();
        assert!((dot(&y, &y) / y.len() as f64 - 1.0).abs() < 0.06);
        assert_ne!(split.test.unwrap().inputs_of(0), split.train.inputs_of(0));
        let shorter = generate(&config(5, 2, 0.0, 7)).unwrap().train;
        assert_eq!(shorter, split.train.take(0..7));
    }
}
