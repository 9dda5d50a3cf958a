//! Gao et al. 2024, appendix H, in miniature on real digits: Figure 1 (heads) and Figure 2 (depth), once as the paper trains
//! and once in mean-field scaling, where curves of different widths should collapse.
//!
//! Maths: the gap of a curve is the mean over training of |R - R_last| / R_last(0), R averaged over seeds first.
//! Shapes: one run directory a (regime, heads, depth, seed).
//! Cost: about three minutes on two cores; `quick` about 20 seconds.
//! Checked: `tests/sweeps.rs` (quick tier), looked at as pictures.

use crate::claim;
use crate::config::Config;
use crate::error::Error;
use crate::report::{references, short};
use crate::sweep::{self, Cell, Curve};
use crate::sweep_report::{self, Group, figure};
use mckean_num::par::Par;
use mckean_report::page::{Block, Headline, Page, Row, Section};
use mckean_report::{Figure, atomic_write};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Trained as the paper does (Adam, cosine, GELU, dropout, cross-entropy), on 8 x 8 digits in four patches.
const PRACTICAL: &str = include_str!("reproduce/practical.toml");
/// The theorem's model: averages over heads and neurons, residual step 1/(2L), weight decay, gradient flow.
const MEAN_FIELD: &str = include_str!("reproduce/mean_field.toml");

const DEPTH_OF_FIGURE_1: usize = 6;
const HEADS_OF_FIGURE_2: usize = 8;

/// What a figure varies.
#[derive(Clone, Debug, Serialize)]
pub struct Panel {
    /// `practical` or `mean_field`.
    pub regime: &'static str,
    /// `heads` or `depth`.
    pub varied: &'static str,
    /// One group a value.
    pub groups: Vec<Group>,
    /// Gap of each curve to the last one.
    pub gaps: Vec<f64>,
    /// Config that the panel varies.
    #[serde(skip)]
    config: Config,
}

/// The outcome.
#[derive(Clone, Debug, Serialize)]
pub struct Reproduction {
    /// Figure 1 and 2 in both regimes.
    pub panels: Vec<Panel>,
    /// Statements of the paper, measured.
    pub claims: Vec<claim::Row>,
    /// The page.
    pub page: PathBuf,
    /// Runs in all.
    pub runs: usize,
    /// Errors of runs that failed.
    pub failures: Vec<String>,
    /// Seconds of this call.
    pub seconds: f64,
}

/// Grid sizes.
struct Tier {
    heads: &'static [usize],
    depths: &'static [usize],
    seeds: u64,
    sets: &'static [(&'static str, &'static str)],
}

const FULL: Tier = Tier { heads: &[1, 2, 4, 8, 16, 32], depths: &[2, 4, 8, 12, 16, 20], seeds: 5, sets: &[] };
const QUICK: Tier = Tier {
    heads: &[1, 4, 16],
    depths: &[2, 6, 12],
    seeds: 2,
    sets: &[("dynamics.epochs", "12.0"), ("dynamics.until", "40.0"), ("data.train", "128")],
};

fn base(text: &str, name: &str, tier: &Tier) -> Result<Config, Error> {
    let sets: Vec<String> = tier.sets.iter().map(|(k, v)| format!("{k}={v}")).collect();
    Config::parse(text, name, &sets)
}

/// Cells of one panel: the base config with heads (and neurons in mean-field scaling) or depth varied.
fn cells(base: &Config, varied: &str, tier: &Tier) -> Vec<Cell> {
    let values = if varied == "heads" { tier.heads } else { tier.depths };
    let mut cells = vec![];
    for &value in values {
        for seed in 0..tier.seeds {
            let mut config = Config { seed: base.seed + seed, ..base.clone() };
            let (heads, depth) =
                if varied == "heads" { (value, DEPTH_OF_FIGURE_1) } else { (HEADS_OF_FIGURE_2, value) };
            config.model.heads = heads;
            config.model.depth = depth;
            if config.model.parametrisation == mckean_model::Parametrisation::MeanField {
                config.model.neurons = heads;
            }
            cells.push(Cell { values: vec![(varied.to_string(), value.into())], config });
        }
    }
    cells
}

