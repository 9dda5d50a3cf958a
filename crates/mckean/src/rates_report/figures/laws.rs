//! Which two laws the figure of the gap draws, and what its caption says of them.
//!
//! Maths: none of its own; see `mckean_analysis::fit::choice`.
//! Shapes: the chosen law and one other; none where no law was chosen.
//! Cost: none.
//! Checked: test below; looked at as pictures.

use crate::rates::Found;
use mckean_analysis::fit::choice::Candidate;
use mckean_analysis::fit::{Law, LawFit};

fn law_words(fit: &LawFit) -> String {
    fit.law.words().to_string() + if fit.floor { " with a floor" } else { "" }
}

/// The chosen law, and the theorem's shape or, where that is the chosen one, the best of another shape; each with its words.
pub(super) fn two_laws(f: &Found) -> Option<[(&LawFit, String); 2]> {
    pair(&f.laws.as_ref()?.candidates)
}

fn pair(all: &[Candidate]) -> Option<[(&LawFit, String); 2]> {
    let best = &all.first()?.fit;
    let (other, what) = match best.law {
        Law::Theorem => (all.iter().find(|c| c.fit.law != Law::Theorem), "second best, not chosen"),
        _ => (all.iter().find(|c| c.fit.law == Law::Theorem && !c.fit.floor), "the theorem's shape, not chosen"),
    };
    let other = &other?.fit;
    Some([(best, format!("{} (chosen)", law_words(best))), (other, format!("{} ({what})", law_words(other)))])
}

pub(super) const LAWS: &str = "Lines: the law that predicts held-out cells best; dashed: the theorem's shape with one \
                               fitted constant or, where that is the best, the best of another shape. The legend says which.";
pub(super) const NO_LAW: &str = "No law was chosen: too few cells, or gaps too close to the error of the limit.";

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(law: Law, floor: bool) -> Candidate {
        let fit = LawFit { law, floor, coefficients: vec![1.0, 2.0, 3.0], residual: 0.1 };
        Candidate { fit, extrapolation: 0.1, left_out: 0.1 }
    }

    #[test]
    fn the_other_law_is_never_the_chosen_one() {
        let mut all = Law::ALL.map(|law| candidate(law, false)).to_vec();
        all.insert(1, candidate(all[0].fit.law, true));
        for first in 0..all.len() {
            let mut order = all.clone();
            order.rotate_left(first);
            let [(best, one), (other, two)] = pair(&order).unwrap();
            assert!(best.law != other.law && one.contains("(chosen)") && two.contains("not chosen)"), "{one}, {two}");
            assert_eq!(two.contains("second best"), best.law == Law::Theorem, "{two}");
        }
        assert!(pair(&[]).is_none());
    }
}
