//! The command as a child process.
//!
//! Maths: none.
//! Shapes: text in, text out.
//! Cost: a few milliseconds a call.
//! Checked: by the tests that use it.

use std::path::Path;
use std::process::{Command, Output};

/// The command in the folder `at`, on one thread.
pub fn mckean(at: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mckean"));
    command.current_dir(at).args(["--threads", "1"]).args(args);
    command
}

/// Runs the command to its end.
pub fn call(at: &Path, args: &[&str]) -> Output {
    mckean(at, args).output().unwrap()
}

/// Standard output and standard error as text.
pub fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}
