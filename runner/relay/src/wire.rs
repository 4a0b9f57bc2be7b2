//! What both sides know.

use base::names::RunId;
use serde::{Deserialize, Serialize};

/// The largest batch that is taken, in bytes. A line of a journal is at most some ten thousand.
pub const BODY: usize = 1024 * 1024;

/// What the receiver answers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RelayReply {
    /// The line that it wants next, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    /// How long somebody wants the run's app to stay, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_s: Option<u64>,
    /// The run's own folder is the receiver's: it has all of it already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub here: bool,
    /// Why nothing was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Where a run's records go, below the server's address.
pub fn path(run: &RunId) -> String {
    format!("/api/runs/{run}/records")
}

/// Where a picture of it goes.
pub fn picture_path(run: &RunId, name: &PictureName) -> String {
    format!("/api/runs/{run}/pictures/{}", name.0)
}

/// The name of a picture among the files that a run's tests left: letters, digits, `-`, `_` and `.`, not first a dot,
/// and `.png` at its end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PictureName(String);

impl PictureName {
    /// None where it is no such name.
    pub fn new(name: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_name = name.bytes().all(is_plain) && !name.starts_with('.') && name.len() <= 200;
        (is_name && name.ends_with(".png")).then(|| Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_a_plain_name() {
        assert_eq!(PictureName::new("10-login.1.png").unwrap().as_str(), "10-login.1.png");
        for other in
            ["", ".png", "../a.png", "a/b.png", "a.html", "a\n.png", "a%2f.png", &format!("{}.png", "a".repeat(200))]
        {
            assert_eq!(PictureName::new(other), None, "{other}");
        }
    }
}
