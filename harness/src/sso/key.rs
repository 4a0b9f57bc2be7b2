//! The key that a realm signs its tokens with.

use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use secrecy::SecretString;

/// What providers make themselves where they are not given one.
const BITS: u32 = 2048;

/// A new RSA key of 2048 bits, as PEM (PKCS#8).
pub(super) fn made_key() -> Result<SecretString, String> {
    let made = Rsa::generate(BITS).and_then(PKey::from_rsa).and_then(|key| key.private_key_to_pem_pkcs8());
    let pem = made.map_err(|error| error.to_string())?;
    String::from_utf8(pem).map(SecretString::from).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn two_keys_differ_and_each_can_be_read_again() {
        let [one, two] = [made_key().unwrap(), made_key().unwrap()];
        assert_ne!(one.expose_secret(), two.expose_secret());
        let key = PKey::private_key_from_pem(one.expose_secret().as_bytes()).unwrap();
        assert_eq!((key.bits(), key.rsa().unwrap().check_key().unwrap()), (BITS, true));
    }
}
