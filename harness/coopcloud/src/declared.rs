//! Top-level objects that services use: secrets, configs, volumes, networks.

use std::collections::BTreeSet;

use serde_json::Value;

use super::compose::Compose;

/// Everything that compose files declare, as `kind key`.
pub fn declared_by(compose: &Compose) -> impl Iterator<Item = String> + '_ {
    let sections = [
        ("secret", &compose.secrets),
        ("config", &compose.configs),
        ("volume", &compose.volumes),
        ("network", &compose.networks),
    ];
    sections.into_iter().flat_map(|(kind, all)| all.iter().map(move |one| format!("{kind} {}", one.key)))
}

/// The first undeclared object that a service uses, and that service.
pub fn undeclared(compose: &Compose, declared: &BTreeSet<String>) -> Option<(String, String)> {
    compose.services.iter().find_map(|service| {
        let of =
            |kind: &str, keys: &[String]| -> Vec<String> { keys.iter().map(|key| format!("{kind} {key}")).collect() };
        let volumes: Vec<String> = service
            .mounts
            .iter()
            .filter(|mount| mount.kind == "volume" && !mount.source.is_empty())
            .map(|mount| mount.source.clone())
            .collect();
        let networks: Vec<String> = match service.field("networks") {
            Some(Value::Array(names)) => names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
            Some(Value::Object(names)) => names.keys().cloned().collect(),
            _ => Vec::new(),
        };
        let networks: Vec<String> = networks.into_iter().filter(|name| name != "default").collect();
        let used = [
            of("secret", &service.secrets),
            of("config", &service.configs),
            of("volume", &volumes),
            of("network", &networks),
        ]
        .concat();
        used.into_iter().find(|one| !declared.contains(one)).map(|one| (one, service.name.clone()))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_a_service_uses_is_declared_somewhere() {
        let load =
            |text: &str| Compose::load(&[("compose.x.yml".to_owned(), text.to_owned())], &BTreeMap::new()).unwrap();
        let declared: BTreeSet<String> =
            ["secret key", "volume data", "network proxy", "config c"].map(str::to_owned).into();
        let found = |text: &str| undeclared(&load(&format!("services:\n  app:\n{text}")), &declared);
        assert_eq!(
            found(
                "    secrets: [key]\n    networks: [proxy, default]\n    volumes: ['data:/d', '/tmp', './x:/x']\n    configs: [c]\n"
            ),
            None
        );
        let names = |text: &str| found(text).map(|(what, _)| what);
        assert_eq!(names("    secrets: [kye]\n").as_deref(), Some("secret kye"));
        assert_eq!(names("    volumes: ['dta:/d']\n").as_deref(), Some("volume dta"));
        assert_eq!(names("    networks: {inner: {}}\n").as_deref(), Some("network inner"));
        assert_eq!(names("    configs: [{source: other, target: /o}]\n").as_deref(), Some("config other"));
    }
}
