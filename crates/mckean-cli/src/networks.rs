//! What `gap`, `rates` and `stationary` share: networks that are followed piece by piece, with a progress bar, until they are there or stopped.
//!
//! Maths: none.
//! Shapes: none.
//! Cost: that of the library call.
//! Checked: `tests/gap.rs`, `tests/rates.rs`, `tests/stationary.rs`.

use crate::number;
use crate::output::{Outcome, Shell, bad, command, stop_flag};
use mckean::dynamics::LimitError;
use mckean::rates::{Options, Progress};
use mckean::{Config, Error};
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Arguments of all of them.
#[derive(clap::Args)]
pub struct Common {
    /// Config file, with a section of this command or without.
    config: PathBuf,
    /// Override a key: --set init.scale=0.4.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Seeds of each network.
    #[arg(long, value_parser = number::whole, allow_hyphen_values = true)]
    seeds: Option<usize>,
    /// Time that may be spent, such as 60s, 5m or 90; the same command goes on where it ended.
    #[arg(long, value_parser = number::seconds, allow_hyphen_values = true)]
    budget: Option<f64>,
    /// Networks at a time; 0 takes one per core.
    #[arg(long, default_value_t = 0, value_parser = number::whole, allow_hyphen_values = true)]
    jobs: usize,
    /// Folder that receives the run directories.
    #[arg(long, default_value = "runs")]
    out: PathBuf,
}

/// Arguments of those that have a grid.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: Common,
    /// Widths M: --widths 4,16,64.
    #[arg(long, value_delimiter = ',', value_parser = number::whole, allow_hyphen_values = true)]
    widths: Vec<usize>,
    /// Depths L: --depths 2,4,8.
    #[arg(long, value_delimiter = ',', value_parser = number::whole, allow_hyphen_values = true)]
    depths: Vec<usize>,
}

impl Args {
    /// As [`Common::follow`], with the grid.
    pub fn follow<R>(
        &self,
        shell: &Shell,
        (section, own): (&str, Vec<String>),
        run: impl FnOnce(&Config, &Options<'_>) -> Result<R, Error>,
    ) -> Result<(R, u64, f64), Error> {
        let mut sets = vec![];
        for (key, list) in [("widths", &self.widths), ("depths", &self.depths)] {
            sets.extend((!list.is_empty()).then(|| format!("{section}.{key}={list:?}")));
        }
        self.common.follow(shell, (section, [sets, own].concat()), run)
    }
}

impl Common {
    /// The overrides of `--set`, then those that options stand for, in the section of the command.
    fn sets(&self, section: &str, own: Vec<String>) -> Vec<String> {
        let mut sets = self.sets.clone();
        sets.extend(self.seeds.map(|n| format!("{section}.seeds={n}")));
        sets.extend(self.budget.map(|x| format!("{section}.budget={}", number::toml(x))));
        sets.extend(own);
        sets
    }

    /// Follows what is missing by `run`; what it returns, how many networks were new, and the seconds.
    pub fn follow<R>(
        &self,
        shell: &Shell,
        (section, own): (&str, Vec<String>),
        run: impl FnOnce(&Config, &Options<'_>) -> Result<R, Error>,
    ) -> Result<(R, u64, f64), Error> {
        let (begun, sets) = (Instant::now(), self.sets(section, own));
        let config = Config::load(&self.config, &sets)?;
        let source = Config::source(&self.config, &sets);
        let (bar, new) = (shell.bar(0), AtomicU64::new(0));
        let progress = |p: Progress<'_>| match p {
            Progress::Say(what) => bar.set_message(what.to_string()),
            Progress::Begin(n) => bar.set_length(n as u64),
            Progress::Done(what) | Progress::Again(what) => {
                bar.inc(1);
                bar.set_message(what.to_string());
                new.fetch_add(u64::from(matches!(p, Progress::Done(_))), Ordering::Relaxed);
            }
        };
        let jobs = if self.jobs == 0 { shell.jobs() } else { self.jobs };
        let (command, stop) = (command(), stop_flag());
        let options =
            Options { out: &self.out, jobs, command: &command, source: &source, stop: &stop, progress: &progress };
        let record = run(&config, &options);
        bar.finish_and_clear();
        let record = record?;
        Ok((record, new.load(Ordering::Relaxed), begun.elapsed().as_secs_f64()))
    }
}

/// Prints what was found by `text`; status 1 unless it is whole, and with the reason where the limit ends early, is stopped or takes too long.
pub fn tell<R: Serialize>(
    found: Result<(R, u64, f64), Error>,
    shell: &Shell,
    text: fn(&R, u64, f64),
    whole: fn(&R) -> bool,
) -> Outcome {
    match found {
        Ok((record, new, seconds)) => {
            shell.print(&record, || text(&record, new, seconds));
            Ok(if whole(&record) { ExitCode::SUCCESS } else { ExitCode::from(1) })
        }
        Err(e @ (Error::LimitEnded { .. } | Error::Limit(LimitError::Stopped | LimitError::Budget { .. }))) => {
            eprintln!("{e}");
            Ok(ExitCode::from(1))
        }
        Err(e) => Err(bad(e)),
    }
}
