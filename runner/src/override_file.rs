//! The compose file that cc-ci adds to a run's checkout. It marks every service as the run's own
//! and, where the kernel has no IPVS, replaces what needs virtual addresses. It never changes what
//! the recipe says about updates, grace periods or health.

use std::collections::BTreeMap;

use harness::coopcloud::compose::Compose;
use serde_json::{Map, Value, json};

/// The file's name in the checkout.
pub const OVERRIDE_FILE: &str = "compose.cc-ci.yml";

/// The file's text. JSON is YAML, so no writer of our own is needed.
#[must_use]
pub fn override_file(compose: &Compose, labels: &BTreeMap<String, String>, ipvs: bool) -> String {
    let services: Map<String, Value> = compose
        .services
        .iter()
        .map(|service| {
            let mut deploy = json!({ "labels": escaped(labels) });
            let mut entry = Map::new();
            if !ipvs {
                deploy["endpoint_mode"] = json!("dnsrr");
                let ports: Vec<Value> = service
                    .ports
                    .iter()
                    .filter(|port| port.mode != "host")
                    .map(|port| {
                        json!({ "target": port.target, "published": port.published,
                                "protocol": port.protocol, "mode": "host" })
                    })
                    .collect();
                if !ports.is_empty() {
                    entry.insert("ports".to_owned(), Value::Array(ports));
                }
            }
            entry.insert("deploy".to_owned(), deploy);
            (service.name.clone(), Value::Object(entry))
        })
        .collect();
    format!("{:#}\n", json!({ "version": "3.8", "services": services }))
}

/// Labels with `$` doubled, since compose files are interpolated.
fn escaped(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    labels.iter().map(|(key, value)| (key.clone(), value.replace('$', "$$"))).collect()
}
