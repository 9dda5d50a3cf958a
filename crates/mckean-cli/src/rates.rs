//! `mckean rates`: how fast do finite networks approach the limit in width and depth?
//!
//! Maths: none.
//! Shapes: none.
//! Cost: that of the library call.
//! Checked: `tests/rates.rs`.

use crate::output::{Outcome, Shell, bad, command, stop_flag, table};
use mckean::Config;
use mckean::rates::{self, Options, Progress, Quantity, Record};
use mckean::rates_report;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Arguments.
#[derive(clap::Args)]
pub struct Args {
    /// Config file, with a [rates] section or without.
    config: PathBuf,
    /// Override a key: --set init.scale=0.4.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Widths M: --widths 64,1024,16384.
    #[arg(long, value_delimiter = ',')]
    widths: Vec<usize>,
    /// Depths L: --depths 16,32,64.
    #[arg(long, value_delimiter = ',')]
    depths: Vec<usize>,
    /// Seeds of each width and depth.
    #[arg(long)]
    seeds: Option<usize>,
    /// Time after which no further network is begun, such as 60s, 5m or 90.
    #[arg(long, value_parser = crate::limit::seconds)]
    budget: Option<f64>,
    /// Networks at a time; 0 takes one per core.
    #[arg(long, default_value_t = 0)]
    jobs: usize,
    /// Folder that receives the run directories.
    #[arg(long, default_value = "runs")]
    out: PathBuf,
}

impl Args {
    /// The overrides of `--set`, then those that options stand for.
    fn sets(&self) -> Vec<String> {
        let mut sets = self.sets.clone();
        for (key, list) in [("widths", &self.widths), ("depths", &self.depths)] {
            sets.extend((!list.is_empty()).then(|| format!("rates.{key}={list:?}")));
        }
        sets.extend(self.seeds.map(|n| format!("rates.seeds={n}")));
        sets.extend(self.budget.map(|x| format!("rates.budget={x:?}")));
        sets
    }
}

/// Computes what is missing and prints the exponents.
pub fn run(args: &Args, shell: &Shell) -> Outcome {
    let (begun, sets) = (Instant::now(), args.sets());
    let config = Config::load(&args.config, &sets).map_err(bad)?;
    let source = Config::source(&args.config, &sets);
    let bar = shell.bar(0);
    let new = AtomicU64::new(0);
    let progress = |p: Progress<'_>| match p {
        Progress::Say(what) => bar.set_message(what.to_string()),
        Progress::Begin(n) => bar.set_length(n as u64),
        Progress::Done(what) | Progress::Again(what) => {
            bar.inc(1);
            bar.set_message(what.to_string());
            new.fetch_add(u64::from(matches!(p, Progress::Done(_))), Ordering::Relaxed);
        }
    };
    let jobs = if args.jobs == 0 { shell.jobs() } else { args.jobs };
    let (command, stop) = (command(), stop_flag());
    let options =
        Options { out: &args.out, jobs, command: &command, source: &source, stop: &stop, progress: &progress };
    let record = rates::run(&config, &options).map_err(bad)?;
    bar.finish_and_clear();
    shell.print(&record, || text(&record, new.into_inner(), begun.elapsed().as_secs_f64()));
    Ok(if record.there == record.asked { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn text(r: &Record, new: u64, seconds: f64) {
    let (header, rows) = rates_report::exponents(r);
    table(&header, &rows);
    println!();
    let (header, rows) = rates_report::laws(r);
    table(&header, &rows);
    if !r.profiles.is_empty() {
        println!();
        let (header, rows) = rates_report::clouds(r);
        table(&header, &rows);
    }
    rates_report::remarks(r).iter().for_each(|line| println!("{line}"));
    println!("report: {}", r.dir.join("report.html").display());
    let output = r.found.iter().find(|f| f.quantity == Quantity::Output);
    let either = output.filter(|f| f.width.measured.is_some() || f.depth.measured.is_some());
    let law = either.map_or("not measured yet".into(), |f| {
        format!("M^{}, L^{}", rates_report::interval(&f.width), rates_report::interval(&f.depth))
    });
    println!("output gap ~ {law}: {} of {} networks, {new} new, in {seconds:.1} s", r.there, r.asked);
}
