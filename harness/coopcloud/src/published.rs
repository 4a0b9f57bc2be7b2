//! Ports of the host that two services of a stack publish. Pure.

use super::compose::{Compose, Port, Service};

/// A port that two services want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedTwice {
    /// The host's port.
    pub port: u64,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// The services' keys.
    pub services: [String; 2],
}

/// The first port that two services publish. Two that publish it in host mode can run on different nodes, which a
/// constraint may be for.
pub fn published_twice(compose: &Compose) -> Option<PublishedTwice> {
    let all: Vec<(&Service, &Port)> = compose
        .services
        .iter()
        .flat_map(|service| service.ports.iter().map(move |port| (service, port)))
        .filter(|(_, port)| port.published != 0)
        .collect();
    let is_same = |one: &Port, other: &Port| one.published == other.published && one.protocol == other.protocol;
    let are_apart = |one: &(&Service, &Port), other: &(&Service, &Port)| {
        [one, other].iter().all(|(_, port)| port.mode == "host")
            && [one, other]
                .iter()
                .any(|(service, _)| service.field("deploy").and_then(|deploy| deploy.get("placement")).is_some())
    };
    all.iter().enumerate().find_map(|(at, first)| {
        let second = all[at + 1..]
            .iter()
            .find(|second| first.0.name != second.0.name && is_same(first.1, second.1) && !are_apart(first, second))?;
        Some(PublishedTwice {
            port: first.1.published,
            protocol: first.1.protocol.clone(),
            services: [first.0.name.clone(), second.0.name.clone()],
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(first: &str, second: &str) -> Option<PublishedTwice> {
        let text = format!("services: {{app: {{image: a, {first}}}, web: {{image: a, {second}}}}}\n");
        published_twice(&Compose::load(&[("compose.yml".to_owned(), text)], &Default::default()).unwrap())
    }

    #[test]
    fn a_port_of_two_services_is_found_in_every_form() {
        let long = "ports: [{target: 80, published: 8080, protocol: tcp, mode: host}]";
        for (first, second) in
            [("ports: ['8080:80']", "ports: ['8080:90']"), ("ports: ['8080:80']", long), (long, long)]
        {
            let found = of(first, second).unwrap();
            assert_eq!((found.port, found.protocol.as_str()), (8080, "tcp"));
            assert_eq!(found.services, ["app", "web"]);
        }
    }

    #[test]
    fn what_does_not_clash_is_let_be() {
        let host = "ports: [{target: 80, published: 8080, protocol: tcp, mode: host}]";
        let placed = format!("{host}, deploy: {{placement: {{constraints: [node.labels.edge == b]}}}}");
        for (first, second) in [
            ("ports: ['8080:80']", "ports: ['8081:80']"),
            ("ports: ['53:53/tcp']", "ports: ['53:53/udp']"),
            ("ports: ['80']", "ports: ['80']"),
            ("ports: ['53:53/tcp', '53:53/udp']", "command: a"),
            (host, placed.as_str()),
        ] {
            assert_eq!(of(first, second), None, "{first} {second}");
        }
    }
}
