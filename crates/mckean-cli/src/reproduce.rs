//! `mckean reproduce`: a founding paper's figures in miniature.
//!
//! Maths: none.
//! Shapes: none.
//! Cost: about three minutes on two cores; --quick about 20 seconds.
//! Checked: `tests/cli.rs`.

use crate::output::{Outcome, Shell, bad, command, stop_flag, table};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments.
#[derive(clap::Args)]
pub struct Args {
    /// Paper: gao2024.
    paper: String,
    /// Fewer widths, depths, seeds and epochs.
    #[arg(long)]
    quick: bool,
    /// Folder that receives the reproduction.
    #[arg(long, default_value = "runs")]
    out: PathBuf,
}

/// Reproduces.
pub fn run(args: &Args, shell: &Shell) -> Outcome {
    if args.paper != "gao2024" {
        return Err(format!("\"{}\" is not a paper that can be reproduced. Known: gao2024", args.paper));
    }
    let out = args.out.join(if args.quick { "gao2024-quick" } else { "gao2024" });
    let bar = shell.bar(0);
    let progress = |done: usize, total: usize| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let r =
        mckean::reproduce::gao2024(args.quick, &out, shell.jobs(), &command(), &stop_flag(), &progress).map_err(bad)?;
    bar.finish_and_clear();
    shell.print(&r, || {
        for p in &r.panels {
            println!("{}", p.title());
            let (header, rows) = p.table();
            table(&header, &rows);
            println!();
        }
        for p in &r.panels {
            println!(
                "{:10} {:5}  loss curves of the three largest differ by at most {:.1} % of the initial loss (mean over training)",
                p.regime,
                p.varied,
                100.0 * p.collapse()
            );
        }
        println!();
        let (header, rows) = mckean::claim::table(&r.claims);
        table(&header, &rows);
        println!("{} claims hold", mckean::claim::holding(&r.claims));
        r.failures.iter().take(3).for_each(|f| println!("failed: {f}"));
        println!("report: {}", r.page.display());
        println!("{} runs in {:.0} s", r.runs, r.seconds);
    });
    Ok(if r.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
