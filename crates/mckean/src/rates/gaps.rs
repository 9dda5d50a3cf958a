//! How far two flows of networks are apart: the left sides of Theorem 3.1 and of its proof, and distances of particle clouds.
//!
//! Maths: largest over the training times of |Read T - Read T'| (root mean square and largest over the samples), |R - R'|, |Q - Q'|;
//! particles and clouds as in `clouds`.
//! Shapes: two series over the same times to one number a quantity; quantities that were not measured are absent.
//! Cost: linear.
//! Checked: tests below.

use mckean_analysis::verdict::larger;
use mckean_dynamics::limit::Series;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A quantity whose gap is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Outputs, root mean square over the samples.
    Output,
    /// Outputs, largest over the samples.
    OutputMax,
    /// Risk R.
    Risk,
    /// Regularised risk Q.
    Objective,
    /// Largest distance of a particle to the one of the same start that is driven by the limit.
    Particles,
    /// Root mean square of the same over particles and depth.
    ParticlesRms,
    /// sqrt(int W2^2 dt) between the cloud and the limit's law.
    Cloud,
    /// The same to the cloud of the same draws driven by the limit: above the floor of sampling.
    CloudAbove,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Quantity; 8] = {
        use Quantity::*;
        [Output, OutputMax, Risk, Objective, Particles, ParticlesRms, Cloud, CloudAbove]
    };
    /// Those of Theorem 3.1, one each.
    pub const THEOREM: [Quantity; 3] = [Quantity::Output, Quantity::Risk, Quantity::Objective];
    /// Those that are sizes of differences of curves, which can be combined.
    pub const CURVES: [Quantity; 4] = {
        use Quantity::*;
        [Output, OutputMax, Risk, Objective]
    };
    /// Those with figures.
    pub const SHOWN: [Quantity; 6] = {
        use Quantity::*;
        [Output, Risk, Objective, Particles, Cloud, CloudAbove]
    };

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Quantity::Output => "output",
            Quantity::OutputMax => "output, worst sample",
            Quantity::Risk => "risk R",
            Quantity::Objective => "objective Q",
            Quantity::Particles => "particles",
            Quantity::ParticlesRms => "particles, rms",
            Quantity::Cloud => "cloud W2",
            Quantity::CloudAbove => "cloud W2 above the floor",
        }
    }

    /// Exponents of noise in M, bias in L, noise in L, and where the first two come from. DERIVED for clouds of atoms: counts of M draws
    /// err by M^-1/2, and that share of the mass moves a fixed way, so W2 falls as M^-1/4, whatever the depth.
    pub fn predicted(self) -> ([f64; 3], &'static str) {
        match self {
            Quantity::Cloud => ([-0.25, -1.0, 0.0], "derived"),
            Quantity::CloudAbove => ([-0.5, -1.0, -0.5], "derived"),
            _ => ([-0.5, -1.0, -0.5], "theorem"),
        }
    }
}

/// Gaps by quantity, each the largest over training time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Gaps(BTreeMap<Quantity, f64>);

impl Gaps {
    /// One of them, if it was measured.
    pub fn get(&self, q: Quantity) -> Option<f64> {
        self.0.get(&q).copied()
    }

    /// One of them, 0 if it was not measured: for errors.
    pub fn of(&self, q: Quantity) -> f64 {
        self.get(q).unwrap_or(0.0)
    }

    /// With one more.
    #[must_use]
    pub fn with(mut self, q: Quantity, gap: f64) -> Gaps {
        self.0.insert(q, gap);
        self
    }

    /// Without one.
    #[must_use]
    pub fn without(mut self, q: Quantity) -> Gaps {
        self.0.remove(&q);
        self
    }

    /// The gaps between two series over the same times, of outputs of `samples` samples.
    pub fn between(a: &Series, b: &Series, samples: usize) -> Gaps {
        Gaps::size(&Series::combined(&[(1.0, a), (-1.0, b)]), samples)
    }

    /// The same of a difference of two series.
    pub fn size(difference: &Series, samples: usize) -> Gaps {
        let far = |x: &[f64]| x.iter().map(|x| x.abs()).fold(0.0, larger);
        let time = difference.outputs.len() / difference.len().max(1);
        let each = time / samples.max(1);
        let square = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
        let (mut rms, mut largest) = (0.0, 0.0);
        for x in difference.outputs.chunks(time.max(1)) {
            let (sum, most) = x.chunks(each.max(1)).map(square).fold((0.0, 0.0), |(s, m), q| (s + q, larger(m, q)));
            rms = larger(rms, (sum / samples as f64).sqrt());
            largest = larger(largest, most.sqrt());
        }
        Gaps::default()
            .with(Quantity::Output, rms)
            .with(Quantity::OutputMax, largest)
            .with(Quantity::Risk, far(&difference.risk))
            .with(Quantity::Objective, far(&difference.objective))
    }

    /// Those of both; sums where both have a quantity.
    #[must_use]
    pub fn plus(mut self, other: &Gaps) -> Gaps {
        other.0.iter().for_each(|(q, x)| *self.0.entry(*q).or_insert(0.0) += x);
        self
    }

    /// Roots of the sums of squares.
    pub fn quadrature(all: &[Gaps]) -> Gaps {
        let square = |g: &Gaps| Gaps(g.0.iter().map(|(q, x)| (*q, x * x)).collect());
        let mut sum = all.iter().fold(Gaps::default(), |sum, g| sum.plus(&square(g)));
        sum.0.values_mut().for_each(|x| *x = x.sqrt());
        sum
    }

    /// With those of another in place of its own.
    #[must_use]
    pub fn with_all(mut self, other: &Gaps) -> Gaps {
        self.0.extend(&other.0);
        self
    }

    /// Absolute differences to those of another, of which it has all.
    #[must_use]
    pub fn apart(mut self, other: &Gaps) -> Gaps {
        self.0.iter_mut().for_each(|(q, x)| *x = (*x - other.of(*q)).abs());
        self
    }

    /// All of them times a number.
    #[must_use]
    pub fn times(mut self, x: f64) -> Gaps {
        self.0.values_mut().for_each(|gap| *gap *= x);
        self
    }
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
        let wanted = [Quantity::Risk, Quantity::Objective, Quantity::OutputMax].map(|q| gaps.get(q));
        assert_eq!(wanted, [Some(0.5), Some(0.25), Some(5.0)]);
        assert!((gaps.of(Quantity::Output) - (12.5f64).sqrt()).abs() < 1e-15);
        assert_eq!(gaps, Gaps::between(&b, &a, 2));
        b.risk[1] = f64::NAN;
        assert!(Gaps::between(&a, &b, 2).of(Quantity::Risk).is_nan());
        assert_eq!(gaps.clone().plus(&gaps), gaps.clone().times(2.0));
        assert_eq!(gaps.get(Quantity::Cloud), None);
        let both = Gaps::quadrature(&[gaps.clone().times(3.0), gaps.clone().times(4.0)]);
        assert!((both.of(Quantity::Risk) - 2.5).abs() < 1e-15 && both.get(Quantity::Cloud).is_none());
        let text = serde_json::to_string(&gaps.clone().with(Quantity::Cloud, 1.0)).unwrap();
        assert!(text.contains("\"cloud\":1.0"), "{text}");
        assert_eq!(serde_json::from_str::<Gaps>(&text).unwrap().get(Quantity::Cloud), Some(1.0));
    }
}
