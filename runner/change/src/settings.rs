//! Settings and secrets that the head needs and an operator's env file lacks.

use std::collections::{BTreeMap, BTreeSet};

use coopcloud::interpolate::{Unset, Use};
use coopcloud::variables::OF_ABRA;

use super::ReleaseSide;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lacking {
    pub key: String,
    /// The consequence.
    pub why: Why,
}

/// Why a setting is required.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It is used without a default.
    NoDefault {
        /// Where it is used.
        place: String,
    },
    /// The deployment or the container refuses to start without it.
    Refused {
        /// Where it is refused.
        place: String,
    },
    /// It had a default before.
    DefaultGone { before: String },
    /// It is the version of a secret, which is then neither named nor created.
    Secret { name: String },
    /// A compose file that the env file names is gone.
    FileGone { file: String },
}

impl Lacking {
    /// The names that a note for operators may use.
    pub fn things(&self) -> Vec<String> {
        let other = match &self.why {
            Why::Secret { name } => Some(name.clone()),
            Why::FileGone { file } => Some(file.clone()),
            Why::NoDefault { .. } | Why::Refused { .. } | Why::DefaultGone { .. } => None,
        };
        [self.key.clone()].into_iter().chain(other).collect()
    }
}

/// What an env file with these values lacks for the head.
pub fn lacking(env: &BTreeMap<String, String>, base: &ReleaseSide, head: &ReleaseSide) -> Vec<Lacking> {
    let sample = head.sample.vars();
    let mut found = BTreeMap::new();
    for (one, place) in &head.uses {
        let key = &one.name;
        if OF_ABRA.contains(&key.as_str()) || head.exports.contains_key(key) || found.contains_key(key) {
            continue;
        }
        let before = || base.uses.iter().map(|(one, _)| one).filter(|one| one.name == *key);
        let place = || place.clone();
        let why = match (&one.unset, env.get(key)) {
            (Unset::Refused { empty_is_fine: false }, Some(value)) if value.is_empty() => {
                let refused = |unset: &Unset| *unset == Unset::Refused { empty_is_fine: false };
                (!before().any(|one| refused(&one.unset))).then(|| Why::Refused { place: place() })
            }
            (_, Some(_)) | (Unset::Default(_), None) => None,
            (Unset::Refused { .. }, None) => {
                // If the base refuses it too, something outside these files sets it, such as the image.
                let refused = |one: &Use| matches!(one.unset, Unset::Refused { .. });
                (!before().any(refused)).then(|| Why::Refused { place: place() })
            }
            (Unset::Empty, None) => {
                let lived_without = before().any(|one| one.unset == Unset::Empty) && !base.exports.contains_key(key);
                let default = before().find_map(|one| match &one.unset {
                    Unset::Default(default) if !default.is_empty() => Some(default),
                    _ => None,
                });
                let default = default.or_else(|| base.exports.get(key)).filter(|_| !lived_without);
                match default {
                    Some(before) => Some(Why::DefaultGone { before: before.clone() }),
                    None if lived_without || sample.get(key).is_none_or(String::is_empty) => None,
                    None => Some(secret(key).unwrap_or_else(|| Why::NoDefault { place: place() })),
                }
            }
        };
        if let Some(why) = why {
            found.insert(key.clone(), why);
        }
    }
    let files = head.missing_files.iter();
    let files = files.map(|file| Lacking { key: "COMPOSE_FILE".to_owned(), why: Why::FileGone { file: file.clone() } });
    found.into_iter().map(|(key, why)| Lacking { key, why }).chain(files).collect()
}

fn secret(key: &str) -> Option<Why> {
    let name = key.strip_prefix("SECRET_")?.strip_suffix("_VERSION")?;
    Some(Why::Secret { name: name.to_lowercase() })
}

/// New keys of the sample that an env file lacks and nothing is known to need.
pub fn unclaimed(env: &BTreeMap<String, String>, lacking: &[Lacking], head: &ReleaseSide) -> BTreeSet<String> {
    let is_lacking = |key: &str| lacking.iter().any(|one| one.key == key);
    let keys = head.sample.vars().into_keys();
    keys.filter(|key| !env.contains_key(key) && !is_lacking(key) && !OF_ABRA.contains(&key.as_str())).collect()
}
