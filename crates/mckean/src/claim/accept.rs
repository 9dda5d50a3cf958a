//! What counts as holding: a bound, or an interval around a predicted number.
//!
//! Maths: an upper (lower) bound holds when the whole interval lies below (above) it, fails when all of it lies beyond, and is
//! undecided when it straddles; a prediction holds when the interval contains it and is no wider than asked. What is no number is not
//! testable, and an infinite one never holds. A tail over seeds fails when its whole interval lies above the exponent that is allowed.
//! Shapes: one number and, where chance plays a part, its 95 % interval.
//! Cost: none.
//! Checked: tests below.

use super::Found;
use serde::{Deserialize, Serialize};

/// The verdict on a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Measured as stated.
    Holds,
    /// Measured otherwise.
    Fails,
    /// The interval is too wide to tell.
    Undecided,
    /// Nothing could be measured.
    NotTestable,
}

impl Verdict {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Fails => "FAILS",
            Verdict::Undecided => "undecided",
            Verdict::NotTestable => "not testable",
        }
    }
}

/// The criterion of a claim; every part given must be met.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// Largest value.
    pub most: Option<f64>,
    /// Smallest value.
    pub least: Option<f64>,
    /// A number the interval must contain (without an interval: be within `half_width` of).
    pub contains: Option<f64>,
    /// Widest half interval.
    pub half_width: Option<f64>,
    /// Largest exponent in delta of the quantiles over seeds that are exceeded with probability e^-delta.
    pub tail: Option<f64>,
}

impl Accept {
    /// Judges everything that was found.
    pub fn verdict(&self, found: &Found) -> Verdict {
        let tail = match (self.tail, found.tail) {
            (None, _) => Verdict::Holds,
            (Some(_), None) => Verdict::NotTestable,
            (Some(most), Some(tail)) => side(tail.low <= most, tail.low > most),
        };
        match found.not_testable {
            Some(_) => Verdict::NotTestable,
            None => worse(self.judge(found.value, found.interval), tail),
        }
    }

    /// Judges `value` with its interval.
    pub fn judge(&self, value: f64, interval: Option<(f64, f64)>) -> Verdict {
        let (low, high) = interval.unwrap_or((value, value));
        if value.is_nan() {
            return Verdict::NotTestable; // nothing was measured
        }
        if low.is_nan() || high.is_nan() {
            return Verdict::Undecided; // how far chance goes is not known
        }
        let mut verdicts = vec![];
        if let Some(most) = self.most {
            verdicts.push(side(high <= most, low > most));
        }
        if let Some(least) = self.least {
            verdicts.push(side(low >= least, high < least));
        }
        if let (Some(c), None) = (self.contains, interval) {
            let width = self.half_width.unwrap_or(0.0);
            verdicts.push(side((value - c).abs() <= width, true));
        } else if let Some(c) = self.contains {
            let wide = self.half_width.is_some_and(|w| 0.5 * (high - low) > w);
            verdicts.push(side((low..=high).contains(&c) && !wide, !(low..=high).contains(&c)));
        }
        match verdicts.into_iter().fold(Verdict::Holds, worse) {
            Verdict::Holds if value.is_infinite() => Verdict::NotTestable,
            verdict => verdict,
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        let mut words = vec![];
        words.extend(self.most.map(|x| format!("at most {x}")));
        words.extend(self.least.map(|x| format!("at least {x}")));
        words.extend(self.contains.map(|x| match self.half_width {
            Some(w) => format!("{x}, to within {w}"),
            None => format!("{x}"),
        }));
        words.extend(self.tail.map(|x| format!("tail {x}")));
        words.join(" and ")
    }
}

fn side(holds: bool, fails: bool) -> Verdict {
    match (holds, fails) {
        (true, _) => Verdict::Holds,
        (_, true) => Verdict::Fails,
        _ => Verdict::Undecided,
    }
}

fn worse(a: Verdict, b: Verdict) -> Verdict {
    match (a, b) {
        (Verdict::Fails, _) | (_, Verdict::Fails) => Verdict::Fails,
        (Verdict::NotTestable, _) | (_, Verdict::NotTestable) => Verdict::NotTestable,
        (Verdict::Undecided, _) | (_, Verdict::Undecided) => Verdict::Undecided,
        _ => Verdict::Holds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mckean_analysis::fit::Estimate;

    #[test]
    fn bounds_and_predictions_are_judged_by_their_intervals() {
        use Verdict::*;
        let most = Accept { most: Some(1.0), ..Default::default() };
        let cases = [
            (0.5, None, Holds),
            (1.5, None, Fails),
            (f64::NAN, None, NotTestable),
            (f64::NEG_INFINITY, None, NotTestable),
            (f64::INFINITY, None, Fails),
        ];
        for (x, i, v) in cases {
            assert_eq!(most.judge(x, i), v);
        }
        assert_eq!(most.judge(0.9, Some((0.8, 1.2))), Undecided);
        assert_eq!(most.judge(2.0, Some((1.5, 2.5))), Fails);
        let half = Accept { contains: Some(-0.5), half_width: Some(0.03), ..Default::default() };
        assert_eq!(half.judge(-0.51, Some((-0.53, -0.49))), Holds);
        assert_eq!(half.judge(-0.51, Some((-0.56, -0.46))), Undecided);
        assert_eq!(half.judge(-0.4, Some((-0.42, -0.38))), Fails);
        assert_eq!((half.judge(-0.49, None), half.judge(-0.4, None)), (Holds, Fails));
        assert_eq!(half.words(), "-0.5, to within 0.03");
        let least = Accept { least: Some(2.0), ..Default::default() };
        assert_eq!(least.judge(f64::INFINITY, None), NotTestable, "0 in the denominator");
        assert_eq!(least.judge(3.0, Some((f64::NAN, f64::NAN))), Undecided);
    }

    #[test]
    fn a_heavy_tail_fails_and_a_missing_one_cannot_hold() {
        let accept = Accept { most: Some(1.0), tail: Some(0.5), ..Default::default() };
        let tail = |low, high| Some(Estimate { value: 0.5 * (low + high), low, high });
        let found = |tail| Found { value: 0.0, tail, ..Default::default() };
        assert_eq!(accept.verdict(&found(tail(0.4, 0.6))), Verdict::Holds);
        assert_eq!(accept.verdict(&found(tail(0.55, 0.7))), Verdict::Fails);
        assert_eq!(accept.verdict(&found(None)), Verdict::NotTestable);
        assert_eq!(accept.verdict(&Found { value: 2.0, ..found(None) }), Verdict::Fails);
        assert_eq!(accept.words(), "at most 1 and tail 0.5");
    }
}
