//! `mckean stationary`: what risk is left when the flow rests, and how does it depend on the weight decay?
//!
//! Maths: none.
//! Shapes: none.
//! Cost: that of the library call.
//! Checked: `tests/stationary.rs`.

use crate::output::{Outcome, Shell, bad, command, stop_flag, table};
use mckean::Config;
use mckean::rates::{Options, Progress};
use mckean::stationary::{self, Record};
use mckean::stationary_report;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// Arguments.
#[derive(clap::Args)]
pub struct Args {
    /// Config file, with a [stationary] section or without.
    config: PathBuf,
    /// Override a key: --set init.scale=0.4.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Weight decays, each smaller than the one before: --lambdas 1e-2,3e-3,1e-3.
    #[arg(long, value_delimiter = ',')]
    lambdas: Vec<f64>,
    /// Widths M: --widths 4,16,64; those of the config without.
    #[arg(long, value_delimiter = ',')]
    widths: Vec<usize>,
    /// Depths L: --depths 2,4,8; that of the config without.
    #[arg(long, value_delimiter = ',')]
    depths: Vec<usize>,
    /// Seeds of each network.
    #[arg(long)]
    seeds: Option<usize>,
    /// Share of Q lost in a time 1/lambda below which a flow rests.
    #[arg(long)]
    residual: Option<f64>,
    /// Time after which flows stop where they are, such as 60s, 5m or 90; the same command goes on.
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
        sets.extend((!self.lambdas.is_empty()).then(|| format!("stationary.lambdas={:?}", self.lambdas)));
        for (key, list) in [("widths", &self.widths), ("depths", &self.depths)] {
            sets.extend((!list.is_empty()).then(|| format!("stationary.{key}={list:?}")));
        }
        sets.extend(self.seeds.map(|n| format!("stationary.seeds={n}")));
        for (key, x) in [("residual", self.residual), ("budget", self.budget)] {
            sets.extend(x.map(|x| format!("stationary.{key}={x:?}")));
        }
        sets
    }
}

/// Follows what is missing and prints the powers of lambda.
pub fn run(args: &Args, shell: &Shell) -> Outcome {
    let (begun, sets) = (Instant::now(), args.sets());
    let config = Config::load(&args.config, &sets).map_err(bad)?;
    let source = Config::source(&args.config, &sets);
    let bar = shell.bar(0);
    let progress = |p: Progress<'_>| match p {
        Progress::Say(what) => bar.set_message(what.to_string()),
        Progress::Begin(n) => bar.set_length(n as u64),
        Progress::Done(what) | Progress::Again(what) => {
            bar.inc(1);
            bar.set_message(what.to_string());
        }
    };
    let jobs = if args.jobs == 0 { shell.jobs() } else { args.jobs };
    let (command, stop) = (command(), stop_flag());
    let options =
        Options { out: &args.out, jobs, command: &command, source: &source, stop: &stop, progress: &progress };
    let record = stationary::run(&config, &options).map_err(bad)?;
    let new = bar.position();
    bar.finish_and_clear();
    shell.print(&record, || text(&record, new, begun.elapsed().as_secs_f64()));
    Ok(if record.ends.len() == record.asked { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn text(r: &Record, new: u64, seconds: f64) {
    for (header, rows) in [stationary_report::ends(r), stationary_report::powers(r)] {
        table(&header, &rows);
        println!();
    }
    stationary_report::remarks(r).iter().for_each(|line| println!("{line}"));
    println!("report: {}", r.dir.join("report.html").display());
    let finite = r.found.iter().rev().find_map(|f| Some((f.size, &f.risk.as_ref()?.slope)));
    let law = finite.map_or("not measured yet".into(), |(size, slope)| {
        format!("R ~ lambda^{} ({})", stationary_report::interval(slope), size.words())
    });
    println!("{law}: {} of {} networks, {new} new, in {seconds:.1} s", r.ends.len(), r.asked);
}
