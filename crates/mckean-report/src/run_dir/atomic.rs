//! Replacing a file at once: readers and crashes see the old bytes or the new bytes, never a mixture.
//!
//! Maths: none; temporary name in the same folder, `fsync`, rename, `fsync` of the folder.
//! Shapes: bytes.
//! Cost: two `fsync` calls, a few milliseconds on a disk.
//! Checked: unit tests below (error and panic leave neither a temporary nor a changed target).

use crate::error::{ReportError, Result};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes `bytes` to `path`, replacing what is there in one step.
///
/// # Errors
/// Permission, disk or path failures; then the target is untouched and the temporary file is gone.
pub fn atomic_write(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    atomic_write_with(path.as_ref(), |file| file.write_all(bytes))
}

/// As [`atomic_write`], with the bytes produced piece by piece by `fill`.
pub(crate) fn atomic_write_with(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<()> {
    let temporary = Temporary(temporary_name(path));
    write_synced(&temporary.0, fill)
        .and_then(|()| fs::rename(&temporary.0, path))
        .and_then(|()| sync_folder(folder_of(path)))
        .map_err(|source| ReportError::io("write", path, source))
}

/// Removes the temporary file when it is still there, on every way out (error or panic).
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0); // after the rename there is nothing to remove
    }
}

/// A name next to `path` that no other call of this or another process uses.
fn temporary_name(path: &Path) -> PathBuf {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    folder_of(path).join(format!(".{name}.{}-{call}.tmp", std::process::id()))
}

/// The folder that holds `path`; "." for a bare name.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Fills a new file and waits until its bytes are on the disk.
fn write_synced(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    fill(&mut file)?;
    file.into_inner()?.sync_all()
}

/// Waits until the rename itself is on the disk.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn replaces_the_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        atomic_write(&path, b"long old content").unwrap();
        atomic_write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn an_error_halfway_leaves_the_old_file_and_no_temporary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        atomic_write(&path, b"old").unwrap();
        let full = atomic_write_with(&path, |file| {
            file.write_all(&[7; 100_000])?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(matches!(full, Err(ReportError::DiskFull { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn a_panic_halfway_leaves_the_old_file_and_no_temporary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        atomic_write(&path, b"old").unwrap();
        let broken = std::panic::catch_unwind(|| {
            let _ = atomic_write_with(&path, |_| panic!("observer broke"));
        });
        assert!(broken.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn a_target_that_is_a_folder_is_an_error_without_leftovers() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        assert!(atomic_write(folder.path().join("a"), b"x").is_err());
        assert_eq!(names(folder.path()), ["a"]);
    }
}
