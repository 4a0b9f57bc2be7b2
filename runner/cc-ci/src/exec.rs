//! `"$CCCI_EXEC" SERVICE -- COMMAND [ARGUMENT…]`: the program that a recipe's tests call to run a command in a container
//! of the app. It is a link to cc-ci itself in the run's private folder, so that it is there wherever cc-ci is.
//!
//! It needs what the tests' environment has: which stack, which run, and where the engine is. It passes on its standard
//! streams and the command's exit code, and asks for no terminal. The stack has to be the one that the run deployed. The
//! recipe's own tests, which are a stranger's, have neither the program nor the engine: see `own_tests`.

use host::note;
use std::ffi::OsStr;
use std::io::{self, stderr, stdin, stdout};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use base::names::StackName;
use swarm::{ExecError, Inside, Streams, Swarm};

use journal::run_dir::EXEC_NAME;

/// The exit code where the command did not run, or its end is not known: that of docker, env and nohup for the same.
pub const NOT_RUN: u8 = 125;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct ExecRequest {
    stack: StackName,
    run: String,
    service: String,
    command: Vec<String>,
}

/// Why nothing was run, or the end is not known.
#[derive(Debug, thiserror::Error)]
enum NotRun {
    #[error("usage: \"$CCCI_EXEC\" SERVICE -- COMMAND [ARGUMENT…]")]
    Usage,
    #[error("{0} is not set: only a test of a run can call this")]
    NoRun(&'static str),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error("no runtime can be started: {0}")]
    NoRuntime(io::Error),
    #[error("the standard streams cannot be used: {0}")]
    NoStream(io::Error),
}

/// Whether the program was called by the link's name.
pub fn is_asked_for() -> bool {
    std::env::args_os().next().is_some_and(|name| Path::new(&name).file_name() == Some(OsStr::new(EXEC_NAME)))
}

/// Runs the command, and ends with its exit code; with [`NOT_RUN`] and a line that says why where it did not run.
pub fn main() -> ExitCode {
    // A word that is no text belongs to no service and no command here.
    let words: Option<Vec<String>> = std::env::args_os().skip(1).map(|word| word.into_string().ok()).collect();
    let asked = words.ok_or(NotRun::Usage).and_then(|words| ExecRequest::of(words, |name| std::env::var(name).ok()));
    match asked.and_then(|asked| run(&asked)) {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(NOT_RUN)),
        Err(why) => {
            note!("{EXEC_NAME}: {why}");
            ExitCode::from(NOT_RUN)
        }
    }
}

impl ExecRequest {
    fn of(words: Vec<String>, get: impl Fn(&str) -> Option<String>) -> Result<Self, NotRun> {
        let mut words = words.into_iter();
        let (service, mark) = (words.next().ok_or(NotRun::Usage)?, words.next());
        let command: Vec<String> = words.collect();
        if mark.as_deref() != Some("--") || command.is_empty() || service.starts_with('-') {
            return Err(NotRun::Usage);
        }
        let set = |name| get(name).filter(|value| !value.is_empty()).ok_or(NotRun::NoRun(name));
        let stack = StackName::try_from(set("CCCI_STACK")?).map_err(|_| NotRun::NoRun("CCCI_STACK"))?;
        Ok(Self { stack, run: set("CCCI_RUN")?, service, command })
    }
}

fn run(asked: &ExecRequest) -> Result<i64, NotRun> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(NotRun::NoRuntime)?;
    let ended = runtime.block_on(async {
        let swarm = Swarm::connect().await.map_err(ExecError::Engine)?;
        let inside = Inside { stack: &asked.stack, run: &asked.run, service: &asked.service };
        let [input, output, errors] = [stdin().as_fd(), stdout().as_fd(), stderr().as_fd()].map(of_its_own);
        let streams = Streams {
            input: input.map_err(NotRun::NoStream)?,
            output: output.map_err(NotRun::NoStream)?,
            errors: errors.map_err(NotRun::NoStream)?,
        };
        Ok(swarm.exec_in(inside, &asked.command, streams).await?)
    });
    // Its own standard input may still be open, and is not waited for.
    runtime.shutdown_timeout(Duration::ZERO);
    ended
}

fn of_its_own(stream: BorrowedFd<'_>) -> io::Result<tokio::fs::File> {
    Ok(tokio::fs::File::from_std(stream.try_clone_to_owned()?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str], set: &[&str]) -> Result<ExecRequest, String> {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let get = |name: &str| set.contains(&name).then(|| format!("the-{}", name.to_lowercase()));
        ExecRequest::of(words, get).map_err(|why| why.to_string())
    }

    #[test]
    fn a_service_a_mark_and_a_command_are_asked_for() {
        let both = ["CCCI_STACK", "CCCI_RUN"];
        let asked = of(&["app", "--", "sh", "-c", "--"], &both).unwrap();
        assert_eq!(
            (asked.stack.as_str(), asked.run.as_str(), asked.service.as_str()),
            ("the-ccci_stack", "the-ccci_run", "app")
        );
        assert_eq!(asked.command, ["sh", "-c", "--"]);
        for wrong in [&["app"][..], &["app", "--"], &["app", "ls"], &["-t", "--", "ls"], &[]] {
            assert!(of(wrong, &both).unwrap_err().starts_with("usage: "), "{wrong:?}");
        }
        let said = of(&["app", "--", "ls"], &["CCCI_STACK"]).unwrap_err();
        assert_eq!(said, "CCCI_RUN is not set: only a test of a run can call this");
    }
}
