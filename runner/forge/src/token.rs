//! Tokens, only from files: other users can read arguments and variables.

use std::path::{Path, PathBuf};

use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};

/// Maximum length.
pub const LONGEST: usize = 500;

/// A shorter one could be guessed with many requests.
pub const SHORTEST: usize = 16;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read.
    #[error("the token's file {} cannot be read: {why}; it must be a file that this user can read", .path.display())]
    Unreadable { path: PathBuf, why: std::io::Error },
    /// The file contains something else.
    #[error("the file {} contains no token: it has to be one line of 1 to 500 visible characters without spaces", .path.display())]
    NoToken { path: PathBuf },
}

/// Reads a token, without surrounding white space.
///
/// # Errors
/// The file cannot be read or contains something else. No error shows its content.
pub fn read(path: &Path) -> Result<SecretString, TokenError> {
    let text = std::fs::read_to_string(path).map_err(|why| TokenError::Unreadable { path: path.to_owned(), why })?;
    let token = text.trim();
    if token.is_empty() || token.len() > LONGEST || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(TokenError::NoToken { path: path.to_owned() });
    }
    Ok(SecretString::from(token))
}

/// A token that clients have to present.
#[derive(Clone)]
pub struct RequiredToken {
    key: hmac::Key,
    tag: hmac::Tag,
}

/// The token is too short.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the token must have at least {SHORTEST} characters; create a new one, and distribute it to its users")]
pub struct WeakToken;

impl RequiredToken {
    pub fn new(token: &SecretString) -> Result<Self, WeakToken> {
        let token = token.expose_secret();
        if token.len() < SHORTEST {
            return Err(WeakToken);
        }
        // A random key for this process, so that the compared values are unknown outside.
        let key = hmac::Key::new(hmac::HMAC_SHA256, &rand::random::<[u8; 32]>());
        let tag = hmac::sign(&key, token.as_bytes());
        Ok(Self { key, tag })
    }

    /// Whether this is the token. Constant time.
    pub fn is(&self, shown: &str) -> bool {
        hmac::verify(&self.key, shown.as_bytes(), self.tag.as_ref()).is_ok()
    }
}

impl std::fmt::Debug for RequiredToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wanted(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_itself_is_the_token() {
        let wanted = RequiredToken::new(&"hunter2-hunter2-hunter2".into()).unwrap();
        assert!(wanted.is("hunter2-hunter2-hunter2"));
        for other in ["", "hunter2", "hunter2-hunter2-hunter3", "hunter2-hunter2-hunter2 "] {
            assert!(!wanted.is(other), "{other:?}");
        }
        assert!(!format!("{wanted:?}").contains("hunter2"));
        assert!(RequiredToken::new(&"hunter2".into()).is_err());
    }

    #[test]
    fn a_token_is_one_visible_word_and_is_shown_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "  hunter2-hunter2\n").unwrap();
        let token = read(&path).unwrap();
        assert_eq!(token.expose_secret(), "hunter2-hunter2");
        assert!(!format!("{token:?}").contains("hunter2"));
        for wrong in ["", " \n", "two hunter2", "hunter2\nhunter2", "hunter2\u{e4}", &"hunter2".repeat(100)] {
            std::fs::write(&path, wrong).unwrap();
            let told = format!("{0:?} {0}", read(&path).unwrap_err());
            assert!(told.contains("token") && !told.contains("hunter2"), "{told}");
        }
        assert!(matches!(read(&folder.path().join("none")), Err(TokenError::Unreadable { .. })));
    }
}
