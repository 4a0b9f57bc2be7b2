//! Has bash read scripts without running them.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// A script, wherever it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Where.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// What bash says about a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The line.
    pub line: Option<usize>,
    /// Its words.
    pub text: String,
}

/// What bash cannot parse, by the script's name. The scripts are read side by side.
pub fn syntax(scripts: &[Script]) -> Vec<(String, SyntaxError)> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let share = scripts.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let parts: Vec<_> = scripts
            .chunks(share)
            .map(|part| {
                scope.spawn(|| {
                    part.iter().filter_map(|script| Some((script.name.clone(), read(script)?))).collect::<Vec<_>>()
                })
            })
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
    })
}

/// The text goes in by standard input: a stranger's script never becomes a file or an argument.
fn read(script: &Script) -> Option<SyntaxError> {
    let failed =
        |error: std::io::Error| Some(SyntaxError { line: None, text: format!("bash cannot be started: {error}") });
    let spawned = Command::new("bash")
        .args(["-n", "-s"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => return failed(error),
    };
    let written = child.stdin.take().map(|mut stdin| stdin.write_all(script.text.as_bytes()));
    let output = match child.wait_with_output() {
        Ok(output) => output,
        Err(error) => return failed(error),
    };
    if output.status.success() {
        // A pipe that broke is bash's own end at an error; otherwise it has read everything.
        return written.and_then(Result::err).map(|error| SyntaxError { line: None, text: error.to_string() });
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let first = said.lines().next().unwrap_or_default();
    let rest = first.strip_prefix("bash: line ").and_then(|rest| rest.split_once(": "));
    Some(match rest.and_then(|(line, text)| Some((line.parse().ok()?, text))) {
        Some((line, text)) => SyntaxError { line: Some(line), text: text.to_owned() },
        None => SyntaxError { line: None, text: first.to_owned() },
    })
}
