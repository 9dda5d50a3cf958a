//! The hypotheses of Theorem 4.1 at one state, and what its proof uses, as a table.
//!
//! Maths: Gao et al. 2024, Theorem 4.1 with (a), (b), Lemma E.1 and F.7; thresholds are ours (finite times and widths decide no limit).
//! Shapes: one row a condition.
//! Cost: that of the certificates.
//! Checked: `tests/failures.rs` (each condition fails where it should).

use super::View;
use super::adjoint::{self, Bound};
use super::coverage::{Coverage, coverage};
use super::gap::{Gap, gaps};
use super::kernel::Kernel;
use super::stationarity::{Rest, rest};
use crate::error::AnalysisError;
use crate::verdict::{Condition, Verdict, larger};
use mckean_num::par::Par;

/// Share of Q lost per 1/lambda of training time below which a flow is called at rest.
const RESTING: f64 = 0.01;
/// Virial defect at rest.
const VIRIAL: f64 = 0.1;
/// Growth of the radius over the second half of a run that still counts as settled.
const SETTLED: f64 = 1.05;
/// Gap of the first variation, in units of Q, that counts as closed.
const CLOSED: f64 = 0.1;

/// What has one number a depth.
pub struct Profile {
    /// Optimality gaps, one a sublayer.
    pub gaps: Result<Vec<Gap>, AnalysisError>,
    /// Bounds of the adjoint in front of every sublayer, then behind the last.
    pub bounds: Result<Vec<Bound>, AnalysisError>,
}

impl Profile {
    /// At `view`; the gap's ball has the largest of `radii`, which are (training time, largest particle norm).
    pub fn new(view: &View, radii: &[(f64, f64)]) -> Profile {
        let reach = radii.iter().map(|r| r.1).reduce(larger).unwrap_or(f64::NAN);
        Profile { gaps: gaps(view, reach), bounds: adjoint::bounds(view) }
    }
}

/// All conditions at `view`; `radii` as for its `profile`, in order of time.
pub fn table(
    view: &View,
    radii: &[(f64, f64)],
    profile: &Profile,
    kernel: &Result<Kernel, AnalysisError>,
    par: &Par,
) -> Vec<Condition> {
    let decay = Condition::at_least("weight decay", "lambda > 0", view.lambda, f64::MIN_POSITIVE);
    let decay = Condition { limit: Some(0.0), ..decay };
    let mut all = vec![decay];
    let still = rest(view, par);
    all.extend(at_rest(view, &still));
    all.push(bounded(radii));
    all.extend(covering(&coverage(view)));
    all.extend(optimal(view, &profile.gaps, &still));
    all.push(adjoint_bounds(&profile.bounds));
    all.push(independent(kernel));
    all
}

fn at_rest(view: &View, still: &Result<Rest, AnalysisError>) -> [Condition; 2] {
    let names = ["at rest", "virial"];
    let asks = [
        "dissipation lowers Q by less than 1 % in a time 1/lambda",
        "1/2 E tr(g^T p) = -lambda |a_1|^2 for every particle",
    ];
    match still {
        Err(e) => [0, 1].map(|i| Condition::not_testable(names[i], asks[i], e)),
        Ok(_) if view.lambda <= 0.0 => {
            [0, 1].map(|i| Condition::not_testable(names[i], asks[i], "without weight decay there is no time scale"))
        }
        Ok(r) => [
            Condition::at_most(names[0], asks[0], r.relative / view.lambda, RESTING)
                .words(format!("D = {:.3e}, Q = {:.4e}", r.dissipation, r.objective)),
            Condition::at_most(names[1], asks[1], r.virial, VIRIAL).words("root mean square over particles, relative"),
        ],
    }
}

/// (a): the radius over time.
fn bounded(radii: &[(f64, f64)]) -> Condition {
    let (name, asks) = ("(a) radius", "particles stay in a ball for large times");
    let (Some(first), Some(last)) = (radii.first(), radii.last()) else {
        return Condition::not_testable(name, asks, "no radius is known");
    };
    if radii.len() < 3 {
        return Condition::not_testable(
            name,
            asks,
            format!("radius {:.3} now; one state tells nothing of later ones", last.1),
        );
    }
    let half = 0.5 * (first.0 + last.0);
    let before = radii.iter().filter(|r| r.0 <= half).map(|r| r.1).fold(0.0, larger);
    let after = radii.iter().filter(|r| r.0 > half).map(|r| r.1).fold(0.0, larger);
    let words = format!("largest radius in the second half over the first ({after:.3} / {before:.3})");
    Condition::at_most(name, asks, after / before, SETTLED).words(words)
}

