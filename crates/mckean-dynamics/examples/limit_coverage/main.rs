//! Measures the limit solver: how often its error bars cover, how much its particles scatter, how much work it saves.
//!
//! Maths: see the modules.
//! Shapes: tables on standard output.
//! Cost: minutes; every part says how long it took.
//! Checked: it is itself a check, run by `bench/limit.sh`; the numbers are in `docs/limit.md`.

mod coverage;
mod depth;
mod groups;
mod particles;
mod problems;
mod work;

use mckean_num::par::Par;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize, default: u64| args.get(i).and_then(|a| a.parse().ok()).unwrap_or(default);
    let par = Par::new(0);
    match args.first().map(String::as_str) {
        Some("coverage") => coverage::measure(number(1, 100), number(2, 1), &par),
        Some("groups") => groups::measure(number(1, 20), number(2, 1), &par),
        Some("particles") => particles::measure(number(1, 16), &par),
        Some("depth") => depth::measure(&par),
        Some("work") => work::measure(&par),
        _ => {
            eprintln!(
                "limit_coverage coverage [problems] [seed] | groups [problems] [seed] | particles [runs] | depth | work"
            )
        }
    }
}
