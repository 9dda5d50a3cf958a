//! Exact consequences of the definitions: attention rows, symmetries, a known optimum; the rest in `flow`.
//!
//! Maths: rows of normalised attention sum to one; tokens may be permuted; the parameters of the teacher have risk 0.
//! Shapes: one or three small blocks, 4 or 5 tokens.
//! Cost: milliseconds a check.
//! Checked: tests of `verify`; each was seen to fail when its identity was broken.

mod flow;

use super::problem::*;
use super::settings::attentions;
use super::{Fault, Suite};
use mckean_analysis::verdict::larger;
use mckean_data::{DataConfig, Dataset, Teacher, load, teacher};
use mckean_model::{ModelConfig, Readout, Role};
use mckean_num::par::Par;

pub fn all(suite: &mut Suite) {
    for (name, m) in attentions().into_iter().filter(|(_, m)| m.kernel.is_normalised()) {
        let what = "1 + step and what a head does to a row of ones, largest gap over tokens";
        suite.check(format!("{name}: rows sum to one"), what, 1e-13, |par| row_sums(&m, par));
    }
    for (name, m) in attentions() {
        if m.causal {
            let what = "outputs of early tokens before and after the last token changes, largest gap";
            suite.check(format!("{name}: no look ahead"), what, 0.0, |par| look_ahead(&m, par));
        } else {
            let what = "mean-token outputs with tokens in another order, largest gap";
            suite.check(format!("{name}: permuted tokens"), what, 1e-13, |par| permuted(m, par));
        }
    }
    let what = "risk of the engine with the parameters of the independent teacher and 0";
    suite.check("teacher and engine", what, 1e-24, known_optimum);
    flow::all(suite);
}

/// Changes the tokens of every sample.
fn with_tokens(data: &Dataset, change: impl Fn(&mut [Vec<f64>])) -> Dataset {
    let mut inputs = vec![];
    for i in 0..data.samples {
        let mut tokens: Vec<Vec<f64>> = data.inputs_of(i).chunks(data.dim).map(<[f64]>::to_vec).collect();
        change(&mut tokens);
        inputs.extend(tokens.concat());
    }
    Dataset { inputs, ..data.clone() }
}

/// One head that copies the last row, which is 1 in every token: its read-out is 1 + step whatever the logits.
fn row_sums(m: &ModelConfig, par: &Par) -> Result<f64, Fault> {
    let mut worst = 0.0;
    for token in 0..4 {
        let one = ModelConfig { depth: 1, heads: 1, feed_forward: "none".into(), readout_token: token, ..m.clone() };
        let random = Problem::new(&one, 19)?;
        let ones = with_tokens(&random.data, |tokens| tokens.iter_mut().for_each(|t| t[4] = 1.0));
        let p = Problem::on(&one, ones)?;
        let outputs = p.outputs(&copying_head(&p)?, par)?;
        worst = larger(worst, largest_gap(&outputs, &[1.0 + one.step(); 19]));
    }
    Ok(worst)
}

/// Random queries and keys; values and outputs that keep the last row alone.
fn copying_head(p: &Problem) -> Result<Vec<f64>, Fault> {
    let (mut theta, d, s) = (p.draw("theta"), p.net.dim, p.net.config.head_dim);
    let ones = match p.net.config.attention.as_str() {
        "qkvo" => vec![("v", d - 1), ("o", (d - 1) * s)],
        _ => vec![("v", d * d - 1)],
    };
    for (name, place) in ones {
        let tensor = tensor(p, 0, "attention", name)?;
        theta[tensor.clone()].fill(0.0);
        theta[tensor.start + place] = 1.0;
    }
    Ok(theta)
}

/// Where a tensor lives.
fn tensor(p: &Problem, block: usize, sublayer: &str, name: &str) -> Result<std::ops::Range<usize>, Fault> {
    let name = format!("blocks.{block}.{sublayer}.{name}");
    Ok(p.net.layout.find(&name).ok_or_else(|| format!("no tensor {name}"))?.range.clone())
}

fn look_ahead(m: &ModelConfig, par: &Par) -> Result<f64, Fault> {
    let mut worst = 0.0;
    for token in 0..3 {
        let early = ModelConfig { readout_token: token, ..m.clone() };
        let p = Problem::new(&early, 19)?;
        let later = with_tokens(&p.data, |tokens| tokens[3].iter_mut().for_each(|x| *x = 1.0 - 2.0 * *x));
        let (theta, changed) = (p.draw("theta"), Problem::on(&early, later)?);
        worst = larger(worst, largest_gap(&p.outputs(&theta, par)?, &changed.outputs(&theta, par)?));
    }
    Ok(worst)
}

fn permuted(m: ModelConfig, par: &Par) -> Result<f64, Fault> {
    let m = ModelConfig { readout: Readout::Rows, ..m };
    let p = Problem::new(&m, 19)?;
    let q = Problem::on(&m, with_tokens(&p.data, |tokens| tokens.rotate_left(1)))?;
    let theta = p.draw("theta");
    Ok(largest_gap(&p.outputs(&theta, par)?, &q.outputs(&theta, par)?))
}

/// Data made by the teacher of `mckean-data`, which shares no code with the engine.
fn known_optimum(par: &Par) -> Result<f64, Fault> {
    let c = DataConfig {
        name: "teacher_student".into(),
        train: 64,
        teacher_depth: 3,
        teacher_heads: 3,
        teacher_neurons: 5,
        ..Default::default()
    };
    let t = teacher(&c);
    let m = ModelConfig { depth: t.depth, heads: t.heads, neurons: t.neurons, ..Default::default() };
    let p = Problem::on(&m, load(&c)?.train)?;
    let theta = teacher_parameters(&p, &t)?;
    let zero = vec![0.0; theta.len()];
    let mut risk = p.risk::<f64>(par)?;
    let trivial = risk.value(&zero, &p.batch()).risk;
    if trivial < 0.01 {
        return Err(format!("the task is trivial: parameters 0 have risk {trivial:e}").into());
    }
    Ok(risk.value(&theta, &p.batch()).risk)
}

/// The teacher's particles in the layout of the network.
fn teacher_parameters(p: &Problem, t: &Teacher) -> Result<Vec<f64>, Fault> {
    let mut theta = vec![f64::NAN; p.net.parameters()];
    let tensors =
        [(Role::Head, "v", &t.v), (Role::Head, "w", &t.w), (Role::Neuron, "w1", &t.w1), (Role::Neuron, "w2", &t.w2)];
    for block in 0..t.depth {
        for (role, name, values) in tensors {
            let sublayer = if role == Role::Head { "attention" } else { "feed_forward" };
            let place = tensor(p, block, sublayer, name)?;
            let len = values.len() / t.depth;
            theta
                .get_mut(place)
                .filter(|slot| slot.len() == len)
                .ok_or("the teacher has another size")?
                .copy_from_slice(&values[block * len..(block + 1) * len]);
        }
    }
    Ok(theta)
}
