//! `mckean certify`: which conditions hold, what rate do they predict, what rate was measured?
//!
//! Maths: none.
//! Shapes: none.
//! Cost: that of the library call.
//! Checked: `tests/certify.rs`.

use crate::output::{Outcome, Shell, bad, table};
use mckean::Config;
use mckean::certify::{self, Certificate, word};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments.
#[derive(clap::Args)]
pub struct Args {
    /// Run directory (the end of a finished run), or config file (its initial state).
    what: PathBuf,
    /// Override a key of a config: --set model.heads=64.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
}

/// Certifies and prints three tables.
pub fn run(args: &Args, shell: &Shell) -> Outcome {
    let found = if args.what.is_dir() {
        if !args.sets.is_empty() {
            return Err("a finished run has its config already; --set is for config files".into());
        }
        certify::of_run(&args.what, &shell.par()).map_err(bad)?
    } else {
        let config = Config::load(&args.what, &args.sets).map_err(bad)?;
        certify::of_config(&config.without_sweep(), &args.what.display().to_string(), &shell.par()).map_err(bad)?
    };
    shell.print(&found, || show(&found, args.what.is_dir()));
    Ok(ExitCode::SUCCESS)
}

/// Number columns in front, explanations last.
fn show(found: &Certificate, is_run: bool) {
    for sheet in found.sheets() {
        println!("{}", sheet.caption);
        let numbers = sheet.header.len() - 1;
        let first = if sheet.header[1] == "asks" { 2 } else { 1 };
        let pick = |cells: &[String], verdict: String| {
            let mut row = vec![verdict, cells[0].clone()];
            row.extend_from_slice(&cells[first..numbers]);
            row.push(cells[numbers].clone());
            row
        };
        let rows: Vec<Vec<String>> = sheet.rows.iter().map(|(c, v)| pick(c, word(*v).into())).collect();
        table(&pick(&sheet.header, String::new()), &rows);
        println!();
    }
    if is_run {
        println!("written: analysis/certify.json and report.html in {}", found.subject);
    }
}
