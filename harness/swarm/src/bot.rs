//! Locates the swarm's backup bot. It is found by its label, as in abra; a command in its container can only be run on
//! its node's own engine, in abra too.

use std::collections::HashMap;

use base::failure::Failure;
use bollard::models::{Node, Task, TaskState};
use bollard::query_parameters::{ListContainersOptionsBuilder, ListServicesOptionsBuilder, ListTasksOptionsBuilder};

use super::SERVICE_LABEL;
use super::engine::{Swarm, ask};
use super::reason::one_line;

/// The label of the bot's service, which sees docker's volumes and has a shell, `df` and `du`.
const BOT_LABEL: &str = "coop-cloud.backupbot.enabled=true";

/// The backup bot of a swarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bot {
    /// No service has the label.
    None,
    /// Its service exists, and no task of it runs.
    Stopped {
        service: String,
        /// The state of its newest task.
        why: String,
    },
    /// It runs on another node.
    Elsewhere {
        /// The node's name.
        node: String,
    },
    /// It runs on this node.
    Here { container: String },
}

impl Swarm {
    /// Looks for the backup bot, preferably on this node.
    pub async fn backup_bot(&self) -> Result<Bot, Failure> {
        let filters = HashMap::from([("label", vec![BOT_LABEL])]);
        let options = ListServicesOptionsBuilder::new().filters(&filters).build();
        let services = ask("list services", self.docker().list_services(Some(options))).await?;
        let names: Vec<String> = services.into_iter().filter_map(|service| service.spec?.name).collect();
        for name in &names {
            let label = format!("{SERVICE_LABEL}={name}");
            let filters = HashMap::from([("label", vec![label.as_str()]), ("status", vec!["running"])]);
            let options = ListContainersOptionsBuilder::new().filters(&filters).build();
            let found = ask("list containers", self.docker().list_containers(Some(options))).await?;
            if let Some(container) = found.into_iter().find_map(|container| container.id) {
                return Ok(Bot::Here { container });
            }
        }
        let mut found = Bot::None;
        for service in names {
            let filters = HashMap::from([("service", vec![service.as_str()])]);
            let options = ListTasksOptionsBuilder::new().filters(&filters).build();
            let tasks = ask("list tasks", self.docker().list_tasks(Some(options))).await?;
            let nodes = ask("list nodes", self.docker().list_nodes(None)).await?;
            found = elsewhere(service, &tasks, &nodes);
            if matches!(found, Bot::Elsewhere { .. }) {
                break;
            }
        }
        Ok(found)
    }

    /// The container of the backup bot, if it runs on this node.
    pub async fn bot_container(&self) -> Result<Option<String>, Failure> {
        Ok(match self.backup_bot().await? {
            Bot::Here { container } => Some(container),
            _ => None,
        })
    }
}

/// The state of a bot that is not here, from its tasks.
fn elsewhere(service: String, tasks: &[Task], nodes: &[Node]) -> Bot {
    let state = |task: &Task| task.status.as_ref().and_then(|status| status.state);
    if let Some(task) = tasks.iter().find(|task| state(task) == Some(TaskState::RUNNING)) {
        let id = task.node_id.clone().unwrap_or_default();
        let node = nodes.iter().find(|node| node.id.as_ref() == Some(&id));
        let name = node.and_then(|node| node.description.as_ref()?.hostname.clone());
        return Bot::Elsewhere { node: name.unwrap_or(id) };
    }
    let newest = tasks.iter().max_by(|a, b| a.created_at.cmp(&b.created_at));
    let why = newest.map_or_else(
        || "it has no task: is it scaled to 0?".to_owned(),
        |task| {
            let said = task.status.as_ref().and_then(|status| status.err.as_deref()).filter(|said| !said.is_empty());
            let state = state(task).map_or_else(|| "new".to_owned(), |state| state.to_string());
            format!(
                "its newest task is {state}{}",
                said.map_or_else(String::new, |said| format!(": {}", one_line(said)))
            )
        },
    );
    Bot::Stopped { service, why }
}

#[cfg(test)]
mod tests {
    use bollard::models::{NodeDescription, TaskStatus};

    use super::*;

    fn task(state: TaskState, created: &str, err: Option<&str>) -> Task {
        let status = TaskStatus { state: Some(state), err: err.map(str::to_owned), ..TaskStatus::default() };
        Task {
            status: Some(status),
            node_id: Some("n2".to_owned()),
            created_at: Some(created.to_owned()),
            ..Task::default()
        }
    }

    #[test]
    fn a_bot_on_another_node_is_named_with_its_node() {
        let description = NodeDescription { hostname: Some("ci-2".to_owned()), ..NodeDescription::default() };
        let node = Node { id: Some("n2".to_owned()), description: Some(description), ..Node::default() };
        let tasks = [task(TaskState::FAILED, "1", Some("boom")), task(TaskState::RUNNING, "2", None)];
        let found = elsewhere("bot_app".to_owned(), &tasks, &[node]);
        assert_eq!(found, Bot::Elsewhere { node: "ci-2".to_owned() });
        assert_eq!(elsewhere("bot_app".to_owned(), &tasks, &[]), Bot::Elsewhere { node: "n2".to_owned() });
    }

    #[test]
    fn a_bot_that_does_not_run_says_why() {
        let why = |tasks: &[Task]| match elsewhere("bot_app".to_owned(), tasks, &[]) {
            Bot::Stopped { why, .. } => why,
            other => panic!("{other:?}"),
        };
        let tasks = [
            task(TaskState::PENDING, "2026-11-28T10:00:02Z", Some("no suitable node")),
            task(TaskState::SHUTDOWN, "2026-11-28T10:00:01Z", None),
        ];
        assert_eq!(why(&tasks), "its newest task is pending: no suitable node");
        assert_eq!(why(&tasks[1..]), "its newest task is shutdown");
        assert!(why(&[]).contains("no task"));
    }
}
