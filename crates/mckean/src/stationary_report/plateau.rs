//! The plateau R = floor + C_1 E of `mckean stationary`: its table, its figure, and a sentence.
//!
//! Maths: as fitted (`stationary/plateau.rs`); E of Theorem 4.1 of Gao et al. 2024 or a derived one.
//! Shapes: one row an E and weight decay; one colour a weight decay.
//! Cost: none.
//! Checked: `tests/stationary.rs`; looked at as a picture.

use super::{Table, interval};
use crate::stationary::{Level, Plateaus, Record};
use mckean_analysis::fit::{Estimate, Shape};
use mckean_report::{Axis, Colour, Figure, Series, Style};

/// Held-out error above which no E of the list is said to describe the sizes.
const POOR: f64 = 0.1;

/// Floors and constants, the E that predicts best first.
pub fn table(r: &Record) -> Table {
    let header = ["E", "lambda", "sizes", "floor", "C_1", "error left out", "floors ~ lambda^s, s"];
    let row = |p: &Plateaus, i: usize, f: &Level| {
        vec![
            p.shape.words().into(),
            format!("{:e}", f.lambda),
            f.sizes.len().to_string(),
            number(&f.fit.floor),
            number(&f.fit.constant),
            format!("{:.1} %", 100.0 * f.fit.left_out),
            p.floors.as_ref().filter(|_| i == 0).map_or_else(|| "-".into(), |s| interval(&s.slope)),
        ]
    };
    let rows = r.plateaus.iter().flat_map(|p| p.fits.iter().enumerate().map(move |(i, f)| row(p, i, f)));
    (header.map(String::from).to_vec(), rows.collect())
}

fn number(e: &Estimate) -> String {
    match e.low.is_finite() {
        true => format!("{:.2e} [{:.2e}, {:.2e}]", e.value, e.low, e.high),
        false => format!("{:.2e} (one seed: no interval)", e.value),
    }
}

/// What predicts best, and how the floors fall.
pub fn remarks(r: &Record) -> Vec<String> {
    let Some(best) = r.plateaus.first() else { return vec![] };
    let percent = |p: &Plateaus| format!("{:.1} %", 100.0 * p.left_out);
    let theorem = r.plateaus.iter().find(|p| p.shape == Shape::Theorem && best.shape != Shape::Theorem);
    let theorem = theorem.map_or(String::new(), |p| format!(" (that of the theorem {})", percent(p)));
    let floors = match (&best.floors, &best.problem) {
        (Some(p), _) => format!("its floors fall as lambda^{}", interval(&p.slope)),
        (_, why) => format!("no power of its floors: {}", why.as_deref().unwrap_or("not fitted")),
    };
    let poor = if best.left_out > POOR { "; no E of the list describes these sizes well" } else { "" };
    vec![format!(
        "R = floor + C_1 E: E = {} predicts sizes left out best, to {}{theorem}; {floors}{poor}",
        best.shape.words(),
        percent(best)
    )]
}

/// R against the best E, with the fitted lines.
pub(super) fn figure(r: &Record) -> Vec<Figure> {
    let Some(best) = r.plateaus.first() else { return vec![] };
    let mut series = vec![];
    for (i, level) in best.fits.iter().enumerate() {
        let colour = Colour::ramp(i, best.fits.len());
        series.push(points(r, best.shape, level).colour(colour));
        series.push(curve(best.shape, level).colour(colour));
    }
    let caption = format!(
        "Final risk of every size, mean over seeds with its standard error, against E = {}, the one that predicts sizes left out best; lines: R = floor + C_1 \
         E, at E = 0 the floor, which stands for C_2 lambda of Theorem 4.1.",
        best.shape.words()
    );
    let (id, title) = ("plateau".into(), "The plateau".into());
    let (x, y) = (Axis::linear("E", best.shape.words()), Axis::log("R", "risk"));
    vec![Figure { id, title, caption, x, y, series, marks: vec![] }]
}

fn points(r: &Record, shape: Shape, level: &Level) -> Series {
    let (mut x, mut y, mut low, mut high) = (vec![], vec![], vec![], vec![]);
    for &(m, l) in &level.sizes {
        let found = r.found.iter().find(|f| f.size == crate::stationary::Size::Finite(m, l));
        let at = found.and_then(|f| Some(f.risks[f.lambdas.iter().position(|own| *own == level.lambda)?]));
        if let Some((mean, error)) = at {
            x.push(shape.at(m as f64, l as f64));
            y.push(mean);
            low.push((mean - error).max(1e-3 * mean));
            high.push(mean + error);
        }
    }
    Series::line(format!("λ = {:e}", level.lambda), x, y).band(low, high).style(Style::Points)
}

fn curve(shape: Shape, level: &Level) -> Series {
    let largest = level.sizes.iter().map(|&(m, l)| shape.at(m as f64, l as f64)).fold(0.0, f64::max);
    let x: Vec<f64> = (0..=60).map(|i| largest * f64::from(i) / 60.0).collect();
    let (floor, constant) = (level.fit.floor.value, level.fit.constant.value);
    let y = x.iter().map(|e| floor + constant * e).map(|y| if y > 0.0 { y } else { f64::NAN }).collect();
    Series::line(format!("{floor:.2e} + {constant:.2e} E"), x, y)
}
