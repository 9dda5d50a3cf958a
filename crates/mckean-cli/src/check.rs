//! `mckean check`: is a config valid, and what will it cost?
//!
//! Maths: none.
//! Shapes: none.
//! Cost: that of the library call.
//! Checked: `tests/cli.rs`.

use crate::output::{Outcome, Shell, bad};
use mckean::experiment::directory;
use mckean::{Config, Problem, sweep};
use mckean_num::par::Par;
use std::path::{Path, PathBuf};
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
    let cells = sweep::cells(&config).map_err(bad)?;
    let flops = sweep::validate(&cells).map_err(bad)?;
    let problem = Problem::new(&cells[0].config).map_err(bad)?;
    let par = if cells.len() > 1 { Par::serial() } else { shell.par() }; // cells of a sweep run on one thread each
    let cost = problem.cost(&par).map_err(bad)?;
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
        if cost.isa == "portable" {
            println!("note        no AVX2 on this processor: plain code is used, several times slower");
        }
        println!("lanes       {}", cost.lanes);
        println!("run         {:.0} gradients, about {:.1} s", cost.gradients, cost.run_seconds);
        println!(
            "stable      explicit Euler and gradient descent are stable at the start for steps below {:.3}",
            cost.stable_step
        );
        if let Some(warning) = cost.warning(&config.dynamics) {
            println!("warning     {warning}");
        }
        let (file, out) = (args.config.display(), Path::new("runs"));
        if cells.len() > 1 {
            let rate = cost.gradient_flops / cost.gradient_seconds;
            let jobs = shell.jobs().min(cells.len());
            println!(
                "sweep       {} runs, {:.1} TFLOP, about {:.0} s on {jobs} threads (above: one run of the first cell)",
                cells.len(),
                1e-12 * flops,
                flops / rate / jobs as f64
            );
            println!("ok: all cells of {file} are valid; they will run in {}", sweep::folder(&config, out).display());
        } else {
            println!("ok: {file} is valid; it will run in {}", directory(&config.without_sweep(), out).display());
        }
    });
    Ok(ExitCode::SUCCESS)
}
