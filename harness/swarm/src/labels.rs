//! The labels of services. They belong to the service's spec, not to containers, and swarm restores them in a rollback:
//! reading them after an update shows the effective spec.

use std::collections::{BTreeMap, HashMap};

use base::failure::Failure;
use base::names::StackName;
use bollard::query_parameters::ListServicesOptionsBuilder;

use super::STACK_LABEL;
use super::engine::{Swarm, ask};

impl Swarm {
    /// The labels of one service of a stack; empty if it does not exist. `short` is its name without the stack.
    pub async fn service_labels(&self, stack: &StackName, short: &str) -> Result<BTreeMap<String, String>, Failure> {
        Ok(self.all_service_labels(stack).await?.remove(short).unwrap_or_default())
    }

    /// The short names of a stack's services, sorted.
    pub async fn services(&self, stack: &StackName) -> Result<Vec<String>, Failure> {
        Ok(self.all_service_labels(stack).await?.into_keys().collect())
    }

    /// The labels of every service of a stack, by the service's short name.
    pub async fn all_service_labels(
        &self,
        stack: &StackName,
    ) -> Result<BTreeMap<String, BTreeMap<String, String>>, Failure> {
        let options = ListServicesOptionsBuilder::new().filters(&of_stack(stack)).build();
        let services = ask("list services", self.docker().list_services(Some(options))).await?;
        Ok(services
            .into_iter()
            .filter_map(|service| service.spec)
            .map(|spec| {
                let labels = spec.labels.unwrap_or_default().into_iter().collect();
                (short(stack, &spec.name.unwrap_or_default()).to_owned(), labels)
            })
            .collect())
    }
}

/// The filter that lists a stack's objects by label.
pub(super) fn of_stack(stack: &StackName) -> HashMap<&'static str, Vec<String>> {
    HashMap::from([("label", vec![format!("{STACK_LABEL}={stack}")])])
}

/// A name without its stack: `app` for `<stack>_app`.
pub(super) fn short<'a>(stack: &StackName, name: &'a str) -> &'a str {
    name.strip_prefix(stack.as_str()).and_then(|rest| rest.strip_prefix('_')).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_has_no_stack() {
        let stack = StackName::try_from("a_b".to_owned()).unwrap();
        assert_eq!(short(&stack, "a_b_app"), "app");
        assert_eq!(short(&stack, "a_bc_app"), "a_bc_app");
        assert_eq!(short(&stack, "other"), "other");
    }
}
