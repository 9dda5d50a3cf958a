//! `mckean verify`: is this build numerically right on this machine?
//!
//! Maths: none.
//! Shapes: none.
//! Cost: that of the library call.
//! Checked: `tests/cli.rs`.

use crate::output::{Outcome, Shell, table};
use std::process::ExitCode;

/// Arguments.
#[derive(clap::Args)]
pub struct Args {}

/// Runs every check and prints one table.
pub fn run(_: &Args, shell: &Shell) -> Outcome {
    let bar = shell.bar(0);
    let checks = mckean::verify::run(&shell.par(), &mut |what| bar.set_message(what.to_string()));
    bar.finish_and_clear();
    let failed = checks.iter().filter(|c| !c.passed).count();
    shell.print(&checks, || {
        let header = ["", "group", "check", "compared", "measured", "limit"].map(String::from);
        let row = |c: &mckean::verify::Check| {
            let mark = if c.passed { "ok" } else { "FAILED" };
            vec![
                mark.into(),
                c.group.into(),
                c.name.clone(),
                c.what.clone(),
                format!("{:.1e}", c.measured),
                format!("{:.0e}", c.limit),
            ]
        };
        table(&header, &checks.iter().map(row).collect::<Vec<_>>());
        println!("{} of {} checks hold on this machine", checks.len() - failed, checks.len());
    });
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
