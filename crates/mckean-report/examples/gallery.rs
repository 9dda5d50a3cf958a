//! A page of made-up figures and tables, to look at when the drawing changes.
//!
//! Maths: risks decay as a limit curve plus c/M; rates are power laws with scatter; no run is behind them.
//! Shapes: widths 1 to 32, up to 200 observations.
//! Cost: a second.
//! Checked: by eye: `cargo run -p mckean-report --example gallery -- gallery.html`, then open the file.

use mckean_report::{
    Axis, Block, Colour, Figure, Headline, Mark, Page, ReportError, Row, Section, Series, Status, Style, atomic_write,
};

fn main() -> Result<(), ReportError> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "gallery.html".to_string());
    let html = page().html();
    atomic_write(&path, html.as_bytes())?;
    println!("{path}: {} bytes", html.len());
    Ok(())
}

fn page() -> Page {
    let headline = |label: &str, value: &str, interval: &str, note: &str| Headline {
        label: label.into(),
        value: value.into(),
        interval: interval.into(),
        note: note.into(),
    };
    Page {
        title: "How fast do finite networks approach their limit?".into(),
        subtitle: "A gallery of figures from made-up numbers · 2026-01-01T00:00:00Z".into(),
        headline: vec![
            headline("exponent in width M", "−0.98", "95 % interval −1.03 to −0.93", "risk of the mean, 20 seeds"),
            headline("exponent in depth L", "−1.02", "95 % interval −1.10 to −0.95", "forward Euler in depth"),
            headline("limit risk at τ = 20", "3.1·10⁻³", "± 0.2·10⁻³", ""),
            headline("conditions that hold", "5 of 7", "", "one fails, one cannot be tested here"),
        ],
        sections: vec![training(), rates(), conditions(), odd(), cost()],
    }
}

/// A repeatable number in −1..1 from two indices.
fn noise(i: usize, j: usize) -> f64 {
    let x = (i as f64 * 12.9898 + j as f64 * 78.233).sin() * 43_758.545;
    2.0 * (x - x.floor()) - 1.0
}

fn grid(n: usize, end: f64) -> Vec<f64> {
    (0..n).map(|i| end * i as f64 / (n - 1) as f64).collect()
}

fn map(x: &[f64], f: impl Fn(f64) -> f64) -> Vec<f64> {
    x.iter().map(|&x| f(x)).collect()
}

fn risk(tau: f64, width: f64) -> f64 {
    0.9 * (-0.8 * tau).exp() + 0.1 * (-0.15 * tau).exp() + 0.12 / width * (1.0 - (-0.5 * tau).exp())
}

fn widths() -> Vec<Series> {
    let tau = grid(200, 20.0);
    let one = |k: usize| {
        let m = f64::from(1 << k);
        let spread = |s: f64| map(&tau, |t| risk(t, m) * (1.0 + s * 0.5 / m.sqrt() * (1.0 - (-t).exp())));
        let y = map(&tau, |t| risk(t, m));
        Series::line(format!("M = {m}"), tau.clone(), y).band(spread(-1.0), spread(1.0)).colour(Colour::ramp(k, 6))
    };
    let limit = Series::line("limit M = ∞", tau.clone(), map(&tau, |t| risk(t, 1e9)));
    let limit = limit.style(Style::Dashed).colour(Colour::Index(6));
    (0..6).map(one).chain([limit]).collect()
}

fn figure(id: &str, title: &str, caption: &str, axes: (Axis, Axis), series: Vec<Series>) -> Figure {
    let (x, y) = axes;
    Figure { id: id.into(), title: title.into(), caption: caption.into(), x, y, series, marks: vec![] }
}

fn training() -> Section {
    let tau = || Axis::linear("τ", "training time");
    let linear = figure(
        "risk",
        "Risk along the gradient flow",
        "Mean over 20 seeds; bands hold 90 % of them.",
        (tau(), Axis::linear("R", "risk")),
        widths(),
    );
    let log = figure(
        "risk-log",
        "The same on a logarithmic axis",
        "The limit decays exponentially; finite widths stop at a floor of order 1/M.",
        (tau(), Axis::log("R", "risk")),
        widths(),
    );
    let text = "Every network starts from the same cloud of particles, cut to its first M members, so curves of different width share their chance.\n\nThe dashed line is the limit, computed with weighted atoms.";
    Section::new("Training curves", vec![Block::Text(text.into()), Block::Figures(vec![linear, log])])
}

fn rates() -> Section {
    let m: Vec<f64> = (0..9).map(|k| f64::from(1 << k)).collect();
    let measured: Vec<f64> = m.iter().enumerate().map(|(i, m)| 0.3 / m * (1.0 + 0.15 * noise(i, 1))).collect();
    let scaled = |s: f64| measured.iter().map(|y| y * s).collect::<Vec<_>>();
    let points =
        Series::line("measured", m.clone(), measured.clone()).style(Style::Points).band(scaled(0.75), scaled(1.3));
    let fit = Series::line("fit, −0.98 ± 0.05", m.clone(), map(&m, |m| 0.3 * m.powf(-0.98))).colour(Colour::Index(1));
    let theory =
        Series::line("theory, −1", m.clone(), map(&m, |m| 0.2 / m)).style(Style::Dashed).colour(Colour::Index(6));
    let mut in_width = figure(
        "rate-width",
        "Distance to the limit",
        "Slope −1 as for independent particles; error bars are bootstrap intervals.",
        (Axis::log("M", "heads"), Axis::log("|R − R∞|", "gap in risk")),
        vec![points, fit, theory],
    );
    in_width.marks = vec![Mark::horizontal(5e-4, "solver error")];
    let l: Vec<f64> = vec![2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0];
    let gap = |c: f64| map(&l, |l| c / l);
    let depth = vec![
        Series::line("Euler", l.clone(), gap(0.5)).style(Style::Points),
        Series::line("midpoint", l.clone(), map(&l, |l| 0.4 / (l * l))).style(Style::Points).colour(Colour::Index(1)),
        Series::line("1/L", l.clone(), gap(0.5)),
        Series::line("1/L²", l.clone(), map(&l, |l| 0.4 / (l * l))).colour(Colour::Index(1)),
    ];
    let in_depth = figure(
        "rate-depth",
        "Error of depth discretisation",
        "Two ways to step through depth.",
        (Axis::log("L", "blocks"), Axis::log("‖z_L − z‖", "error of the state")),
        depth,
    );
    Section::new("Rates", vec![Block::Figures(vec![in_width, in_depth])])
}

