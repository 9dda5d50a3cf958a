//! `mckean check`: is a config valid, and what will it cost?
//!
//! Maths: none.
//! Shapes: none.
//! Cost: that of the library call.
//! Checked: `tests/cli.rs`.

use crate::output::{Outcome, Shell, bad};
use mckean::{Config, Problem};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments.
#[derive(clap::Args)]
pub struct Args {
    /// Config file.
    config: PathBuf,
    /// Override a key: --set model.heads=64.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
}

/// Checks.
pub fn run(args: &Args, shell: &Shell) -> Outcome {
    let config = Config::load(&args.config, &args.sets).map_err(bad)?;
    let cells = mckean::sweep::cells(&config).map_err(bad)?;
    let problem = Problem::new(&config).map_err(bad)?;
    let cost = problem.cost(&shell.par()).map_err(bad)?;
    shell.print(&cost, || {
        println!(
            "data        {} training and {} test samples of {} tokens x {}",
            cost.train_samples, cost.test_samples, cost.tokens, cost.dim
        );
        println!("parameters  {} ({:.1} MB)", cost.parameters, cost.parameter_bytes as f64 / 1e6);
        println!(
            "gradient    {:.3} GFLOP, {:.2} ms here ({}, {} threads)",
            cost.gradient_flops / 1e9,
            1e3 * cost.gradient_seconds,
            cost.isa,
            cost.threads
        );
        println!("lanes       {}", cost.lanes);
        println!("run         {:.0} gradients, about {:.1} s", cost.gradients, cost.run_seconds);
        println!(
            "stable      explicit Euler and gradient descent are stable at the start for steps below {:.3}",
            cost.stable_step
        );
        let flow = config.dynamics.kind == mckean::dynamics::config::Kind::Flow;
        if flow && config.dynamics.step > cost.stable_step {
            println!("warning     dynamics.step = {} is longer than that", config.dynamics.step);
        }
        if cells.len() > 1 {
            println!("sweep       {} runs", cells.len());
        }
        println!(
            "ok: {} is valid; it will run in {}",
            args.config.display(),
            mckean::experiment::directory(&config, "runs".as_ref()).display()
        );
    });
    Ok(ExitCode::SUCCESS)
}
