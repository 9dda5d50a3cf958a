//! `mckean gap`: how far is this network from its limit, and what would a larger one do?
//!
//! Maths: none.
//! Shapes: none.
//! Cost: that of the library call.
//! Checked: `tests/gap.rs`.

use crate::output::{Outcome, Shell, table};
use crate::{networks, number};
use mckean::gap::{self, Record};
use mckean::gap_report;

/// Arguments.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: networks::Common,
    /// Heads and neurons a block, in place of those of the config.
    #[arg(long, value_parser = number::whole, allow_hyphen_values = true)]
    width: Option<usize>,
    /// Blocks, in place of those of the config.
    #[arg(long, value_parser = number::whole, allow_hyphen_values = true)]
    depth: Option<usize>,
}

/// Follows what is missing and prints the gap.
pub fn run(args: &Args, shell: &Shell) -> Outcome {
    let width = args.width.iter().flat_map(|m| ["heads", "neurons"].map(|key| format!("model.{key}={m}")));
    let sizes = width.chain(args.depth.map(|l| format!("model.depth={l}"))).collect();
    let found = args.common.follow(shell, ("gap", sizes), gap::run);
    networks::tell(found, shell, text, |r| r.there == r.asked && r.ended.is_empty())
}

fn text(r: &Record, new: u64, seconds: f64) {
    for (header, rows) in [gap_report::parts(r), gap_report::forecasts(r)].into_iter().filter(|t| !t.1.is_empty()) {
        table(&header, &rows);
        println!();
    }
    gap_report::remarks(r).iter().for_each(|line| println!("{line}"));
    println!("report: {}", r.dir.join("report.html").display());
    let first = r.parts.iter().find_map(|p| Some((p.quantity, p.gap?)));
    let found =
        first.map_or("not measured yet".into(), |(q, gap)| format!("{} gap {}", q.words(), gap_report::three(gap.rms)));
    println!(
        "M = {}, L = {}: {found}; {} of {} networks, {new} new, in {seconds:.1} s",
        r.width, r.depth, r.there, r.asked
    );
}
