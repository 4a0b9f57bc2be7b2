//! The forge and version, and missing features. Pure; the facts are in [`FEATURES`].

use std::fmt;

/// A version number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(pub u32, pub u32, pub u32);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Number {
    /// The number at the start of a text.
    fn at_the_front_of(text: &str) -> Option<Self> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let mut parts = text[..end].split('.').map(|part| part.parse::<u32>().ok());
        let (major, minor) = (parts.next()??, parts.next()??);
        Some(Self(major, minor, parts.next().flatten().unwrap_or(0)))
    }
}

/// The forge and version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForgeRelease {
    Gitea(Number),
    /// A Forgejo. Up to 1.21 its version numbers are those of the Gitea that it is based on; from 7.0 on they are its
    /// own.
    Forgejo(Number),
    /// It does not report a version, or reports an invalid one.
    Untold {
        /// What it returned instead.
        why: String,
    },
    /// Neither of the two.
    Neither {
        /// The evidence.
        why: String,
    },
}

impl fmt::Display for ForgeRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gitea(number) => write!(f, "Gitea {number}"),
            Self::Forgejo(number) => write!(f, "Forgejo {number}"),
            Self::Untold { why } => write!(f, "a forge that does not report its version ({why})"),
            Self::Neither { why } => write!(f, "neither a Gitea nor a Forgejo ({why})"),
        }
    }
}

impl ForgeRelease {
    /// From the reported version, and whether it has Forgejo's API in addition to Gitea's.
    pub fn of(told: &str, is_forgejo: bool) -> Self {
        let Some(number) = Number::at_the_front_of(told) else {
            let shown: String = told.chars().filter(|c| !c.is_control()).take(60).collect();
            return Self::Untold { why: format!("it reports {shown:?}") };
        };
        if is_forgejo || names_gitea(told) { Self::Forgejo(number) } else { Self::Gitea(number) }
    }

    /// The features that cc-ci uses and it lacks.
    pub fn lacks(&self) -> Vec<&'static Feature> {
        FEATURES.iter().filter(|feature| self.lacks_one(feature)).collect()
    }

    fn lacks_one(&self, feature: &Feature) -> bool {
        match self {
            Self::Gitea(number) => *number < feature.gitea || feature.broken_in.contains(number),
            Self::Forgejo(number) if number.0 < FIRST_OF_ITS_OWN => *number < feature.gitea,
            Self::Forgejo(number) => *number < feature.forgejo,
            Self::Untold { .. } | Self::Neither { .. } => false,
        }
    }
}

/// Forgejo appends the Gitea version whose API it provides to its own number: `7.0.0+gitea-1.22.0`.
pub(super) fn names_gitea(told: &str) -> bool {
    told.split_once('+').is_some_and(|(_, metadata)| metadata.contains("gitea-"))
}

/// Forgejo's first own version number.
const FIRST_OF_ITS_OWN: u32 = 7;

/// A feature of a forge that cc-ci uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    pub what: &'static str,
    /// The first Gitea with it.
    pub gitea: Number,
    /// The first Forgejo with its own version number that has it.
    pub forgejo: Number,
    /// Versions of Gitea in which it is broken.
    pub broken_in: &'static [Number],
    /// Whether the bot cannot answer without it.
    pub is_needed: bool,
    /// The consequence of its absence.
    pub without: &'static str,
    /// The source of this fact.
    pub source: &'static str,
    /// The confidence in it.
    pub sure: &'static str,
}