/// Runs everything that has not run yet and writes the page.
///
/// # Errors
/// Output that cannot be written; failed runs are listed instead.
pub fn gao2024(
    quick: bool,
    out: &Path,
    jobs: usize,
    command: &str,
    stop: &Arc<AtomicBool>,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Reproduction, Error> {
    let begun = std::time::Instant::now();
    let tier = if quick { QUICK } else { FULL };
    let regimes =
        [("practical", base(PRACTICAL, "practical", &tier)?), ("mean_field", base(MEAN_FIELD, "mean_field", &tier)?)];
    let plan: Vec<(&'static str, &'static str, Config, Vec<Cell>)> = regimes
        .into_iter()
        .flat_map(|(name, config)| ["heads", "depth"].map(|v| (name, v, config.clone(), cells(&config, v, &tier))))
        .collect();
    let mut configs: Vec<Config> = plan.iter().flat_map(|p| p.3.iter().map(|c| c.config.clone())).collect();
    configs.sort_by_key(|c| std::cmp::Reverse(c.model.heads * c.model.depth)); // long runs first: cores end together
    configs.dedup();
    let (total, counter) = (configs.len(), std::sync::atomic::AtomicUsize::new(0));
    let done = |_: usize, _: &Result<_, Error>| {
        progress(1 + counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed), total)
    };
    let results = sweep::run_all(&configs, out, jobs, command, stop, &done);
    let mut failures: Vec<String> = results.iter().filter_map(|r| r.as_ref().err().map(Error::to_string)).collect();
    failures.dedup();
    let mut panels = vec![];
    for (regime, varied, config, cells) in plan {
        let found =
            |c: &Cell| configs.iter().position(|x| *x == c.config).and_then(|i| results[i].as_ref().ok()).cloned();
        let kept: Vec<(Cell, _)> = cells.into_iter().filter_map(|c| found(&c).map(|s| (c, Ok(s)))).collect();
        let (cells, summaries): (Vec<Cell>, Vec<_>) = kept.into_iter().unzip();
        let groups = sweep_report::group(&cells, summaries);
        let gaps = gaps(&groups)?;
        panels.push(Panel { regime, varied, groups, gaps, config });
    }
    let runs = total - failures.len();
    let page = out.join("report.html");
    let par = Par::new(jobs);
    let claims =
        claim::find("gao2024")?.iter().map(|c| c.verify(claim::Tier::Quick, &par)).collect::<Result<Vec<_>, _>>()?;
    let mut all = Reproduction { panels, claims, page, runs, failures, seconds: 0.0 };
    all.seconds = begun.elapsed().as_secs_f64();
    atomic_write(&all.page, write(&all, quick, command)?.html().as_bytes())?;
    Ok(all)
}

/// Mean over training of |mean risk - mean risk of the last group| / initial mean risk.
fn gaps(groups: &[Group]) -> Result<Vec<f64>, Error> {
    let curve = |g: &Group| g.tables().map(|t| Curve::over(&t, "risk"));
    let curves = groups.iter().map(curve).collect::<Result<Vec<_>, _>>()?;
    let Some(last) = curves.last() else { return Ok(vec![]) };
    let gap =
        |c: &Curve| c.mean.iter().zip(&last.mean).map(|(a, b)| (a - b).abs()).sum::<f64>() / last.mean.len() as f64;
    Ok(curves.iter().map(|c| gap(c) / last.mean.first().copied().unwrap_or(f64::NAN)).collect())
}

impl Panel {
    /// Header and rows: value, final risk and accuracy with their range over seeds, gap to the last curve.
    pub fn table(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let last = self.groups.last().map_or(String::new(), |g| g.label.clone());
        let header =
            vec![self.varied.to_string(), "final risk".into(), "training accuracy".into(), format!("gap to {last}")];
        let row = |(g, gap): (&Group, &f64)| {
            let risk = g
                .statistic(|s| Some(s.risk))
                .map_or("-".into(), |(m, l, h)| format!("{} [{}, {}]", short(m), short(l), short(h)));
            let percent = |x: f64| format!("{:.1}", 100.0 * x);
            let rate = g
                .statistic(|s| s.accuracy)
                .map_or("-".into(), |(m, l, h)| format!("{} % [{}, {}]", percent(m), percent(l), percent(h)));
            let value = g.values.first().map_or(String::new(), |(_, v)| v.to_string());
            vec![value, risk, rate, format!("{} %", percent(*gap))]
        };
        (header, self.groups.iter().zip(&self.gaps).map(row).collect())
    }

