//! `mckean verify`: is this build numerically right on this machine? `mckean verify CLAIM`: does a paper's statement hold?
//!
//! Maths: none.
//! Shapes: none.
//! Cost: that of the library call.
//! Checked: `tests/cli.rs`.

use crate::output::{Outcome, Shell, bad, table};
use mckean::claim::{self, Row, Tier, Verdict};
use std::process::ExitCode;

/// Arguments.
#[derive(clap::Args)]
pub struct Args {
    /// A claim: its name, the beginning of several names ("gao2024"), or a .toml file; without one, the checks of this build.
    claim: Option<String>,
    /// More seeds, finer grids: minutes instead of seconds.
    #[arg(long, requires = "claim")]
    full: bool,
    /// List the claims that come with the program.
    #[arg(long, conflicts_with = "claim")]
    list: bool,
}

/// Runs every check, or measures claims, and prints one table.
pub fn run(args: &Args, shell: &Shell) -> Outcome {
    match &args.claim {
        Some(wanted) => claims(wanted, if args.full { Tier::Full } else { Tier::Quick }, shell),
        None if args.list => list(shell),
        None => checks(shell),
    }
}

fn checks(shell: &Shell) -> Outcome {
    let bar = shell.bar(0);
    let checks = mckean::verify::run(&shell.par(), &mut |what| bar.set_message(what.to_string()));
    bar.finish_and_clear();
    let failed = checks.iter().filter(|c| !c.passed).count();
    shell.print(&checks, || {
        let header = ["", "group", "check", "compared", "measured", "limit"].map(String::from);
        let row = |c: &mckean::verify::Check| {
            let mark = if c.passed { "ok" } else { "FAILED" };
            vec![
                mark.into(),
                c.group.into(),
                c.name.clone(),
                c.what.clone(),
                format!("{:.1e}", c.measured),
                format!("{:.0e}", c.limit),
            ]
        };
        table(&header, &checks.iter().map(row).collect::<Vec<_>>());
        println!("{} of {} checks hold on this machine", checks.len() - failed, checks.len());
    });
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn list(shell: &Shell) -> Outcome {
    let all = claim::find("gao2024").map_err(bad)?;
    let names: Vec<&str> = all.iter().map(|c| c.id.as_str()).collect();
    shell.print(&names, || {
        let rows: Vec<_> = all.iter().map(|c| vec![c.id.clone(), c.source.clone(), c.measures.clone()]).collect();
        table(&["claim", "source", "measures"].map(String::from), &rows);
    });
    Ok(ExitCode::SUCCESS)
}

/// A readable .toml file without the keys of a claim is no claim; what else is wrong with a file is told by its reader.
fn refuse_config(wanted: &str) -> Result<(), String> {
    let text = std::fs::read_to_string(wanted).unwrap_or_else(|_| "source = 0".into());
    let has =
        |line: &str, key: &str| line.trim_start().strip_prefix(key).is_some_and(|l| l.trim_start().starts_with('='));
    let claim = ["source", "statement", "kind"].iter().any(|key| text.lines().any(|l| has(l, key)));
    if claim || !wanted.ends_with(".toml") {
        return Ok(());
    }
    Err(format!(
        "{wanted}: not a claim: it says neither source, nor statement, nor kind. `mckean verify` measures statements of papers: \
         `mckean verify --list` names those that come with the program, claims/ in the source has their files. A config is checked by `mckean check {wanted}`."
    ))
}

fn claims(wanted: &str, tier: Tier, shell: &Shell) -> Outcome {
    refuse_config(wanted)?;
    let (claims, par) = (claim::find(wanted).map_err(bad)?, shell.par());
    let bar = shell.bar(claims.len() as u64);
    let mut rows = vec![];
    for c in &claims {
        bar.set_message(c.id.clone());
        rows.push(c.verify(tier, &par).map_err(bad)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    shell.print(&rows, || {
        let (header, body) = claim::table(&rows);
        table(&header, &body);
        for r in rows.iter().filter(|_| rows.len() == 1) {
            println!("{}\n{}: {}", r.statement, r.measures, r.words);
            if !r.note.is_empty() {
                println!("note: {}", r.note);
            }
        }
        println!("{} claims hold", claim::holding(&rows));
    });
    let failed = |r: &Row| r.verdict == Verdict::Fails;
    Ok(if rows.iter().any(failed) { ExitCode::from(1) } else { ExitCode::SUCCESS })
}
