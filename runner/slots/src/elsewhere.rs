//! What is left of a stack on nodes that only their own engine can reach: volumes, and containers that swarm has not
//! removed yet. It is recorded in a swarm config, `ccci_left_<node>_…`, and a cc-ci on that node removes it.

use std::collections::BTreeMap;

use base::failure::Failure;
use base::names::StackName;
use swarm::{SharedRecord, Swarm};

const LEFT_ON: &str = "cc-ci.left-on";
const STACK: &str = "cc-ci.stack";

/// What may be left of a stack on a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftElsewhere {
    /// The node's id in the swarm.
    pub node: String,
    pub stack: StackName,
}

impl LeftElsewhere {
    /// At most 64 bytes, as swarm requires: a stack's name has at most 45. Ids of nodes are random.
    fn name(&self) -> String {
        format!("ccci_left_{}_{}", self.stack, self.node.chars().take(8).collect::<String>())
    }
}

/// The swarm's records of what is left on other nodes.
#[derive(Debug, Clone, Copy)]
pub struct Leftovers<'a>(pub &'a Swarm);

impl Leftovers<'_> {
    /// Records the other nodes that may have parts of a stack: nodes of its tasks, and the node of the host that owned
    /// it. Call it before its services are removed, since this is unknown afterwards.
    pub async fn note(&self, stack: &StackName, owner: &str) -> Result<(), Failure> {
        let nodes = self.0.nodes().await?;
        if nodes.len() < 2 {
            return Ok(());
        }
        let own = self.0.facts().await?.node_id;
        let mut others = self.0.nodes_of(stack).await?;
        others.extend(nodes.into_iter().filter(|node| node.name == owner).map(|node| node.id));
        others.remove(&own);
        for node in others {
            let left = LeftElsewhere { node, stack: stack.clone() };
            let labels = BTreeMap::from([(LEFT_ON, left.node.clone()), (STACK, stack.to_string())]);
            let labels = labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            // An existing record is the same.
            self.0.make_shared_record(&left.name(), labels).await?;
        }
        Ok(())
    }

    /// What may be left on nodes, this one and others.
    pub async fn all(&self) -> Result<Vec<LeftElsewhere>, Failure> {
        let read = |record: &SharedRecord| {
            let label = |name: &str| record.labels.get(name).cloned();
            Some(LeftElsewhere { node: label(LEFT_ON)?, stack: label(STACK)?.try_into().ok()? })
        };
        let mut all: Vec<LeftElsewhere> = self.0.shared_records(LEFT_ON).await?.iter().filter_map(read).collect();
        all.sort();
        Ok(all)
    }

    /// Removes the record: nothing is left there.
    pub async fn settle(&self, left: &LeftElsewhere) -> Result<(), Failure> {
        self.0.drop_shared_record(&left.name()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_and_tells_nodes_and_stacks_apart() {
        let stack: StackName = "a".repeat(45).try_into().unwrap();
        let left = |node: &str| LeftElsewhere { node: node.to_owned(), stack: stack.clone() }.name();
        assert_eq!(left("1ka1ugb1skz97gzfxqxhgr2x8").len(), 64);
        assert_ne!(left("x"), left("y"));
    }
}
