//! `mckean stationary`: what risk is left when the flow rests, and how does it depend on the weight decay?
//!
//! Maths: none.
//! Shapes: none.
//! Cost: that of the library call.
//! Checked: `tests/stationary.rs`.

use crate::networks;
use crate::number;
use crate::output::{Outcome, Shell, table};
use mckean::stationary::{self, Record};
use mckean::stationary_report;

/// Arguments.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    networks: networks::Args,
    /// Weight decays, each smaller than the one before: --lambdas 1e-2,3e-3,1e-3.
    #[arg(long, value_delimiter = ',', value_parser = number::real, allow_hyphen_values = true)]
    lambdas: Vec<f64>,
    /// Share of Q lost in a time 1/lambda below which a flow rests.
    #[arg(long, value_parser = number::real, allow_hyphen_values = true)]
    residual: Option<f64>,
}

/// Follows what is missing and prints the powers of lambda.
pub fn run(args: &Args, shell: &Shell) -> Outcome {
    let lambdas = (!args.lambdas.is_empty()).then(|| format!("stationary.lambdas={}", number::list(&args.lambdas)));
    let residual = args.residual.map(|x| format!("stationary.residual={}", number::toml(x)));
    let own = lambdas.into_iter().chain(residual).collect();
    let found = args.networks.follow(shell, ("stationary", own), stationary::run);
    networks::tell(found, shell, text, |r| r.ends.len() == r.asked && !r.ends.iter().any(|e| e.is_broken()))
}

fn text(r: &Record, new: u64, seconds: f64) {
    let tables = [stationary_report::ends(r), stationary_report::powers(r), stationary_report::plateau::table(r)];
    for (header, rows) in tables.into_iter().filter(|(_, rows)| !rows.is_empty()) {
        table(&header, &rows);
        println!();
    }
    stationary_report::remarks(r).iter().for_each(|line| println!("{line}"));
    println!("report: {}", r.dir.join("report.html").display());
    let finite = r.found.iter().rev().find_map(|f| Some((f.size, &f.risk.as_ref()?.slope)));
    let law = finite.map_or("not measured yet".into(), |(size, slope)| {
        format!("R ~ lambda^{} ({})", stationary_report::interval(slope), size.words())
    });
    println!("{law}: {} of {} networks, {new} new, in {seconds:.1} s", r.ends.len(), r.asked);
}
