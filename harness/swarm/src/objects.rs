//! Every docker object of a stack: by label, and by name as well, since objects that abra creates separately (secrets)
//! need not have the label.

use std::collections::HashMap;

use base::failure::Failure;
use base::names::StackName;
use bollard::errors::Error;
use bollard::query_parameters::{ListContainersOptionsBuilder, ListVolumesOptions};

use super::STACK_LABEL;
use super::engine::{Swarm, failed, is_gone};

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Object {
    pub kind: ObjectKind,
    pub name: String,
    /// Its id; for a volume its name.
    pub id: String,
}

/// The kinds of docker objects of a stack, in the order in which they can be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    Service,
    /// A container, running or not.
    Container,
    Network,
    Volume,
    Secret,
    Config,
}

impl ObjectKind {
    /// In the order of removal.
    pub const ALL: [Self; 6] =
        [Self::Service, Self::Container, Self::Network, Self::Volume, Self::Secret, Self::Config];

    /// docker's term.
    pub fn word(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Container => "container",
            Self::Network => "network",
            Self::Volume => "volume",
            Self::Secret => "secret",
            Self::Config => "config",
        }
    }
}

impl std::fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

impl Swarm {
    /// All objects of a stack on this engine, including stopped containers, in the order of removal.
    pub async fn objects(&self, stack: &StackName) -> Result<Vec<Object>, Failure> {
        self.objects_of(stack, &ObjectKind::ALL).await
    }

    /// The same for some kinds, queried concurrently.
    pub(super) async fn objects_of(&self, stack: &StackName, kinds: &[ObjectKind]) -> Result<Vec<Object>, Failure> {
        let lists = kinds.iter().map(|kind| self.list(*kind));
        let lists =
            futures_util::future::try_join_all(lists).await.map_err(|e| failed("list a stack's objects", &e))?;
        let mut objects: Vec<Object> =
            lists.into_iter().flatten().filter(|found| found.is_of(stack)).map(|found| found.object).collect();
        objects.sort();
        Ok(objects)
    }

    /// Whether the swarm has a secret of this full name.
    pub async fn has_secret(&self, name: &str) -> Result<bool, Failure> {
        match self.docker().inspect_secret(name).await {
            Ok(_) => Ok(true),
            Err(e) if is_gone(&e) => Ok(false),
            Err(e) => Err(failed("query a secret", &e)),
        }
    }

    /// Every object of a kind. The engine cannot filter by "this label or that name", and the lists are short, so they
    /// are filtered here.
    async fn list(&self, kind: ObjectKind) -> Result<Vec<Found>, Error> {
        let docker = self.docker();
        let found = |name: Option<String>, id: Option<String>, labels: Option<HashMap<String, String>>| {
            let name = name.unwrap_or_default();
            let stack = labels.and_then(|mut labels| labels.remove(STACK_LABEL));
            Found { object: Object { kind, id: id.unwrap_or_else(|| name.clone()), name }, stack }
        };
        Ok(match kind {
            ObjectKind::Service => {
                let list = docker.list_services(None).await?.into_iter();
                list.filter_map(|one| Some((one.id, one.spec?)))
                    .map(|(id, spec)| found(spec.name, id, spec.labels))
                    .collect()
            }
            ObjectKind::Container => {
                let options = ListContainersOptionsBuilder::new().all(true).build();
                let name = |names: Option<Vec<String>>| Some(names?.first()?.trim_start_matches('/').to_owned());
                let list = docker.list_containers(Some(options)).await?.into_iter();
                list.map(|one| found(name(one.names), one.id, one.labels)).collect()
            }
            ObjectKind::Network => {
                let list = docker.list_networks(None).await?.into_iter();
                list.map(|one| found(one.name, one.id, one.labels)).collect()
            }
            ObjectKind::Volume => {
                let list =
                    docker.list_volumes(None::<ListVolumesOptions>).await?.volumes.unwrap_or_default().into_iter();
                list.map(|one| found(Some(one.name), None, Some(one.labels))).collect()
            }
            ObjectKind::Secret => {
                let list = docker.list_secrets(None).await?.into_iter();
                list.filter_map(|one| Some((one.id, one.spec?)))
                    .map(|(id, spec)| found(spec.name, id, spec.labels))
                    .collect()
            }
            ObjectKind::Config => {
                let list = docker.list_configs(None).await?.into_iter();
                list.filter_map(|one| Some((one.id, one.spec?)))
                    .map(|(id, spec)| found(spec.name, id, spec.labels))
                    .collect()
            }
        })
    }
}

/// An object with the stack in its label.
struct Found {
    object: Object,
    stack: Option<String>,
}

impl Found {
    /// By label; by name only without a label, since `a_b` is also a prefix of names in the stack `a_b_c`.
    fn is_of(&self, stack: &StackName) -> bool {
        match &self.stack {
            Some(label) => label == stack.as_str(),
            None => self.object.name.strip_prefix(stack.as_str()).is_some_and(|rest| rest.starts_with('_')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_of_another_stack_is_not_taken_for_ours() {
        let stack = StackName::try_from("a_b".to_owned()).unwrap();
        let is_ours = |name: &str, label: Option<&str>| {
            let object = Object { kind: ObjectKind::Volume, name: name.to_owned(), id: name.to_owned() };
            Found { object, stack: label.map(str::to_owned) }.is_of(&stack)
        };
        assert!(is_ours("a_b_data", None) && is_ours("a_b_data", Some("a_b")) && is_ours("x", Some("a_b")));
        assert!(!is_ours("a_b_c_data", Some("a_b_c")));
        assert!(!is_ours("a_bc_data", None) && !is_ours("a_b", None) && !is_ours("ccci_a_b", None));
    }
}
