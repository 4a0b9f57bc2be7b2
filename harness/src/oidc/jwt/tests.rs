use std::time::Duration;

use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair as Rsa, PublicKeyComponents};
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde_json::json;

use super::*;

const ISSUER: &str = "https://id.ci/r";
/// The time at which the tokens here are made.
const MADE: i64 = 1_800_000_000;

/// A key of 2048 bits that has signed nothing but what these tests make: ring makes no RSA keys.
fn rsa() -> Rsa {
    Rsa::from_pkcs8(include_bytes!("rsa.pk8")).unwrap()
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn public(kid: &str, alg: Option<&str>) -> Value {
    let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(rsa().public());
    json!({"kty": "RSA", "use": "sig", "kid": kid, "alg": alg, "n": b64(n), "e": b64(e)})
}

fn keys_of(keys: &[Value]) -> Jwks {
    Jwks::parse(&json!({ "keys": keys }).to_string()).unwrap()
}

fn keys() -> Jwks {
    keys_of(&[public("k", Some("RS256"))])
}

/// What a provider says of ann to the client app.
fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "ann-1", "aud": "app", "azp": "app", "nonce": "n-1",
        "iat": MADE, "exp": MADE + 60,
    })
}

fn signed(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
    format!("{message}.{}", b64(sign(message.as_bytes())))
}

fn by_rsa(encoding: &'static dyn signature::RsaEncoding) -> impl Fn(&[u8]) -> Vec<u8> {
    move |message| {
        let key = rsa();
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    }
}

