//! How far two flows of networks are apart: the left sides of Theorem 3.1, (i) to (iii).
//!
//! Maths: largest over the training times of |Read T - Read T'| (root mean square and largest over the samples), |R - R'|, |Q - Q'|.
//! Shapes: two series over the same times to four numbers.
//! Cost: linear.
//! Checked: tests below.

use mckean_dynamics::limit::Series;
use serde::{Deserialize, Serialize};

/// Four gaps, each the largest over training time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gaps {
    /// Outputs, root mean square over the samples.
    pub output: f64,
    /// Outputs, largest over the samples.
    pub output_max: f64,
    /// Risk R.
    pub risk: f64,
    /// Regularised risk Q.
    pub objective: f64,
}

/// A quantity whose gap is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// See [`Gaps::output`].
    Output,
    /// See [`Gaps::output_max`].
    OutputMax,
    /// See [`Gaps::risk`].
    Risk,
    /// See [`Gaps::objective`].
    Objective,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Quantity; 4] = [Quantity::Output, Quantity::OutputMax, Quantity::Risk, Quantity::Objective];
    /// Those of Theorem 3.1, one each.
    pub const THEOREM: [Quantity; 3] = [Quantity::Output, Quantity::Risk, Quantity::Objective];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Quantity::Output => "output",
            Quantity::OutputMax => "output, worst sample",
            Quantity::Risk => "risk R",
            Quantity::Objective => "objective Q",
        }
    }
}

impl Gaps {
    /// One of them.
    pub fn of(&self, q: Quantity) -> f64 {
        match q {
            Quantity::Output => self.output,
            Quantity::OutputMax => self.output_max,
            Quantity::Risk => self.risk,
            Quantity::Objective => self.objective,
        }
    }

    /// The gaps between two series over the same times, of outputs of `samples` samples.
    pub fn between(a: &Series, b: &Series, samples: usize) -> Gaps {
        let far = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - y).abs()).fold(0.0, worse);
        let time = a.outputs.len() / a.len().max(1);
        let each = time / samples.max(1);
        let square = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum::<f64>();
        let mut gaps =
            Gaps { risk: far(&a.risk, &b.risk), objective: far(&a.objective, &b.objective), ..Gaps::default() };
        for (x, y) in a.outputs.chunks(time.max(1)).zip(b.outputs.chunks(time.max(1))) {
            let squares = x.chunks(each.max(1)).zip(y.chunks(each.max(1))).map(|(x, y)| square(x, y));
            let (sum, most) = squares.fold((0.0, 0.0), |(s, m), q| (s + q, worse(m, q)));
            gaps.output = worse(gaps.output, (sum / samples as f64).sqrt());
            gaps.output_max = worse(gaps.output_max, most.sqrt());
        }
        gaps
    }

    /// Sums, entry by entry.
    #[must_use]
    pub fn plus(self, o: Gaps) -> Gaps {
        Gaps {
            output: self.output + o.output,
            output_max: self.output_max + o.output_max,
            risk: self.risk + o.risk,
            objective: self.objective + o.objective,
        }
    }

    /// All entries times a number.
    #[must_use]
    pub fn times(self, x: f64) -> Gaps {
        Gaps {
            output: self.output * x,
            output_max: self.output_max * x,
            risk: self.risk * x,
            objective: self.objective * x,
        }
    }
}

/// The larger one, or the one that is no number.
fn worse(m: f64, x: f64) -> f64 {
    if x > m || x.is_nan() { x } else { m }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_the_largest_over_time_and_keep_missing_numbers() {
        let mut a = Series::default();
        a.push(1.0, 2.0, 0.0, &[0.0, 0.0, 1.0, 1.0]);
        a.push(1.0, 2.0, 0.0, &[0.0, 0.0, 0.0, 0.0]);
        let mut b = Series::default();
        b.push(1.5, 2.0, 0.0, &[0.0, 0.0, 1.0, 1.0]);
        b.push(0.9, 1.75, 0.0, &[3.0, 4.0, 0.0, 0.0]); // two samples of two outputs
        let gaps = Gaps::between(&a, &b, 2);
        assert_eq!((gaps.risk, gaps.objective, gaps.output_max), (0.5, 0.25, 5.0));
        assert!((gaps.output - (12.5f64).sqrt()).abs() < 1e-15);
        assert_eq!(gaps, Gaps::between(&b, &a, 2));
        b.risk[1] = f64::NAN;
        assert!(Gaps::between(&a, &b, 2).risk.is_nan());
        assert_eq!(gaps.plus(gaps), gaps.times(2.0));
    }
}
