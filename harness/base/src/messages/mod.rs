//! The messages of engine, registry, git, forge, backup bot, traefik and abra, and their meaning: tables of one form, a
//! file for each program. Pure.
//!
//! An unknown message is the machine's fault, with its own kind: see [`meaning`]. A recipe is never blamed for a
//! message that cc-ci does not know.

mod abra;
mod backup;
mod engine;
mod forge;
mod git;
mod network;
mod proxy;
mod registry;
#[cfg(test)]
mod tests;

use crate::failure::Kind;
pub use backup::failed_hook;
pub use forge::status;
pub use git::is_refused;

/// The program of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Speaker {
    /// The engine about a task: swarm, its network, containerd, runc.
    Task,
    /// The engine in response to a request.
    Engine,
    /// A registry, through the engine's message about a pull.
    Registry,
    /// git about a repository on another machine.
    Git,
    /// A forge's API.
    Forge,
    /// The backup bot and its restic.
    BackupBot,
    /// traefik: its own responses, and errors when it does not respond.
    Proxy,
    /// abra, and the docker client in it.
    Abra,
}

impl Speaker {
    /// In the order of the docs.
    pub const ALL: [Self; 8] =
        [Self::Task, Self::Engine, Self::Registry, Self::Git, Self::Forge, Self::BackupBot, Self::Proxy, Self::Abra];

    pub fn words(self) -> &'static str {
        match self {
            Self::Task => "the engine about a task",
            Self::Engine => "the engine in answer to a request",
            Self::Registry => "a registry about a pull",
            Self::Git => "git about a repository elsewhere",
            Self::Forge => "a forge's interface",
            Self::BackupBot => "the backup bot",
            Self::Proxy => "traefik",
            Self::Abra => "abra",
        }
    }

    /// The tables to search, in order.
    pub fn tables(self) -> &'static [&'static [KnownMessage]] {
        match self {
            Self::Task => engine::TASK,
            Self::Engine => engine::REQUEST,
            Self::Registry => registry::TABLES,
            Self::Git => git::TABLES,
            Self::Forge => forge::TABLES,
            Self::BackupBot => backup::TABLES,
            Self::Proxy => proxy::TABLES,
            Self::Abra => abra::TABLES,
        }
    }
}

/// The source of a row's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The program printed it, here or in a public report.
    Seen,
    /// It is in the program's public source.
    Read,
    /// Remembered, or inferred from others.
    Assumed,
}

impl Basis {
    pub fn word(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Read => "read",
            Self::Assumed => "assumed",
        }
    }
}

/// One row: any of these messages, their meaning, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownMessage {
    /// Alternatives in lower case. `…` matches any text between the parts.
    pub says: &'static [&'static str],
    pub kind: Kind,
    /// A short sentence without a full stop.
    pub means: &'static str,
    /// What to check or to do.
    pub look_at: &'static str,
    /// The source.
    pub source: &'static str,
    /// The kind of source.
    pub basis: Basis,
    /// Whether a retry may succeed. Only for failures of the machine.
    pub passes: bool,
}

impl KnownMessage {
    const fn new(says: &'static [&'static str], kind: Kind, means: &'static str, look_at: &'static str) -> Self {
        Self { says, kind, means, look_at, source: "", basis: Basis::Assumed, passes: false }
    }
    const fn from(self, source: &'static str, basis: Basis) -> Self {
        Self { source, basis, ..self }
    }
    const fn passing(self) -> Self {
        Self { passes: true, ..self }
    }

    /// Whether a text contains one of these.
    fn is_in(&self, lower: &str) -> bool {
        self.says.iter().any(|words| says(lower, words))
    }

    /// Whether the cause is not the recipe.
    pub fn is_of_the_machine(&self) -> bool {
        self.kind.usual_cause() == crate::failure::Cause::Infrastructure
    }
}

fn says(lower: &str, words: &str) -> bool {
    let mut rest = lower;
    words.split('…').all(|part| {
        let part = part.trim();
        match rest.find(part) {
            Some(at) => {
                rest = &rest[at + part.len()..];
                true
            }
            None => false,
        }
    })
}

/// The meaning of unknown messages.
pub static UNKNOWN: KnownMessage = KnownMessage::new(
    &[],
    Kind::UnknownTrouble,
    "cc-ci does not know these words",
    "the whole text, in the report; where it is the recipe's fault after all, tell cc-ci's maintainers the words",
);

/// The first row that matches a message.
pub fn known(speaker: Speaker, text: &str) -> Option<&'static KnownMessage> {
    let lower = text.to_lowercase();
    speaker.tables().iter().flat_map(|table| table.iter()).find(|row| row.is_in(&lower))
}

/// The same; [`UNKNOWN`] if no row matches.
pub fn meaning(speaker: Speaker, text: &str) -> &'static KnownMessage {
    known(speaker, text).unwrap_or(&UNKNOWN)
}
