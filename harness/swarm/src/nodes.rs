//! The nodes of the swarm, from its managers.

use std::collections::BTreeSet;

use base::failure::Failure;
use base::names::StackName;
use bollard::models::{Node, NodeSpecAvailabilityEnum, NodeState, Task};
use bollard::query_parameters::{ListNodesOptions, ListTasksOptionsBuilder};

use super::engine::{Swarm, ask};
use super::labels::of_stack;

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFacts {
    /// Its id in the swarm.
    pub id: String,
    /// Its host name.
    pub name: String,
    pub role: NodeRole,
    /// Whether its engine answers the managers.
    pub is_ready: bool,
    /// Whether it takes tasks; a paused or drained node does not.
    pub is_active: bool,
    /// The version of its engine.
    pub engine: String,
    /// Number of processors.
    pub cpus: u64,
    /// Its memory in bytes.
    pub memory: u64,
}

/// A node's role in the swarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeRole {
    /// It runs tasks.
    Worker,
    /// It stores the swarm's records.
    Manager,
    /// The manager that decides.
    Leader,
}

impl NodeRole {
    pub fn word(self) -> &'static str {
        match self {
            Self::Worker => "worker",
            Self::Manager => "manager",
            Self::Leader => "leader",
        }
    }
}

impl Swarm {
    /// All nodes, by name.
    ///
    /// # Errors
    /// The engine does not answer, or is no manager.
    pub async fn nodes(&self) -> Result<Vec<NodeFacts>, Failure> {
        let nodes = ask("list nodes", self.docker().list_nodes(None::<ListNodesOptions>)).await?;
        let mut nodes: Vec<NodeFacts> = nodes.into_iter().map(read).collect();
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(nodes)
    }

    /// The ids of the nodes of a stack's tasks, including those of removed services.
    pub async fn nodes_of(&self, stack: &StackName) -> Result<BTreeSet<String>, Failure> {
        let options = ListTasksOptionsBuilder::new().filters(&of_stack(stack)).build();
        Ok(nodes_of(ask("list tasks", self.docker().list_tasks(Some(options))).await?))
    }
}

/// A pending task has no node yet.
fn nodes_of(tasks: Vec<Task>) -> BTreeSet<String> {
    tasks.into_iter().filter_map(|task| task.node_id).filter(|node| !node.is_empty()).collect()
}

fn read(node: Node) -> NodeFacts {
    let about = node.description.unwrap_or_default();
    let resources = about.resources.unwrap_or_default();
    let role = match node.manager_status {
        None => NodeRole::Worker,
        Some(status) if status.leader == Some(true) => NodeRole::Leader,
        Some(_) => NodeRole::Manager,
    };
    let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
    let availability = node.spec.and_then(|spec| spec.availability);
    NodeFacts {
        id: node.id.unwrap_or_default(),
        name: about.hostname.unwrap_or_default(),
        role,
        is_ready: node.status.and_then(|status| status.state) == Some(NodeState::READY),
        is_active: matches!(availability, None | Some(NodeSpecAvailabilityEnum::ACTIVE)),
        engine: about.engine.and_then(|engine| engine.engine_version).unwrap_or_default(),
        cpus: count(resources.nano_cpus) / 1_000_000_000,
        memory: count(resources.memory_bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_node_with_a_task_counts_once_and_tasks_that_have_none_do_not() {
        let task = |node: Option<&str>| Task { node_id: node.map(str::to_owned), ..Task::default() };
        let tasks = vec![task(Some("a")), task(Some("b")), task(None), task(Some("")), task(Some("b"))];
        assert_eq!(nodes_of(tasks).into_iter().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_node_is_read_and_one_that_says_nothing_is_not_ready() {
        let node: Node = serde_json::from_str(
            r#"{"ID": "1ka1", "Spec": {"Availability": "drain"}, "Status": {"State": "ready"}, "ManagerStatus": {"Leader": true},
                "Description": {"Hostname": "one", "Engine": {"EngineVersion": "20.10.24"},
                "Resources": {"NanoCPUs": 2000000000, "MemoryBytes": 1024}}}"#,
        )
        .unwrap();
        let wanted = NodeFacts {
            id: "1ka1".to_owned(),
            name: "one".to_owned(),
            role: NodeRole::Leader,
            is_ready: true,
            is_active: false,
            engine: "20.10.24".to_owned(),
            cpus: 2,
            memory: 1024,
        };
        assert_eq!(read(node), wanted);
        let silent = read(Node::default());
        assert!(!silent.is_ready && silent.role == NodeRole::Worker && silent.name.is_empty());
    }
}