/// The features that some versions lack. cc-ci was run against Gitea 1.26.0, and against no Forgejo.
pub const FEATURES: &[Feature] = &[
    Feature {
        what: "a search of pull requests by their owner",
        gitea: Number(1, 16, 0),
        forgejo: Number(7, 0, 0),
        broken_in: &[],
        is_needed: true,
        without: "each poll for changes reads everything that the bot may see; update the forge",
        source: "go-gitea/gitea pull request 16662, of August 2021",
        sure: "medium: the release by its date",
    },
    Feature {
        what: "the timeline of a pull request, with its pushes",
        gitea: Number(1, 17, 0),
        forgejo: Number(7, 0, 0),
        broken_in: &[],
        is_needed: false,
        without: "no word tells which commit was there when it was written: each first `!testme` of a commit is answered \
                  with that commit, and the second one runs it",
        source: "go-gitea/gitea pull request 17403, of October 2021 and merged later; seen with 1.26.0",
        sure: "medium: the release by its date; cc-ci goes by what the forge answers",
    },
    Feature {
        what: "tokens with a scope for each part",
        gitea: Number(1, 20, 0),
        forgejo: Number(7, 0, 0),
        broken_in: &[],
        is_needed: false,
        without: "the scopes in docs/operate.md have other names (1.19) or none: the bot's token may do all that its \
                  account may",
        source: "Gitea's migrations of 1.20, and Codeberg's note on Forgejo 1.20, of August 2023",
        sure: "high",
    },
    Feature {
        what: "repositories with SHA-256 commit ids",
        gitea: Number(1, 22, 0),
        forgejo: Number(7, 0, 0),
        broken_in: &[],
        is_needed: false,
        without: "no recipe's repository can have them",
        source: "go-gitea/gitea pull request 23894, merged in January 2024; it wants git 2.42 on the forge (28466)",
        sure: "high for Gitea; medium for Forgejo, which was made from it in that spring",
    },
    Feature {
        what: "a row in the timeline for a push that only removes commits",
        gitea: Number(1, 17, 0),
        forgejo: Number(7, 0, 0),
        broken_in: &[Number(1, 24, 6)],
        is_needed: false,
        without: "after such a push the first `!testme` is answered with the commit, and the second one runs it",
        source: "go-gitea/gitea issue 35518, and the pull requests 35560 and 35580 that fix it",
        sure: "medium: not tried here",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn of(told: &str) -> String {
        ForgeRelease::of(told, false).to_string()
    }

    #[test]
    fn a_version_is_read_in_every_form_that_is_told() {
        assert_eq!(of("1.26.0"), "Gitea 1.26.0");
        assert_eq!(of("1.20.0+dev-93-g6886706f5"), "Gitea 1.20.0");
        assert_eq!(of("1.22"), "Gitea 1.22.0");
        assert_eq!(of("1.23.0-rc1"), "Gitea 1.23.0");
        assert_eq!(of("7.0.0+gitea-1.22.0"), "Forgejo 7.0.0");
        assert_eq!(of("7.0.0+LTS-gitea-1.22.0"), "Forgejo 7.0.0");
        assert_eq!(of("14.0.0-dev-12-abc+gitea-1.22.0"), "Forgejo 14.0.0");
        assert_eq!(ForgeRelease::of("1.21.11-1", true), ForgeRelease::Forgejo(Number(1, 21, 11)));
        for none in ["", "development", "v1.20", "1", "1.x", ".", "99999999999.1"] {
            assert!(matches!(ForgeRelease::of(none, false), ForgeRelease::Untold { .. }), "{none:?}");
        }
        assert!(!of("\u{1b}[31mred").contains('\u{1b}'));
    }

    #[test]
    fn what_a_version_lacks_is_what_came_later() {
        let lacks = |told: &str, is_forgejo| ForgeRelease::of(told, is_forgejo).lacks().len();
        assert_eq!(lacks("1.26.0", false), 0, "the one that cc-ci was run against lacks nothing");
        for (told, count) in
            [("1.25.0", 0), ("1.24.6", 1), ("1.24.5", 0), ("1.22.0", 0), ("1.21.11", 1), ("1.19.4", 2), ("1.15.0", 5)]
        {
            assert_eq!(lacks(told, false), count, "{told}");
        }
        for (told, count) in [("7.0.0+gitea-1.22.0", 0), ("11.0.5+gitea-1.22.0", 0), ("1.21.11-1", 1), ("1.18.0", 2)] {
            assert_eq!(lacks(told, true), count, "{told}");
        }
        assert!(FEATURES.iter().all(|feature| !feature.source.is_empty() && !feature.sure.is_empty()));
    }
}
