//! `mckean limit`: what do the curves tend to as width and depth go to infinity?
//!
//! Maths: none.
//! Shapes: none.
//! Cost: that of the library call, about the budget at most.
//! Checked: `tests/limit.rs`.

use crate::number;
use crate::output::{Outcome, Shell, bad, command, stop_flag};
use clap::ValueEnum;
use mckean::dynamics::LimitError;
use mckean::limit::{self, Record, STOPPED};
use mckean::limit_report::digits;
use mckean::{Config, Error};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments.
#[derive(clap::Args)]
pub struct Args {
    /// Config file.
    config: PathBuf,
    /// Override a key: --set init.scale=0.4.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Error of the risk relative to max(R, limit.floor), at all times.
    #[arg(long, value_parser = number::real, allow_hyphen_values = true)]
    rtol: Option<f64>,
    /// Time that may be spent, such as 60s, 5m or 90.
    #[arg(long, value_parser = number::seconds, allow_hyphen_values = true)]
    budget: Option<f64>,
    /// Training times: --taus 1,2.5,5.
    #[arg(long, value_delimiter = ',', value_parser = number::real, allow_hyphen_values = true)]
    taus: Vec<f64>,
    /// Where particles come from.
    #[arg(long, value_enum)]
    method: Option<Method>,
    /// Folder that receives the run directory.
    #[arg(long, default_value = "runs")]
    out: PathBuf,
}

/// See `limit.method`.
#[derive(Clone, Copy, ValueEnum)]
enum Method {
    /// Atoms if the law has them, else rqmc.
    Auto,
    /// The atoms of the law, exactly.
    Atoms,
    /// Scrambled quasi-random particles.
    Rqmc,
    /// Finite volumes for the PDE itself: tokens of dimension 1.
    Grid,
}

impl Args {
    /// The overrides of `--set`, then those that options stand for.
    fn sets(&self) -> Vec<String> {
        let mut sets = self.sets.clone();
        sets.extend(self.rtol.map(|x| format!("limit.rtol={}", number::toml(x))));
        sets.extend(self.budget.map(|x| format!("limit.budget={}", number::toml(x))));
        sets.extend((!self.taus.is_empty()).then(|| format!("limit.taus={}", number::list(&self.taus))));
        sets.extend(self.method.map(|m| {
            let name = m.to_possible_value().map_or(String::new(), |v| v.get_name().to_string());
            format!("limit.method=\"{name}\"")
        }));
        sets
    }
}

/// Solves.
pub fn run(args: &Args, shell: &Shell) -> Outcome {
    let sets = args.sets();
    let config = Config::load(&args.config, &sets).map_err(bad)?.without_sweep();
    let source = Config::source(&args.config, &sets);
    let bar = shell.bar(0);
    let mut say = |what: &str| bar.set_message(what.to_string());
    let asked = (&command()[..], &source[..]);
    let found = limit::run(&config, &shell.par(), &args.out, asked, &stop_flag(), &mut say);
    bar.finish_and_clear();
    if let Err(e @ Error::Limit(LimitError::Stopped | LimitError::Budget { .. })) = &found {
        eprintln!("{e}");
        return Ok(ExitCode::from(1));
    }
    let record = found.map_err(bad)?;
    shell.print(&record, || text(&record));
    let whole = record.outcome != STOPPED && record.ended.is_none();
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn text(r: &Record) {
    if r.outcome != "reached" {
        println!("{}", r.advice);
    }
    if let Some(s) = r.predicted {
        println!("the asked tolerance {:.1e} would take about {s:.0} s here", r.rtol);
    }
    if r.strong {
        println!("strong regime: depth errors fall slowly, particles separate quickly");
    }
    if r.found {
        println!("found, not solved again (delete the folder to solve anew)");
    }
    println!("report: {}", r.dir.join("report.html").display());
    let Some(i) = r.risk.value.len().checked_sub(1) else {
        println!("{} at {}: no curve in {:.1} s", r.outcome.replace('_', " "), r.ended.unwrap_or(0.0), r.seconds);
        return;
    };
    let (value, total) = (r.risk.value[i], r.risk.total(i));
    let [particles, bias, depth, time] = [&r.risk.particle, &r.risk.bias, &r.risk.depth, &r.risk.time].map(|x| x[i]);
    println!("error there: particles {particles:.1e}, bias {bias:.1e}, depth {depth:.1e}, time {time:.1e}");
    if let (Some(energy), Some(witness)) = (r.energy, r.witness) {
        println!(
            "witnesses: energy identity to {energy:.1e}, Gauss against Runge-Kutta depth {witness:.1e} (relative)"
        );
    }
    println!(
        "{}: R({}) = {} ± {total:.1e}, largest relative error {:.1e} (asked {:.1e}), {} x {} particles in {:.1} s",
        r.outcome.replace('_', " "),
        r.taus[i],
        digits(value, total),
        r.error.unwrap_or(f64::NAN),
        r.rtol,
        r.particles,
        r.replicates,
        r.seconds
    );
}
