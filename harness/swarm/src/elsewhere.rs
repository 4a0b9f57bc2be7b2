//! What is left of a stack on nodes that only their own engine can reach: volumes, and containers that
//! swarm has not taken away yet. It is written down in a swarm config, `ccci_left_<node>_…`, and a cc-ci on
//! that node removes it.

use std::collections::{BTreeMap, BTreeSet};

use base::failure::Failure;
use base::names::StackName;
use bollard::models::{Node, Task};
use bollard::query_parameters::{ListNodesOptions, ListTasksOptionsBuilder};

use super::engine::{Swarm, ask};
use super::labels::of_stack;
use super::record::SharedRecord;

const LEFT_ON: &str = "cc-ci.left-on";
const STACK: &str = "cc-ci.stack";

/// What may be left of a stack on a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftElsewhere {
    /// The node's id in the swarm.
    pub node: String,
    /// The stack.
    pub stack: StackName,
}

impl LeftElsewhere {
    /// At most 64 bytes, as swarm wants it: a stack's name has at most 45. Ids of nodes are random.
    fn name(&self) -> String {
        format!("ccci_left_{}_{}", self.stack, self.node.chars().take(8).collect::<String>())
    }
}

impl Swarm {
    /// Writes down on which other nodes something of a stack may be: where tasks of it have been, and the node
    /// of the host that owned it. Before its services are removed: after that nobody knows.
    pub async fn note_elsewhere(&self, stack: &StackName, owner: &str) -> Result<(), Failure> {
        let nodes = ask("list nodes", self.docker().list_nodes(None::<ListNodesOptions>)).await?;
        if nodes.len() < 2 {
            return Ok(());
        }
        let options = ListTasksOptionsBuilder::new().filters(&of_stack(stack)).build();
        let tasks = ask("list tasks", self.docker().list_tasks(Some(options))).await?;
        let own = self.facts().await?.node_id;
        let mut beside = nodes_beside(&own, &tasks);
        let of_owner = nodes.into_iter().filter(|node| hostname(node) == Some(owner)).filter_map(|node| node.id);
        beside.extend(of_owner.filter(|node| *node != own));
        for node in beside {
            let left = LeftElsewhere { node, stack: stack.clone() };
            let labels = BTreeMap::from([(LEFT_ON, left.node.clone()), (STACK, stack.to_string())]);
            let labels = labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            // One that is there says the same.
            self.make_shared_record(&left.name(), labels).await?;
        }
        Ok(())
    }

    /// What may be left on nodes, this one and others.
    pub async fn left_elsewhere(&self) -> Result<Vec<LeftElsewhere>, Failure> {
        let read = |record: &SharedRecord| {
            let label = |name: &str| record.labels.get(name).cloned();
            Some(LeftElsewhere { node: label(LEFT_ON)?, stack: label(STACK)?.try_into().ok()? })
        };
        let mut all: Vec<LeftElsewhere> = self.shared_records(LEFT_ON).await?.iter().filter_map(read).collect();
        all.sort();
        Ok(all)
    }

    /// Says that nothing is left there any more.
    pub async fn nothing_left_elsewhere(&self, left: &LeftElsewhere) -> Result<(), Failure> {
        self.drop_shared_record(&left.name()).await
    }
}

fn hostname(node: &Node) -> Option<&str> {
    node.description.as_ref()?.hostname.as_deref()
}

/// The nodes that tasks were given to, without this one.
fn nodes_beside(own: &str, tasks: &[Task]) -> BTreeSet<String> {
    tasks.iter().filter_map(|task| task.node_id.clone()).filter(|node| !node.is_empty() && node != own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_nodes_are_told_and_tasks_that_had_none_are_not() {
        let task = |node: Option<&str>| Task { node_id: node.map(str::to_owned), ..Task::default() };
        let tasks = [task(Some("a")), task(Some("b")), task(None), task(Some("")), task(Some("b")), task(Some("c"))];
        assert_eq!(nodes_beside("a", &tasks).into_iter().collect::<Vec<_>>(), ["b", "c"]);
    }

    #[test]
    fn a_name_fits_and_tells_nodes_and_stacks_apart() {
        let stack: StackName = "a".repeat(45).try_into().unwrap();
        let left = |node: &str| LeftElsewhere { node: node.to_owned(), stack: stack.clone() }.name();
        assert_eq!(left("1ka1ugb1skz97gzfxqxhgr2x8").len(), 64);
        assert_ne!(left("x"), left("y"));
    }
}