fn conditions() -> Section {
    let row = |name: &str, meaning: &str, value: &str, bound: &str, status| {
        Row::new([name, meaning, value, bound]).status(status)
    };
    let rows = vec![
        row("A1", "data are bounded", "1.00", "≤ 1", Status::Holds),
        row("A2", "the encoder is homogeneous of degree 1", "0.003", "≤ 0.01", Status::Holds),
        row("A3", "the tangent kernel at the start is positive definite", "2.1·10⁻⁷", "≥ 10⁻⁴", Status::Fails),
        row("A4", "the limit measure has full support", "—", "—", Status::NotTestable),
    ];
    let header = ["condition", "in words", "measured", "required"].map(String::from).to_vec();
    let table = Block::Table { caption: "Conditions of the convergence theorem, one by one.".into(), header, rows };
    let list =
        ["A3 fails because two training inputs coincide.", "A4 concerns the limit and no finite network can show it."];
    Section::new("Conditions", vec![table, Block::List(list.map(String::from).to_vec())])
}

fn odd() -> Section {
    let x = grid(200, 1.0);
    let many = |n: usize| {
        (0..n)
            .map(|k| {
                let y = map(&x, |x| (6.0 * x + 0.2 * k as f64).sin() * 1e-7);
                Series::line(format!("seed {k}"), x.clone(), y).colour(Colour::ramp(k, n))
            })
            .collect::<Vec<_>>()
    };
    let names = [
        "softmax attention with ReLU feed-forward",
        "linear attention",
        "Gaussian kernel attention, normalised",
        "ReLU attention",
        "softmax, no feed-forward sublayer",
    ];
    let long = names.iter().enumerate().map(|(i, name)| {
        Series::line(*name, map(&x, |x| 1e4 + 2e5 * x), map(&x, |x| x.powi(i as i32 + 1) * 4e6))
            .colour(Colour::Index(i))
    });
    let walk: Vec<f64> = (0..20_000)
        .scan(0.0, |s, i| {
            *s += noise(i, 3);
            Some(*s)
        })
        .collect();
    let broken = map(&x, |x| if (0.4..0.5).contains(&x) { f64::NAN } else { 1.0 + 1e-5 * x });
    let axes = || (Axis::linear("t", "depth"), Axis::linear("f", "value"));
    let loss = (Axis::log("n", "training steps"), Axis::log("λ", "eigenvalue of the tangent kernel"));
    let steps: Vec<f64> = (0..30).map(|k| 10f64.powf(0.2 * f64::from(k))).collect();
    let mut marked = figure(
        "marks",
        "Ten decades and three reference lines",
        "",
        loss,
        vec![Series::line("", steps.clone(), map(&steps, |n| 1e-2 * n.powf(-1.7)))],
    );
    marked.marks = vec![
        Mark::vertical(1e3, "warm-up ends"),
        Mark::horizontal(1e-9, "f32 rounding"),
        Mark::horizontal(1e-11, "target"),
    ];
    let figures = vec![
        figure("many", "Forty seeds", "A legend of many entries goes below the axes.", axes(), many(40)),
        figure(
            "long",
            "A rather long title that needs a second line because it says everything about the figure",
            "Long labels; large numbers.",
            (Axis::linear("n", "tokens"), Axis::linear("E", "energy, in units nobody remembers")),
            long.collect(),
        ),
        figure(
            "walk",
            "20 000 noisy points",
            "Thinned without losing extremes.",
            axes(),
            vec![Series::line("", (0..20_000).map(f64::from).collect(), walk)],
        ),
        figure(
            "gap",
            "A gap, and numbers that differ in the sixth digit",
            "The line is interrupted where values are not finite.",
            axes(),
            vec![Series::line("state", x.clone(), broken)],
        ),
        marked,
        figure("single", "One point", "", axes(), vec![Series::line("a", vec![0.3], vec![42.0])]),
        figure(
            "constant",
            "A constant and its double",
            "",
            axes(),
            vec![
                Series::line("c", x.clone(), map(&x, |_| 0.25)),
                Series::line("2c", x.clone(), map(&x, |_| 0.5)).colour(Colour::Index(1)).style(Style::Dashed),
            ],
        ),
        figure("empty", "Nothing was observed", "", axes(), vec![]),
    ];
    Section::new("Odd figures", vec![Block::Figures(figures)])
}

fn cost() -> Section {
    let rows = vec![Row::new(["run", "12 000", "3.4·10¹²", "41.2"]), Row::new(["limit", "800", "9.1·10¹³", "310.0"])];
    let header = ["part", "steps", "FLOPs", "seconds"].map(String::from).to_vec();
    let table = Block::Table { caption: String::new(), header, rows };
    Section::new(
        "Cost and command",
        vec![
            table,
            Block::Code("mckean rates rates.toml --set model.heads=[1,2,4,8,16,32]\nmckean report runs/rates".into()),
        ],
    )
}
