//! Whether encoders and samples satisfy A2-A4, clause by clause.
//!
//! Maths: Proposition G.1 of Gao et al. 2024 with corrected constants (derived, `mckean_analysis::assumption`). Clause A4 (ii) is taken on the
//! image of the samples, for the better one of f and h; as stated it fails with more than one token, which is reported.
//! Shapes: one table a seed.
//! Cost: a few thousand vector-Jacobian products of single particles.
//! Checked: `tests/claims.rs`.

use super::{Context, Found};
use crate::error::Error;
use crate::problem::Problem;
use mckean_analysis::{Condition, Verdict, View, assumption};

/// Largest number over its limit, over clauses and seeds.
pub fn measure(c: &Context<'_>) -> Result<Found, Error> {
    let (mut worst, mut name, mut clauses, mut stated, mut printed) = (0.0f64, String::new(), 0, 0, false);
    for config in c.seeds()? {
        let p = Problem::new(&config)?;
        let view = View::new(p.net.clone(), p.train.clone(), p.start.clone(), config.dynamics.weight_decay)?;
        let table = assumption::table(&view);
        for (clause, share) in shares(&table) {
            clauses += 1;
            if share > worst || share.is_nan() {
                (worst, name) = (share, clause);
            }
        }
        stated += table.iter().filter(|c| is_stated(c) && c.verdict == Verdict::Fails).count();
        printed |= table.iter().any(|c| c.words.contains("is exceeded"));
    }
    let paper = if printed { "is exceeded" } else { "is not exceeded by these probes" };
    let words = format!(
        "{clauses} clauses, the nearest to its limit is {name}; the printed phi_P = r + 2 r^2 {paper}; A4 (ii) as stated fails {stated} times"
    );
    Ok(Found { value: worst, words, ..Default::default() })
}

fn is_stated(c: &Condition) -> bool {
    c.name.contains("as stated")
}

/// Clause and number over limit; of the two A4 (ii) on the data the better one.
fn shares(table: &[Condition]) -> Vec<(String, f64)> {
    let share = |c: &Condition| c.value.zip(c.limit).map_or(f64::NAN, |(value, limit)| value / limit);
    let image = |c: &&Condition| c.name.contains("on the data");
    let judged = table.iter().filter(|c| !is_stated(c) && !image(c) && !c.name.starts_with("A1"));
    let mut all: Vec<(String, f64)> = judged.map(|c| (c.name.clone(), share(c))).collect();
    let best = table.iter().filter(image).min_by(|a, b| share(a).total_cmp(&share(b)));
    all.extend(best.map(|c| (c.name.clone(), share(c))));
    all
}
