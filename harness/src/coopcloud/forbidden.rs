//! What a change under test may not ask of the host that tests it.

use serde_json::Value;

use super::compose::{Compose, Service};

/// Host files that many recipes read for the time zone, and that tell nothing else.
const HARMLESS: [&str; 2] = ["/etc/localtime", "/etc/timezone"];

/// Everything that the compose file asks of the host, in words. Empty is what it should be.
#[must_use]
pub fn forbidden(compose: &Compose) -> Vec<String> {
    let mut found = Vec::new();
    for service in &compose.services {
        mounts(service, &mut found);
        fields(service, &mut found);
    }
    for config in compose.configs.iter().chain(&compose.secrets) {
        if let Some(file) = config.file.as_deref().filter(|file| leaves_the_folder(file)) {
            found.push(format!("{} is made of {file}, outside the recipe", config.key));
        }
    }
    found
}

fn mounts(service: &Service, found: &mut Vec<String>) {
    for mount in service.mounts.iter().filter(|mount| mount.kind == "bind") {
        let harmless = mount.read_only && HARMLESS.contains(&mount.source.as_str());
        if mount.source.ends_with("docker.sock") {
            found.push(format!("service {} mounts the docker socket", service.name));
        } else if !harmless {
            found.push(format!("service {} mounts {} of the host", service.name, mount.source));
        }
    }
}

fn fields(service: &Service, found: &mut Vec<String>) {
    let name = &service.name;
    if service.field("privileged").and_then(Value::as_bool) == Some(true) {
        found.push(format!("service {name} wants to be privileged"));
    }
    for field in ["cap_add", "devices"] {
        if service.field(field).and_then(Value::as_array).is_some_and(|list| !list.is_empty()) {
            found.push(format!("service {name} wants {field}"));
        }
    }
    for field in ["network_mode", "pid", "ipc", "userns_mode"] {
        if service.field(field).and_then(Value::as_str) == Some("host") {
            found.push(format!("service {name} wants the host's {field}"));
        }
    }
    if service.field("networks").and_then(Value::as_object).is_some_and(|networks| networks.contains_key("host")) {
        found.push(format!("service {name} wants the host's network"));
    }
}

fn leaves_the_folder(file: &str) -> bool {
    file.starts_with(['/', '~']) || file.split('/').any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn of(service: &str) -> Vec<String> {
        let text = format!("services: {{app: {{image: a, {service}}}}}\n");
        forbidden(&Compose::load(&[("c.yml".to_owned(), text)], &BTreeMap::new()).unwrap())
    }

    #[test]
    fn each_reach_for_the_host_is_named() {
        for (service, mark) in [
            ("volumes: ['/var/run/docker.sock:/x']", "docker socket"),
            ("volumes: ['/etc:/x:ro']", "/etc of the host"),
            ("volumes: ['/etc/localtime:/etc/localtime']", "/etc/localtime"),
            ("volumes: [{type: bind, source: /, target: /x}]", "/ of the host"),
            ("privileged: true", "privileged"),
            ("cap_add: [NET_ADMIN]", "cap_add"),
            ("network_mode: host", "network_mode"),
            ("networks: [host]", "network"),
            ("pid: host", "pid"),
        ] {
            let found = of(service);
            assert!(found.len() == 1 && found[0].contains(mark), "{service}: {found:?}");
        }
        assert!(of("volumes: ['data:/x', '/etc/localtime:/etc/localtime:ro']").is_empty());
    }
}
