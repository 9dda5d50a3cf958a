//! A1: bounded samples, labels that are Lipschitz in them.
//!
//! Maths: max(|H|_{2-col}, |y|) <= B, |y(H) - y(H')| <= K_y |H - H'|_F (A1 of Gao et al. 2024); on finitely many samples K_y is a lower estimate.
//! Shapes: two conditions.
//! Cost: all pairs of samples, at most `PAIRED` of them.
//! Checked: tests below.

use crate::certificate::View;
use crate::verdict::{Condition, Verdict, larger};
use mckean_data::{Dataset, Targets};

/// Samples of which all pairs are looked at.
const PAIRED: usize = 1000;

/// B and K_y.
pub fn conditions(view: &View) -> Vec<Condition> {
    let (b, k) = (bound(&view.data), lipschitz(&view.data));
    let finite = |name: &str, asks: &str, x: f64, words: String| {
        let verdict = if x.is_finite() { Verdict::Holds } else { Verdict::Fails };
        Condition { verdict, limit: None, ..Condition::at_most(name, asks, x, f64::MAX) }.words(words)
    };
    let pairs = format!("over pairs of {} samples: a lower estimate of the constant", view.data.samples.min(PAIRED));
    let pairs = if k.is_finite() { pairs } else { "equal samples have different labels".into() };
    vec![
        finite("A1 bounded", "max(|H|_2col, |y|) <= B", b, "B".into()),
        finite("A1 Lipschitz", "|y - y'| <= K_y |H - H'|", k, pairs),
    ]
}

/// Label of sample `i` as a vector.
fn label(data: &Dataset, i: usize) -> Vec<f64> {
    match &data.targets {
        Targets::Values { data, outputs } => data[i * outputs..(i + 1) * outputs].to_vec(),
        Targets::Classes { labels, classes } => (0..*classes).map(|c| f64::from(labels[i] as usize == c)).collect(),
    }
}

/// Largest token norm and label.
pub fn bound(data: &Dataset) -> f64 {
    let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let tokens = data.inputs.chunks(data.dim).map(norm).fold(0.0, larger);
    (0..data.samples).map(|i| norm(&label(data, i))).fold(tokens, larger)
}

/// Largest quotient |y - y'|/|H - H'| over pairs; infinite for equal samples with different labels.
pub fn lipschitz(data: &Dataset) -> f64 {
    let far = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    let labels: Vec<Vec<f64>> = (0..data.samples.min(PAIRED)).map(|i| label(data, i)).collect();
    let mut largest = 0.0;
    for i in 0..labels.len() {
        for j in 0..i {
            let (y, h) = (far(&labels[i], &labels[j]), far(data.inputs_of(i), data.inputs_of(j)));
            largest = if y > 0.0 { larger(largest, y / h) } else { largest };
        }
    }
    largest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(y: [f64; 3]) -> Dataset {
        let inputs = vec![3.0, 4.0, 0.0, 1.0, 3.0, 4.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        let targets = Targets::Values { data: y.to_vec(), outputs: 1 };
        Dataset { name: "three".into(), samples: 3, tokens: 2, dim: 2, inputs, targets }
    }

    #[test]
    fn constants_are_those_of_three_samples() {
        let d = data([1.0, 1.0, 2.0]);
        assert_eq!((bound(&d), lipschitz(&d)), (5.0, 0.2));
        assert_eq!(bound(&data([1.0, 1.0, -7.0])), 7.0);
        assert!(lipschitz(&data([1.0, 2.0, 1.0])).is_infinite());
    }
}
