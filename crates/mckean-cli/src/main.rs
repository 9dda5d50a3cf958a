//! The `mckean` command: one file a verb, thin shells over the library.
//!
//! Maths: none.
//! Shapes: none.
//! Cost: start-up of a few milliseconds.
//! Checked: `tests/cli.rs`.

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// As the standard one, but a closed pipe ends the program quietly (`mckean data list | head -1`).
macro_rules! println {
    () => { $crate::output::write(format_args!("\n")) };
    ($($text:tt)*) => { $crate::output::write(format_args!("{}\n", format_args!($($text)*))) };
}

/// As [`println`], without the end of the line.
macro_rules! print {
    ($($text:tt)*) => { $crate::output::write(format_args!($($text)*)) };
}

mod bench;
mod certify;
mod check;
mod cite;
mod data;
mod gap;
mod limit;
mod networks;
mod new;
mod number;
mod output;
mod rates;
mod report;
mod reproduce;
mod run;
mod stationary;
mod sweep;
mod verify;

/// A laboratory for the training dynamics of Transformers.
#[derive(Parser)]
#[command(
    name = "mckean",
    version,
    about,
    after_help = "Exit status: 0 done, 1 failed, stopped or a flow that ended early, 2 bad input or a place that cannot be written."
)]
struct Cli {
    /// What to do.
    #[command(subcommand)]
    verb: Verb,
    /// Threads; 0 takes one per core. Results do not depend on it.
    #[arg(long, global = true, default_value_t = 0, value_parser = threads, allow_negative_numbers = true)]
    threads: u16,
    /// Print one JSON object instead of text.
    #[arg(long, global = true)]
    json: bool,
}

/// One verb for each question.
#[derive(Subcommand)]
enum Verb {
    /// Print a commented config to start from.
    New(new::Args),
    /// Validate a config and say what it will cost.
    Check(check::Args),
    /// Train once, into one run directory.
    Run(run::Args),
    /// Run a grid over any config keys, resumable, on all cores.
    Sweep(sweep::Args),
    /// Solve for the mean-field limit, with an error bar.
    Limit(limit::Args),
    /// How far this network is from its limit, what of it is width and what depth, and what larger ones would do.
    Gap(gap::Args),
    /// How fast finite networks approach the limit in width and depth: exponents with intervals, resumable.
    Rates(networks::Args),
    /// The risk left when the flow rests, against the weight decay: exponent with interval, certificates, resumable.
    Stationary(stationary::Args),
    /// Rebuild the HTML report of a run or sweep.
    Report(report::Args),
    /// Check derivatives, orders and identities on this machine.
    Verify(verify::Args),
    /// Which conditions of convergence hold at a run or config, and which rates they predict.
    Certify(certify::Args),
    /// Reproduce a founding paper's figures in miniature.
    Reproduce(reproduce::Args),
    /// Time a preset or config against what this machine can do.
    Bench(bench::Args),
    /// What to cite.
    Cite(cite::Args),
    /// Data sets.
    Data(data::Args),
}

/// Most threads.
const MOST: usize = 1024;

fn threads(text: &str) -> Result<u16, String> {
    match number::whole(text)? {
        n if n <= MOST => Ok(n as u16),
        _ => Err(format!("at most {MOST} are possible")),
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let shell = output::Shell { threads: usize::from(cli.threads), json: cli.json };
    let result = match cli.verb {
        Verb::New(a) => new::run(&a, &shell),
        Verb::Check(a) => check::run(&a, &shell),
        Verb::Run(a) => run::run(&a, &shell),
        Verb::Sweep(a) => sweep::run(&a, &shell),
        Verb::Limit(a) => limit::run(&a, &shell),
        Verb::Gap(a) => gap::run(&a, &shell),
        Verb::Rates(a) => rates::run(&a, &shell),
        Verb::Stationary(a) => stationary::run(&a, &shell),
        Verb::Report(a) => report::run(&a, &shell),
        Verb::Verify(a) => verify::run(&a, &shell),
        Verb::Certify(a) => certify::run(&a, &shell),
        Verb::Reproduce(a) => reproduce::run(&a, &shell),
        Verb::Bench(a) => bench::run(&a, &shell),
        Verb::Cite(a) => cite::run(&a, &shell),
        Verb::Data(a) => data::run(&a, &shell),
    };
    match result {
        Ok(code) => code,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}
