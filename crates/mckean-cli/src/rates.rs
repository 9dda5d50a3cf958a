//! `mckean rates`: how fast do finite networks approach the limit in width and depth?
//!
//! Maths: none.
//! Shapes: none.
//! Cost: that of the library call.
//! Checked: `tests/rates.rs`.

use crate::networks;
use crate::output::{Outcome, Shell, table};
use mckean::rates::{self, Exponent, Quantity, Record};
use mckean::rates_report;

/// Computes what is missing and prints the exponents.
pub fn run(args: &networks::Args, shell: &Shell) -> Outcome {
    let found = args.follow(shell, ("rates", vec![]), rates::run);
    networks::tell(found, shell, text, |r| r.there == r.asked && r.ended.is_empty())
}

fn text(r: &Record, new: u64, seconds: f64) {
    let (header, rows) = rates_report::exponents(r);
    table(&header, &rows);
    println!();
    let (header, rows) = rates_report::laws(r);
    table(&header, &rows);
    for (header, rows) in [rates_report::richardson(r), rates_report::clouds(r)].iter().filter(|t| !t.1.is_empty()) {
        println!();
        table(header, rows);
    }
    rates_report::remarks(r).iter().for_each(|line| println!("{line}"));
    println!("report: {}", r.dir.join("report.html").display());
    let output = r.found.iter().find(|f| f.quantity == Quantity::Output);
    let power = |axis: &str, e: &Exponent| match e.measured {
        Some(_) => format!("{axis}^{}", rates_report::interval(e)),
        None => format!("{axis} not measured yet"),
    };
    let law =
        output.map_or("not measured yet".into(), |f| format!("{}, {}", power("M", &f.width), power("L", &f.depth)));
    println!("output gap ~ {law}: {} of {} networks, {new} new, in {seconds:.1} s", r.there, r.asked);
}
