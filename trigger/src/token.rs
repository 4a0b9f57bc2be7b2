//! Tokens, from files alone: an argument or a variable can be read by others.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

/// A longer token is none.
const LENGTH: usize = 500;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read.
    #[error("the token's file {} cannot be read: {why}; it must be a file that this user can read", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: std::io::Error,
    },
    /// The file holds something else.
    #[error("the file {} holds no token: one line of 1 to 500 visible characters without spaces is wanted", .path.display())]
    NoToken {
        /// The file.
        path: PathBuf,
    },
}

/// Reads a token. White space around it is not part of it.
///
/// # Errors
/// When the file cannot be read or holds something else. No error shows what it holds.
pub fn read(path: &Path) -> Result<SecretString, TokenError> {
    let text = std::fs::read_to_string(path).map_err(|why| TokenError::Unreadable { path: path.to_owned(), why })?;
    let token = text.trim();
    if token.is_empty() || token.len() > LENGTH || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(TokenError::NoToken { path: path.to_owned() });
    }
    Ok(SecretString::from(token))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

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
