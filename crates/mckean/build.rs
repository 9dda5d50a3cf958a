//! Tells the library which commit it was built from, if it was built from a checkout.
//!
//! Maths: none.
//! Shapes: the variable MCKEAN_COMMIT, twelve hexadecimal digits, with "+" when tracked files differ.
//! Cost: two calls of git; rerun after each commit.
//! Checked: `tests/runs.rs` (the manifest names it).

use std::process::Command;

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else { return };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_none_or(|s| !s.is_empty());
    println!("cargo::rustc-env=MCKEAN_COMMIT={commit}{}", if changed { "+" } else { "" });
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|p| std::path::Path::new(p).exists()) {
        println!("cargo::rerun-if-changed={log}");
    }
}
