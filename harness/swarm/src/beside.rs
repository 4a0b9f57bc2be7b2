//! Networks and volumes of a stack that are not in its compose file: each has the stack's label, so that
//! [`Swarm::remove`] removes it with the stack, even after a kill.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use base::failure::{Failure, Kind};
use base::names::StackName;
use bollard::models::{NetworkConnectRequest, NetworkCreateRequest, VolumeCreateRequest};

use super::STACK_LABEL;
use super::engine::{Swarm, ask};

/// The labels of a stack's object, by which [`Swarm::remove`] finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackLabels(HashMap<String, String>);

impl StackLabels {
    /// The stack's own label and some more.
    pub fn new(stack: &StackName, more: &BTreeMap<String, String>) -> Self {
        let mut labels: HashMap<String, String> = more.clone().into_iter().collect();
        labels.insert(STACK_LABEL.to_owned(), stack.to_string());
        Self(labels)
    }

    pub(super) fn all(&self) -> HashMap<String, String> {
        self.0.clone()
    }
}

/// What is reachable through a bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Only other containers on it: there is no external route, and the host has no address on it.
    Members,
    /// Everything that the host reaches, and the host.
    Everything,
}

/// A bridge network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    /// Its id. Names of networks need not be unique, ids are.
    pub id: String,
    /// The host's address for containers on it; `None` with [`Reach::Members`].
    pub host: Option<IpAddr>,
}

impl Swarm {
    /// Creates a bridge network for a stack.
    ///
    /// # Errors
    /// The engine refuses, for example because no address range is free.
    pub async fn make_bridge(&self, labels: &StackLabels, name: &str, reach: Reach) -> Result<Bridge, Failure> {
        let doing = "create a network for a test";
        let closed = reach == Reach::Members;
        // An internal network has no external route, but the host's own ports are open on its bridge, unless the bridge
        // has no address.
        let no_address = ("com.docker.network.bridge.inhibit_ipv4".to_owned(), "true".to_owned());
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            driver: Some("bridge".to_owned()),
            internal: Some(closed),
            enable_ipv6: Some(false),
            options: Some(closed.then_some(no_address).into_iter().collect()),
            labels: Some(labels.all()),
            ..NetworkCreateRequest::default()
        };
        let id = ask(doing, self.docker().create_network(request)).await?.id;
        let made = ask(doing, self.docker().inspect_network(&id, None)).await?;
        let gateway =
            made.ipam.and_then(|ipam| ipam.config).unwrap_or_default().into_iter().find_map(|one| one.gateway);
        Ok(Bridge { id, host: gateway.filter(|_| !closed).and_then(|text| text.parse().ok()) })
    }

    /// Creates a volume with an unpredictable name, so that no recipe can claim it for one of its services. Returns the
    /// name.
    pub async fn make_volume(&self, labels: &StackLabels) -> Result<String, Failure> {
        let request = VolumeCreateRequest { labels: Some(labels.all()), ..VolumeCreateRequest::default() };
        Ok(ask("create a volume for a test", self.docker().create_volume(request)).await?.name)
    }

    /// Connects a container to one more network.
    pub async fn join(&self, container: &str, network: &Bridge) -> Result<(), Failure> {
        let request = NetworkConnectRequest { container: container.to_owned(), endpoint_config: None };
        ask("join a container to a network", self.docker().connect_network(&network.id, request)).await
    }

    /// The address of a container in a network.
    ///
    /// # Errors
    /// It has none: it ended, or is not in that network.
    pub async fn address_in(&self, container: &str, network: &Bridge) -> Result<IpAddr, Failure> {
        let found = ask("inspect a container", self.docker().inspect_container(container, None)).await?;
        let networks = found.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
        let here = networks.into_values().find(|endpoint| endpoint.network_id.as_deref() == Some(network.id.as_str()));
        here.and_then(|endpoint| endpoint.ip_address?.parse().ok()).ok_or_else(|| {
            let what = format!("the container {container} has no address in the network of the test");
            Failure::new(Kind::EngineUnreachable, what, "whether it still runs, and its output: `docker logs`")
        })
    }
}
