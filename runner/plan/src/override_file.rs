//! The compose file that cc-ci adds to a run's checkout. It marks every service as the run's own; where
//! the kernel has no IPVS, it replaces what needs virtual addresses; it has the ports that docker would lose in merging one
//! more file; where a run has several apps and no public DNS, it says where the others are and which CA they have. It never changes what the recipe says
//! about updates, grace periods or health.

use std::collections::BTreeMap;

use coopcloud::compose::{Compose, Port};
use serde_json::{Map, Value, json};
use swarm::EngineFacts;

use crate::peers::{CA_FILE, CA_IN_CONTAINER, Peers, TRUST};

/// What the swarm is like that the app is deployed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwarmTraits {
    /// Whether swarm's virtual addresses work here.
    pub ipvs: bool,
    /// The node that every task has to be on, where there are several: only on its own node can cc-ci, as
    /// abra, run a command in a container and see a volume.
    pub pinned_to: Option<String>,
}

impl From<&EngineFacts> for SwarmTraits {
    fn from(facts: &EngineFacts) -> Self {
        Self { ipvs: facts.ipvs, pinned_to: (facts.nodes > 1).then(|| facts.node_id.clone()) }
    }
}

/// The file's text. JSON is YAML, so no writer of our own is needed.
pub fn override_file(
    compose: &Compose,
    labels: &BTreeMap<String, String>,
    place: &SwarmTraits,
    peers: &Peers,
) -> String {
    let held: Vec<&str> = compose.ports_to_hold().into_iter().map(|service| service.name.as_str()).collect();
    let services: Map<String, Value> = compose
        .services
        .iter()
        .map(|service| {
            let mut deploy = json!({ "labels": escaped(labels) });
            let mut entry = Map::new();
            if let Some(node) = &place.pinned_to {
                deploy["placement"] = json!({ "constraints": [format!("node.id == {node}")] });
            }
            if !place.ipvs {
                deploy["endpoint_mode"] = json!("dnsrr");
            }
            let is_held = held.contains(&service.name.as_str());
            let changes = |port: &&Port| is_held || (!place.ipvs && port.mode != "host");
            let ports: Vec<Value> = service
                .ports
                .iter()
                .filter(changes)
                .map(|port| match place.ipvs {
                    true => port.long(),
                    false => Port { mode: "host".to_owned(), ..port.clone() }.long(),
                })
                .collect();
            if !ports.is_empty() {
                entry.insert("ports".to_owned(), Value::Array(ports));
            }
            if !peers.hosts.is_empty() {
                let hosts: Vec<String> = peers.hosts.iter().map(|(name, ip)| format!("{name}:{ip}")).collect();
                entry.insert("extra_hosts".to_owned(), json!(hosts));
            }
            if peers.ca.is_some() {
                let mount = json!({ "source": CONFIG, "target": CA_IN_CONTAINER, "mode": 0o444 });
                entry.insert("configs".to_owned(), json!([mount]));
                let trust: Map<String, Value> =
                    TRUST.iter().map(|name| ((*name).to_owned(), json!(CA_IN_CONTAINER))).collect();
                entry.insert("environment".to_owned(), Value::Object(trust));
            }
            entry.insert("deploy".to_owned(), deploy);
            (service.name.clone(), Value::Object(entry))
        })
        .collect();
    let mut file = json!({});
    compose.version.write_to(&mut file);
    file["services"] = Value::Object(services);
    if peers.ca.is_some() {
        file["configs"] = json!({ CONFIG: { "file": format!("./{CA_FILE}") } });
    }
    format!("{file:#}\n")
}

/// The version (`3.<minor>`) of compose files that [`override_file`] needs: endpoint modes, ports in their long form
/// and configs came with 3.2 and 3.3.
pub fn least_version(place: &SwarmTraits, peers: &Peers) -> u8 {
    if place.ipvs && peers.ca.is_none() { 0 } else { 3 }
}

/// The CA's name among the stack's configs.
const CONFIG: &str = "cc-ci-ca";

/// Labels with `$` doubled, since compose files are interpolated.
fn escaped(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    labels.iter().map(|(key, value)| (key.clone(), value.replace('$', "$$"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_the_version_that_the_recipe_says() {
        for (says, version) in [("", None), ("version: '3'\n", Some("3")), ("version: '3.13'\n", Some("3.13"))] {
            let text = format!("{says}services:\n  app:\n    image: a\n");
            let compose = Compose::load(&[("compose.yml".to_owned(), text)], &BTreeMap::new()).unwrap();
            let file = override_file(&compose, &labels(), &place(true, None), &Peers::default());
            let file: Value = serde_json::from_str(&file).unwrap();
            assert_eq!(file.get("version").and_then(Value::as_str), version, "{says}");
        }
    }

    #[test]
    fn a_port_by_tcp_and_udp_is_in_it_whole() {
        let text = "services:\n  app:\n    image: a\n    ports: ['64738:64738', '64738:64738/udp']\n";
        let compose = Compose::load(&[("compose.yml".to_owned(), text.to_owned())], &BTreeMap::new()).unwrap();
        for (ipvs, mode) in [(true, "ingress"), (false, "host")] {
            let file = override_file(&compose, &labels(), &place(ipvs, None), &Peers::default());
            let file: Value = serde_json::from_str(&file).unwrap();
            let ports = file["services"]["app"]["ports"].as_array().unwrap();
            let short: Vec<_> = ports.iter().map(|port| (port["protocol"].as_str(), port["mode"].as_str())).collect();
            assert_eq!(short, [(Some("tcp"), Some(mode)), (Some("udp"), Some(mode))]);
        }
    }

    fn compose() -> Compose {
        let text = "version: '3.8'\nservices:\n  app:\n    image: a\n    ports: [\"2222:22\"]\n  db:\n    image: b\n";
        Compose::load(&[("compose.yml".to_owned(), text.to_owned())], &BTreeMap::new()).unwrap()
    }

    fn labels() -> BTreeMap<String, String> {
        BTreeMap::from([("cc-ci.run".to_owned(), "r$1".to_owned())])
    }

    fn place(ipvs: bool, pinned_to: Option<&str>) -> SwarmTraits {
        SwarmTraits { ipvs, pinned_to: pinned_to.map(str::to_owned) }
    }

    #[test]
    fn on_a_swarm_of_several_nodes_the_app_is_on_that_of_its_runner() {
        let text = override_file(&compose(), &labels(), &place(true, Some("n0de")), &Peers::default());
        let file: Value = serde_json::from_str(&text).unwrap();
        for service in ["app", "db"] {
            let constraints = &file["services"][service]["deploy"]["placement"]["constraints"];
            assert_eq!(constraints, &json!(["node.id == n0de"]), "{service}");
        }
    }

    #[test]
    fn a_server_with_everything_gets_labels_and_nothing_else() {
        let text = override_file(&compose(), &labels(), &place(true, None), &Peers::default());
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_local_world_gets_addresses_and_a_ca_and_what_its_kernel_needs() {
        let hosts = vec![("keycloak.ci.localhost".parse().unwrap(), "172.18.0.1".parse().unwrap())];
        let peers = Peers { hosts, ca: Some("PEM".to_owned()) };
        insta::assert_snapshot!(override_file(&compose(), &labels(), &place(false, None), &peers));
    }
}
