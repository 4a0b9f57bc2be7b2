//! Runs a command in a service's container, with the caller's own streams and no terminal: like `docker exec -i`, for a
//! service of one run's stack.
//!
//! The service's name has to match exactly, so `app` is never `app2`. The newest healthy task is used: while swarm
//! replaces a task, that is the one that answers.

use std::io;
use std::time::{Duration, Instant};

use base::failure::Failure;
use base::names::StackName;
use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use futures_util::StreamExt as _;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

use super::engine::{Swarm, ask, failed};
use super::inside::RUN_LABEL;
use super::seen::{Health, ServiceSeen, Snapshot, TaskSeen, TaskState};

/// Maximum size of output that is passed on.
const OUTPUT_BYTES: usize = 16 * 1024 * 1024;
/// Timeout for the exit code after the end of the output.
const TO_TELL: Duration = Duration::from_secs(30);

/// The service that a command runs in.
#[derive(Debug, Clone, Copy)]
pub struct Inside<'a> {
    pub stack: &'a StackName,
    /// The run that deployed the stack: another run's stack is refused.
    pub run: &'a str,
    /// The service's short name.
    pub service: &'a str,
}

/// The caller's streams.
#[derive(Debug)]
pub struct Streams<I, O, E> {
    pub input: I,
    pub output: O,
    pub errors: E,
}

/// Why a command did not run, or why its end is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExecError {
    /// The stack has no such service.
    #[error("the app has no service {service:?}; its services: {services}")]
    NoService {
        /// The requested name.
        service: String,
        /// The existing services.
        services: String,
    },
    /// The stack does not belong to the run.
    #[error("service {service} was not deployed by the run {run}, so it is out of reach")]
    NotOfTheRun { service: String, run: String },
    /// No task of the service runs.
    #[error("service {service} has no running container: {tasks}")]
    NotRunning {
        service: String,
        /// The state of its newest task.
        tasks: String,
    },
    /// Its running tasks are on another node.
    #[error("service {service} runs on another node of the swarm, where this engine reaches no container")]
    Elsewhere { service: String },
    /// The command's output exceeds the limit.
    #[error("the command printed more than {} MiB: what follows is cut, and its end is not known", OUTPUT_BYTES >> 20)]
    TooMuchOutput,
    /// The command's output cannot be written.
    #[error("the command's output cannot be passed on: {0}")]
    NotWritten(String),
    /// The command's container ended before it.
    #[error("the engine does not report how the command ended; its container may have ended before it")]
    NoEnd,
    /// The engine's failure.
    #[error("{0}")]
    Engine(#[from] Failure),
}

impl Swarm {
    /// Runs a command in a service's container and returns its exit code.
    ///
    /// # Errors
    /// It did not run, or its end is unknown.
    pub async fn exec_in<I, O, E>(
        &self,
        inside: Inside<'_>,
        argv: &[String],
        streams: Streams<I, O, E>,
    ) -> Result<i64, ExecError>
    where
        I: AsyncRead + Unpin,
        O: AsyncWrite + Unpin,
        E: AsyncWrite + Unpin,
    {
        let container = self.container_in(inside).await?;
        let doing = "run a command in a container";
        let options = CreateExecOptions {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(false),
            cmd: Some(argv.to_vec()),
            ..CreateExecOptions::default()
        };
        let exec = ask(doing, self.docker().create_exec(&container, options)).await?.id;
        let start = StartExecOptions { detach: false, tty: false, output_capacity: None };
        if let StartExecResults::Attached { mut output, input } =
            ask(doing, self.docker().start_exec(&exec, Some(start))).await?
        {
            let fed = feed(streams.input, input);
            let printed = async {
                let mut to = Printer { output: streams.output, errors: streams.errors, room: OUTPUT_BYTES };
                while let Some(part) = output.next().await {
                    to.print(part.map_err(|e| failed(doing, &e))?).await?;
                }
                to.end().await
            };
            let (mut fed, mut printed) = (std::pin::pin!(fed), std::pin::pin!(printed));
            let mut is_fed = false;
            // A command may end before it has read everything, or continue after it.
            loop {
                tokio::select! {
                    printed = &mut printed => break printed?,
                    () = &mut fed, if !is_fed => is_fed = true,
                }
            }
        }
        self.end_of(&exec).await
    }

    async fn container_in(&self, inside: Inside<'_>) -> Result<String, ExecError> {
        let labels = self.all_service_labels(inside.stack).await?;
        let Some(of_service) = labels.get(inside.service) else {
            let services = labels.into_keys().collect::<Vec<_>>().join(", ");
            let services = if services.is_empty() { "none".to_owned() } else { services };
            return Err(ExecError::NoService { service: inside.service.to_owned(), services });
        };
        if of_service.get(RUN_LABEL).map(String::as_str) != Some(inside.run) {
            return Err(ExecError::NotOfTheRun { service: inside.service.to_owned(), run: inside.run.to_owned() });
        }
        let now = self.snapshot(inside.stack).await.map_err(|e| failed("list what runs", &e))?;
        best_container(&now, inside.service)
    }

