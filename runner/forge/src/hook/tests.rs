use proptest::prelude::*;

use super::*;

const SECRET: &str = "a-long-enough-secret";

fn secret() -> HookSecret {
    HookSecret::new(&SECRET.into()).unwrap()
}

fn signature(payload: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    hmac::sign(&key, payload).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn event(signature: &str) -> Signed<'_> {
    Signed { gitea: Some(signature), event: Some("push"), ..Signed::default() }
}

#[test]
fn the_signature_is_the_published_one() {
    // printf '{"a":1}' | openssl dgst -sha256 -hmac a-long-enough-secret
    let known = "8a1d04e904623565c31d5ae9eccc31af705ea80ba5f64f8eb229c9631ce79945";
    assert_eq!(read(&secret(), event(known), b"{\"a\":1}"), Ok(None));
    assert_eq!(read(&secret(), event(&known.to_uppercase()), b"{\"a\":1}"), Ok(None));
    let hub = format!("sha256={known}");
    let signed = Signed { hub: Some(&hub), event: Some("push"), ..Signed::default() };
    assert_eq!(read(&secret(), signed, b"{\"a\":1}"), Ok(None));
}

#[test]
fn what_is_not_signed_is_not_read() {
    let payload = b"no json";
    let right = signature(payload);
    for wrong in ["", "0", &right[..63], &format!("{right}0"), &"0".repeat(64), &"g".repeat(64), &"ä".repeat(32)] {
        assert_eq!(read(&secret(), event(wrong), payload), Err(HookError::Unsigned), "{wrong}");
    }
    assert_eq!(read(&secret(), Signed::default(), payload), Err(HookError::Unsigned));
    // SHA-1 and a signature without the algorithm's name are refused.
    for wrong in [right.clone(), format!("sha1={right}"), format!("SHA256={right}")] {
        let signed = Signed { hub: Some(&wrong), ..Signed::default() };
        assert_eq!(read(&secret(), signed, payload), Err(HookError::Unsigned));
    }
    // A right one after a wrong one is not enough: the first is checked.
    let hub = format!("sha256={right}");
    let zeros = "0".repeat(64);
    let both = Signed { gitea: Some(&zeros), hub: Some(&hub), event: None };
    assert_eq!(read(&secret(), both, payload), Err(HookError::Unsigned));
}

#[test]
fn a_signed_payload_of_another_kind_is_told() {
    let signed = signature(b"{}");
    let signed = Signed { gitea: Some(&signed), event: Some("issue_comment"), ..Signed::default() };
    assert!(matches!(read(&secret(), signed, b"{}"), Err(HookError::Unreadable(_))));
}

#[test]
fn a_short_secret_is_refused_and_none_is_shown() {
    assert!(matches!(HookSecret::new(&"hunter2".into()), Err(HookError::Weak)));
    assert!(!format!("{:?}", secret()).contains(SECRET));
}

proptest! {
    #[test]
    fn a_changed_payload_or_signature_is_refused(payload in prop::collection::vec(any::<u8>(), 1..200), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let right = signature(&payload);
        prop_assert_eq!(read(&secret(), event(&right), &payload), Ok(None));
        let mut changed = payload.clone();
        changed[at.index(payload.len())] ^= 1_u8 << bit;
        prop_assert_eq!(read(&secret(), event(&right), &changed), Err(HookError::Unsigned));
        let mut wrong = right.into_bytes();
        let digit = at.index(wrong.len());
        wrong[digit] = if wrong[digit] == b'0' { b'1' } else { b'0' };
        prop_assert_eq!(read(&secret(), event(&String::from_utf8(wrong).unwrap()), &payload), Err(HookError::Unsigned));
    }
}
