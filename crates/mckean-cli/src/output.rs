//! What every verb shares: threads, JSON or text, tables, progress bars.
//!
//! Maths: none.
//! Shapes: none.
//! Cost: none.
//! Checked: `tests/cli.rs`.

use indicatif::{ProgressBar, ProgressStyle};
use mckean_num::par::Par;
use serde::Serialize;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How a verb ends: exit status, or bad input as one paragraph.
pub type Outcome = Result<ExitCode, String>;

/// Global options.
pub struct Shell {
    /// As given; 0 means one per core.
    pub threads: usize,
    /// JSON instead of text.
    pub json: bool,
}

impl Shell {
    /// The pool.
    pub fn par(&self) -> Par {
        Par::new(self.threads)
    }

    /// Number of threads of the pool.
    pub fn jobs(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        if self.threads == 0 { cores } else { self.threads }
    }

    /// Prints `value` as JSON, or calls `text`.
    pub fn print(&self, value: &impl Serialize, text: impl FnOnce()) {
        if self.json {
            println!("{}", serde_json::to_string(value).unwrap_or_else(|e| format!("{{\"error\":\"{e}\"}}")));
        } else {
            text();
        }
    }

    /// A progress bar with rate and remaining time on standard error (hidden for JSON and pipes).
    pub fn bar(&self, steps: u64) -> ProgressBar {
        if self.json {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(steps);
        let style = "{bar:30} {percent:>3} %  {elapsed} elapsed, {eta} left, {per_sec}  {msg}";
        bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar
    }
}

/// A flag that Ctrl-C (or a termination signal) raises: runs then stop at their next observation, limits after the
/// flows that are under way; a second one ends at once.
pub fn stop_flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = flag.clone();
    let handler = move || {
        if raised.swap(true, Ordering::Relaxed) {
            std::process::exit(1);
        }
        eprintln!("stopping at the next observation or flow; once more ends at once");
    };
    let _ = ctrlc::set_handler(handler); // without a handler, the signal just ends the program
    flag
}

/// The command line, for manifests.
pub fn command() -> String {
    std::env::args().collect::<Vec<_>>().join(" ")
}

/// Writes to standard output; ends the program when nobody reads it (quietly) or it is full (status 1).
pub fn write(text: std::fmt::Arguments<'_>) {
    let Err(e) = std::io::stdout().lock().write_fmt(text) else { return };
    if e.kind() == std::io::ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    eprintln!("error: standard output cannot be written: {e}");
    std::process::exit(1);
}

/// Any displayable error as bad input.
pub fn bad(e: impl std::fmt::Display) -> String {
    e.to_string()
}

/// Prints columns aligned to their widest cell.
pub fn table(header: &[String], rows: &[Vec<String>]) {
    let width = |c: usize| {
        rows.iter().chain([&header.to_vec()]).map(|r| r.get(c).map_or(0, |x| x.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |row: &[String]| {
        let cells = row.iter().zip(&widths).map(|(x, w)| format!("{x}{}", " ".repeat(w - x.chars().count())));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_string()
    };
    println!("{}", line(header));
    println!("{}", widths.iter().map(|w| "-".repeat(*w)).collect::<Vec<_>>().join("  "));
    rows.iter().for_each(|r| println!("{}", line(r)));
}
