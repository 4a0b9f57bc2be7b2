//! Evidence: the tasks of a stack, and the last log lines of a service.

use std::time::Duration;

use base::failure::Failure;
use base::names::StackName;
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt;

use super::engine::{Swarm, ask, failed};
use super::reason::one_line;

/// Maximum size of a log text; the end is kept.
const LOG_BYTES: usize = 64 * 1024;

/// Maximum size that is read from the engine.
const READ_BYTES: usize = 4 * 1024 * 1024;

/// The engine collects a service's logs from every node, and waits for one that is down. After this time the lines so
/// far are used.
const LOG_WAIT: Duration = Duration::from_secs(5);

/// A task in a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRow {
    pub id: String,
    /// The service's short name.
    pub service: String,
    /// The number of the replica; for a global service the node's id.
    pub slot: String,
    /// Without the digest.
    pub image: String,
    /// The state: running, failed, rejected, …
    pub state: String,
    /// The state that swarm wants.
    pub desired: String,
    /// The error, or empty.
    pub error: String,
    /// The container's exit code, if it ended.
    pub exit: Option<i64>,
    /// RFC 3339, by the swarm's clock.
    pub created: String,
}

impl std::fmt::Display for TaskRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{} {} {}, desired {}", self.service, self.slot, self.image, self.state, self.desired)?;
        if let Some(code) = self.exit {
            write!(f, ", exit code {code}")?;
        }
        if !self.error.is_empty() {
            write!(f, ", {}", one_line(&self.error))?;
        }
        Ok(())
    }
}

/// The last lines of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logs {
    /// The lines of both streams and all tasks in order of time, without control characters.
    pub text: String,
    /// Whether earlier lines were omitted.
    pub cut: bool,
}

impl Swarm {
    /// Every task of a stack in swarm's history, oldest first. By default swarm keeps five of each replica.
    pub async fn tasks(&self, stack: &StackName) -> Result<Vec<TaskRow>, Failure> {
        let now = ask("list tasks", self.snapshot(stack)).await?;
        let name = |id: &str| now.services.iter().find(|service| service.id == id).map(|service| service.name.clone());
        Ok(now
            .tasks
            .iter()
            .map(|task| TaskRow {
                id: task.id.clone(),
                service: name(&task.service).unwrap_or_default(),
                slot: task.slot.clone(),
                image: task.image.clone(),
                state: task.state.word().to_owned(),
                desired: task.desired.word().to_owned(),
                error: task.error.clone(),
                exit: task.exit,
                created: task.created.clone(),
            })
            .collect())
    }

    /// The last `tail` lines of all tasks of a service, at most 64 KiB.
    ///
    /// # Errors
    /// The engine does not answer, or has no such service.
    pub async fn logs(&self, stack: &StackName, service: &str, tail: usize) -> Result<Logs, Failure> {
        self.logs_since(stack, service, tail, 0).await
    }

    /// The same since a time, in seconds since 1970.
    ///
    /// # Errors
    /// As in [`Swarm::logs`].
    pub async fn logs_since(&self, stack: &StackName, service: &str, tail: usize, since: i64) -> Result<Logs, Failure> {
        let options = LogsOptionsBuilder::new()
            .stdout(true)
            .stderr(true)
            .timestamps(true)
            .since(i32::try_from(since).unwrap_or(0))
            .tail(&(tail + 1).to_string())
            .build();
        let mut stream = std::pin::pin!(self.docker().service_logs(&stack.object(service), Some(options)));
        let (mut raw, mut bytes, mut error) = (Vec::new(), 0, None);
        let read = async {
            while let Some(part) = stream.next().await {
                match part {
                    Ok(part) => {
                        let part = part.into_bytes();
                        bytes += part.len();
                        raw.push(String::from_utf8_lossy(&part).into_owned());
                        if bytes > READ_BYTES {
                            return;
                        }
                    }
                    Err(e) => {
                        error = Some(e);
                        return;
                    }
                }
            }
        };
        let _ = tokio::time::timeout(LOG_WAIT, read).await;
        match error {
            Some(e) if raw.is_empty() => Err(failed(&format!("return the logs of service {service}"), &e)),
            _ => Ok(merged(raw, tail)),
        }
    }
}

/// Merges lines of several tasks, each with the engine's timestamp in front, into one text without it.
fn merged(mut lines: Vec<String>, tail: usize) -> Logs {
    // Equal widths and one time zone: text order is time order. The sort is stable.
    lines.sort_by(|a, b| time(a).cmp(time(b)));
    let mut cut = lines.len() > tail;
    let skip = lines.len().saturating_sub(tail);
    let mut text = String::new();
    for line in &lines[skip..] {
        let said = line.strip_prefix(time(line)).unwrap_or(line);
        text.push_str(&plain(said.strip_prefix(' ').unwrap_or(said)));
        text.push('\n');
    }
    if text.len() > LOG_BYTES {
        let from = text.len() - LOG_BYTES;
        let from = text[..].char_indices().map(|(at, _)| at).find(|at| *at >= from).unwrap_or(0);
        let from = text[from..].find('\n').map_or(from, |at| from + at + 1);
        text.drain(..from);
        cut = true;
    }
    Logs { text, cut }
}

fn time(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

/// A line without escape sequences and control characters, which could otherwise rewrite a terminal.
fn plain(line: &str) -> String {
    strip_ansi_escapes::strip_str(line).chars().filter(|c| *c == '\t' || !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_of_several_tasks_come_in_the_order_of_time() {
        let lines = [
            "2026-01-01T00:00:02Z two\n",
            "2026-01-01T00:00:01Z one\n",
            "2026-01-01T00:00:03Z \u{1b}[31mthree\u{1b}[0m\r\n",
        ];
        let lines: Vec<String> = lines.map(str::to_owned).into();
        assert_eq!(merged(lines.clone(), 9), Logs { text: "one\ntwo\nthree\n".to_owned(), cut: false });
        assert_eq!(merged(lines, 1), Logs { text: "three\n".to_owned(), cut: true });
    }

    #[test]
    fn a_flood_is_cut_at_its_beginning() {
        let lines: Vec<String> =
            (0..99).map(|n| format!("2026-01-01T00:00:{n:02}Z {}{n}\n", "é".repeat(1000))).collect();
        let logs = merged(lines, 500);
        assert!(logs.cut && logs.text.len() <= LOG_BYTES && logs.text.ends_with("98\n"));
    }

    proptest! {
        #[test]
        fn no_control_character_is_left(line in ".{0,60}") {
            let line = plain(&line);
            prop_assert!(line.chars().all(|c| c == '\t' || !c.is_control()));
        }
    }
}