    /// Title in words.
    pub fn title(&self) -> String {
        let how = if self.regime == "practical" { "as the paper trains" } else { "mean-field scaling" };
        match self.varied {
            "heads" => format!("Figure 1 ({how}): heads at depth {DEPTH_OF_FIGURE_1}"),
            _ => format!("Figure 2 ({how}): depth at {HEADS_OF_FIGURE_2} heads"),
        }
    }

    fn figures(&self) -> Result<Vec<Figure>, Error> {
        let id = |what: &str| format!("{}-{}-{what}", self.regime, self.varied);
        Ok(vec![
            figure(&id("risk"), "Training loss", &self.config, &self.groups, "risk", true)?,
            figure(&id("accuracy"), "Training accuracy", &self.config, &self.groups, "accuracy", false)?,
        ])
    }

    /// Largest gap of the two curves before the last one: at most a factor of four narrower (or shallower).
    pub fn collapse(&self) -> f64 {
        let n = self.gaps.len();
        self.gaps[n.saturating_sub(3).min(n)..].iter().copied().fold(0.0, f64::max)
    }
}

fn write(r: &Reproduction, quick: bool, command: &str) -> Result<Page, Error> {
    let mut sections = vec![Section::new("What is compared", vec![Block::Text(ABOUT.into())])];
    for p in &r.panels {
        let (header, rows) = p.table();
        let caption = "End of training: mean [range over seeds]; gap: mean distance over training of the loss curve from the last one, relative to the initial loss.".into();
        let table = Block::Table { caption, header, rows: rows.into_iter().map(Row::new).collect() };
        sections.push(Section::new(p.title(), vec![Block::Figures(p.figures()?), table]));
    }
    sections.push(claim::section(&r.claims));
    if !r.failures.is_empty() {
        sections.push(Section::new("Failed runs", vec![Block::List(r.failures.clone())]));
    }
    let configs = r.panels.iter().filter(|p| p.varied == "heads").map(|p| Block::Code(p.config.resolved()));
    sections.push(Section::new("Configs", std::iter::once(Block::Code(command.into())).chain(configs).collect()));
    let mut keys: Vec<String> = vec![];
    for p in &r.panels {
        let own = crate::cite::for_run(&p.config.data.name, &p.config.model, &p.config.dynamics);
        own.into_iter()
            .filter(|k| !keys.iter().any(|x| x == k))
            .map(String::from)
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|k| keys.push(k));
    }
    sections.push(references(&keys));
    let tier = if quick { "quick tier" } else { "full tier" };
    let seeds = r.panels.iter().flat_map(|p| &p.groups).map(|g| g.runs.len()).max().unwrap_or(0);
    let gap = |p: &Panel| {
        Headline::new(
            format!("{}, {}: gap of the three largest", p.regime, p.varied),
            format!("{:.1} %", 100.0 * p.collapse()),
        )
    };
    let runs = Headline::new("runs", r.runs.to_string());
    let claims = Headline::new("claims that hold", claim::holding(&r.claims));
    let headline = [runs, claims].into_iter().chain(r.panels.iter().map(gap)).collect();
    Ok(Page {
        title: "Gao et al. 2024, Figures 1 and 2 in miniature".into(),
        subtitle: format!("UCI digits, {tier}, {seeds} seeds a curve"),
        headline,
        sections,
    })
}

const ABOUT: &str = "The paper trains Vision Transformers on CIFAR-10 images cut into four patches, with Adam, a cosine schedule, GELU \
and dropout, and shows training loss and accuracy for more heads (its Figure 1, depth 6) and more blocks (its Figure 2, 8 heads). Here the same is \
done on the embedded 8 x 8 digits, four 4 x 4 patches, several seeds. The paper prints neither its embedding width, nor its seeds, nor the values of its \
curves, so shapes are compared, not numbers. The second half trains the model of the theorems (averages over heads and neurons, residual step 1/(2L), \
weight decay, gradient flow): there the risk curves of wide or deep networks should collapse onto that of the infinite network.";
