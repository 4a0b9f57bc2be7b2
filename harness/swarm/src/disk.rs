//! The disk usage of a run's apps: the writable layers of their containers, and their volumes.
//!
//! The engine's own sum (`docker system df`) examines every image and volume of the machine, so containers are queried
//! by stack, and the backup bot, which sees all volumes, measures those of the run in one command.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use base::failure::Failure;
use base::names::StackName;
use bollard::models::ContainerSummary;
use bollard::query_parameters::{ListContainersOptionsBuilder, ListVolumesOptionsBuilder};

use super::engine::{Swarm, ask};
use super::labels::of_stack;
use super::volumes::is_anonymous;

/// The path of docker's volumes in the bot.
const VOLUMES: &str = "/var/lib/docker/volumes";

impl Swarm {
    /// Bytes on this engine's disk, by stack; a stack is omitted if the bot does not see its volumes.
    pub async fn disk(&self, stacks: &[StackName], deadline: Instant) -> Result<BTreeMap<StackName, u64>, Failure> {
        let mut layers: BTreeMap<StackName, u64> = BTreeMap::new();
        let mut volumes: BTreeMap<String, StackName> = BTreeMap::new();
        for stack in stacks {
            let filters = of_stack(stack);
            let options = ListContainersOptionsBuilder::new().all(true).size(true).filters(&filters).build();
            let containers = ask("list containers", self.docker().list_containers(Some(options)));
            let options = ListVolumesOptionsBuilder::new().filters(&filters).build();
            let named = ask("list volumes", self.docker().list_volumes(Some(options)));
            let (containers, named) = tokio::join!(containers, named);
            let (containers, named) = (containers?, named?);
            layers.insert(stack.clone(), containers.iter().map(layer).sum());
            let mounted = containers.iter().flat_map(anonymous_volumes);
            let named = named.volumes.unwrap_or_default().into_iter().map(|volume| volume.name);
            volumes.extend(named.chain(mounted).map(|name| (name, stack.clone())));
        }
        if volumes.is_empty() {
            return Ok(layers);
        }
        let counted = self.count(volumes.keys().cloned().collect(), deadline).await?;
        Ok(sum(layers, &volumes, &counted))
    }

    /// Bytes in volumes, by name; invisible ones are omitted.
    async fn count(&self, names: Vec<String>, deadline: Instant) -> Result<HashMap<String, u64>, Failure> {
        let mut argv = ["du", "-sk", "--"].map(str::to_owned).to_vec();
        argv.extend(names.iter().map(|name| format!("{VOLUMES}/{name}/_data")));
        Ok(self.in_bot(&argv, deadline).await?.map(|ended| read_du(&ended.output)).unwrap_or_default())
    }
}

fn layer(container: &ContainerSummary) -> u64 {
    container.size_rw.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0)
}

/// Volumes without a name in the stack: those of `VOLUME` lines in an image.
fn anonymous_volumes(container: &ContainerSummary) -> Vec<String> {
    let names = container.mounts.iter().flatten().filter_map(|mount| mount.name.clone());
    names.filter(|name| !name.is_empty() && is_anonymous(name)).collect()
}

/// Sums by stack; a stack with an unmeasured volume has no sum.
fn sum(
    mut layers: BTreeMap<StackName, u64>,
    volumes: &BTreeMap<String, StackName>,
    counted: &HashMap<String, u64>,
) -> BTreeMap<StackName, u64> {
    let unseen: BTreeSet<&StackName> =
        volumes.iter().filter(|(name, _)| !counted.contains_key(*name)).map(|(_, stack)| stack).collect();
    layers.retain(|stack, _| !unseen.contains(stack));
    for (name, stack) in volumes {
        if let (Some(bytes), Some(all)) = (counted.get(name), layers.get_mut(stack)) {
            *all += bytes;
        }
    }
    layers
}

/// Parses lines like `1234\t/var/lib/docker/volumes/NAME/_data`; others, such as errors of `du`, are skipped.
fn read_du(text: &str) -> HashMap<String, u64> {
    text.lines()
        .filter_map(|line| {
            let (kib, path) = line.trim_end().split_once('\t')?;
            let name = path.strip_prefix(VOLUMES)?.strip_prefix('/')?.strip_suffix("/_data")?;
            Some((name.to_owned(), kib.parse::<u64>().ok()?.checked_mul(1024)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(name: &str) -> StackName {
        StackName::try_from(name.to_owned()).unwrap()
    }

    #[test]
    fn what_du_says_is_read_and_its_complaints_are_not() {
        let said = "12\t/var/lib/docker/volumes/a_data/_data\r\ndu: cannot access '/x': No such file\n";
        assert_eq!(read_du(said), HashMap::from([("a_data".to_owned(), 12 * 1024)]));
    }

    #[test]
    fn a_stack_with_a_volume_that_nobody_saw_has_no_sum() {
        let layers = BTreeMap::from([(stack("a"), 5), (stack("b"), 7), (stack("c"), 9)]);
        let volumes = [("a_1", "a"), ("a_2", "a"), ("b_1", "b")].map(|(name, of)| (name.to_owned(), stack(of)));
        let counted = HashMap::from([("a_1".to_owned(), 100), ("b_1".to_owned(), 200)]);
        let sums = sum(layers, &volumes.into(), &counted);
        assert_eq!(sums, BTreeMap::from([(stack("b"), 207), (stack("c"), 9)]));
    }
}
