//! Secrets that cc-ci makes.

use rand::Rng as _;
use secrecy::SecretString;

/// As many characters as a secret has: of 62 kinds, so 214 bits.
const LENGTH: usize = 36;

/// A new secret of 36 letters and digits, from a generator that the operating system seeds.
pub fn made_secret() -> SecretString {
    let letters = rand::rng().sample_iter(rand::distr::Alphanumeric).take(LENGTH).map(char::from);
    SecretString::from(letters.collect::<String>())
}
