//! One call of abra: over pipes, or on a terminal for the commands that refuse to work without one.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::environment::{environment, furnish};
use super::group::ProcessGroup;

/// The terminal's width: the widest known line of abra has 146 columns; a box table must not wrap.
const COLUMNS: u16 = 250;

/// Maximum size of a call's output; the rest is dropped.
const OUTPUT_LIMIT: usize = 1024 * 1024;

/// A finished call of abra.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// The arguments.
    pub args: Vec<String>,
    /// Absent if it was killed, by the timeout or by a signal.
    pub exit: Option<i32>,
    /// Whether the timeout killed it.
    pub timed_out: bool,
    /// Its duration.
    pub took: Duration,
    stdout: String,
    output: String,
    secret: bool,
}

/// Omits the output, which may contain secrets.
impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("args", &self.args).field("exit", &self.exit).finish_non_exhaustive()
    }
}

impl Call {
    /// Whether abra succeeded.
    pub fn ok(&self) -> bool {
        self.exit == Some(0)
    }

    /// The whole output without ANSI sequences. May contain secrets: see [`Call::shown`].
    pub fn output(&self) -> &str {
        &self.output
    }

    /// Only standard output (on a terminal both are one).
    pub fn stdout(&self) -> &str {
        &self.stdout
    }

    /// The output for reports.
    pub fn shown(&self) -> &str {
        if self.secret && self.ok() { "(omitted: the output contains secret values)" } else { &self.output }
    }

    pub(super) fn holding_secrets(mut self) -> Self {
        self.secret = true;
        self
    }

    /// A call with the given result, for tests.
    #[cfg(test)]
    pub(super) fn ended(args: &[&str], exit: i32, output: &str) -> Self {
        Self {
            args: args.iter().map(ToString::to_string).collect(),
            exit: Some(exit),
            timed_out: false,
            took: Duration::ZERO,
            stdout: output.to_owned(),
            output: output.to_owned(),
            secret: false,
        }
    }
}

pub(super) async fn over_pipes(program: &Path, dir: &Path, args: &[&str], limit: Duration) -> Result<Call, Failure> {
    let start = Instant::now();
    furnish(dir);
    let mut child = tokio::process::Command::new(program)
        .args(args)
        .env_clear()
        .envs(environment(dir))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| cannot_start(program, &error))?;
    let mut group = ProcessGroup::led_by(child.id());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let read = async {
        let (out, err) = tokio::join!(read_some(stdout), read_some(stderr));
        (out, err, child.wait().await)
    };
    let (out, err, exit, timed_out) = match tokio::time::timeout(limit, read).await {
        Ok((out, err, status)) => (out, err, status.ok().and_then(|s| s.code()), false),
        Err(_) => (Vec::new(), late(limit), None, true),
    };
    group.kill();
    let stdout = clean(&out);
    let output = format!("{}{}", clean(&err), stdout);
    Ok(call(args, exit, timed_out, start, stdout, output))
}

pub(super) async fn on_a_terminal(program: &Path, dir: &Path, args: &[&str], limit: Duration) -> Result<Call, Failure> {
    let start = Instant::now();
    let no_terminal = |error: pty_process::Error| {
        Failure::new(Kind::AbraUnusable, format!("no terminal could be created for abra: {error}"), "check /dev/ptmx")
    };
    let (mut terminal, end) = pty_process::open().map_err(no_terminal)?;
    terminal.resize(pty_process::Size::new(50, COLUMNS)).map_err(no_terminal)?;
    furnish(dir);
    let mut child = pty_process::Command::new(program)
        .args(args)
        .env_clear()
        .envs(environment(dir))
        .env("TERM", "xterm")
        .kill_on_drop(true)
        .spawn(end)
        .map_err(|error| match error {
            pty_process::Error::Io(error) => cannot_start(program, &error),
            other => no_terminal(other),
        })?;
    let mut group = ProcessGroup::led_by(child.id());
    let read = async {
        // The read fails when the last process closes the terminal, which is its end.
        let out = read_some(Some(&mut terminal)).await;
        (out, child.wait().await)
    };
    let (out, exit, timed_out) = match tokio::time::timeout(limit, read).await {
        Ok((out, status)) => (out, status.ok().and_then(|s| s.code()), false),
        Err(_) => (late(limit), None, true),
    };
    group.kill();
    let output = clean(&out);
    Ok(call(args, exit, timed_out, start, output.clone(), output))
}

