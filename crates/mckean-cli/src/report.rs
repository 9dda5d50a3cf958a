//! `mckean report`: rebuild the page of a run.
//!
//! Maths: none.
//! Shapes: none.
//! Cost: that of the library call.
//! Checked: `tests/cli.rs`.

use crate::output::{Outcome, Shell, bad};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments.
#[derive(clap::Args)]
pub struct Args {
    /// Run directory.
    dir: PathBuf,
}

/// Writes the page.
pub fn run(args: &Args, shell: &Shell) -> Outcome {
    let dir = mckean_report::RunDir::open(&args.dir).map_err(bad)?;
    let page = mckean::report::write_run(&dir).map_err(bad)?;
    shell.print(&page, || println!("report: {}", page.display()));
    Ok(ExitCode::SUCCESS)
}
