//! `mckean cite`: what must I cite?
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
    /// Run directory, or folder of a sweep or reproduction; without one, every reference the project uses.
    dir: Option<PathBuf>,
}

/// Prints BibTeX.
pub fn run(args: &Args, shell: &Shell) -> Outcome {
    let text = match &args.dir {
        Some(dir) => {
            let keys = mckean::cite::of_folder(dir).map_err(bad)?;
            mckean::cite::entries(&keys.iter().map(String::as_str).collect::<Vec<_>>()).map_err(bad)?
        }
        None => mckean::cite::all().into_iter().map(|(_, entry)| entry).collect::<Vec<_>>().join("\n\n"),
    };
    shell.print(&text, || println!("{}", text.trim_end()));
    Ok(ExitCode::SUCCESS)
}
