//! `ends.csv`: every network at its end, as data.
//!
//! Maths: none of its own.
//! Shapes: one row a network, one number a cell with all its digits; infinite width and depth are `inf`, what is not known is empty.
//! Cost: none.
//! Checked: `tests/stationary_ends.rs`.

use crate::stationary::{End, Record, Size};

const HEADER: [&str; 20] = [
    "lambda",
    "width",
    "depth",
    "depth_steps",
    "seed",
    "outcome",
    "tau",
    "risk",
    "objective",
    "residual",
    "drift",
    "radius",
    "gap_over_objective",
    "growth_over_2_lambda",
    "adjoint_low",
    "adjoint",
    "adjoint_high",
    "kernel_least",
    "gradients",
    "fails",
];

/// The table.
pub(super) fn csv(r: &Record) -> String {
    let line = |cells: Vec<String>| cells.join(",") + "\n";
    let rows = r.ends.iter().map(|e| line(row(e)));
    std::iter::once(line(HEADER.map(String::from).to_vec())).chain(rows).collect()
}

/// As few digits as give the same number back.
fn number(x: f64) -> String {
    format!("{x:?}").to_lowercase()
}

fn row(e: &End) -> Vec<String> {
    let own = |x: Option<f64>| x.map_or(String::new(), number);
    let inf = || "inf".to_string();
    let [width, depth, steps] = match e.cell.size {
        Size::Limit(steps) => [inf(), inf(), steps.to_string()],
        Size::Wide(l) => [inf(), l.to_string(), String::new()],
        Size::Finite(m, l) => [m.to_string(), l.to_string(), String::new()],
    };
    let adjoint = |i: usize| own(e.adjoint.map(|a| a[i]));
    vec![
        number(e.cell.lambda),
        width,
        depth,
        steps,
        e.cell.seed.to_string(),
        e.outcome.clone(),
        number(e.last.tau),
        number(e.last.risk),
        number(e.last.objective),
        number(e.last.residual),
        own(e.drift),
        number(e.last.radius),
        own(e.value("optimality gap")),
        own(e.value("growth c*/(2 lambda)")),
        adjoint(0),
        adjoint(1),
        adjoint(2),
        own(e.value("tangent kernel")),
        e.gradients.to_string(),
        e.failing().iter().map(|f| f.replace(',', "")).collect::<Vec<_>>().join("; "),
    ]
}
