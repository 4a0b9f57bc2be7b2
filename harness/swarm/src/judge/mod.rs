//! Judges a snapshot: settled, still going, or never. A pure function, so that every rule is a line in a table of
//! tests.

mod view;
mod waiting;

use base::failure::Failure;

use self::view::{Stand, View};
use self::waiting::waits_for;
use super::seen::{Before, Snapshot};

/// The judgement of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// Everything runs as it should.
    Settled(Vec<Up>),
    /// Not yet.
    Going {
        /// One line about what is awaited.
        line: String,
        /// The awaited services.
        services: Vec<String>,
    },
    /// It never will.
    Never {
        /// The failing service.
        service: String,
        failure: Failure,
    },
}

/// A service that runs completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Up {
    /// Its short name.
    pub service: String,
    pub id: String,
    /// The ids of its running containers.
    pub containers: Vec<String>,
    /// How it ended before it stayed up, if it did: "exited 8 times, last with code 1".
    pub before: Option<String>,
}

/// Judges a snapshot, compared with the state before.
pub fn judge(now: &Snapshot, before: &Before) -> Judgement {
    if now.services.is_empty() {
        return Judgement::Going { line: "waiting for the first service to appear".to_owned(), services: Vec::new() };
    }
    let views: Vec<View> = now.services.iter().map(|service| View::new(service, now, before)).collect();
    let (mut up, mut lines, mut awaited) = (Vec::new(), Vec::new(), Vec::new());
    for view in &views {
        let name = view.service.name.clone();
        match view.stand(waits_for(view, &views)) {
            Stand::Never(failure) => return Judgement::Never { service: name, failure },
            Stand::Up(containers) => {
                let before = view.ended_before();
                up.push(Up { service: name, id: view.service.id.clone(), containers, before });
            }
            Stand::Going(line) => {
                lines.push(format!("{name}: {line}"));
                awaited.push(name);
            }
        }
    }
    if lines.is_empty() {
        return Judgement::Settled(up);
    }
    Judgement::Going { line: format!("waiting for {}", lines.join("; ")), services: awaited }
}

/// A service that has ended by itself after it had settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallen {
    /// How often and how: "service db (x:1) exited 2 times, last with code 1".
    pub failure: Failure,
    /// Whether it will not stay up: swarm no longer restarts it, or it has ended too often for an accident.
    pub is_down: bool,
}

/// The services that have ended by themselves since they had settled.
pub fn fallen(now: &Snapshot, settled: &Before) -> Vec<Fallen> {
    let views = now.services.iter().map(|service| View::new(service, now, settled));
    views.filter_map(|view| view.fallen()).collect()
}

#[cfg(test)]
pub(super) mod examples;
#[cfg(test)]
mod tests;
