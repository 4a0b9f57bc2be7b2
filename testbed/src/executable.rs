//! A program that a test makes.

use std::io::{Error, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes a script that can be run at once. A process of its own writes it: what this process has open for writing, a
/// child that another thread starts meanwhile has open too, and the system refuses to run such a file ("text file busy").
///
/// # Errors
/// The file cannot be written.
pub fn executable(path: &Path, text: &str) -> Result<(), Error> {
    let mut writer = Command::new("sh")
        .args(["-c", "cat > \"$1\" && chmod 755 \"$1\"", "sh"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = writer.stdin.take() {
        input.write_all(text.as_bytes())?;
    }
    if writer.wait()?.success() { Ok(()) } else { Err(Error::other(format!("{} cannot be written", path.display()))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_although_other_threads_start_programs_all_the_time() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|threads| {
            for thread in 0..4 {
                let dir = dir.path();
                threads.spawn(move || {
                    for n in 0..25 {
                        let program = dir.join(format!("program-{thread}-{n}"));
                        executable(&program, "#!/bin/sh\nexit 7\n").unwrap();
                        assert_eq!(Command::new(&program).status().unwrap().code(), Some(7));
                    }
                });
            }
        });
    }
}
