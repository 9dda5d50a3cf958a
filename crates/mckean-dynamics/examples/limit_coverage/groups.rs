//! Coverage of plain t intervals of a fixed size: what is left of the miss rate when nothing is chosen by looking at the data.
//!
//! Maths: groups of 8 and 16 independent scramblings of one size against the mean of all of them; and the bias of that size, against four times
//! as many particles, in units of the standard deviation of one scrambling.
//! Shapes: counts over groups and problems.
//! Cost: 80 flows a problem and size.
//! Checked: it is itself a check.

use crate::particles::{Points, many, spread};
use crate::problems;
use mckean_dynamics::limit::student;
use mckean_num::par::Par;

const RUNS: usize = 64;

fn covered(x: &[f64], mean: f64, size: usize) -> usize {
    let inside = |g: &&[f64]| {
        let (m, s) = spread(g);
        (m - mean).abs() <= student(size - 1) * s / (size as f64).sqrt()
    };
    x.chunks(size).filter(inside).count()
}

pub fn measure(problems: u64, seed: u64, par: &Par) {
    for width in [32, 256] {
        let (mut eight, mut sixteen, mut biases, mut skews) = (0, 0, vec![], vec![]);
        for i in 0..problems {
            let p = problems::random(seed, i);
            let x = many(&p, width, Points::White, RUNS as u64, par);
            let (mean, std) = spread(&x);
            let (fine, _) = spread(&many(&p, 4 * width, Points::White, RUNS as u64 / 2, par));
            eight += covered(&x, mean, 8);
            sixteen += covered(&x, mean, 16);
            biases.push((mean - fine).abs() / std);
            skews.push(x.iter().map(|x| ((x - mean) / std).powi(3)).sum::<f64>() / RUNS as f64);
        }
        for x in [&mut biases, &mut skews] {
            x.sort_by(f64::total_cmp);
        }
        let n = problems as usize;
        let at = |x: &[f64], q: f64| x[((n - 1) as f64 * q) as usize];
        println!(
            "K = {width}: groups of 8 cover {eight} of {}, of 16 {sixteen} of {}; |bias| / std median {:.2}, 90 % {:.2}; skewness 10 % {:.2}, 50 % {:.2}, 90 % {:.2}",
            n * RUNS / 8,
            n * RUNS / 16,
            at(&biases, 0.5),
            at(&biases, 0.9),
            at(&skews, 0.1),
            at(&skews, 0.5),
            at(&skews, 0.9)
        );
    }
}
