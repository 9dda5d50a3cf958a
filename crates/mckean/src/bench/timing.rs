//! Times of one piece of work, repeated.
//!
//! Maths: quartiles.
//! Shapes: none.
//! Cost: about the seconds asked for, at least three calls.
//! Checked: tests below.

use super::host::own_seconds;
use std::time::Instant;

/// Median and quartiles of wall times.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// Median.
    pub median_ms: f64,
    /// Lower quartile.
    pub low_ms: f64,
    /// Upper quartile.
    pub high_ms: f64,
    /// Processor time of all threads, a call.
    pub cpu_ms: Option<f64>,
    /// Number of times.
    pub repetitions: usize,
}

const MOST: usize = 1000;

/// Calls `f` once to warm up, then for `seconds`, at least twice.
pub fn time(seconds: f64, mut f: impl FnMut()) -> Spread {
    f();
    let (begun, cpu, mut times) = (Instant::now(), own_seconds(), vec![]);
    while times.len() < 2 || (begun.elapsed().as_secs_f64() < seconds && times.len() < MOST) {
        let start = Instant::now();
        f();
        times.push(1e3 * start.elapsed().as_secs_f64());
    }
    let cpu_ms = cpu.zip(own_seconds()).map(|(a, b)| 1e3 * (b - a) / times.len() as f64);
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[(share * (times.len() - 1) as f64).round() as usize];
    Spread { median_ms: at(0.5), low_ms: at(0.25), high_ms: at(0.75), cpu_ms, repetitions: times.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_ordered_and_slow_work_is_repeated_little() {
        let mut calls = 0;
        let s = time(0.0, || {
            calls += 1;
            std::thread::sleep(std::time::Duration::from_millis(2));
        });
        assert_eq!((calls, s.repetitions), (3, 2));
        assert!(2.0 <= s.low_ms && s.low_ms <= s.median_ms && s.median_ms <= s.high_ms);
    }
}