/// (b): one row a kind of particle, at its best depth, and whether 0 is near.
fn covering(all: &[Coverage]) -> Vec<Condition> {
    let mut rows = vec![];
    for (heads, letter) in [(true, "heads"), (false, "neurons")] {
        let own = all.iter().filter(|c| c.heads == heads);
        let Some(best) = own.min_by(|a, b| a.ratio().total_cmp(&b.ratio())) else { continue };
        let names = [format!("(b) support, {letter}"), format!("(b) 0 near the support, {letter}")];
        let asks = ["at some depth a_2 covers the unit ball and a_1 all directions", "0 is interior to the support"];
        if !best.is_testable() {
            let why =
                format!("uniform points as few as these leave a covering radius of {:.2} themselves", best.inner_floor);
            rows.extend([0, 1].map(|i| Condition::not_testable(&names[i], asks[i], &why)));
            continue;
        }
        let words = format!(
            "covering radii over those of uniform points, t* = {:.2}: ball {:.2}/{:.2}, directions {:.2}/{:.2}; |a_1| from {:.2} to {:.2}",
            best.depth,
            best.inner,
            best.inner_floor,
            best.directions,
            best.directions_floor,
            best.least_outer,
            best.largest_outer
        );
        let row = Condition::at_most(&names[0], asks[0], best.ratio(), super::coverage::SLACK).words(words);
        debug_assert_eq!(row.verdict == Verdict::Holds, best.covers());
        rows.push(row);
        let near = Condition::at_most(&names[1], asks[1], best.nearest, best.nearest_limit());
        rows.push(near.words("least over largest |a|, against twice M^(-1/dim)"));
    }
    rows
}

/// c*/(2 lambda) and the gap of the first variation.
fn optimal(
    view: &View,
    found: &Result<Vec<Gap>, AnalysisError>,
    still: &Result<Rest, AnalysisError>,
) -> Vec<Condition> {
    let names = ["growth c*/(2 lambda)", "optimality gap"];
    let asks = [
        "no neuron far out lowers Q: c* <= 2 lambda",
        "no particle lowers Q: mean first variation minus the least one, over Q",
    ];
    let (found, still) = match (found, still) {
        (Ok(found), Ok(still)) => (found, still),
        (Err(e), _) => return (0..2).map(|i| Condition::not_testable(names[i], asks[i], e)).collect(),
        (_, Err(e)) => return (0..2).map(|i| Condition::not_testable(names[i], asks[i], e)).collect(),
    };
    let size = |g: &Gap| if g.gap.is_nan() { f64::INFINITY } else { g.gap };
    let Some(worst) = found.iter().max_by(|a, b| size(a).total_cmp(&size(b))) else {
        return (0..2).map(|i| Condition::not_testable(names[i], asks[i], "no sublayers")).collect();
    };
    let growth = found.iter().filter_map(|g| g.growth).reduce(larger);
    let first = match growth {
        Some(x) => Condition::at_most(names[0], asks[0], x, 1.0).words("worst depth; necessary at a minimiser"),
        None => Condition::not_testable(names[0], asks[0], "no neurons of linear growth"),
    };
    let kind = if worst.heads { "heads" } else { "neurons" };
    let words = format!(
        "worst for {kind} at t = {:.2}, lambda = {}: support too small where it is large",
        worst.depth, view.lambda
    );
    vec![first, Condition::at_most(names[1], asks[1], worst.gap / still.objective, CLOSED).words(words)]
}

fn adjoint_bounds(found: &Result<Vec<Bound>, AnalysisError>) -> Condition {
    let (name, asks) = ("adjoint bounds (F.7)", "E|p|^2 between its corrected bounds at every depth");
    match found {
        Err(e) => Condition::not_testable(name, asks, e),
        Ok(all) => {
            let worst = all[..all.len() - 1].iter().map(Bound::ratio).fold(0.0, larger);
            let words =
                format!("worst share; at t = 0 {:.3e} <= {:.3e} <= {:.3e}", all[0].low, all[0].value, all[0].high);
            Condition::at_most(name, asks, worst, 1.0 + 1e-9).words(words)
        }
    }
}

fn independent(kernel: &Result<Kernel, AnalysisError>) -> Condition {
    let (name, asks) = ("tangent kernel", "lambda_min(K) > 0");
    match kernel {
        Err(e) => Condition::not_testable(name, asks, e),
        Ok(k) => {
            let limit = (1e-12 * k.largest).max(f64::MIN_POSITIVE); // a kernel that vanishes is not positive
            let words = format!(
                "lambda_max = {:.3e}; without weight decay R decays at least at rate {:.3e}",
                k.largest,
                k.promised()
            );
            Condition::at_least(name, asks, k.least, limit).words(words)
        }
    }
}
