//! Log-log figures of gaps against width and depth.
//!
//! Maths: fitted power laws are drawn through the geometric centre of their points; laws of the whole grid and curves of the bias as fitted.
//! Shapes: three figures a quantity, and the tail where there are seeds enough for one.
//! Cost: milliseconds.
//! Checked: looked at as pictures; `tests/rates.rs` counts them.

mod laws;
mod tail;

use self::laws::{LAWS, NO_LAW, two_laws};
use super::interval;
use crate::rates::{Exponent, Found, Rung, Summary, ladder};
use mckean_report::{Axis, Colour, Figure, Series, Style};

/// The figures of one quantity.
pub(super) fn all(f: &Found) -> Vec<Figure> {
    [Some(gap(f)), Some(noise(f)), Some(depth(f)), tail::figure(f)].into_iter().flatten().collect()
}

fn depths(cells: &[Summary]) -> Vec<f64> {
    let mut all: Vec<f64> = cells.iter().map(|c| c.depth).collect();
    all.dedup();
    all
}

/// Points of one depth with error bars.
fn points(cells: &[Summary], depth: f64, colour: Colour) -> Series {
    let own: Vec<&Summary> = cells.iter().filter(|c| c.depth == depth).collect();
    let of = |f: &dyn Fn(&Summary) -> f64| own.iter().map(|c| f(c)).collect::<Vec<f64>>();
    Series::line(format!("L = {depth}"), of(&|c| c.width), of(&|c| c.rms))
        .band(of(&|c| c.rms * (1.0 - c.relative).max(0.01)), of(&|c| c.rms * (1.0 + c.relative)))
        .style(Style::Points)
        .colour(colour)
}

/// Forty abscissae over the range of `x`, evenly in logarithms.
fn fine(x: &[f64]) -> Vec<f64> {
    let (first, last) = (x.first().copied().unwrap_or(1.0), x.last().copied().unwrap_or(1.0));
    (0..40).map(|i| first * (last / first).powf(f64::from(i) / 39.0)).collect()
}

/// A power law through the centre of points.
fn power(label: String, x: &[f64], y: &[f64], slope: f64) -> Series {
    let mean = |v: &[f64]| v.iter().map(|v| v.ln()).sum::<f64>() / v.len() as f64;
    let (mx, my) = (mean(x), mean(y));
    let line = x.iter().map(|x| (my + slope * (x.ln() - mx)).exp()).collect();
    Series::line(label, x.to_vec(), line)
}

fn words(letter: &str, e: &Exponent) -> String {
    e.measured.map_or(String::new(), |_| format!("{letter}^{}", interval(e)))
}

fn figure(f: &Found, name: &str, title: &str, caption: &str, x: Axis, series: Vec<Series>) -> Figure {
    let id = format!("{}-{name}", f.quantity.words().replace([' ', ','], "-"));
    let title = format!("{title}: {}", f.quantity.words());
    let y = Axis::log("", "gap");
    Figure { id, title, caption: caption.into(), x, y, series, marks: vec![] }
}

fn widths() -> Axis {
    Axis::log("M", "width")
}

/// Gap to the limit with the chosen law and another.
fn gap(f: &Found) -> Figure {
    let all = depths(&f.gaps);
    let mut series = vec![];
    for (i, &l) in all.iter().enumerate() {
        let own = points(&f.gaps, l, Colour::ramp(i, all.len()));
        let (colour, x, last) = (own.colour, fine(&own.x), i + 1 == all.len());
        series.push(own);
        for ((fit, words), style) in two_laws(f).into_iter().flatten().zip([Style::Line, Style::Dashed]) {
            let y = x.iter().map(|m| fit.predict(*m, l)).collect();
            let label = if last { words } else { String::new() };
            series.push(Series::line(label, x.clone(), y).style(style).colour(colour));
        }
    }
    let lines = if two_laws(f).is_some() { LAWS } else { NO_LAW };
    let caption = format!("Root mean square over seeds of the gap to the limit. {lines}");
    figure(f, "gap", "Gap to the limit", &caption, widths(), series)
}

