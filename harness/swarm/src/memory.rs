//! OOM-killed containers. Such a crash has "exit code 137", or any code of an app that has lost one of its processes;
//! only the engine knows why.

use std::time::Duration;

use base::failure::{Failure, Kind};
use base::names::StackName;
use bollard::models::EventMessage;
use bollard::query_parameters::{ListContainersOptionsBuilder, WaitContainerOptions};
use futures_util::StreamExt;

use super::engine::{Swarm, ask, is_gone};
use super::labels::{of_stack, short};
use super::{SERVICE_LABEL, STACK_LABEL};

/// The exit code after SIGKILL.
pub(super) const KILLED: i64 = 137;

/// How long a container whose main process was killed may take to end. One that lost another process continues.
const ENDS: Duration = Duration::from_secs(2);

/// One OOM kill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryKill {
    pub stack: StackName,
    /// The service's short name.
    pub service: String,
    /// The container's id.
    pub container: String,
    /// The container's memory limit in bytes, if any.
    pub limit: Option<u64>,
    /// Its exit code; `None` while it continues without the killed process.
    pub exit: Option<i64>,
}

impl MemoryKill {
    /// What happened, as text after the service's name.
    pub fn words(&self) -> String {
        words(self.limit, self.exit, 1)
    }

    /// The same as a failure. `whose` precedes the service's name: empty, or a dependency and a slash.
    pub fn failure(&self, whose: &str) -> Failure {
        let service = format!("{whose}{}", self.service);
        failure(&service, format!("service {service} {}", self.words()), self.limit)
    }
}

/// The stack and the container of an OOM event.
pub fn oom_of(event: &EventMessage) -> Option<(StackName, String)> {
    if event.action.as_deref() != Some("oom") {
        return None;
    }
    let actor = event.actor.as_ref()?;
    let stack = actor.attributes.as_ref()?.get(STACK_LABEL)?;
    Some((StackName::try_from(stack.clone()).ok()?, actor.id.clone()?))
}

impl Swarm {
    /// The OOM-killed containers of a stack on this node that have ended.
    pub async fn ended_out_of_memory(&self, stack: &StackName) -> Result<Vec<String>, Failure> {
        let mut filters = of_stack(stack);
        filters.insert("status", vec!["exited".to_owned(), "dead".to_owned()]);
        let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let ended = ask("list containers", self.docker().list_containers(Some(options))).await?;
        let mut found = Vec::new();
        for id in ended.into_iter().filter_map(|container| container.id) {
            if self.was_out_of_memory(&id).await {
                found.push(id);
            }
        }
        Ok(found)
    }

    /// Whether the engine reports an OOM kill in this container. Unknown for one that is gone or on another node.
    pub(super) async fn was_out_of_memory(&self, container: &str) -> bool {
        let seen = self.docker().inspect_container(container, None).await;
        seen.ok().and_then(|seen| seen.state?.oom_killed).unwrap_or(false)
    }

    /// The state of an OOM-killed container; `None` if it is gone already, or belongs to no stack.
    pub async fn memory_kill(&self, container: &str) -> Result<Option<MemoryKill>, Failure> {
        // The kill is reported before the end that follows from it, if one does.
        let end = async { self.docker().wait_container(container, None::<WaitContainerOptions>).next().await };
        let _ = tokio::time::timeout(ENDS, end).await;
        let seen = match self.docker().inspect_container(container, None).await {
            Err(e) if is_gone(&e) => return Ok(None),
            seen => ask("inspect a container", async { seen }).await?,
        };
        let labels = seen.config.and_then(|config| config.labels).unwrap_or_default();
        let Some(stack) = labels.get(STACK_LABEL).and_then(|stack| StackName::try_from(stack.clone()).ok()) else {
            return Ok(None);
        };
        let service = labels.get(SERVICE_LABEL).map_or("", String::as_str);
        let state = seen.state.unwrap_or_default();
        let limit = seen.host_config.and_then(|config| config.memory);
        Ok(Some(MemoryKill {
            service: short(&stack, service).to_owned(),
            stack,
            container: container.to_owned(),
            limit: limit.and_then(|bytes| u64::try_from(bytes).ok()).filter(|bytes| *bytes > 0),
            exit: if state.running == Some(true) { None } else { state.exit_code },
        }))
    }
}

/// What happened to a container, or to the last of several exits of one service. Without an exit code it continues.
///
/// The number of kills among the exits is omitted: the engine does not see each.
pub(super) fn words(limit: Option<u64>, exit: Option<i64>, exits: usize) -> String {
    let whose = match limit {
        Some(bytes) => format!("at its limit of {} MiB", bytes / (1024 * 1024)),
        None => "since the node ran out of memory".to_owned(),
    };
    let before = if exits > 1 { format!("exited {exits} times and ") } else { String::new() };
    match exit {
        Some(KILLED) => format!("{before}was OOM-killed, {whose}"),
        Some(code) => format!("{before}lost a process to the OOM killer, {whose}, and ended with code {code}"),
        None => format!("lost a process to the OOM killer, {whose}"),
    }
}

/// The failure for a kill.
pub(super) fn failure(service: &str, what: String, limit: Option<u64>) -> Failure {
    match limit {
        Some(_) => Failure::new(
            Kind::OutOfMemory,
            what,
            format!("deploy.resources.limits.memory of service {service}, and its memory usage"),
        ),
        None => Failure::new(
            Kind::NodeOutOfMemory,
            what,
            "the node's memory and what else runs there (`docker stats`); fewer runs at a time, or a larger [weight] \
             in recipe.toml",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kill(limit: Option<u64>, exit: Option<i64>) -> MemoryKill {
        let stack = StackName::try_from("a".to_owned()).unwrap();
        MemoryKill { stack, service: "app".to_owned(), container: "c".to_owned(), limit, exit }
    }

    #[test]
    fn a_limit_is_the_recipes_and_none_is_the_nodes() {
        let own = kill(Some(16 << 20), Some(137)).failure("");
        assert_eq!(own.what, "service app was OOM-killed, at its limit of 16 MiB");
        assert_eq!(own.kind, Kind::OutOfMemory);
        let node = kill(None, Some(137)).failure("keycloak/");
        assert_eq!(node.what, "service keycloak/app was OOM-killed, since the node ran out of memory");
        assert_eq!(node.kind, Kind::NodeOutOfMemory);
    }

    #[test]
    fn an_app_that_loses_a_process_is_told_from_one_that_is_killed() {
        assert_eq!(
            kill(Some(16 << 20), Some(1)).words(),
            "lost a process to the OOM killer, at its limit of 16 MiB, and ended with code 1"
        );
        assert_eq!(kill(Some(16 << 20), None).words(), "lost a process to the OOM killer, at its limit of 16 MiB");
    }

    #[test]
    fn only_the_kernels_kills_in_a_stack_are_taken() {
        let event = |action: &str, label: &str| EventMessage {
            action: Some(action.to_owned()),
            actor: Some(bollard::models::EventActor {
                id: Some("c".to_owned()),
                attributes: Some([(label.to_owned(), "a".to_owned())].into()),
            }),
            ..EventMessage::default()
        };
        let stack = StackName::try_from("a".to_owned()).unwrap();
        assert_eq!(oom_of(&event("oom", STACK_LABEL)), Some((stack, "c".to_owned())));
        assert_eq!(oom_of(&event("die", STACK_LABEL)), None);
        assert_eq!(oom_of(&event("oom", "name")), None);
        assert_eq!(oom_of(&EventMessage::default()), None);
    }
}