fn token_of(claims: &Value) -> String {
    signed(&json!({"alg": "RS256", "kid": "k"}), claims, by_rsa(&signature::RSA_PKCS1_SHA256))
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn expect() -> Expect {
    Expect::id_token("app").nonce("n-1").leeway(Duration::from_secs(5))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(MADE + seconds).unwrap()
}

fn judged(claims: &Value, seconds: i64) -> Result<Claims, TokenRefused> {
    verify(&token_of(claims), &keys(), ISSUER, &expect(), at(seconds))
}

fn refused_header(header: &Value) -> TokenRefused {
    let token = signed(header, &claims(), by_rsa(&signature::RSA_PKCS1_SHA256));
    verify(&token, &keys(), ISSUER, &expect(), at(1)).unwrap_err()
}

#[test]
fn a_right_token_is_believed_and_shows_no_claim_by_accident() {
    let claims = judged(&with("email", json!("ann@example.org")), 1).unwrap();
    assert_eq!((claims.subject(), claims.text("email")), ("ann-1", Some("ann@example.org")));
    assert_eq!(claims.expires(), at(60));
    assert!(!format!("{claims:?}").contains("example.org"));
}

#[test]
fn every_algorithm_of_a_public_key_is_understood() {
    let of_rsa: [(&str, &'static dyn signature::RsaEncoding); 6] = [
        ("RS256", &signature::RSA_PKCS1_SHA256),
        ("RS384", &signature::RSA_PKCS1_SHA384),
        ("RS512", &signature::RSA_PKCS1_SHA512),
        ("PS256", &signature::RSA_PSS_SHA256),
        ("PS384", &signature::RSA_PSS_SHA384),
        ("PS512", &signature::RSA_PSS_SHA512),
    ];
    let believed = |alg: &str, key: Value, sign: &dyn Fn(&[u8]) -> Vec<u8>| {
        let token = signed(&json!({"alg": alg, "kid": "k"}), &claims(), sign);
        verify(&token, &keys_of(&[key]), ISSUER, &expect(), at(1)).map(|claims| claims.subject().to_owned())
    };
    for (alg, encoding) in of_rsa {
        assert_eq!(believed(alg, public("k", None), &by_rsa(encoding)).unwrap(), "ann-1", "{alg}");
    }
    let random = SystemRandom::new();
    for (alg, curve, signing) in [
        ("ES256", "P-256", &signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        ("ES384", "P-384", &signature::ECDSA_P384_SHA384_FIXED_SIGNING),
    ] {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(signing, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(signing, pkcs8.as_ref(), &random).unwrap();
        let point = &pair.public_key().as_ref()[1..];
        let (x, y) = point.split_at(point.len() / 2);
        let key = json!({"kty": "EC", "kid": "k", "crv": curve, "x": b64(x), "y": b64(y)});
        let sign = |message: &[u8]| pair.sign(&random, message).unwrap().as_ref().to_vec();
        assert_eq!(believed(alg, key.clone(), &sign).unwrap(), "ann-1", "{alg}");
        // The key's kind decides, not the token.
        assert_eq!(believed("EdDSA", key, &sign).unwrap_err(), TokenRefused::WrongKey("EdDSA".into()));
    }
    let pair = Ed25519KeyPair::from_pkcs8(Ed25519KeyPair::generate_pkcs8(&random).unwrap().as_ref()).unwrap();
    let key = json!({"kty": "OKP", "kid": "k", "crv": "Ed25519", "x": b64(pair.public_key())});
    let sign = |message: &[u8]| pair.sign(message).as_ref().to_vec();
    assert_eq!(believed("EdDSA", key, &sign).unwrap(), "ann-1");
}

#[test]
fn nobody_signs_with_none_or_with_what_everybody_knows() {
    for none in ["none", "None", "NONE"] {
        assert_eq!(refused_header(&json!({"alg": none, "kid": "k"})), TokenRefused::Unsigned);
        let token = signed(&json!({"alg": none}), &claims(), |_| Vec::new());
        assert_eq!(verify(&token, &keys(), ISSUER, &expect(), at(1)).unwrap_err(), TokenRefused::Unsigned);
    }
    // The secret is the public key, in the forms in which it is known.
    let key = rsa();
    let PublicKeyComponents { n, .. } = PublicKeyComponents::<Vec<u8>>::from(key.public());
    for secret in [key.public().as_ref().to_vec(), n.clone(), b64(n).into_bytes()] {
        let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
        let token = signed(&json!({"alg": "HS256", "kid": "k"}), &claims(), |message| {
            ring::hmac::sign(&secret, message).as_ref().to_vec()
        });
        let error = verify(&token, &keys(), ISSUER, &expect(), at(1)).unwrap_err();
        assert_eq!(error, TokenRefused::Algorithm("HS256".into()));
    }
}

#[test]
fn the_key_is_the_providers_choice() {
    let rs = |kid: Option<&str>| json!({"alg": "RS256", "kid": kid});
    assert_eq!(refused_header(&rs(Some("other"))), TokenRefused::UnknownKey("other".into()));
    assert_eq!(refused_header(&json!({"alg": "PS256", "kid": "k"})), TokenRefused::WrongKey("PS256".into()));
    assert_eq!(refused_header(&json!({"alg": "ES256", "kid": "k"})), TokenRefused::WrongKey("ES256".into()));
    assert_eq!(refused_header(&json!({"alg": "RS256", "kid": "k", "crit": ["b64"]})), TokenRefused::Extension);
    // A key that the token brings itself is nobody's.
    assert_eq!(
        refused_header(&json!({"alg": "RS256", "kid": "mine", "jwk": public("mine", None)})),
        TokenRefused::UnknownKey("mine".into())
    );
    let unnamed = signed(&rs(None), &claims(), by_rsa(&signature::RSA_PKCS1_SHA256));
    let of = |keys: &[Value]| verify(&unnamed, &keys_of(keys), ISSUER, &expect(), at(1)).map(|_| ());
    assert_eq!(of(&[public("k", None)]), Ok(()));
    assert_eq!(of(&[public("k", None), public("l", None)]), Err(TokenRefused::NoKeyNamed));
    assert_eq!(of(&[]), Err(TokenRefused::UnknownKey(String::new())));
}

#[test]
fn each_claim_that_is_wrong_is_told_by_its_own_name() {
    let is = |claims: Value, wanted: TokenRefused| assert_eq!(judged(&claims, 1).unwrap_err(), wanted, "{claims}");
    let issuer = |told: &str| TokenRefused::Issuer { wanted: ISSUER.into(), told: told.into() };
    is(with("iss", json!("https://id.ci/r/")), issuer("https://id.ci/r/"));
    is(without("iss"), TokenRefused::Claim("iss"));
    let audience = |told: &[&str]| TokenRefused::Audience {
        wanted: "app".into(),
        told: told.iter().map(|one| (*one).to_owned()).collect(),
    };
    is(with("aud", json!("other")), audience(&["other"]));
    is(with("aud", json!(["other", "ap"])), audience(&["other", "ap"]));
    is(without("aud"), audience(&[]));
    is(with("aud", json!({"app": 1})), TokenRefused::Claim("aud"));
    let party = |told: Option<&str>| TokenRefused::Party { wanted: "app".into(), told: told.map(str::to_owned) };
    is(with("azp", json!("other")), party(Some("other")));
    let mut shared = with("aud", json!(["app", "other"]));
    assert!(judged(&shared, 1).is_ok());
    shared.as_object_mut().unwrap().remove("azp");
    is(shared, party(None));
    is(with("nonce", json!("n-2")), TokenRefused::Nonce);
    is(without("nonce"), TokenRefused::Nonce);
    is(without("sub"), TokenRefused::Claim("sub"));
    for name in ["exp", "iat"] {
        is(without(name), TokenRefused::Claim(name));
        is(with(name, json!("soon")), TokenRefused::Claim(name));
        is(with(name, json!(1e300)), TokenRefused::Claim(name));
    }
}

#[test]
fn an_access_token_is_judged_by_its_audience_or_by_who_was_given_it() {
    let token = token_of(&with("aud", json!("account")));
    let judged = |expect: Expect| verify(&token, &keys(), ISSUER, &expect, at(1)).map(|_| ());
    assert_eq!(judged(Expect::access_for("account")), Ok(()));
    assert_eq!(judged(Expect::access_of("app")), Ok(()));
    assert!(matches!(judged(Expect::access_for("app")), Err(TokenRefused::Audience { .. })));
    assert!(matches!(judged(Expect::access_of("account")), Err(TokenRefused::Party { .. })));
}

#[test]
fn a_token_has_its_time() {
    let claims = with("nbf", json!(MADE + 10));
    // The leeway is 5 s to both sides; the token lasts from 10 s to 60 s.
    assert_eq!(judged(&claims, 4).unwrap_err(), TokenRefused::NotYetValid { from: at(10), now: at(4) });
    assert!(judged(&claims, 5).is_ok() && judged(&claims, 64).is_ok());
    assert_eq!(judged(&claims, 65).unwrap_err(), TokenRefused::Expired { at: at(60), now: at(65) });
    let made = super::tests::claims();
    assert!(judged(&made, -5).is_ok());
    assert_eq!(judged(&made, -6).unwrap_err(), TokenRefused::FromTheFuture { at: at(0), now: at(-6) });
    assert!(judged(&with("exp", json!(MADE as f64 + 60.5)), 30).is_ok());
}

#[test]
fn what_is_no_token_is_told() {
    let token = token_of(&claims());
    for (wrong, what) in [
        (String::new(), "it has not three parts"),
        ("a.b".to_owned(), "it has not three parts"),
        (format!("{token}.x"), "it has not three parts"),
        (token.replacen('.', "=.", 1), "its header is not base64url"),
        (format!("e30.{}", &token[token.find('.').unwrap() + 1..]), "its header is not the JSON of one"),
        (format!("{token}="), "its signature is not base64url"),
    ] {
        let error = verify(&wrong, &keys(), ISSUER, &expect(), at(1)).unwrap_err();
        assert_eq!(error, TokenRefused::Malformed(what), "{wrong}");
    }
    let text = signed(&json!({"alg": "RS256", "kid": "k"}), &json!("x"), by_rsa(&signature::RSA_PKCS1_SHA256));
    let error = verify(&text, &keys(), ISSUER, &expect(), at(1)).unwrap_err();
    assert_eq!(error, TokenRefused::Malformed("its content is not a JSON object"));
}

proptest! {
    #[test]
    fn a_token_with_another_byte_anywhere_is_refused(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let token = token_of(&claims());
        let mut bytes = token.clone().into_bytes();
        let place = place.index(bytes.len());
        prop_assume!(bytes[place] != byte);
        bytes[place] = byte;
        let other = String::from_utf8_lossy(&bytes).into_owned();
        prop_assert!(verify(&other, &keys(), ISSUER, &expect(), at(1)).is_err(), "{}", other);
    }

    #[test]
    fn a_signature_of_other_claims_is_refused(subject in "[a-z]{1,9}") {
        let (token, other) = (token_of(&claims()), token_of(&with("sub", json!(subject))));
        let (message, _) = other.rsplit_once('.').unwrap();
        let (_, signature) = token.rsplit_once('.').unwrap();
        let error = verify(&format!("{message}.{signature}"), &keys(), ISSUER, &expect(), at(1)).unwrap_err();
        prop_assert_eq!(error, TokenRefused::Signature);
    }

    #[test]
    fn any_text_is_refused_and_nothing_panics(text in "[A-Za-z0-9_.-]{0,80}|\\PC{0,40}") {
        prop_assert!(verify(&text, &keys(), ISSUER, &expect(), at(1)).is_err());
    }
}
