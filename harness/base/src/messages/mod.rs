//! What engine, registry, git, forge, backup bot, traefik and abra can say, and what it means: one table in one form, a
//! file for each of them. Pure.
//!
//! Words that no row knows are the machine's trouble, of a kind of its own: see [`meaning`]. A recipe is never blamed
//! for words that cc-ci cannot read.

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

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Speaker {
    /// The engine about a task: swarm, its network, containerd, runc.
    Task,
    /// The engine in answer to a request.
    Engine,
    /// A registry, by the engine's words about a pull.
    Registry,
    /// git about a repository on another machine.
    Git,
    /// A forge's interface.
    Forge,
    /// The backup bot and its restic.
    BackupBot,
    /// traefik: what it answers itself, and what is said where it does not answer.
    Proxy,
    /// abra, and the docker client within it.
    Abra,
}

impl Speaker {
    /// All of them, in the order of the docs.
    pub const ALL: [Self; 8] =
        [Self::Task, Self::Engine, Self::Registry, Self::Git, Self::Forge, Self::BackupBot, Self::Proxy, Self::Abra];

    /// In words.
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

    /// The tables that are read for it, in their order.
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

/// How the words of a row are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The program said them, here or in a public report.
    Seen,
    /// They stand in the program's public source.
    Read,
    /// They are remembered, or follow from what is known of others.
    Assumed,
}

impl Basis {
    /// In one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Read => "read",
            Self::Assumed => "assumed",
        }
    }
}

/// One row: any of these words, what they mean, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownMessage {
    /// Any of them, in lower case. `…` in one stands for anything: its parts come in this order.
    pub says: &'static [&'static str],
    /// What it is.
    pub kind: Kind,
    /// In a few words, as a sentence of its own without a full stop.
    pub means: &'static str,
    /// What to look at, or to do.
    pub look_at: &'static str,
    /// Where the words come from.
    pub source: &'static str,
    /// How they are known.
    pub basis: Basis,
    /// Whether the same may go well a moment later. Only a trouble of the machine may.
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

    /// Whether a text says one of these.
    fn is_in(&self, lower: &str) -> bool {
        self.says.iter().any(|words| says(lower, words))
    }

    /// Whether somebody else than the recipe has to act.
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

/// What words mean that no row knows.
pub static UNKNOWN: KnownMessage = KnownMessage::new(
    &[],
    Kind::UnknownTrouble,
    "cc-ci does not know these words",
    "the whole text, in the report; where it is the recipe's fault after all, tell cc-ci's maintainers the words",
);

/// The first row that knows what was said.
pub fn known(speaker: Speaker, text: &str) -> Option<&'static KnownMessage> {
    let lower = text.to_lowercase();
    speaker.tables().iter().flat_map(|table| table.iter()).find(|row| row.is_in(&lower))
}

/// The same; [`UNKNOWN`] where no row knows it.
pub fn meaning(speaker: Speaker, text: &str) -> &'static KnownMessage {
    known(speaker, text).unwrap_or(&UNKNOWN)
}
