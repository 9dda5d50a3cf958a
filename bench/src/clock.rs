//! Processor time of the calling thread: on a shared machine it is steadier than the wall clock.
//!
//! Maths: none.
//! Shapes: nanoseconds.
//! Cost: one system call.
//! Checked: by eye beside the wall clock, which is printed as well.

use std::sync::OnceLock;
use std::time::Instant;

/// Nanoseconds this thread has run; the wall clock where the system does not tell.
pub fn cpu_ns() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    thread_ns().unwrap_or_else(|| START.get_or_init(Instant::now).elapsed().as_nanos() as f64)
}

#[cfg(target_os = "linux")]
fn thread_ns() -> Option<f64> {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let ok = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut t) } == 0;
    ok.then_some(1e9 * t.tv_sec as f64 + t.tv_nsec as f64)
}

#[cfg(not(target_os = "linux"))]
fn thread_ns() -> Option<f64> {
    None
}

/// The middle one of some times.
pub fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
