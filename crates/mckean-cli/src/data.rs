//! `mckean data`: which data sets are there?
//!
//! Maths: none.
//! Shapes: none.
//! Cost: that of the library call.
//! Checked: `tests/cli.rs`.

use crate::output::{Outcome, Shell, table};
use std::process::ExitCode;

/// Arguments.
#[derive(clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    verb: Verb,
}

/// Verbs below `data`.
#[derive(clap::Subcommand)]
enum Verb {
    /// List data sets, readers and generated tasks.
    List,
}

/// Lists.
pub fn run(args: &Args, shell: &Shell) -> Outcome {
    let Verb::List = args.verb;
    let catalogue = mckean_data::catalogue();
    let row = |e: &mckean_data::CatalogueEntry| {
        vec![
            e.name.to_string(),
            e.kind.to_string(),
            e.samples.map_or("by file".into(), |(a, b)| format!("{a} + {b}")),
            e.what.to_string(),
            e.citation.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = catalogue.iter().map(row).collect();
    shell.print(&rows, || table(&["name", "kind", "samples", "what", "cite"].map(String::from), &rows));
    Ok(ExitCode::SUCCESS)
}
