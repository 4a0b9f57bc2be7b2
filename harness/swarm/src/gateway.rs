//! The addresses under which containers of this node reach the ports that the node publishes.

use std::net::IpAddr;

use base::failure::{Failure, Kind};
use bollard::query_parameters::InspectNetworkOptions;

use super::engine::{Swarm, ask};

/// Every container of a swarm service is connected to this bridge, and every node has one.
const BRIDGE: &str = "docker_gwbridge";

impl Swarm {
    /// The address at which this node reaches a container, whatever networks its service has; `None` if it is not
    /// connected to the bridge.
    ///
    /// # Errors
    /// As in [`Swarm::gateway`].
    pub async fn bridge_address(&self, container: &str) -> Result<Option<IpAddr>, Failure> {
        let request = self.docker().inspect_network(BRIDGE, None::<InspectNetworkOptions>);
        let network = ask("inspect the bridge of swarm's containers", request).await?;
        let leg = network.containers.unwrap_or_default().remove(container);
        Ok(leg.and_then(|leg| leg.ipv4_address?.split('/').next()?.parse().ok()))
    }

    /// The address by which containers on this node reach the node's own ports. Measured on a swarm of one node: a port
    /// published in host mode answers there.
    ///
    /// # Errors
    /// The engine does not answer, or has no such bridge: it is no member of a swarm.
    pub async fn gateway(&self) -> Result<IpAddr, Failure> {
        let request = self.docker().inspect_network(BRIDGE, None::<InspectNetworkOptions>);
        let network = ask("inspect the bridge of swarm's containers", request).await?;
        let configs = network.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
        let gateway = configs.iter().find_map(|config| config.gateway.as_deref()?.parse().ok());
        gateway.ok_or_else(|| {
            Failure::new(
                Kind::WorldIncomplete,
                format!("the network {BRIDGE} has no gateway, so no container can reach this node's ports"),
                format!("docker network inspect {BRIDGE}; leaving and joining the swarm recreates it"),
            )
        })
    }
}
