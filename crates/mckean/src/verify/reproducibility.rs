//! Same bits: on any number of threads, after a resume, with measurements on the way; and close on any instruction set.
//!
//! Maths: sums in an order fixed by the problem; named streams of chance.
//! Shapes: the measured number is a count of entries whose bits differ, or a relative distance of gradients.
//! Cost: milliseconds a check.
//! Checked: tests of `verify`; a sum whose order followed the threads was seen to fail here.

use super::orders::finished;
use super::problem::*;
use super::settings::{attentions, practical, theory};
use super::{Fault, Suite};
use mckean_analysis::verdict::larger;
use mckean_dynamics::config::{Kind, Precision, Rule, Schedule, Scheme};
use mckean_dynamics::{DynamicsConfig, Saved};
use mckean_model::ModelConfig;
use mckean_num::lane::{Isa, Real};
use mckean_num::par::Par;

pub fn all(suite: &mut Suite) {
    let models = [("theory model", theory()), ("practical model", practical())];
    for (name, m) in &models {
        let what = "bits of the gradient on 1 and on 2 threads, entries that differ";
        suite.check(format!("{name}: threads"), what, 0.0, |_| threads(m));
    }
    for (name, c) in configs() {
        let what = "bits of the state after save and restore and without, entries that differ";
        suite.check(format!("{name}: resumed"), what, 0.0, |par| resumed(&c, par));
        let what = "bits of the state on 1 and on 2 threads, entries that differ";
        suite.check(format!("{name}: threads"), what, 0.0, |_| evolution_threads(&c));
    }
    let what = "bits of the parameters with and without measurements on the way, entries that differ";
    suite.check("measuring changes nothing", what, 0.0, measured);
    for isa in available().into_iter().filter(|&isa| isa != Isa::Portable) {
        instruction_set(suite, isa);
    }
}

fn configs() -> Vec<(&'static str, DynamicsConfig)> {
    let flow = |integrator| DynamicsConfig { integrator, step: 0.07, weight_decay: 0.01, ..Default::default() };
    let descent = |optimizer, precision| DynamicsConfig {
        kind: Kind::Descent,
        optimizer,
        precision,
        batch: 4,
        schedule: Schedule::Cosine,
        weight_decay: 0.01,
        ..Default::default()
    };
    vec![
        ("heun flow", flow(Scheme::Heun)),
        ("adaptive flow", flow(Scheme::Adaptive)),
        ("adamw with dropout", descent(Rule::Adamw, Precision::F64)),
        ("adamw with dropout in f32", descent(Rule::Adamw, Precision::F32)),
    ]
}

/// Instruction sets of this machine, best first.
fn available() -> Vec<Isa> {
    let all = [Isa::Avx512, Isa::Avx2, Isa::Portable];
    let best = all.iter().position(|&isa| isa == Isa::detect()).unwrap_or(2);
    all[best..].to_vec()
}

fn threads(m: &ModelConfig) -> Result<f64, Fault> {
    let p = Problem::new(m, 83)?;
    let theta = p.draw("theta");
    let run = |threads| Ok::<_, Fault>(gradient(&mut p.risk::<f64>(&pool(threads)?)?, &theta, &p.batch()));
    let ((a, one), (b, two)) = (run(1)?, run(2)?);
    Ok(different(&one, &two) + different(&[a], &[b]))
}

/// As many threads as asked for, or an error: fewer would compare a result with itself.
fn pool(threads: usize) -> Result<Par, Fault> {
    let par = Par::new(threads);
    if par.threads() == threads { Ok(par) } else { Err(format!("no pool of {threads} threads could be made").into()) }
}

fn evolving() -> Result<Problem, Fault> {
    Problem::new(&ModelConfig { dropout: 0.2, ..theory() }, 21)
}

fn resumed(c: &DynamicsConfig, par: &Par) -> Result<f64, Fault> {
    let p = evolving()?;
    let (mut whole, mut resumed) = (p.evolution(c, par)?, p.evolution(c, par)?);
    finished(whole.advance(1.0))?;
    resumed.restore(&whole.save())?;
    finished(whole.advance(2.0))?;
    finished(resumed.advance(2.0))?;
    Ok(different(&numbers(&whole.save()), &numbers(&resumed.save())))
}

fn evolution_threads(c: &DynamicsConfig) -> Result<f64, Fault> {
    let p = evolving()?;
    let run = |threads| {
        let mut e = p.evolution(c, &pool(threads)?)?;
        finished(e.advance(1.0))?;
        Ok::<_, Fault>(numbers(&e.save()))
    };
    Ok(different(&run(1)?, &run(2)?))
}

fn measured(par: &Par) -> Result<f64, Fault> {
    let (p, mut gaps) = (evolving()?, 0.0);
    for (_, c) in configs() {
        let (mut silent, mut watched) = (p.evolution(&c, par)?, p.evolution(&c, par)?);
        for end in [0.5, 1.0] {
            watched.measure();
            finished(watched.advance(end))?;
            finished(silent.advance(end))?;
        }
        gaps += different(&silent.parameters(), &watched.parameters());
    }
    Ok(gaps)
}

/// Everything in a checkpoint, in order.
fn numbers(s: &Saved) -> Vec<f64> {
    let arrays = s.arrays.iter().flat_map(|(_, x)| x).copied();
    s.parameters.iter().copied().chain(arrays).chain(s.numbers.iter().map(|(_, x)| *x)).collect()
}

/// Entries whose bits differ, and entries that only one side has.
fn different(a: &[f64], b: &[f64]) -> f64 {
    let bits = a.iter().zip(b).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
    (bits + a.len().abs_diff(b.len())) as f64
}

fn instruction_set(suite: &mut Suite, isa: Isa) {
    let name = isa.name();
    let what = format!("gradients on {name} and on portable code, largest relative distance over all encoders");
    suite.check(format!("{name} agrees with portable code"), &what, 1e-12, |par| instruction_gap::<f64>(isa, par));
    suite
        .check(format!("{name} agrees with portable code in f32"), &what, 1e-4, |par| instruction_gap::<f32>(isa, par));
}

fn instruction_gap<T: Real>(isa: Isa, par: &Par) -> Result<f64, Fault> {
    let mut worst = 0.0;
    for (_, m) in attentions().into_iter().chain([("practical".into(), practical())]) {
        let p = Problem::new(&m, 19)?;
        let theta = p.draw("theta");
        let run = |isa| Ok::<_, Fault>(gradient(&mut p.risk_on::<T>(par, isa)?, &theta, &p.batch()));
        let ((a, there), (b, here)) = (run(isa)?, run(Isa::Portable)?);
        worst = larger(worst, larger(relative_distance(&there, &here), gap(a, b)));
    }
    Ok(worst)
}