fn call(args: &[&str], exit: Option<i32>, timed_out: bool, start: Instant, stdout: String, output: String) -> Call {
    let args = args.iter().map(ToString::to_string).collect();
    Call { args, exit, timed_out, took: start.elapsed(), stdout, output, secret: false }
}

fn late(limit: Duration) -> Vec<u8> {
    format!("(ended by cc-ci: no end after {} s)\n", limit.as_secs()).into_bytes()
}

async fn read_some(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut stream) = stream else { return kept };
    let mut buffer = [0_u8; 8192];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let room = OUTPUT_LIMIT.saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..count.min(room)]);
    }
    if kept.len() == OUTPUT_LIMIT {
        kept.extend_from_slice(b"\n(cut by cc-ci: more than 1 MiB)\n");
    }
    kept
}

/// Text without ANSI sequences and carriage returns.
fn clean(bytes: &[u8]) -> String {
    let plain = strip_ansi_escapes::strip(bytes);
    String::from_utf8_lossy(&plain).replace('\r', "")
}

fn cannot_start(program: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Kind::AbraUnusable,
        format!("{} cannot be started: {error}", program.display()),
        "run `cc-ci doctor`; set CCCI_ABRA to an abra program",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abra");
        testbed::executable(&path, &format!("#!/bin/sh\n{text}\n")).unwrap();
        (dir, path)
    }

    #[tokio::test]
    async fn over_pipes_the_streams_stay_apart_and_arguments_are_not_a_shells() {
        let (dir, abra) = script(r#"echo "out $1 $ABRA_DIR"; echo err >&2; exit 3"#);
        let call = over_pipes(&abra, dir.path(), &["$(reboot); x"], Duration::from_secs(20)).await.unwrap();
        assert_eq!(call.stdout(), format!("out $(reboot); x {}\n", dir.path().display()));
        assert_eq!(call.exit, Some(3));
        assert!(call.output().starts_with("err\n"));
    }

    #[tokio::test]
    async fn nothing_of_the_callers_environment_gets_in() {
        // cargo sets these for every test; the program must not see them.
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
        for terminal in [false, true] {
            let (dir, abra) = script("env");
            let limit = Duration::from_secs(20);
            let call = if terminal {
                on_a_terminal(&abra, dir.path(), &[], limit).await.unwrap()
            } else {
                over_pipes(&abra, dir.path(), &[], limit).await.unwrap()
            };
            // The shell itself adds PWD, SHLVL and _.
            let known = |name: &str| crate::variables::is_reserved(name) || ["PWD", "SHLVL", "_"].contains(&name);
            let names = call.output().lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name);
            assert_eq!(names.filter(|name| !known(name)).collect::<Vec<_>>(), Vec::<&str>::new(), "{}", call.output());
            assert!(call.output().contains(&format!("HOME={}/home\n", dir.path().display())), "{}", call.output());
        }
    }

    #[tokio::test]
    async fn on_a_terminal_the_program_sees_one_and_it_is_wide() {
        let (dir, abra) = script(r#"test -t 1 && stty size <&1; printf '\033[31mred\033[0m\n'"#);
        let call = on_a_terminal(&abra, dir.path(), &[], Duration::from_secs(20)).await.unwrap();
        assert_eq!(call.output(), "50 250\nred\n");
        assert!(call.ok());
    }

    #[tokio::test]
    async fn the_deadline_ends_the_program_and_its_children() {
        for terminal in [false, true] {
            let (dir, abra) = script("sh -c 'echo $$ > \"$ABRA_DIR/child\"; exec tail -f /dev/null' & wait");
            let limit = Duration::from_millis(700);
            let call = if terminal {
                on_a_terminal(&abra, dir.path(), &[], limit).await.unwrap()
            } else {
                over_pipes(&abra, dir.path(), &[], limit).await.unwrap()
            };
            assert!(call.timed_out && !call.ok());
            let child = std::fs::read_to_string(dir.path().join("child")).unwrap();
            // A killed process ends a moment after the signal.
            let until = Instant::now() + Duration::from_secs(10);
            loop {
                let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
                if stat.is_empty() || stat.contains(") Z ") {
                    break;
                }
                assert!(Instant::now() < until, "the child lives on: {stat}");
                tokio::task::yield_now().await;
            }
        }
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let failure = over_pipes(Path::new("/no/abra"), Path::new("/"), &[], Duration::from_secs(1)).await.unwrap_err();
        assert_eq!(failure.kind, Kind::AbraUnusable);
        assert!(failure.what.contains("/no/abra"));
    }
}
