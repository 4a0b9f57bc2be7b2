use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;
use crate::redact::Redactor;

const SECRET: &str = "Correct-Horse/Battery 7";

fn redactor() -> Redactor {
    let redactor = Redactor::new();
    redactor.add(SECRET);
    redactor
}

fn one(n: usize, body: &[u8]) -> Exchange {
    let answer = Side::taken([("Content-Type", "text/plain")], body, 0);
    Exchange::taken("GET", &format!("https://a.ci/{n}"), Side::default(), Duration::from_millis(7))
        .answered(200, answer)
}

fn shown(list: impl IntoIterator<Item = Exchange>) -> (Vec<Exchange>, u64) {
    let mut exchanges = Exchanges::default();
    list.into_iter().for_each(|one| exchanges.push(one));
    exchanges.shown(&redactor())
}

fn bodies(list: &[Exchange]) -> usize {
    list.iter().map(|one| one.request.text.len() + one.answer.text.len()).sum()
}

#[test]
fn a_secret_is_nowhere_in_any_form() {
    let percent = SECRET.replace('/', "%2F").replace(' ', "%20");
    for form in [SECRET, &percent, &STANDARD.encode(SECRET), &URL_SAFE_NO_PAD.encode(format!("eve:{SECRET}!"))] {
        let headers = [("location", form), ("www-authenticate", form), ("content-type", form), ("set-cookie", form)];
        let side = || Side::taken(headers, format!("a {form} b").as_bytes(), 0);
        let url = format!("https://eve:{form}@a.ci/x?q={form}&y=1");
        let taken = Exchange::taken("POST", &url, side(), Duration::ZERO).answered(302, side());
        let failed = Exchange::taken("GET", &url, Side::default(), Duration::ZERO).failed(form);
        let text = serde_json::to_string(&shown([taken, failed])).unwrap();
        assert!(!text.contains(form) && text.contains("[redacted]"), "{form} in {text}");
        assert_eq!(text.matches("[redacted]").count(), 11, "{text}");
        assert!(!text.contains("Horse"), "{text}");
    }
}

#[test]
fn a_secret_at_the_cut_leaves_no_half_of_it() {
    for at in TAKEN - SECRET.len()..=TAKEN + 1 {
        let body = format!("{}{SECRET} and more", "x ".repeat(at)[..at].to_owned());
        let mut exchanges = Exchanges::default();
        exchanges.push(one(1, body.as_bytes()));
        let cleaned = exchanges.cleaned(&redactor());
        let text = serde_json::to_string(&cleaned).unwrap();
        assert!(!text.contains("Corr"), "{at}: {}", &text[text.len() - 120..]);
    }
}

#[test]
fn a_long_answer_is_bounded_before_it_is_kept() {
    let body = vec![b'x'; 50 << 20];
    let taken = one(1, &body);
    assert!(taken.answer.text.capacity() <= 2 * TAKEN);
    assert_eq!((taken.answer.bytes, taken.answer.cut), (50 << 20, true));
    let (list, _) = shown([taken]);
    assert_eq!(list[0].answer.text.len(), SHOWN);
}

#[test]
fn many_are_bounded_and_counted() {
    let (list, left_out) = shown((0..32).map(|n| one(n, "ä".repeat(5_000).as_bytes())));
    assert_eq!((list.len(), left_out), (20, 12));
    let numbers: Vec<&str> = list.iter().map(|one| one.url.rsplit('/').next().unwrap()).collect();
    assert_eq!((numbers[0], numbers[9], numbers[10], numbers[19]), ("0", "9", "22", "31"));
    assert!(bodies(&list) <= SHOWN_TOGETHER && bodies(&list) > SHOWN_TOGETHER / 2, "{}", bodies(&list));
    assert!(list.iter().all(|one| one.answer.cut && one.answer.text.chars().all(|c| c == 'ä')));
}

#[test]
fn the_same_again_and_again_is_one() {
    let (list, left_out) = shown((0..500).map(|n| one(n / 400, b"not yet")));
    assert_eq!((list.len(), list[0].times, list[1].times, left_out), (2, 400, 100, 0));
}

#[test]
fn what_is_no_text_is_only_measured() {
    for body in [&b"\xff\xfe\x00x"[..], b"a\0b", b"caf\xe9 au lait"] {
        let taken = one(1, body);
        assert_eq!((taken.answer.text.as_str(), taken.answer.bytes), ("", body.len() as u64));
        assert!(!taken.answer.cut);
    }
    let hostile = "\u{1b}[31mred\u{1b}]8;;https://evil.example\u{7}link\u{8}\u{9b}2J\r\n";
    let text = one(1, hostile.as_bytes()).answer.text;
    assert!(text.starts_with("red") && text.chars().all(|c| !c.is_control() || c == '\n'), "{text:?}");
    // A character that is cut does not make the body invalid.
    let text = one(1, "ä".repeat(TAKEN).as_bytes()).answer.text;
    assert_eq!(text.len(), TAKEN);
}

#[test]
fn a_list_goes_through_a_file_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("exchanges");
    let recorder = Recorder::default();
    recorder.clone().push(one(1, b"x"));
    let list = recorder.take();
    list.write(&path).unwrap();
    assert_eq!(Exchanges::fetch(&path), list);
    assert_eq!(Exchanges::fetch(&path), Exchanges::default());
    std::fs::write(&path, "nonsense").unwrap();
    assert_eq!(Exchanges::fetch(&path), Exchanges::default());
    assert!(!path.exists() && recorder.take() == Exchanges::default());
}

#[test]
fn no_header_but_the_few_is_kept() {
    let headers = [("Set-Cookie", "a=1"), ("Authorization", "Bearer abc"), ("Cookie", "b=2"), ("X-A", "c=3")];
    let side = Side::taken(headers, b"", 0);
    assert_eq!(side, Side::default());
    let side = Side::taken([("WWW-Authenticate", "Digest realm=\"a\", nonce=\"n0nce\"")], b"", 0);
    let (list, _) = shown([Exchange::taken("GET", "https://a.ci/", side, Duration::ZERO)]);
    assert_eq!(list[0].request.challenge, "Digest realm=\"a\", nonce=\"[redacted]\"");
}
