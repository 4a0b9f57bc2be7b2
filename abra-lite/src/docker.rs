//! What abra-lite asks of the engine.

use std::collections::HashMap;
use std::io::{IsTerminal as _, Write as _};

use base::names::StackName;
use bollard::Docker;
use bollard::container::LogOutput;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::{ContainerSummary, ExecConfig, Service};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListSecretsOptionsBuilder, ListServicesOptionsBuilder, ListVolumesOptionsBuilder,
};
use futures_util::StreamExt;
use swarm::{STACK_LABEL, Swarm};

use crate::fatal::{Done, Fatal, fatal};

/// The label of a container: its service's full name.
const SERVICE_LABEL: &str = "com.docker.swarm.service.name";

pub(crate) async fn connect() -> Done<(Swarm, Docker)> {
    let swarm = Swarm::connect().await?;
    let docker = swarm.docker().clone();
    Ok((swarm, docker))
}

/// The services of a stack.
pub(crate) async fn services(docker: &Docker, stack: &StackName) -> Done<Vec<Service>> {
    let filters = HashMap::from([("label", vec![format!("{STACK_LABEL}={stack}")])]);
    Ok(docker.list_services(Some(ListServicesOptionsBuilder::new().filters(&filters).build())).await?)
}

/// The names of the swarm secrets of a stack.
pub(crate) async fn secret_names(docker: &Docker, stack: &StackName) -> Done<Vec<String>> {
    let prefix = format!("{stack}_");
    let filters = HashMap::from([("name", vec![prefix.clone()])]);
    let secrets = docker.list_secrets(Some(ListSecretsOptionsBuilder::new().filters(&filters).build())).await?;
    let names = secrets.into_iter().filter_map(|secret| secret.spec?.name);
    Ok(names.filter(|name| name.starts_with(&prefix)).collect())
}

/// The names of the volumes of a stack.
pub(crate) async fn volume_names(docker: &Docker, stack: &StackName) -> Done<Vec<String>> {
    let filters = HashMap::from([("label", vec![format!("{STACK_LABEL}={stack}")])]);
    let found = docker.list_volumes(Some(ListVolumesOptionsBuilder::new().filters(&filters).build())).await?;
    Ok(found.volumes.unwrap_or_default().into_iter().map(|volume| volume.name).collect())
}

/// A running container of a service, by the service's label of its container.
pub(crate) async fn container_of(docker: &Docker, service: &str) -> Done<String> {
    let label = format!("{SERVICE_LABEL}={service}");
    let filters = HashMap::from([("label", vec![label]), ("status", vec!["running".to_owned()])]);
    let found = docker.list_containers(Some(ListContainersOptionsBuilder::new().filters(&filters).build())).await?;
    match found.into_iter().next().and_then(|container| container.id) {
        Some(id) => Ok(id),
        None => fatal(format!("no running container of {service} was found on this node")),
    }
}

/// The one running container of a stack whose service's name begins so. Where there are several, abra asks which is
/// meant, and this asks nothing.
pub(crate) async fn container_by_prefix(docker: &Docker, stack: &StackName, beginning: &str) -> Done<String> {
    let filters =
        HashMap::from([("label", vec![format!("{STACK_LABEL}={stack}")]), ("status", vec!["running".to_owned()])]);
    let found = docker.list_containers(Some(ListContainersOptionsBuilder::new().filters(&filters).build())).await?;
    let begins = |container: &ContainerSummary| {
        let labels = container.labels.as_ref();
        labels.and_then(|labels| labels.get(SERVICE_LABEL)).is_some_and(|name| name.starts_with(beginning))
    };
    let mut ids = found.into_iter().filter(begins).filter_map(|container| container.id);
    match (ids.next(), ids.next()) {
        (Some(id), None) => Ok(id),
        (None, _) => fatal(format!("no containers matching {beginning} found")),
        (Some(_), Some(_)) => fatal(format!("several containers match {beginning}, and abra-lite asks nothing")),
    }
}

/// Refuses to ask for a terminal where standard input is none, as docker's client does.
pub(crate) fn wants_terminal() -> Done {
    if std::io::stdin().is_terminal() { Ok(()) } else { fatal("the input device is not a TTY") }
}

/// Runs a command in a container, writes what it prints, and fails when it does.
pub(crate) async fn exec(
    docker: &Docker,
    container: &str,
    command: Vec<String>,
    env: Vec<String>,
    terminal: bool,
) -> Done {
    let print = &mut |part: LogOutput| match part {
        LogOutput::StdErr { message } => std::io::stderr().write_all(&message),
        other => std::io::stdout().write_all(&other.into_bytes()),
    };
    exec_to(docker, container, command, env, terminal, print).await
}

/// The same, with what it prints given to a function.
pub(crate) async fn exec_to(
    docker: &Docker,
    container: &str,
    command: Vec<String>,
    env: Vec<String>,
    terminal: bool,
    print: &mut dyn FnMut(LogOutput) -> std::io::Result<()>,
) -> Done {
    let config = ExecConfig {
        cmd: Some(command.clone()),
        env: Some(env),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        tty: Some(terminal),
        ..ExecConfig::default()
    };
    let made = docker.create_exec(container, config).await?;
    let options = StartExecOptions { detach: false, tty: terminal, output_capacity: None };
    if let StartExecResults::Attached { mut output, .. } = docker.start_exec(&made.id, Some(options)).await? {
        while let Some(part) = output.next().await {
            print(part?)?;
        }
    }
    match docker.inspect_exec(&made.id).await?.exit_code {
        Some(0) => Ok(()),
        code => Err(Fatal(format!("{} ended with exit code {}", command.join(" "), code.unwrap_or(-1)))),
    }
}
