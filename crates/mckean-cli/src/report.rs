//! `mckean report`: rebuild the page of a run or of a sweep.
//!
//! Maths: none.
//! Shapes: none.
//! Cost: that of the library call.
//! Checked: `tests/cli.rs`.

use crate::output::{Outcome, Shell, bad};
use mckean::sweep_report;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments.
#[derive(clap::Args)]
pub struct Args {
    /// Run directory, or folder of a sweep.
    dir: PathBuf,
}

/// Writes the page.
pub fn run(args: &Args, shell: &Shell) -> Outcome {
    if let Some(config) = sweep_report::config_of(&args.dir).map_err(bad)? {
        let (groups, page) = sweep_report::rebuild(&config, &args.dir).map_err(bad)?;
        return Ok(crate::sweep::show(&groups, &page, shell));
    }
    let dir = mckean_report::RunDir::open(&args.dir).map_err(bad)?;
    let page = mckean::report::write_run(&dir).map_err(bad)?;
    shell.print(&page, || println!("report: {}", page.display()));
    Ok(ExitCode::SUCCESS)
}
