//! Short commands in the backup bot's container, through one shell that stays open: docker takes about 50 ms to start a
//! command in a container (measured on 20.10), and a run has a dozen of them.

use std::pin::Pin;
use std::time::Instant;

use base::failure::{Failure, Kind};
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::exec::{CreateExecOptions, StartExecResults};
use futures_util::{Stream, StreamExt};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::engine::{Swarm, ask};
use super::exec::{ExecResult, OUTPUT_BYTES};

/// A shell in a container. It ends when this is dropped or this process ends, since its input is then closed.
pub(super) struct BotShell {
    input: Pin<Box<dyn AsyncWrite + Send>>,
    output: Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>,
}

impl std::fmt::Debug for BotShell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BotShell")
    }
}

impl Swarm {
    /// Runs a short command in the backup bot's container; `None` if no bot runs on this node. Both output streams are
    /// merged. The command has no input.
    ///
    /// # Errors
    /// [`Kind::Deadline`]; the engine does not answer. A non-zero exit code is no error.
    pub async fn in_bot(&self, argv: &[String], deadline: Instant) -> Result<Option<ExecResult>, Failure> {
        let mut open = self.bot_shell.lock().await;
        // Taken out: a command that is cancelled midway leaves its output in the stream, so its shell is dropped with
        // it.
        if let Some(mut shell) = open.take()
            && let Some(ended) = in_time(deadline, shell.run(argv)).await?
        {
            *open = Some(shell);
            return Ok(Some(ended));
        }
        let Some(bot) = self.bot_container().await? else { return Ok(None) };
        if let Some(mut shell) = self.open_shell(&bot).await?
            && let Some(ended) = in_time(deadline, shell.run(argv)).await?
        {
            *open = Some(shell);
            return Ok(Some(ended));
        }
        // Without a shell, the command is started directly.
        self.exec(&bot, argv, &[], deadline).await.map(Some)
    }

    async fn open_shell(&self, bot: &str) -> Result<Option<BotShell>, Failure> {
        let doing = "run a command in the backup bot's container";
        let options = CreateExecOptions {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(vec!["sh"]),
            ..CreateExecOptions::default()
        };
        let exec = ask(doing, self.docker().create_exec(bot, options)).await?;
        Ok(match ask(doing, self.docker().start_exec(&exec.id, None)).await? {
            StartExecResults::Attached { output, input } => Some(BotShell { input, output }),
            StartExecResults::Detached => None,
        })
    }
}

async fn in_time<T>(deadline: Instant, work: impl Future<Output = T>) -> Result<T, Failure> {
    tokio::time::timeout_at(deadline.into(), work).await.map_err(|_| {
        Failure::new(
            Kind::Deadline,
            "time is up while a command ran in the backup bot's container",
            "whether the container answers: docker exec",
        )
    })
}

impl BotShell {
    /// `None` if the shell has ended, as it does with its container.
    async fn run(&mut self, argv: &[String]) -> Option<ExecResult> {
        // A command's output may be untrusted, such as a file's name; it cannot contain this.
        let end = format!("cc-ci-{:032x}", rand::random::<u128>());
        let line = script(argv, &end)?;
        self.input.write_all(line.as_bytes()).await.ok()?;
        self.input.flush().await.ok()?;
        let mut read = Vec::new();
        loop {
            read.extend_from_slice(self.output.next().await?.ok()?.as_ref());
            if let Some(ended) = ended(&read, &end) {
                return Some(ended);
            }
            // The first MiB is kept, and the end marker is searched in the newest part.
            if read.len() > 2 * OUTPUT_BYTES {
                read.drain(OUTPUT_BYTES..read.len() - end.len() - 16);
            }
        }
    }
}

/// `None` for an argument with a zero byte, which a shell cannot receive.
fn script(argv: &[String], end: &str) -> Option<String> {
    let command = shlex::try_join(argv.iter().map(String::as_str)).ok()?;
    Some(format!("{command} </dev/null 2>&1; printf '\\n%s %d\\n' {end} $?\n"))
}

fn ended(read: &[u8], end: &str) -> Option<ExecResult> {
    let mark = format!("\n{end} ");
    let at = read.windows(mark.len()).rposition(|window| window == mark.as_bytes())?;
    let code = std::str::from_utf8(&read[at + mark.len()..]).ok()?.strip_suffix('\n')?;
    let output = String::from_utf8_lossy(&read[..at.min(OUTPUT_BYTES)]).into_owned();
    Some(ExecResult { exit: code.parse().ok()?, output })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(argv: &[&str]) -> Vec<String> {
        argv.iter().map(|word| (*word).to_owned()).collect()
    }

    /// Runs the script in a local shell.
    fn run(argv: &[&str]) -> ExecResult {
        let line = script(&owned(argv), "END").unwrap();
        let output = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
        ended(&output.stdout, "END").unwrap()
    }

    #[test]
    fn a_command_gives_its_output_and_its_code() {
        assert_eq!(run(&["echo", "it's; $HOME `x`"]), ExecResult { exit: 0, output: "it's; $HOME `x`\n".to_owned() });
        assert_eq!(
            run(&["sh", "-c", "printf x; printf y >&2; exit 3"]),
            ExecResult { exit: 3, output: "xy".to_owned() }
        );
        assert_eq!(run(&["cat"]), ExecResult { exit: 0, output: String::new() }, "there is no input");
        assert_eq!(run(&["no-such-program"]).exit, 127);
    }

    #[test]
    fn the_end_is_the_last_line_whatever_the_command_prints() {
        assert_eq!(ended(b"a\nEND 0\nb", "END"), None, "a command that prints it is not at its end");
        assert_eq!(ended(b"half\nEND 1", "END"), None);
        let said = ended(b"a\nEND 0\n\nEND 7\n", "END").unwrap();
        assert_eq!((said.exit, said.output.as_str()), (7, "a\nEND 0\n"));
        assert_eq!(ended(b"\nEND 0\n", "END").unwrap().output, "");
        assert_eq!(script(&owned(&["a\0b"]), "END"), None);
    }
}
