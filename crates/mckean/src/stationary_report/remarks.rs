//! What there is to say about flows at rest beside their tables, one line each.
//!
//! Maths: none of its own.
//! Shapes: lines of text, the same in the terminal and in the page.
//! Cost: none.
//! Checked: `tests/stationary_ends.rs`.

use super::{outcome, plateau};
use crate::stationary::{End, Record};

/// What else there is to say, one line each.
pub fn remarks(r: &Record) -> Vec<String> {
    let mut lines = vec![];
    for f in &r.found {
        lines.extend(f.problem.as_ref().map(|p| format!("{}: no exponent: {p}", f.size.words())));
        let crooked = f.risk.as_ref().filter(|p| p.misfit > CROOKED);
        lines.extend(crooked.map(|p| {
            format!(
                "{}: R lies up to a factor {:.2} off a power of lambda: the exponent is that of this range alone",
                f.size.words(),
                p.misfit.exp()
            )
        }));
    }
    lines.extend(plateau::remarks(r));
    lines.extend(depth_errors(r));
    lines.extend(broken(r));
    let open = r.ends.iter().filter(|e| !e.is_at_rest() && !e.is_broken()).count();
    if open > 0 {
        lines.push(format!(
            "{open} networks do not rest at the horizon: left out of the exponents (raise stationary.horizon)"
        ));
    }
    lines.extend(gaps(r));
    if r.ends.len() < r.asked {
        lines.push(format!("{} networks are missing: the same command goes on", r.asked - r.ends.len()));
    }
    lines
}

/// Flows that ended early, with the first of them.
fn broken(r: &Record) -> Option<String> {
    let all: Vec<&End> = r.ends.iter().filter(|e| e.is_broken()).collect();
    let first = all.first()?;
    Some(format!(
        "{} of {} flows ended early, before rest or horizon: left out of the exponents and not certified; the first is {} at lambda = {:e}, seed {}: \
         {} (lower init.scale or data.token_scale)",
        all.len(),
        r.ends.len(),
        first.cell.size.words(),
        first.cell.lambda,
        first.cell.seed,
        outcome(first)
    ))
}

/// How many of the certified networks have a particle elsewhere that would lower Q.
fn gaps(r: &Record) -> Option<String> {
    let wide = r.ends.iter().filter(|e| e.failing().contains(&"optimality gap")).count();
    let judged = r.ends.iter().filter(|e| e.value("optimality gap").is_some()).count();
    let line = match wide {
        0 => format!(
            "none of the {judged} certified networks ends with an optimality gap above 10 % of Q: no particle elsewhere would lower Q by more"
        ),
        _ => format!(
            "{wide} of {judged} certified networks end with an optimality gap above 10 % of Q: a particle elsewhere would lower Q, so that their \
             support is too small for condition (b)"
        ),
    };
    (judged > 0).then_some(line)
}

/// Distance of log R from a straight line beyond which it is said.
const CROOKED: f64 = 0.1;

/// Relative difference of R between the two limits of each weight decay.
fn depth_errors(r: &Record) -> Option<String> {
    let steps = [r.grid.depth_steps, 2 * r.grid.depth_steps].map(crate::stationary::Size::Limit);
    let at = |l: f64, i: usize| r.ends.iter().find(|e| e.cell.lambda == l && e.cell.size == steps[i]);
    let gap = |l: f64| Some((at(l, 0)?.last.risk / at(l, 1)?.last.risk - 1.0).abs());
    let worst = r.grid.lambdas.iter().filter_map(|&l| gap(l)).reduce(f64::max)?;
    Some(format!("limit: R changes by at most {worst:.1e}, relative, when the depth steps are doubled"))
}
