//! The protocol of both sides.

use base::names::RunId;
use serde::{Deserialize, Serialize};

/// Maximum size of a batch in bytes. A line of a journal has at most some ten thousand.
pub const BODY: usize = 1024 * 1024;

/// The receiver's response.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RelayReply {
    /// The next expected line, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    /// How many seconds the run's app is to be kept, if a user requested that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_s: Option<u64>,
    /// The run's own folder is the receiver's, which has everything already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub here: bool,
    /// Why the request was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// The path of a run's records, relative to the server's address.
pub fn path(run: &RunId) -> String {
    format!("/api/runs/{run}/records")
}

/// The path of a picture.
pub fn picture_path(run: &RunId, name: &PictureName) -> String {
    format!("/api/runs/{run}/pictures/{}", name.0)
}

/// The name of a picture among the files of a run's tests: letters, digits, `-`, `_` and `.`, without a dot at the
/// start, and with `.png` at the end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PictureName(String);

impl PictureName {
    pub fn new(name: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_name = name.bytes().all(is_plain) && !name.starts_with('.') && name.len() <= 200;
        (is_name && name.ends_with(".png")).then(|| Self(name.to_owned()))
    }

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
