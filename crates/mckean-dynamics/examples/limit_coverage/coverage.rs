//! How often the reported error bar covers.
//!
//! Maths: a solve at a loose tolerance against one of another seed that is four times tighter, where the budget allows.
//! Covered at a time: |loose - tight| <= sqrt(bar^2 + bar of the tight one^2), the 95 % bar of the difference of independent estimates; the
//! stricter count with the bar of the loose one alone, which blames it for the errors of both, is printed beside it.
//! Shapes: counts over problems.
//! Cost: a few seconds a problem.
//! Checked: acceptance is 92 of 100, for the last time and for all times together.

use crate::problems;
use mckean_dynamics::Limit;
use mckean_dynamics::limit::{Problem, Settings, solve};
use mckean_num::par::Par;
use std::time::Instant;

const TAUS: [f64; 4] = [1.0, 2.0, 3.5, 5.0];
/// Seconds of a tight solve.
const BUDGET: f64 = 4.0;

struct Case {
    /// |loose - tight| / bar of the difference at every time.
    ratios: Vec<f64>,
    /// Whether the bar of the loose one alone covers at all times.
    strict: bool,
    /// Bar of the tight one over that of the loose one, at the last time.
    tightness: f64,
    /// Replicates, depth steps, tolerance, whether the tolerance was reached.
    size: (usize, usize, f64, bool),
    strong: bool,
}

fn settle(p: &Problem, rtol: f64, seed: u64, budget: f64, par: &Par) -> Limit {
    let taus = TAUS.to_vec();
    let s = Settings { taus, rtol, budget, seed, ..Settings::default() };
    solve(p, &s, par, &mut |_| {}).expect("a sound problem")
}

fn case(seed: u64, i: u64, par: &Par) -> Case {
    let p = problems::random(seed, i);
    let rtol = 10f64.powf(-1.3 - (i % 10) as f64 / 15.0); // 5e-2 to 1.3e-2
    let loose = settle(&p, rtol, 2 * i + 1, 10.0, par);
    let tight = settle(&p, loose.error / 4.0, 1_000_003 + 2 * i, BUDGET, par);
    let apart = |k: usize| (loose.risk.value[k] - tight.risk.value[k]).abs();
    let gap = |k: usize| apart(k) / loose.risk.total(k).hypot(tight.risk.total(k));
    let last = TAUS.len() - 1;
    Case {
        ratios: (0..=last).map(gap).collect(),
        strict: (0..=last).all(|k| apart(k) <= loose.risk.total(k)),
        tightness: tight.risk.total(last) / loose.risk.total(last),
        size: (loose.size.1, loose.size.2, rtol, loose.reached),
        strong: loose.strong,
    }
}

pub fn measure(problems: u64, seed: u64, par: &Par) {
    let begun = Instant::now();
    let (mut all, mut last, mut each, mut tightness, mut strong, mut strict) = (0, 0, [0; TAUS.len()], vec![], 0, 0);
    for i in 0..problems {
        let c = case(seed, i, par);
        let most = c.ratios.iter().copied().fold(0.0, f64::max);
        all += u64::from(most <= 1.0);
        last += u64::from(c.ratios[TAUS.len() - 1] <= 1.0);
        strong += u64::from(c.strong);
        strict += u64::from(c.strict);
        each.iter_mut().zip(&c.ratios).for_each(|(n, r)| *n += u64::from(*r <= 1.0));
        tightness.push(c.tightness);
        if i % 10 == 9 {
            println!("after {}: {all} at all times, {last} at the last, {strict} by the loose bar alone", i + 1);
        }
        if most > 1.0 {
            println!(
                "problem {i}: misses, |error| / bar {:.2?}, tight bar / bar {:.2}, (replicates, steps, rtol, reached) {:?}",
                c.ratios, c.tightness, c.size
            );
        }
    }
    println!("by the bar of the loose solve alone, at all times together: {strict} of {problems}");
    tightness.sort_by(f64::total_cmp);
    let share = |q: f64| tightness[((tightness.len() - 1) as f64 * q) as usize];
    println!("covered at all times together: {all} of {problems}; at the last time: {last} of {problems}");
    println!("at tau {TAUS:?}: {each:?}; flagged as strong: {strong}");
    println!(
        "bar of the tight solve over the loose one: median {:.2}, 90 % {:.2}, largest {:.2}",
        share(0.5),
        share(0.9),
        share(1.0)
    );
    println!("{:.0} s on {} threads", begun.elapsed().as_secs_f64(), par.threads());
}
