//! `mckean sweep`: a grid of runs.
//!
//! Maths: none.
//! Shapes: none.
//! Cost: that of the library call.
//! Checked: `tests/cli.rs`.

use crate::number;
use crate::output::{Outcome, Shell, bad, command, stop_flag, table};
use mckean::sweep_report::Group;
use mckean::{Config, sweep, sweep_report};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments.
#[derive(clap::Args)]
pub struct Args {
    /// Config file with a [sweep] section.
    config: PathBuf,
    /// Override a key: --set sweep.seeds=5.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Runs at a time; 0 takes one per core.
    #[arg(long, default_value_t = 0, value_parser = number::whole, allow_hyphen_values = true)]
    jobs: usize,
    /// Folder that receives the sweep's folder.
    #[arg(long, default_value = "runs")]
    out: PathBuf,
}

/// Runs every cell that has not run yet.
pub fn run(args: &Args, shell: &Shell) -> Outcome {
    let config = Config::load(&args.config, &args.sets).map_err(bad)?;
    let cells = sweep::cells(&config).map_err(bad)?;
    sweep::validate(&cells).map_err(bad)?;
    let out = sweep::folder(&config, &args.out);
    let configs: Vec<Config> = cells.iter().map(|c| c.config.clone()).collect();
    let bar = shell.bar(cells.len() as u64);
    let jobs = if args.jobs == 0 { shell.jobs() } else { args.jobs };
    let results = sweep::run_all(&configs, &out, jobs, &command(), &stop_flag(), &|i, _| {
        bar.inc(1);
        bar.set_message(cells[i].label());
    });
    bar.finish_and_clear();
    let groups = sweep_report::group(&cells, results);
    let page = sweep_report::write(&config, &groups, &out, &command()).map_err(bad)?;
    Ok(show(&groups, &page, shell))
}

/// Prints the table of a sweep; fails if any of its runs failed or ended early.
pub fn show(groups: &[Group], page: &Path, shell: &Shell) -> ExitCode {
    let failures: Vec<String> = groups.iter().flat_map(|g| g.failures.clone()).collect();
    let early: Vec<String> = groups.iter().flat_map(Group::early).collect();
    let runs = failures.len() + groups.iter().map(|g| g.runs.len()).sum::<usize>();
    shell.print(&groups, || {
        let (header, rows) = sweep_report::rows(groups);
        table(&header, &rows);
        for (what, lines) in [("failed", &failures), ("ended early", &early)] {
            lines.iter().take(3).for_each(|line| println!("{what}: {line}"));
            if lines.len() > 3 {
                println!("{what}: and {} more, listed in sweep.json", lines.len() - 3);
            }
        }
        println!("report: {}", page.display());
        println!(
            "{} of {runs} runs finished; table in {}",
            runs - failures.len() - early.len(),
            page.with_file_name("sweep.csv").display()
        );
    });
    if failures.is_empty() && early.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
