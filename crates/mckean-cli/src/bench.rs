//! `mckean bench`: how fast is it here, and how near to what the machine can do?
//!
//! Maths: none.
//! Shapes: none.
//! Cost: about the seconds asked for.
//! Checked: `tests/bench.rs`.

use crate::number;
use crate::output::{Outcome, Shell, bad};
use clap::ValueEnum;
use mckean::Config;
use mckean::bench::{self, Measured, PRESETS, What};
use std::path::Path;
use std::process::ExitCode;

/// Arguments.
#[derive(clap::Args)]
pub struct Args {
    /// Preset or config file; without one, the list of presets.
    work: Option<String>,
    /// What is timed; by default the preset's own (a step for configs).
    #[arg(long, value_enum)]
    what: Option<Timed>,
    /// Override a key of a config.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Seconds of timing.
    #[arg(long, default_value_t = 4.0, value_parser = number::real, allow_hyphen_values = true)]
    seconds: f64,
}

/// What can be timed.
#[derive(Clone, Copy, ValueEnum)]
enum Timed {
    /// Value and gradient.
    Gradient,
    /// A whole step.
    Step,
    /// A Hessian-vector product.
    Hvp,
}

/// Measures.
pub fn run(args: &Args, shell: &Shell) -> Outcome {
    let Some(name) = &args.work else {
        PRESETS.iter().for_each(|(name, _, what)| println!("{name:20} {what}"));
        return Ok(ExitCode::SUCCESS);
    };
    if !(args.seconds.is_finite() && args.seconds >= 0.0) {
        return Err(format!("--seconds {}: a finite number >= 0 is needed", args.seconds));
    }
    let file = Path::new(name);
    let (work, usual) = if file.exists() || name.ends_with(".toml") {
        let config = Config::load(file, &args.sets).map_err(bad)?;
        (bench::of_config(&config.without_sweep()).map_err(bad)?, What::Step)
    } else if args.sets.is_empty() {
        bench::find(name).map_err(bad)?
    } else {
        return Err("--set changes configs; a preset has fixed sizes".into());
    };
    let what = match args.what {
        None => usual,
        Some(Timed::Gradient) => What::Gradient,
        Some(Timed::Step) => What::Step,
        Some(Timed::Hvp) => What::Hvp,
    };
    let measured = bench::measure(&work, what, args.seconds, &shell.par()).map_err(bad)?;
    shell.print(&measured, || text(&measured));
    Ok(ExitCode::SUCCESS)
}

/// Others used more than this share of the machine: times are noisy.
const NOISY: f64 = 0.06;

fn text(m: &Measured) {
    println!("machine     {} ({}, {} threads)", m.cpu, m.isa, m.threads);
    println!(
        "            {:.1} GFLOP/s {} in registers, {:.1} GB/s memory",
        m.peak_gflops, m.precision, m.bandwidth_gb_s
    );
    println!("work        {} parameters, {} samples, {:.3} model GFLOP", m.parameters, m.samples, m.model_gflop);
    let optimiser = m.optimiser_ms.map_or(String::new(), |x| format!(", optimiser {x:.2} ms"));
    println!("phases      forward {:.2} ms, backward {:.2} ms{optimiser}", m.forward_ms, m.backward_ms);
    println!("speed       {:.2} GFLOP/s, {:.1} % of the peak", m.gflops, 100.0 * m.peak_share);
    if let Some(ratio) = m.hvp_ratio {
        println!("ratio       {ratio:.2} times a gradient");
    }
    if let Some(rss) = m.peak_rss_mb {
        println!("memory      {rss:.0} MB at most");
    }
    if let Some(share) = m.others_busy.filter(|s| *s > NOISY) {
        println!("warning     other processes used {:.0} % of the machine: times are noisy", 100.0 * share);
    }
    println!(
        "{} {}: {:.2} ms [{:.2}, {:.2}], {} repetitions",
        m.name,
        format!("{:?}", m.what).to_lowercase(),
        m.median_ms,
        m.low_ms,
        m.high_ms,
        m.repetitions
    );
}
