use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;

use super::error::OidcError;
use http_client::{Http, Method};
use url::Url;

/// A provider's public keys for signatures. Others of its keys, such as those for encryption, are left out.
#[derive(Debug, Clone, Default)]
pub struct Jwks {
    keys: Vec<Key>,
}

/// A public key and what it is for.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) kid: Option<String>,
    /// The one algorithm that it is for, where the provider says so.
    alg: Option<Alg>,
    material: Material,
}

#[derive(Debug, Clone)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

macro_rules! algorithms {
    ($($name:ident = $word:literal,)+) => {
        /// The algorithms that a signature may have: those by which only the holder of a private key can sign.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Alg { $($name),+ }

        impl Alg {
            /// The algorithm of this name; none for `none`, for those of a shared secret and for unknown ones.
            pub(super) fn named(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

algorithms! {
    Rs256 = "RS256",
    Rs384 = "RS384",
    Rs512 = "RS512",
    Ps256 = "PS256",
    Ps384 = "PS384",
    Ps512 = "PS512",
    Es256 = "ES256",
    Es384 = "ES384",
    EdDsa = "EdDSA",
}

impl Jwks {
    pub(super) async fn fetch(http: &Http, url: &Url) -> Result<Self, OidcError> {
        let ask = http.ask(Method::GET, url);
        let asked = ask.asked().to_owned();
        let answer = ask.send().await?;
        if answer.status != 200 {
            return Err(OidcError::wrong(asked, &answer, "wanted 200 and the provider's keys"));
        }
        Self::parse(&answer.body).map_err(|what| OidcError::wrong(asked, &answer, what))
    }

    /// Reads a JWK set. Keys of kinds that sign nothing are left out.
    pub fn parse(json: &str) -> Result<Self, String> {
        let set: Set = serde_json::from_str(json).map_err(|error| {
            format!("its body is not a set of keys, at line {} column {}", error.line(), error.column())
        })?;
        let signing = set.keys.into_iter().filter(|jwk| jwk.usage.as_deref().is_none_or(|usage| usage == "sig"));
        let keys: Result<Vec<_>, _> = signing.filter_map(|jwk| Key::read(jwk).transpose()).collect();
        Ok(Self { keys: keys? })
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that a token may mean: those of the name, or all where it names none.
    pub(super) fn named<'a>(&'a self, kid: Option<&'a str>) -> impl Iterator<Item = &'a Key> {
        self.keys.iter().filter(move |key| kid.is_none() || key.kid.as_deref() == kid)
    }
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Key {
    /// None for a key of a kind that is not known here, or for an algorithm that is not.
    fn read(jwk: Jwk) -> Result<Option<Self>, String> {
        let alg = match jwk.alg.as_deref().map(Alg::named) {
            Some(None) => return Ok(None),
            alg => alg.flatten(),
        };
        let named = format!("its key {}", super::error::printable(jwk.kid.as_deref().unwrap_or("without a name")));
        let part = |name: &str, part: &Option<String>, length: Option<usize>| {
            let bytes = part.as_deref().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
            bytes
                .filter(|bytes| length.map_or(!bytes.is_empty(), |length| bytes.len() == length))
                .ok_or_else(|| format!("{named} has no proper {name}"))
        };
        let point = |length: usize| -> Result<Vec<u8>, String> {
            let (x, y) = (part("x", &jwk.x, Some(length))?, part("y", &jwk.y, Some(length))?);
            Ok([vec![4], x, y].concat())
        };
        let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => {
                Material::Rsa { n: without_zeros(part("n", &jwk.n, None)?), e: without_zeros(part("e", &jwk.e, None)?) }
            }
            ("EC", Some("P-256")) => Material::P256(point(32)?),
            ("EC", Some("P-384")) => Material::P384(point(48)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(part("x", &jwk.x, Some(32))?),
            _ => return Ok(None),
        };
        Ok(Some(Self { kid: jwk.kid, alg, material }))
    }

    /// Whether the key is one for the algorithm. Who chooses an algorithm must not choose what the key is.
    pub(super) fn is_for(&self, alg: Alg) -> bool {
        let kind = match self.material {
            Material::Rsa { .. } => {
                matches!(alg, Alg::Rs256 | Alg::Rs384 | Alg::Rs512 | Alg::Ps256 | Alg::Ps384 | Alg::Ps512)
            }
            Material::P256(_) => alg == Alg::Es256,
            Material::P384(_) => alg == Alg::Es384,
            Material::Ed25519(_) => alg == Alg::EdDsa,
        };
        kind && self.alg.is_none_or(|only| only == alg)
    }

    /// Whether the key has signed the message by the algorithm.
    pub(super) fn has_signed(&self, alg: Alg, message: &[u8], signature: &[u8]) -> bool {
        let rsa = match alg {
            Alg::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Alg::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Alg::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            Alg::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
            Alg::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
            Alg::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
            Alg::Es256 | Alg::Es384 | Alg::EdDsa => return self.has_signed_by_curve(message, signature),
        };
        self.has_signed_by_rsa(rsa, message, signature)
    }

    fn has_signed_by_rsa(&self, by: &'static RsaParameters, message: &[u8], signature: &[u8]) -> bool {
        let Material::Rsa { n, e } = &self.material else { return false };
        RsaPublicKeyComponents { n, e }.verify(by, message, signature).is_ok()
    }

    fn has_signed_by_curve(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Rsa { .. } => false,
            Material::P256(point) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
            Material::P384(point) => {
                UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, point).verify(message, signature).is_ok()
            }
            Material::Ed25519(x) => UnparsedPublicKey::new(&signature::ED25519, x).verify(message, signature).is_ok(),
        }
    }
}

/// Some programs write numbers with leading zeros, which ring refuses.
fn without_zeros(number: Vec<u8>) -> Vec<u8> {
    number.into_iter().skip_while(|byte| *byte == 0).collect()
}

#[cfg(test)]
mod tests;