    /// The exit code of a command whose output has ended: it may have closed its output and continue.
    async fn end_of(&self, exec: &str) -> Result<i64, ExecError> {
        let until = Instant::now() + TO_TELL;
        loop {
            let ended = ask("report how a command ended", self.docker().inspect_exec(exec)).await?;
            match (ended.running, ended.exit_code) {
                (Some(true), _) => {}
                (_, Some(code)) => return Ok(code),
                (_, None) if Instant::now() >= until => return Err(ExecError::NoEnd),
                (_, None) => {}
            }
            // The engine sends no event for an exec's id.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Copies the caller's input to the command, and closes it. A command that does not read everything is no error.
async fn feed(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
    let _ = tokio::io::copy(&mut from, &mut to).await;
    let _ = to.shutdown().await;
}

struct Printer<O, E> {
    output: O,
    errors: E,
    room: usize,
}

impl<O: AsyncWrite + Unpin, E: AsyncWrite + Unpin> Printer<O, E> {
    async fn print(&mut self, part: LogOutput) -> Result<(), ExecError> {
        let is_error = matches!(part, LogOutput::StdErr { .. });
        let bytes = part.into_bytes();
        let fits = bytes.len().min(self.room);
        self.room -= fits;
        let written = if is_error {
            self.errors.write_all(&bytes[..fits]).await
        } else {
            self.output.write_all(&bytes[..fits]).await
        };
        written.map_err(not_written)?;
        if fits < bytes.len() {
            self.end().await?;
            return Err(ExecError::TooMuchOutput);
        }
        Ok(())
    }

    async fn end(&mut self) -> Result<(), ExecError> {
        self.output.flush().await.map_err(not_written)?;
        self.errors.flush().await.map_err(not_written)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "map_err gives it away")]
fn not_written(error: io::Error) -> ExecError {
    ExecError::NotWritten(error.to_string())
}

/// The container of the newest task of a service, preferably a healthy one. Pure.
fn best_container(now: &Snapshot, service: &str) -> Result<String, ExecError> {
    let name = || service.to_owned();
    let of_service = |seen: &&ServiceSeen| seen.name == service;
    let Some(id) = now.services.iter().find(of_service).map(|seen| seen.id.as_str()) else {
        // It ended between two queries.
        return Err(ExecError::NotRunning { service: name(), tasks: "it is gone".to_owned() });
    };
    let tasks: Vec<&TaskSeen> = now.tasks.iter().filter(|task| task.service == id).collect();
    let wanted = |task: &&&TaskSeen| {
        matches!(task.desired, TaskState::Running | TaskState::Complete)
            && matches!(task.state, TaskState::Starting | TaskState::Running)
    };
    let with_container = tasks.iter().filter(wanted).filter_map(|task| task.container.as_deref());
    let here = with_container.clone().filter_map(|id| now.containers.iter().find(|container| container.id == id));
    // Tasks are sorted by age, and of equal ones the last is returned.
    let best = here.filter(|container| container.running).max_by_key(|container| match container.health {
        Health::Healthy | Health::None => 2,
        Health::Starting => 1,
        Health::Unhealthy => 0,
    });
    match best {
        Some(container) => Ok(container.id.clone()),
        None if with_container.clone().any(|id| now.containers.iter().all(|container| container.id != id)) => {
            Err(ExecError::Elsewhere { service: name() })
        }
        None => Err(ExecError::NotRunning { service: name(), tasks: newest(&tasks) }),
    }
}

fn newest(tasks: &[&TaskSeen]) -> String {
    match tasks.last() {
        None => "it has no task".to_owned(),
        Some(task) if task.error.is_empty() => format!("its newest task is {:?}", task.state).to_lowercase(),
        Some(task) => format!("its newest task is {}: {}", format!("{:?}", task.state).to_lowercase(), task.error),
    }
}

#[cfg(test)]
mod tests {
    use super::super::judge::examples::{container, failed, one, service, task};
    use super::*;

    fn chosen(tasks: &[(&str, TaskState)], containers: &[(&str, Health)]) -> Result<String, ExecError> {
        let tasks = tasks.iter().map(|(id, state)| task("app", id, *state)).collect();
        let containers = containers.iter().map(|(id, health)| container(id, *health)).collect();
        best_container(&one(service("app"), tasks, containers), "app")
    }

    #[test]
    fn the_newest_healthy_task_is_taken() {
        use TaskState::{Running, Shutdown, Starting};
        let (old, new) = (("1", Running), ("2", Running));
        let of = |health| [("1", Health::Healthy), ("2", health)];
        assert_eq!(chosen(&[old, new], &of(Health::Healthy)).unwrap(), "c-2");
        assert_eq!(chosen(&[old, ("2", Starting)], &of(Health::Starting)).unwrap(), "c-1", "the one that answers");
        assert_eq!(chosen(&[old, new], &of(Health::Unhealthy)).unwrap(), "c-1");
        assert_eq!(chosen(&[("1", Shutdown), ("2", Starting)], &of(Health::Starting)).unwrap(), "c-2");
    }

    #[test]
    fn what_does_not_run_here_is_told() {
        let gone = [failed("app", "1", "task: non-zero exit (1)", 1)].into();
        let said = best_container(&one(service("app"), gone, vec![]), "app").unwrap_err().to_string();
        assert_eq!(said, "service app has no running container: its newest task is failed: task: non-zero exit (1)");
        assert!(matches!(chosen(&[("1", TaskState::Running)], &[]), Err(ExecError::Elsewhere { .. })));
        let mut stopped = container("1", Health::None);
        stopped.running = false;
        let now = one(service("app"), vec![task("app", "1", TaskState::Running)], vec![stopped]);
        assert!(matches!(best_container(&now, "app"), Err(ExecError::NotRunning { .. })));
    }

    #[tokio::test]
    async fn what_is_printed_is_bounded_and_never_cut_in_silence() {
        let mut to = Printer { output: Vec::new(), errors: Vec::new(), room: 5 };
        to.print(LogOutput::StdOut { message: "abc".into() }).await.unwrap();
        to.print(LogOutput::StdErr { message: "d".into() }).await.unwrap();
        let cut = to.print(LogOutput::StdOut { message: "efg".into() }).await;
        assert_eq!(cut, Err(ExecError::TooMuchOutput));
        assert_eq!((to.output.as_slice(), to.errors.as_slice()), (&b"abce"[..], &b"d"[..]));
    }
}