/// Noise with its fitted slope, and what a noise that does not fall with depth would look like.
fn noise(f: &Found) -> Figure {
    let all = depths(&f.noise);
    let mut series = vec![];
    let base = f.noise.iter().find(|c| Some(&c.depth) == all.first());
    for (i, &l) in all.iter().enumerate() {
        let own = points(&f.noise, l, Colour::ramp(i, all.len()));
        let (colour, x, y, last) = (own.colour, own.x.clone(), own.y.clone(), i + 1 == all.len());
        series.push(own);
        if let Some(m) = f.width.measured {
            let label = if last { words("M", &f.width) } else { String::new() };
            series.push(power(label, &x, &y, m.value).colour(colour));
        }
        if let Some(b) = base.filter(|_| last && all.len() > 1) {
            let other = |m: &f64| b.rms * (((l + 1.0).ln() / (b.depth + 1.0).ln()) * (b.width / m)).sqrt();
            let y = x.iter().map(other).collect();
            let label = format!("sqrt(log(L+1)/M) at L = {l}");
            series.push(Series::line(label, x, y).style(Style::Dashed).colour(Colour::Index(1)));
        }
    }
    let caption = "Gap to the infinitely wide network of the same depth. Dashed: where the deepest networks would lie if noise grew with \
                   depth as in the theorem's bound, starting from the shallowest ones.";
    figure(f, "noise", "Noise of M particles", caption, widths(), series)
}

/// Bias and noise against depth.
fn depth(f: &Found) -> Figure {
    let (x, y): (Vec<f64>, Vec<f64>) = f.bias.iter().map(|b| (b.depth, b.gap)).unzip();
    let ends = |sign: f64| f.bias.iter().map(|b| (b.gap + sign * b.scatter()).max(0.01 * b.gap)).collect::<Vec<f64>>();
    let bias = Series::line("M = ∞: bias", x.clone(), y.clone()).band(ends(-1.0), ends(1.0));
    let mut series = vec![bias.style(Style::Points).colour(Colour::Index(0))];
    if f.depth.measured.is_some() {
        series.push(expansion(&f.depth, &f.bias).colour(Colour::Index(0)));
        series.push(power("wrong law: L^-1/2".into(), &x, &y, -0.5).style(Style::Dashed).colour(Colour::Index(6)));
    }
    if let Some(r) = &f.richardson {
        let (x, y) = r.pairs.iter().map(|b| (b.depth, b.gap)).unzip();
        series.push(Series::line("2 R_2L - R_L: bias", x, y).style(Style::Points).colour(Colour::Index(4)));
        series.extend(r.exponent.measured.map(|_| expansion(&r.exponent, &r.pairs).colour(Colour::Index(4))));
    }
    let width = |pick: fn(f64, f64) -> f64| f.noise.iter().map(|c| c.width).reduce(pick);
    for (w, colour) in [(width(f64::min), 1), (width(f64::max), 2)] {
        let Some(w) = w else { continue };
        let own: Vec<&Summary> = f.noise.iter().filter(|c| c.width == w).collect();
        let (x, y): (Vec<f64>, Vec<f64>) = own.iter().map(|c| (c.depth, c.rms)).unzip();
        let label = format!("M = {w}: noise");
        series.push(Series::line(label, x.clone(), y.clone()).style(Style::Points).colour(Colour::Index(colour)));
        if let Some(m) = f.noise_depth.measured {
            let label = if colour == 2 { words("L", &f.noise_depth) } else { String::new() };
            series.push(power(label, &x, &y, m.value).colour(Colour::Index(colour)));
        }
    }
    let fitted = match f.depth.measured {
        Some(_) => {
            ", with the fitted exp(c + d/L) L^s, whose exponent s the legend has, and, dashed, a law that is wrong"
        }
        None => "",
    };
    let pairs = if f.richardson.is_some() { "; the same extrapolated from L and 2L, drawn at L" } else { "" };
    let caption = format!(
        "Bias: gap of infinitely wide networks to the limit{fitted}{pairs}. Bars: standard error over scramblings. Noise at the smallest and the \
         largest width."
    );
    figure(f, "depth", "Gap against depth", &caption, Axis::log("L", "depth"), series)
}

/// The fitted bias with the next term of its expansion, over the depths of `rungs`.
fn expansion(e: &Exponent, rungs: &[Rung]) -> Series {
    let depths = fine(&rungs.iter().map(|r| r.depth).collect::<Vec<_>>());
    let curve = ladder::curve(rungs, &depths);
    Series::line(format!("{}, next term fitted too", words("L", e)), depths, curve)
}
