//! `mckean new`: a commented config.
//!
//! Maths: none.
//! Shapes: none.
//! Cost: that of the library call.
//! Checked: `tests/cli.rs`.

use crate::output::{Outcome, Shell, bad};
use mckean::{keys, templates};
use std::process::ExitCode;

/// Arguments.
#[derive(clap::Args)]
pub struct Args {
    /// Template to print; without one, every key with its default.
    template: Option<String>,
    /// List the templates.
    #[arg(long)]
    list: bool,
    /// Print the page of all keys (docs/config.md).
    #[arg(long)]
    markdown: bool,
}

/// Prints.
pub fn run(args: &Args, _: &Shell) -> Outcome {
    match &args.template {
        _ if args.markdown => print!("{}", keys::markdown()),
        _ if args.list => templates::ALL.iter().for_each(|t| println!("{:20} {}", t.name, t.what)),
        Some(name) => print!("{}", templates::find(name).map_err(bad)?),
        None => print!("{}", keys::template()),
    }
    Ok(ExitCode::SUCCESS)
}
