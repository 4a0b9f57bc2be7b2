//! Commands in a container.

use std::collections::HashMap;
use std::pin::Pin;
use std::time::Instant;

use base::failure::{Failure, Kind};
use base::names::StackName;
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::exec::{CreateExecOptions, StartExecResults};
use bollard::query_parameters::ListContainersOptionsBuilder;
use futures_util::{Stream, StreamExt};
use tokio::io::AsyncWrite;

use super::SERVICE_LABEL;
use super::engine::{Swarm, ask, failed};
use super::reason::one_line;

/// Maximum size of output that is kept.
pub(super) const OUTPUT_BYTES: usize = 1024 * 1024;

/// The result of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecResult {
    /// Its exit code.
    pub exit: i64,
    /// Both streams merged in order of arrival; the first MiB.
    pub output: String,
}

/// A command in a container that ends when this is dropped or this process ends, since its input is then closed.
pub struct Holding {
    _input: Pin<Box<dyn AsyncWrite + Send>>,
    _output: Output,
}

type Output = Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>;

impl Swarm {
    /// Starts a command that prints a line as soon as it has what it waits for, and then reads its input. `None` if it
    /// ended instead, for example because it does not exist.
    ///
    /// # Errors
    /// [`Kind::Deadline`]: it still waits, and will release what it gets. The container is gone.
    pub async fn hold(&self, container: &str, argv: &[&str], deadline: Instant) -> Result<Option<Holding>, Failure> {
        let doing = "run a command in a container";
        let options = CreateExecOptions {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            cmd: Some(argv.to_vec()),
            ..CreateExecOptions::default()
        };
        let exec = ask(doing, self.docker().create_exec(container, options)).await?;
        let started = ask(doing, self.docker().start_exec(&exec.id, None)).await?;
        let StartExecResults::Attached { mut output, input } = started else { return Ok(None) };
        let said = tokio::time::timeout_at(deadline.into(), output.next()).await.map_err(|_| {
            Failure::new(
                Kind::Deadline,
                "time is up while a lock was waited for",
                "which process holds it in that container",
            )
        })?;
        // An error of its start arrives in the same way.
        let begun = matches!(&said, Some(Ok(said)) if said.as_ref() == b"held\n");
        Ok(begun.then_some(Holding { _input: input, _output: output }))
    }

    /// A service's container on this node.
    pub async fn local_container(&self, stack: &StackName, service: &str) -> Result<Option<String>, Failure> {
        let label = format!("{SERVICE_LABEL}={}", stack.object(service));
        let filters = HashMap::from([("label", vec![label.as_str()]), ("status", vec!["running"])]);
        let options = ListContainersOptionsBuilder::new().filters(&filters).build();
        let found = ask("list containers", self.docker().list_containers(Some(options))).await?;
        Ok(found.into_iter().find_map(|container| container.id))
    }

    /// Whether a container has a healthcheck that passed last.
    pub async fn is_healthy(&self, container: &str) -> bool {
        let seen = self.docker().inspect_container(container, None).await.ok();
        let health = seen.and_then(|seen| seen.state?.health?.status);
        health == Some(bollard::models::HealthStatusEnum::HEALTHY)
    }

    /// Runs a command in a container, with additional environment, and waits for its end.
    ///
    /// # Errors
    /// [`Kind::Deadline`] (the command may continue: docker has no way to end it), or the container is gone. A non-zero
    /// exit code is no error.
    pub async fn exec(
        &self,
        container: &str,
        argv: &[String],
        env: &[(String, String)],
        deadline: Instant,
    ) -> Result<ExecResult, Failure> {
        tokio::time::timeout_at(deadline.into(), self.exec_for_long(container, argv, env)).await.unwrap_or_else(|_| {
            Err(Failure::new(
                Kind::Deadline,
                format!("time is up while a command ran in a container: {}", one_line(&argv.join(" "))),
                "what the command waits for; it may still run",
            ))
        })
    }

    async fn exec_for_long(
        &self,
        container: &str,
        argv: &[String],
        env: &[(String, String)],
    ) -> Result<ExecResult, Failure> {
        let doing = "run a command in a container";
        let options = CreateExecOptions {
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(argv.to_vec()),
            env: Some(env.iter().map(|(name, value)| format!("{name}={value}")).collect()),
            ..CreateExecOptions::default()
        };
        let exec = ask(doing, self.docker().create_exec(container, options)).await?;
        let mut output = Vec::new();
        if let StartExecResults::Attached { output: mut stream, .. } =
            ask(doing, self.docker().start_exec(&exec.id, None)).await?
        {
            while let Some(part) = stream.next().await {
                let part = part.map_err(|e| failed(doing, &e))?;
                let room = OUTPUT_BYTES.saturating_sub(output.len());
                output.extend(part.as_ref().iter().take(room));
            }
        }
        let ended = ask(doing, self.docker().inspect_exec(&exec.id)).await?;
        Ok(ExecResult { exit: ended.exit_code.unwrap_or(-1), output: String::from_utf8_lossy(&output).into_owned() })
    }
}
