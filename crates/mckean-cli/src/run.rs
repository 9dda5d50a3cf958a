//! `mckean run`: train once.
//!
//! Maths: none.
//! Shapes: none.
//! Cost: that of the library call.
//! Checked: `tests/cli.rs`.

use crate::output::{Outcome, Shell, bad, command, stop_flag};
use mckean::experiment::{Options, Summary};
use mckean::report::short;
use mckean::{Config, Progress};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments.
#[derive(clap::Args)]
pub struct Args {
    /// Config file.
    config: PathBuf,
    /// Override a key: --set model.heads=64.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Continue an unfinished run of this config.
    #[arg(long)]
    resume: bool,
    /// Folder that receives the run directory.
    #[arg(long, default_value = "runs")]
    out: PathBuf,
}

/// Runs.
pub fn run(args: &Args, shell: &Shell) -> Outcome {
    let config = Config::load(&args.config, &args.sets).map_err(bad)?;
    let source = Config::source(&args.config, &args.sets);
    let cells = mckean::sweep::cells(&config).map_err(bad)?.len();
    let config = config.without_sweep();
    let (out, resume, stop) = (args.out.clone(), args.resume, stop_flag());
    let options = Options { out, resume, command: command(), source, no_page: false, stop };
    let bar = shell.bar(1000);
    let mut progress = |p: &Progress| {
        bar.set_position((1000.0 * p.tau / p.end) as u64);
        let accuracy =
            if p.accuracy.is_nan() { String::new() } else { format!(", accuracy {:.2} %", 100.0 * p.accuracy) };
        bar.set_message(format!("risk {}{accuracy}", short(p.risk)));
    };
    let summary = mckean::run(&config, &shell.par(), &options, &mut progress).map_err(bad)?;
    bar.finish_and_clear();
    shell.print(&summary, || {
        if cells > 1 {
            println!("note: [sweep] asks for {cells} runs (`mckean sweep`); this is the one run of the other sections");
        }
        text(&summary);
    });
    Ok(if summary.outcome == "finished" { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn text(s: &Summary) {
    if s.already_finished {
        println!("already finished; nothing was run");
    }
    for w in s.warnings.iter().take(3) {
        println!("warning: {w}");
    }
    if s.warnings.len() > 3 {
        println!("warning: and {} more, listed in manifest.json", s.warnings.len() - 3);
    }
    if s.outcome != "finished" {
        println!("{}", s.advice);
    }
    println!("report: {}", s.dir.join("report.html").display());
    let percent = |name: &str, x: Option<f64>| x.map_or(String::new(), |x| format!(", {name} {:.2} %", 100.0 * x));
    println!(
        "{} at {}: risk {} -> {}{}{} in {:.1} s",
        s.outcome.replace('_', " "),
        short(s.tau),
        short(s.initial_risk),
        short(s.risk),
        percent("training accuracy", s.accuracy),
        percent("test accuracy", s.test_accuracy),
        s.seconds
    );
}
