//! Objects that the head no longer names and that abra does not remove.

use std::fmt;

use base::failure::{Failure, Kind};
use base::names::StackName;
use coopcloud::compose::{Compose, Named, Service};

use super::{Change, ReleaseSide};

/// An object of the base release that no file of the head names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leftover {
    /// Docker's term: service, volume, config, secret, network.
    pub kind: &'static str,
    /// Its key in the compose files.
    pub key: String,
    /// Its name in the swarm.
    pub name: String,
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.key)
    }
}

/// Compares the objects of both sides. A config or secret with only another version has the same key: that its old
/// version stays is normal for every recipe.
pub fn left_behind(base: &Compose, head: &Compose, stack: &StackName) -> Vec<Leftover> {
    let of = |kind, key: &str, name: String| Leftover { kind, key: key.to_owned(), name };
    let services = base.services.iter().filter(|service| head.service(&service.name).is_none());
    let mut left: Vec<Leftover> =
        services.map(|service| of("service", &service.name, stack.object(&service.name))).collect();
    let sections: [(&'static str, &[Named], &[Named]); 4] = [
        ("volume", &base.volumes, &head.volumes),
        ("config", &base.configs, &head.configs),
        ("secret", &base.secrets, &head.secrets),
        ("network", &base.networks, &head.networks),
    ];
    for (kind, before, now) in sections {
        let full = |one: &Named| if one.name == one.key { stack.object(&one.key) } else { one.name.clone() };
        // Secrets are external to a stack and still the app's own.
        let own = |one: &&Named| !one.external || kind == "secret";
        let named = |one: &Named| now.iter().any(|other| other.key == one.key || full(other) == full(one));
        // A volume under the same key with another name is another volume.
        let kept = |one: &Named| match kind {
            "volume" | "network" => now.iter().any(|other| full(other) == full(one)),
            _ => named(one),
        };
        left.extend(before.iter().filter(own).filter(|one| !kept(one)).map(|one| of(kind, &one.key, full(one))));
    }
    left
}

impl Leftover {
    /// The command that removes it, for a release note; the stack's name depends on the operator.
    pub fn command(&self, stack: &StackName) -> String {
        let name = self.name.strip_prefix(stack.as_str()).map_or(self.name.clone(), |rest| format!("STACK{rest}"));
        format!("docker {} rm {name}", self.kind)
    }
}

impl Change {
    /// The text about the objects that really exist.
    pub fn told_left(&self, stack: &StackName, is_there: impl Fn(&Leftover) -> bool) -> Option<String> {
        let left: Vec<&Leftover> = self.left.iter().filter(|one| is_there(one)).collect();
        if left.is_empty() {
            return None;
        }
        let runs = |one: &&Leftover| if one.kind == "service" { format!("{one} (runs on)") } else { one.to_string() };
        let names: Vec<String> = left.iter().map(runs).collect();
        let commands: Vec<String> = left.iter().map(|one| one.command(stack)).collect();
        let data = if left.iter().any(|one| one.kind == "volume") { " (a volume's data first)" } else { "" };
        let note = match self.note() {
            Some(path) if left.iter().all(|one| self.names(&one.key)) => format!("{path} names all of it"),
            _ => format!("for release/{}{data}: {}", self.head.name(), commands.join("; ")),
        };
        Some(format!(
            "abra does not remove objects of {} that the change no longer has: {}; {note} (STACK is the domain with _ for .)",
            self.base.name(),
            names.join(", ")
        ))
    }
}

/// Adds to an upgrade's failure an orphan that may explain it: it holds a port or a route that the head needs too.
pub fn explain(failure: Failure, left: &[Leftover], change: &Change, stack: &StackName) -> Failure {
    let services = left.iter().filter(|one| one.kind == "service");
    let held = services.filter_map(|one| {
        let orphan = change.base.compose.service(&one.key)?;
        Some((one, held(&failure, orphan, &change.head)?))
    });
    let Some((orphan, (what, by))) = held.into_iter().next() else { return failure };
    let words = format!(
        "service {} of {} runs on, since abra removes nothing that a change does not name any more, and holds {what} \
         that service {by} needs: {}",
        orphan.key,
        change.base.name(),
        failure.what
    );
    let look_at = format!("a note for operators in release/{}: {}", change.head.name(), orphan.command(stack));
    Failure { kind: Kind::OrphanInTheWay, what: words, look_at, ..failure }
}

/// What an orphan holds and which service of the head needs it, if that could cause the failure.
fn held(failure: &Failure, orphan: &Service, head: &ReleaseSide) -> Option<(String, String)> {
    let about_port = matches!(failure.kind, Kind::PortTaken | Kind::AbraFailed | Kind::NoNode);
    for service in head.compose.services.iter().filter(|_| about_port) {
        let mut wanted = service.ports.iter().filter(|port| port.published != 0);
        let is_held = |published: u64, protocol: &str| {
            orphan.ports.iter().any(|port| port.published == published && port.protocol == protocol)
        };
        let said = |published: u64| format!("{} {}", failure.what, failure.detail).contains(&published.to_string());
        if let Some(port) = wanted.find(|port| is_held(port.published, &port.protocol) && said(port.published)) {
            return Some((format!("port {}", port.published), service.name.clone()));
        }
    }
    if failure.kind != Kind::NoAnswer {
        return None;
    }
    let rules = |service: &Service| -> Vec<(String, String)> {
        let labels = service.labels.iter();
        let of_router = |(key, rule): (&String, &String)| {
            let router = key.strip_prefix("traefik.http.routers.")?.strip_suffix(".rule")?;
            Some((router.to_owned(), rule.split_whitespace().collect()))
        };
        labels.filter_map(of_router).collect()
    };
    let held = rules(orphan);
    head.compose.services.iter().find_map(|service| {
        let mut wanted = rules(service).into_iter();
        let (_, rule) =
            wanted.find(|(router, rule)| held.iter().any(|(name, other)| name == router || other == rule))?;
        Some((format!("the route {rule}"), service.name.clone()))
    })
}
