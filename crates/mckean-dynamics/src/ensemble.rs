//! Many evolutions at once: seeds or configs side by side, one a thread.
//!
//! Maths: none; members do not see each other, so each ends exactly where it would alone.
//! Shapes: one evolution a member, built on one thread each (`Par::serial`).
//! Cost: that of the members, spread over the threads; one member a thread needs no joins inside a step.
//! Checked: `tests/ensemble.rs` (same bits as one by one, for any number of threads).

use crate::evolution::{Evolution, Measurement, Outcome};
use mckean_num::par::Par;

/// A member and how its last stretch ended.
struct Member {
    evolution: Box<dyn Evolution>,
    outcome: Outcome,
    seen: Measurement,
}

/// Evolutions that advance together.
pub struct Ensemble {
    members: Vec<Member>,
    par: Par,
}

impl Ensemble {
    /// Takes evolutions that each work on one thread, and the threads to spread them over.
    pub fn new(evolutions: Vec<Box<dyn Evolution>>, par: Par) -> Self {
        let member = |evolution| Member { evolution, outcome: Outcome::Finished, seen: Measurement::default() };
        Ensemble { members: evolutions.into_iter().map(member).collect(), par }
    }

    /// Every member goes on to `until`; one that diverged or gave up before stays where it is.
    pub fn advance(&mut self, until: f64) -> Vec<Outcome> {
        self.par.each(&mut self.members, |_, m| {
            if m.outcome == Outcome::Finished {
                m.outcome = m.evolution.advance(until);
            }
        });
        self.members.iter().map(|m| m.outcome).collect()
    }

    /// Measures every member on its training set.
    pub fn measure(&mut self) -> Vec<Measurement> {
        self.par.each(&mut self.members, |_, m| m.seen = m.evolution.measure());
        self.members.iter().map(|m| m.seen).collect()
    }

    /// The members in the order they came.
    pub fn members(&self) -> impl Iterator<Item = &dyn Evolution> {
        self.members.iter().map(|m| &*m.evolution)
    }
}
