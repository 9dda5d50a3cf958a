//! One process per run directory: a lock that dies with its holder.
//!
//! Maths: none; an advisory lock of the operating system on the file `.lock`, released by the kernel however the process
//! ends, so `kill -9` never blocks a resume. File systems without such locks fall back on the process id in the file.
//! Shapes: one small text file: "pid host".
//! Cost: microseconds.
//! Checked: `tests/run_dir.rs` (second holder refused, killed holder taken over, stale text ignored).

use crate::error::{ReportError, Result};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// The right to write in one run directory; given back when dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock of the run directory `run`, or says who holds it.
    pub(crate) fn take(run: &Path) -> Result<Lock> {
        let path = run.join(".lock");
        let failed = |source| ReportError::io("lock", &path, source);
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        let holder = Holder::read(&mut file);
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(locked(run, &holder)),
            Err(TryLockError::Error(_)) if holder.may_live() => return Err(locked(run, &holder)),
            Err(TryLockError::Error(_)) => {}
        }
        let lock = Lock { file };
        lock.write(&format!("{} {}\n", std::process::id(), host_name())).map_err(failed)?;
        Ok(lock)
    }

    /// Replaces the text of the lock file, in place: the file must stay the one that is locked.
    fn write(&self, text: &str) -> std::io::Result<()> {
        let mut file = &self.file;
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(text.as_bytes())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.write("");
        let _ = self.file.unlock();
    }
}

/// The process named in a lock file, if any.
struct Holder {
    pid: Option<u32>,
    host: String,
}

impl Holder {
    fn read(file: &mut File) -> Holder {
        let mut text = String::new();
        let _ = file.read_to_string(&mut text);
        let mut words = text.split_whitespace();
        let pid = words.next().and_then(|word| word.parse().ok());
        Holder { pid, host: words.next().unwrap_or("").to_string() }
    }

    /// Whether the process may still be alive: unknown hosts may, processes absent from /proc here do not.
    fn may_live(&self) -> bool {
        match self.pid {
            None => false,
            Some(pid) if self.host == host_name() => Path::new(&format!("/proc/{pid}")).exists(),
            Some(_) => true,
        }
    }
}

fn locked(run: &Path, holder: &Holder) -> ReportError {
    let holder = match holder.pid {
        Some(pid) => format!("pid {pid} on host {}", holder.host),
        None => "its pid is not known yet".to_string(),
    };
    ReportError::Locked { path: run.to_path_buf(), holder }
}

fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.split_whitespace().collect::<String>();
    if name.is_empty() { "localhost".to_string() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_live() {
        let here = |pid| Holder { pid, host: host_name() };
        assert!(here(Some(std::process::id())).may_live());
        assert!(!here(Some(u32::MAX)).may_live());
        assert!(!here(None).may_live());
        assert!(Holder { pid: Some(1), host: "elsewhere.invalid".into() }.may_live());
    }
}
