//! What the operating system says of this process and of the others.
//!
//! Maths: none.
//! Shapes: none.
//! Cost: a few file reads; nothing is known outside Linux.
//! Checked: tests below.

/// Largest resident memory of this process so far, in MB.
pub fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<f64>().ok().map(|kb| kb * 1024e-6)
}

/// Seconds of processor time of this process so far.
pub fn own_seconds() -> Option<f64> {
    read().map(|[.., own]| own / TICKS)
}

/// Ticks a second, the same on every Linux that programs see.
const TICKS: f64 = 100.0;

/// Processor time so far in clock ticks: of the whole machine busy and in all, and of this process.
pub struct Busy {
    ticks: Option<[f64; 3]>,
}

impl Busy {
    /// Reads the counters.
    pub fn now() -> Busy {
        Busy { ticks: read() }
    }

    /// Share of the machine's processor time since then that other processes used.
    pub fn share_of_others(&self) -> Option<f64> {
        let (before, now) = (self.ticks?, read()?);
        let [busy, all, own] = std::array::from_fn(|i| now[i] - before[i]);
        (all > 0.0).then(|| ((busy - own) / all).max(0.0))
    }
}

fn read() -> Option<[f64; 3]> {
    let numbers = |text: &str| text.split_whitespace().filter_map(|x| x.parse::<f64>().ok()).collect::<Vec<_>>();
    let machine = std::fs::read_to_string("/proc/stat").ok()?;
    let machine = numbers(machine.lines().next()?.strip_prefix("cpu")?);
    let idle = machine.get(3)? + machine.get(4)?;
    let all: f64 = machine.iter().take(8).sum();
    let own = std::fs::read_to_string("/proc/self/stat").ok()?;
    let own: Vec<&str> = own.rsplit_once(')')?.1.split_whitespace().collect(); // state is field 3, utime 14, stime 15
    let ticks = |field: usize| own.get(field - 3)?.parse::<f64>().ok();
    Some([all - idle, all, ticks(14)? + ticks(15)?])
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn own_work_is_not_that_of_others() {
        let before = read().unwrap();
        let begun = std::time::Instant::now();
        while begun.elapsed().as_secs_f64() < 0.2 {}
        let after = read().unwrap();
        assert!(after[2] - before[2] >= 5.0 && own_seconds().unwrap() > 0.04, "own ticks {before:?} {after:?}");
        assert!(after[1] > before[1] && peak_rss_mb().unwrap() > 1.0);
    }
}
