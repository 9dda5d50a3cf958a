//! Figures of the ends of flows: powers of lambda, gaps, residuals, and R against width and depth.
//!
//! Maths: fitted powers as fitted; the theorem's line R = C_2 lambda with the least C_2 that bounds every network drawn.
//! Shapes: log-log throughout.
//! Cost: milliseconds.
//! Checked: looked at as pictures.

use super::interval;
use crate::stationary::{End, Found, Record, Size};
use mckean_report::{Axis, Colour, Figure, Series, Style};

/// At most this many sizes in one figure.
const MOST: usize = 6;

fn figure(id: &str, title: &str, caption: &str, (x, y): (Axis, Axis), series: Vec<Series>) -> Option<Figure> {
    let (id, title, caption) = (id.into(), title.into(), caption.into());
    (!series.is_empty()).then(|| Figure { id, title, caption, x, y, series, marks: vec![] })
}

fn lambda() -> Axis {
    Axis::log("λ", "weight decay")
}

/// Sizes that are drawn: one limit, then the others.
fn sizes(r: &Record) -> Vec<&Found> {
    let finest = r.found.iter().map(|f| f.size).filter(|s| matches!(s, Size::Limit(_))).max();
    r.found.iter().filter(|f| !matches!(f.size, Size::Limit(_)) || Some(f.size) == finest).take(MOST).collect()
}

/// R, Q and the gap against lambda; R against width and depth where there are several.
pub(super) fn powers(r: &Record) -> Vec<Figure> {
    let all = [Some(risk(r)), gap(r), sized(r, true), sized(r, false)];
    all.into_iter().flatten().collect()
}

fn risk(r: &Record) -> Figure {
    let mut series = vec![];
    for (i, f) in sizes(r).into_iter().enumerate() {
        let (x, y) = (f.lambdas.clone(), f.risks.iter().map(|m| m.0).collect::<Vec<_>>());
        let ends = |sign: f64| f.risks.iter().map(|m| (m.0 + sign * m.1).max(1e-3 * m.0)).collect::<Vec<f64>>();
        let points = Series::line(f.size.words(), x.clone(), y).band(ends(-1.0), ends(1.0));
        series.push(points.style(Style::Points).colour(Colour::Index(i)));
        if let Some(p) = &f.risk {
            let y = x.iter().map(|x| p.prefactor.value * x.powf(p.slope.value)).collect();
            series.push(Series::line(format!("λ^{}", interval(&p.slope)), x, y).colour(Colour::Index(i)));
        }
    }
    let constant = sizes(r).iter().filter_map(|f| f.constant).reduce(f64::max);
    if let Some(c) = constant {
        let x = r.grid.lambdas.clone();
        let y = x.iter().map(|x| c * x).collect();
        let label = format!("theorem: C₂ λ, least C₂ = {}", crate::report::short(c));
        series.push(Series::line(label, x, y).style(Style::Dashed).colour(Colour::Index(6)));
    }
    let caption = "Final risk, mean over seeds with its standard error; fitted powers with 95 % intervals. Dashed: the slope that Theorem 4.1 promises at \
                   least.";
    figure("risk", "Risk at stationarity", caption, (lambda(), Axis::log("R", "risk")), series).unwrap_or_default()
}

/// Worst gap over Q of every certified network.
fn gap(r: &Record) -> Option<Figure> {
    let mut series = vec![];
    for (i, f) in sizes(r).into_iter().enumerate() {
        let own = r.ends.iter().filter(|e| e.cell.size == f.size);
        let points: Vec<(f64, f64)> = own.filter_map(|e| Some((e.cell.lambda, e.value("optimality gap")?))).collect();
        let (x, y): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
        let points = Series::line(f.size.words(), x, y).style(Style::Points).colour(Colour::Index(i));
        series.extend(Some(points).filter(|s| !s.x.is_empty()));
    }
    let caption = "How much the best single particle would lower Q at the worst depth, over Q, at every network's end: 0 at a global minimum; large where \
                   the support is too small.";
    figure("gap", "Optimality gap", caption, (lambda(), Axis::log("", "gap / Q")), series)
}

/// A size, and the mean of R with its standard error.
type Point = (f64, (f64, f64));

/// R against width (or depth), one curve a weight decay.
fn sized(r: &Record, width: bool) -> Option<Figure> {
    let (list, other) = if width { (&r.grid.widths, &r.grid.depths) } else { (&r.grid.depths, &r.grid.widths) };
    let held = *other.last().filter(|_| list.len() > 1)?;
    let size = |x: usize| if width { Size::Finite(x, held) } else { Size::Finite(held, x) };
    let mut series = vec![];
    for (i, &l) in r.grid.lambdas.iter().enumerate() {
        let at = |x: usize| {
            let found = r.found.iter().find(|f| f.size == size(x))?;
            let i = found.lambdas.iter().position(|own| *own == l)?;
            Some((x as f64, found.risks[i]))
        };
        let points: Vec<Point> = list.iter().filter_map(|&x| at(x)).collect();
        let of = |f: fn(&Point) -> f64| points.iter().map(f).collect::<Vec<f64>>();
        let (low, high) = (of(|p| (p.1.0 - p.1.1).max(1e-3 * p.1.0)), of(|p| p.1.0 + p.1.1));
        let colour = Colour::ramp(i, r.grid.lambdas.len());
        let curve = Series::line(format!("λ = {l:e}"), of(|p| p.0), of(|p| p.1.0)).band(low, high).colour(colour);
        series.extend(Some(curve).filter(|s| s.x.len() > 1));
    }
    let (id, title, axis, what) = match width {
        true => ("width", "Risk at stationarity against width", Axis::log("M", "width"), "depth"),
        false => ("depth", "Risk at stationarity against depth", Axis::log("L", "depth"), "width"),
    };
    let caption = format!(
        "Final risk at {what} {held}, mean over seeds with its standard error: where a curve levels off, the part C_2 lambda of Theorem 4.1 is left of the \
         bound, before that the distance to the limit."
    );
    figure(id, title, &caption, (axis, Axis::log("R", "risk")), series)
}

/// Residual and risk over training time, first seed of the largest network.
pub(super) fn flows(r: &Record) -> Vec<Figure> {
    let Some(size) = r.found.iter().map(|f| f.size).filter(|s| !matches!(s, Size::Limit(_))).max() else {
        return vec![];
    };
    let own: Vec<&End> = r.ends.iter().filter(|e| e.cell.size == size && e.cell.seed == 0).collect();
    let curve = |pick: fn(&crate::stationary::Seen) -> f64| -> Vec<Series> {
        let one = |(i, e): (usize, &&End)| {
            let later = || e.stages.iter().skip(1); // the axis is logarithmic
            let (x, y) = (later().map(|s| s.tau * e.cell.lambda).collect(), later().map(pick).collect());
            Series::line(format!("λ = {:e}", e.cell.lambda), x, y).colour(Colour::ramp(i, own.len()))
        };
        own.iter().enumerate().map(one).collect()
    };
    let x = || Axis::log("λτ", "training time in units of 1/λ");
    let caption = format!("{}, first seed.", size.words());
    let all = [
        figure("flow-risk", "Risk on the way", &caption, (x(), Axis::log("R", "risk")), curve(|s| s.risk)),
        figure(
            "flow-residual",
            "Residual on the way",
            &format!("{caption} A flow rests when D/(λQ) falls below {:e}.", r.grid.residual),
            (x(), Axis::log("D/(λQ)", "residual")),
            curve(|s| s.residual),
        ),
    ];
    all.into_iter().flatten().collect()
}
