//! From ends to exponents: the risk at rest against the weight decay, and against width and depth at one weight decay.
//!
//! Maths: Theorem 4.1 of Gao et al. 2024 bounds the late risk by eps + C_1 E + C_2 lambda; an exponent of at least 1 is what it promises for
//! lambda -> 0. DERIVED: interpolation with a bounded second moment gives R ~ lambda^2 and Q ~ lambda. The least C_2 is max R/lambda.
//! Shapes: one entry a size.
//! Cost: none.
//! Checked: `tests/stationary.rs`, `mckean-analysis` (`fit/paired.rs`).

use super::cells::Size;
use super::ends::End;
use mckean_analysis::fit::{Paired, paired};
use serde::{Deserialize, Serialize};

/// Networks of one size over all weight decays.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Found {
    /// Size.
    pub size: Size,
    /// Weight decays, largest first, at which every seed rests.
    pub lambdas: Vec<f64>,
    /// Mean and standard error over seeds of the final R at each of them.
    pub risks: Vec<(f64, f64)>,
    /// Power of R in lambda.
    pub risk: Option<Paired>,
    /// Power of Q in lambda.
    pub objective: Option<Paired>,
    /// Least C_2 with R <= C_2 lambda at every network that rests.
    pub constant: Option<f64>,
    /// Why there is no power.
    pub problem: Option<String>,
}

/// Every size that is there, limits first.
pub fn analyse(ends: &[End]) -> Vec<Found> {
    let mut sizes: Vec<Size> = ends.iter().map(|e| e.cell.size).collect();
    sizes.sort();
    sizes.dedup();
    sizes.into_iter().map(|size| found(size, ends)).collect()
}

fn found(size: Size, ends: &[End]) -> Found {
    let own: Vec<&End> = ends.iter().filter(|e| e.cell.size == size).collect();
    let of = |l: f64| own.iter().filter(move |e| e.cell.lambda == l).copied().collect::<Vec<&End>>();
    let mut lambdas: Vec<f64> = own.iter().map(|e| e.cell.lambda).collect();
    lambdas.sort_by(|a, b| b.total_cmp(a));
    lambdas.dedup();
    let seeds = lambdas.iter().map(|&l| of(l).len()).max().unwrap_or(0);
    lambdas.retain(|&l| of(l).len() == seeds && of(l).iter().all(|e| e.is_at_rest()));
    let curve = |seed: usize, pick: fn(&End) -> f64| -> Vec<f64> {
        lambdas.iter().filter_map(|&l| of(l).into_iter().find(|e| e.cell.seed == seed).map(pick)).collect()
    };
    let curves = |pick: fn(&End) -> f64| (0..seeds).map(|s| curve(s, pick)).collect::<Vec<_>>();
    let risk = match lambdas.len() {
        n @ 0..=1 => Err(format!("two weight decays at which every seed rests are needed, and there are {n}")),
        _ => paired(&lambdas, &curves(|e| e.last.risk)).map_err(|e| e.to_string()),
    };
    let problem = risk.as_ref().err().cloned();
    let resting = own.iter().filter(|e| e.is_at_rest());
    Found {
        size,
        risks: lambdas.iter().map(|&l| mean(&of(l).iter().map(|e| e.last.risk).collect::<Vec<_>>())).collect(),
        objective: paired(&lambdas, &curves(|e| e.last.objective)).ok(),
        constant: resting.map(|e| e.last.risk / e.cell.lambda).reduce(f64::max),
        risk: risk.ok(),
        lambdas,
        problem,
    }
}

/// Mean and its standard error; zero from one number.
fn mean(x: &[f64]) -> (f64, f64) {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let square: f64 = x.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, (square / (n - 1.0).max(1.0) / n).sqrt())
}
