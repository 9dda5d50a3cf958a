//! Whether encoders and samples satisfy A2-A4, clause by clause.
//!
//! Maths: Proposition G.1 of Gao et al. 2024 with corrected constants (derived, `mckean_analysis::assumption`). Clause A4 (ii) is taken on the
//! image of the samples, for the better one of f and h that the samples can decide; as stated it fails with more than one token, which is told.
//! Shapes: one table a seed.
//! Cost: a few thousand vector-Jacobian products of single particles.
//! Checked: `tests/claims.rs`, tests below.

use super::{Context, Found};
use crate::error::Error;
use crate::problem::Problem;
use mckean_analysis::{Condition, Verdict, View, assumption};

/// Largest number over its limit, over clauses and seeds.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let (mut all, mut stated, mut printed) = (vec![], 0, false);
    for config in c.seeds()? {
        let p = Problem::new(&config)?;
        let view = View::new(p.net.clone(), p.train.clone(), p.start.clone(), config.dynamics.weight_decay)?;
        let table = assumption::table(&view);
        match shares(&table) {
            Ok(own) => all.extend(own),
            Err(why) => return Ok(Found::not_testable(format!("seed {}: {why}", config.seed))),
        }
        stated += table.iter().filter(|c| is_stated(c) && c.verdict == Verdict::Fails).count();
        printed |= table.iter().any(|c| c.words.contains("is exceeded"));
    }
    let (name, value) = worst(all.iter().map(|a| (&a.0, a.1)));
    let (image, at_image) = worst(all.iter().filter(|a| is_image(&a.0)).map(|a| (&a.0, a.1)));
    let paper = if printed { "is exceeded" } else { "is not exceeded by these probes" };
    let words = format!(
        "{} clauses, the nearest to its limit is {name}; {image}: {at_image:.2e} of its limit; the printed phi_P = r + 2 r^2 {paper}; \
         A4 (ii) as stated fails {stated} times",
        all.len()
    );
    Ok(Found { value, words, ..Default::default() })
}

fn is_stated(c: &Condition) -> bool {
    c.name.contains("as stated")
}

fn is_image(name: &str) -> bool {
    name.contains("on the data")
}

/// The largest share and its clause; one that is no number is the largest.
fn worst<'a>(all: impl Iterator<Item = (&'a String, f64)>) -> (String, f64) {
    let order = |x: f64| if x.is_nan() { f64::INFINITY } else { x };
    let worst = all.max_by(|a, b| order(a.1).total_cmp(&order(b.1)));
    worst.map_or(("none".into(), f64::NAN), |(name, share)| (name.clone(), share))
}

/// Clause, with its words at the samples, and number over limit; of the two A4 (ii) on the data the better one that was decided. Or the clause that was not.
fn shares(table: &[Condition]) -> Result<Vec<(String, f64)>, String> {
    let share = |c: &Condition| c.value.zip(c.limit).map_or(f64::NAN, |(value, limit)| value / limit);
    let judged = table.iter().filter(|c| !is_stated(c) && !is_image(&c.name) && !c.name.starts_with("A1"));
    let image: Vec<&Condition> = table.iter().filter(|c| is_image(&c.name)).collect();
    let decided = image.iter().copied().filter(|c| c.verdict != Verdict::NotTestable);
    let best = decided.min_by(|a, b| share(a).total_cmp(&share(b)));
    let open = image.iter().find(|c| c.verdict == Verdict::NotTestable);
    let chosen = match (best, open) {
        (Some(best), None) => Some(best),
        (Some(best), _) if best.verdict == Verdict::Holds => Some(best),
        _ => None,
    };
    let undecided = judged.clone().find(|c| c.verdict == Verdict::NotTestable);
    let missing =
        || open.map_or("A4 (ii) on the data is not in the table".into(), |c| format!("{}: {}", c.name, c.words));
    match (chosen, undecided) {
        (_, Some(c)) => Err(format!("{}: {}", c.name, c.words)),
        (None, _) => Err(missing()),
        (Some(best), None) => {
            let mut all: Vec<(String, f64)> = judged.map(|c| (c.name.clone(), share(c))).collect();
            all.push((format!("{} ({})", best.name, best.words), share(best)));
            Ok(all)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(verdict: Verdict, letter: &str, value: f64) -> Condition {
        let row = Condition::at_most(&format!("A4 (ii) on the data, {letter}"), "", value, 0.05);
        Condition { verdict, ..row }
    }

    #[test]
    fn a_clause_that_was_not_decided_does_not_count_as_held() {
        use Verdict::*;
        let other = Condition::at_most("A2 (i)", "", 0.5, 1.0);
        let of = |f: Condition, h: Condition| shares(&[other.clone(), f, h]);
        assert!(of(image(NotTestable, "f", 0.0), image(NotTestable, "h", 0.0)).unwrap_err().contains("data, f"));
        assert!(of(image(NotTestable, "f", 0.0), image(Fails, "h", 0.2)).is_err(), "f might hold");
        let held = of(image(NotTestable, "f", 0.0), image(Holds, "h", 0.04)).unwrap();
        assert!(held[1].0.starts_with("A4 (ii) on the data, h"));
        let failed = of(image(Fails, "f", 0.1), image(Fails, "h", 0.2)).unwrap();
        assert!((failed[1].1 - 2.0).abs() < 1e-12);
        assert!(shares(&[other]).is_err(), "no such clause");
    }
}
