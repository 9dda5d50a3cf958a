//! A condition and what was found: holds, fails, or cannot be tested, with the number behind it where there is one.
//!
//! Maths: none.
//! Shapes: one row of a table.
//! Cost: none.
//! Checked: tests below.

use serde::{Deserialize, Serialize};

/// What was found about a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds where it was looked at.
    Holds,
    /// It fails.
    Fails,
    /// The data cannot tell.
    NotTestable,
}

/// One row: a condition, a number, a limit, a verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// Short name, such as "A2 (i)".
    pub name: String,
    /// What it asks, in words.
    pub asks: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The number behind it.
    pub value: Option<f64>,
    /// What it was held against.
    pub limit: Option<f64>,
    /// What else was seen, or why it cannot be tested.
    pub words: String,
}

impl Condition {
    /// Holds when `value <= limit`; a missing number fails.
    pub fn at_most(name: &str, asks: &str, value: f64, limit: f64) -> Condition {
        let verdict = if value <= limit { Verdict::Holds } else { Verdict::Fails };
        let (name, asks) = (name.into(), asks.into());
        Condition { name, asks, verdict, value: Some(value), limit: Some(limit), words: String::new() }
    }

    /// Holds when `value >= limit`; a missing number fails.
    pub fn at_least(name: &str, asks: &str, value: f64, limit: f64) -> Condition {
        let verdict = if value >= limit { Verdict::Holds } else { Verdict::Fails };
        Condition { verdict, ..Condition::at_most(name, asks, value, limit) }
    }

    /// Cannot be tested, and why.
    pub fn not_testable(name: &str, asks: &str, why: impl ToString) -> Condition {
        let (name, asks) = (name.into(), asks.into());
        Condition { name, asks, verdict: Verdict::NotTestable, value: None, limit: None, words: why.to_string() }
    }

    /// The same with words.
    #[must_use]
    pub fn words(self, words: impl Into<String>) -> Condition {
        Condition { words: words.into(), ..self }
    }
}

/// The larger one; NaN once there was one, where `f64::max` would drop it.
pub fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

/// The smaller one; NaN once there was one.
pub fn smaller(a: f64, b: f64) -> f64 {
    -larger(-a, -b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_stays_none() {
        for (a, b) in [(1.0, f64::NAN), (f64::NAN, 1.0), (f64::NAN, f64::NAN)] {
            assert!(larger(a, b).is_nan() && smaller(a, b).is_nan());
        }
        assert_eq!((larger(1.0, -2.0), smaller(1.0, -2.0), smaller(f64::INFINITY, 3.0)), (1.0, -2.0, 3.0));
    }

    #[test]
    fn missing_numbers_never_hold() {
        assert_eq!(Condition::at_most("a", "", 1.0, 1.0).verdict, Verdict::Holds);
        assert_eq!(Condition::at_most("a", "", f64::NAN, 1.0).verdict, Verdict::Fails);
        assert_eq!(Condition::at_least("a", "", 1.0, 2.0).verdict, Verdict::Fails);
        assert_eq!(Condition::at_least("a", "", f64::NAN, 2.0).verdict, Verdict::Fails);
        assert_eq!(Condition::not_testable("a", "", "why").value, None);
    }
}
