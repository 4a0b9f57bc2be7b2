use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// A proof that who redeems a code is who asked for it (RFC 7636, by SHA-256): the challenge goes out with
/// the request for the code, the verifier only with the code.
#[derive(Debug, Clone)]
pub struct Pkce {
    verifier: SecretString,
    challenge: String,
}

impl Pkce {
    /// A new one, of 256 random bits.
    pub fn new() -> Self {
        Self::of(random())
    }

    /// The one of a verifier, such as a wrong one to be refused.
    pub fn of(verifier: SecretString) -> Self {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose_secret()));
        Self { verifier, challenge }
    }

    /// What goes with the code.
    pub fn verifier(&self) -> &SecretString {
        &self.verifier
    }

    /// What goes with the request for a code. Everybody may see it.
    pub fn challenge(&self) -> &str {
        &self.challenge
    }
}

impl Default for Pkce {
    fn default() -> Self {
        Self::new()
    }
}

/// A word of 43 characters that nobody can guess.
pub(super) fn random() -> SecretString {
    SecretString::from(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// base64url without padding, by its definition: groups of six bits, highest first.
    fn base64url(bytes: &[u8]) -> String {
        let signs = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
        let value = |group: &[u8]| group.iter().chain(&[0; 6]).take(6).fold(0, |sum, bit| sum * 2 + usize::from(*bit));
        bits.chunks(6).map(|group| char::from(signs[value(group)])).collect()
    }

    #[test]
    fn each_is_its_own_and_of_the_wanted_form() {
        let (one, other) = (Pkce::new(), Pkce::new());
        assert_ne!(one.verifier().expose_secret(), other.verifier().expose_secret());
        assert_ne!(one.challenge(), other.challenge());
        let verifier = one.verifier().expose_secret();
        // RFC 7636, 4.1: 43 to 128 unreserved characters.
        assert!((43..=128).contains(&verifier.len()));
        assert!(verifier.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c)), "{verifier}");
        assert!(!format!("{one:?}").contains(verifier));
    }

    proptest! {
        #[test]
        fn the_challenge_is_the_hash_of_the_verifiers_letters(verifier in "[A-Za-z0-9._~-]{43,128}") {
            // Another implementation of both halves.
            let hash = ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes());
            let pkce = Pkce::of(SecretString::from(verifier));
            prop_assert_eq!(pkce.challenge(), base64url(hash.as_ref()));
            prop_assert_eq!(pkce.challenge().len(), 43);
        }
    }
}
