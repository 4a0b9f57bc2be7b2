//! What permits a change to require action of operators: a major version, or a note that `abra app upgrade` shows.

use coopcloud::version::Version;

use super::{Lacking, ReleaseSide};

/// Why operators know that they have to act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowance {
    /// A note below `release/`.
    Note { path: String, text: String },
    /// The first number of the version is raised.
    Major { from: String, to: String },
}

impl Allowance {
    /// As text after "as".
    pub fn words(&self) -> String {
        match self {
            Self::Note { path, .. } => format!("{path} tells operators"),
            Self::Major { from, to } => format!("operators expect of a major version ({from} to {to})"),
        }
    }

    /// Whether it is a note that names a thing, ignoring case and the characters between words.
    pub fn names(&self, thing: &str) -> bool {
        matches!(self, Self::Note { text, .. } if folded(text).contains(&folded(thing)))
    }

    /// Whether operators who lack these settings know that they have to act: an unrelated note does not count.
    pub fn tells(&self, lacking: &[Lacking]) -> bool {
        let Self::Note { text, .. } = self else { return true };
        let things = lacking.iter().flat_map(Lacking::things);
        let looks = [".env", "env file", "abra app config", "abra app check", "abra app env"];
        things.into_iter().any(|thing| self.names(&thing)) || looks.iter().any(|words| text.contains(words))
    }
}

fn folded(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The notes of the change, then its major version.
pub fn allowances(base: &ReleaseSide, head: &ReleaseSide) -> Vec<Allowance> {
    let (from, to) = (base.parsed(), head.parsed());
    let is_shown = |name: &str| is_shown(name, from.as_ref(), to.as_ref());
    let new = head.notes.iter().filter(|(name, text)| base.notes.get(*name) != Some(text) && is_shown(name));
    let note =
        |(name, text): (&String, &String)| Allowance::Note { path: format!("release/{name}"), text: text.clone() };
    let is_major = from.as_ref().zip(to.as_ref()).is_some_and(|(from, to)| from.numbers[0] < to.numbers[0]);
    let major = is_major.then(|| Allowance::Major { from: base.name().to_owned(), to: head.name().to_owned() });
    new.map(note).chain(major).collect()
}

/// Whether an upgrade between two versions shows a note: `next` becomes the next release's; others are shown up to the
/// head's version, or any newer one if the head's version is not raised yet.
fn is_shown(name: &str, from: Option<&Version>, to: Option<&Version>) -> bool {
    if name == "next" {
        return true;
    }
    let Some(version) = Version::parse(name) else { return false };
    let is_new = from.is_none_or(|from| version > *from);
    is_new && (to <= from || to.is_none_or(|to| version <= *to))
}
