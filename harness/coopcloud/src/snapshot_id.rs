//! The ids of restic's snapshots in the backup bot's output: restic prints `snapshot 1a2b3c4d saved` at the end of a
//! backup (its message for people, in every release), and the real bot was seen to print such an id of 8 digits.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The id of a snapshot: 8 to 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SnapshotId(String);

impl SnapshotId {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Every saved snapshot's id in a backup's output, in order.
    pub fn saved_in(output: &str) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        let words: Vec<&str> = output.split_whitespace().collect();
        for window in words.windows(3) {
            let [before, id, after] = window else { continue };
            if before.ends_with("snapshot")
                && after.starts_with("saved")
                && let Ok(id) = Self::try_from((*id).to_owned())
                && !found.contains(&id)
            {
                found.push(id);
            }
        }
        found
    }
}

impl TryFrom<String> for SnapshotId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_hex = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if is_hex && (8..=64).contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err(format!("{text:?} is no snapshot id"))
        }
    }
}

impl From<SnapshotId> for String {
    fn from(id: SnapshotId) -> Self {
        id.0
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_saved_is_an_id_and_nothing_that_could_be_an_option() {
        let told = "using parent snapshot 0011223344\nsnapshot 13eee64e saved\r\nINFO: snapshot deadbeef saved, again\n\
                    snapshot --all saved\nsnapshot latest saved\nsnapshot 13eee64e saved\n";
        let ids: Vec<String> = SnapshotId::saved_in(told).into_iter().map(String::from).collect();
        assert_eq!(ids, ["13eee64e", "deadbeef"]);
        for wrong in ["", "1a2b3c4", "1A2B3C4D", "latest", "--prune00", &"a".repeat(65)] {
            assert!(SnapshotId::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
