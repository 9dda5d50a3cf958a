//! `mckean sweep`: a grid of runs.
//!
//! Maths: none.
//! Shapes: none.
//! Cost: that of the library call.
//! Checked: `tests/cli.rs`.

use crate::output::{Outcome, Shell, bad, command, table};
use mckean::{Config, sweep, sweep_report};
use std::path::PathBuf;
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
    #[arg(long, default_value_t = 0)]
    jobs: usize,
    /// Folder that receives the sweep's folder.
    #[arg(long, default_value = "runs")]
    out: PathBuf,
}

/// Runs every cell that has not run yet.
pub fn run(args: &Args, shell: &Shell) -> Outcome {
    let config = Config::load(&args.config, &args.sets).map_err(bad)?;
    let cells = sweep::cells(&config).map_err(bad)?;
    let out = args.out.join(format!("{}-sweep-{}", config.name, config.hash()));
    let configs: Vec<Config> = cells.iter().map(|c| c.config.clone()).collect();
    mckean::Problem::new(&configs[0]).map_err(bad)?;
    let bar = shell.bar(cells.len() as u64);
    let jobs = if args.jobs == 0 { shell.jobs() } else { args.jobs };
    let results = sweep::run_all(&configs, &out, jobs, &command(), &|i, _| {
        bar.inc(1);
        bar.set_message(cells[i].label());
    });
    bar.finish_and_clear();
    let groups = sweep_report::group(&cells, results);
    let page = sweep_report::write(&config, &groups, &out, &command()).map_err(bad)?;
    let failures: Vec<&String> = groups.iter().flat_map(|g| &g.failures).collect();
    shell.print(&groups, || {
        let (header, rows) = sweep_report::rows(&groups);
        table(&header, &rows);
        failures.iter().take(3).for_each(|f| println!("failed: {f}"));
        println!("report: {}", page.display());
        println!(
            "{} of {} runs finished; table in {}",
            cells.len() - failures.len(),
            cells.len(),
            out.join("sweep.csv").display()
        );
    });
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
