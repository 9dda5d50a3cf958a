//! Observers: exact identities and certificates checked while a flow runs.
//!
//! Maths: each observer names its formula; all hold for the exact flow, so what is left is integration error or a defect.
//! Shapes: read-only views of the state; each writes named numbers.
//! Cost: linear in the parameters, at observation times only.
//! Checked: `tests/observers.rs` (they hold, and each one fires when its identity is broken).

use crate::evolution::Measurement;
use mckean_engine::Network;
use serde::{Deserialize, Serialize};

mod balance;
mod certificate;
mod energy;
mod kinetic;
mod moment;
mod radius;

pub use balance::Balance;
pub use certificate::ForwardCertificate;
pub use energy::Energy;
pub use kinetic::Kinetic;
pub use moment::SecondMoment;
pub use radius::{Radius, radius};

/// What an observer sees.
#[derive(Clone, Copy)]
pub struct State<'a> {
    /// The network.
    pub net: &'a Network,
    /// Parameters.
    pub beta: &'a [f64],
    /// Speeds of the parameters.
    pub speeds: &'a [f64],
    /// Weight decay lambda.
    pub lambda: f64,
    /// Risk, objective, dissipation ...
    pub now: Measurement,
    /// Largest token norm of the raw data.
    pub data_norm: f64,
}

/// A check that did not hold, over one or many observations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Violation {
    /// Name of the check.
    pub check: String,
    /// Observations at which it failed.
    pub count: usize,
    /// How badly at the worst of them (relative to its limit; the largest number when it is NaN).
    pub excess: f64,
    /// The worst of them in words.
    pub sentence: String,
}

impl Violation {
    /// Adds `new` to `all`: one entry a check, with the worst sentence.
    pub fn merge(all: &mut Vec<Violation>, new: Violation) {
        match all.iter_mut().find(|v| v.check == new.check) {
            None => all.push(new),
            Some(old) => {
                let count = old.count + new.count;
                if new.excess > old.excess {
                    *old = new;
                }
                old.count = count;
            }
        }
    }

    /// One sentence, with the number of observations when there are several.
    pub fn text(&self) -> String {
        match self.count {
            1 => self.sentence.clone(),
            n => format!("{} (the worst of {n} observations)", self.sentence),
        }
    }
}

/// Named numbers and, when something is violated, what and how badly.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// Columns of the metrics.
    pub values: Vec<(String, f64)>,
    /// Violations found at this observation.
    pub violations: Vec<Violation>,
}

impl Log {
    /// Adds a number.
    pub fn value(&mut self, name: &str, x: f64) {
        self.values.push((name.into(), x));
    }

    /// Adds a violation of `check` unless `value <= limit`; NaN violates.
    pub fn require(&mut self, check: &str, value: f64, limit: f64, sentence: impl FnOnce() -> String) {
        let holds = value <= limit;
        if !holds {
            let excess = if value.is_nan() { f64::MAX } else { (value / limit).min(f64::MAX) };
            self.violations.push(Violation { check: check.into(), count: 1, excess, sentence: sentence() });
        }
    }
}

/// Watches a flow. The first call sees the initial state; state between calls is rebuilt on resume from initial and saved points.
pub trait Observer: Send {
    /// Name in configs and tables.
    fn name(&self) -> &'static str;
    /// Looks at the state and logs.
    fn observe(&mut self, state: State<'_>, log: &mut Log);
    /// Continues after a resume: `initial` is the state at tau = 0, `last` the one at the checkpoint.
    fn resume(&mut self, initial: State<'_>, last: State<'_>) {
        let mut ignored = Log::default();
        self.observe(initial, &mut ignored);
        self.observe(last, &mut ignored);
    }
}

/// The observers that apply to a network and dynamics (registry: one line each).
pub fn all(net: &Network, lambda: f64) -> Vec<Box<dyn Observer>> {
    let candidates: [Option<Box<dyn Observer>>; 6] = [
        Some(Box::new(Energy::default())),
        Some(Box::new(Kinetic::default())),
        Some(Box::new(Radius)),
        Balance::new(net).map(|b| Box::new(b) as Box<dyn Observer>),
        (lambda > 0.0).then(|| Box::new(SecondMoment::default()) as Box<dyn Observer>),
        ForwardCertificate::applies(net).then(|| Box::new(ForwardCertificate) as Box<dyn Observer>),
    ];
    candidates.into_iter().flatten().collect()
}
