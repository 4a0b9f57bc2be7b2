use super::*;

fn parse(keys: serde_json::Value) -> Result<Vec<Option<String>>, String> {
    let set = Jwks::parse(&serde_json::json!({ "keys": keys }).to_string())?;
    Ok(set.keys.into_iter().map(|key| key.kid).collect())
}

#[test]
fn only_keys_for_signatures_are_kept() {
    let x = URL_SAFE_NO_PAD.encode([7; 32]);
    let keys = serde_json::json!([
        {"kty": "RSA", "kid": "a", "use": "sig", "alg": "RS256", "n": "AQAB", "e": "AQAB"},
        {"kty": "RSA", "kid": "b", "use": "enc", "alg": "RSA-OAEP", "n": "AQAB", "e": "AQAB"},
        {"kty": "RSA", "kid": "c", "alg": "RSA-OAEP", "n": "AQAB", "e": "AQAB"},
        {"kty": "oct", "kid": "d", "alg": "HS256", "k": "AQAB"},
        {"kty": "EC", "kid": "e", "crv": "P-256", "x": x, "y": x},
        {"kty": "EC", "kid": "f", "crv": "secp256k1", "x": x, "y": x},
        {"kty": "OKP", "crv": "Ed25519", "x": x},
    ]);
    let kept = parse(keys).unwrap();
    assert_eq!(kept, [Some("a".to_owned()), Some("e".to_owned()), None]);
}

#[test]
fn what_is_no_key_is_told_by_its_name() {
    let wrong = |key: serde_json::Value| parse(serde_json::json!([key])).unwrap_err();
    assert_eq!(wrong(serde_json::json!({"kty": "RSA", "kid": "a", "e": "AQAB"})), "its key a has no proper n");
    assert_eq!(
        wrong(serde_json::json!({"kty": "EC", "crv": "P-256", "x": "AQAB", "y": "AQAB"})),
        "its key without a name has no proper x"
    );
    assert_eq!(Jwks::parse("<html>").unwrap_err(), "its body is not a set of keys, at line 1 column 1");
}
