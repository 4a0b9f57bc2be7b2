//! What strangers write is text: on every page, feed, badge, in JSON and in an export.

use std::net::SocketAddr;

use jiff::SignedDuration;
use journal::event::{Event, Record};
use web::export;

use crate::client::get;
use crate::fixtures;
use crate::markup::{census, check_characters, check_nested, check_own};
use crate::nights;
use crate::scene::{Scene, Shows, another};

const RUN: &str = "20261121-091403-kxqv";
/// What would be somebody else's on a page.
const FORBIDDEN: [&str; 6] =
    ["<script>alert", "<img", "onerror=alert(1)>", "<svg onload", "\u{1b}", "evil.example/x onerror=\""];

/// The worst of several kinds, in every text of a journal that a stranger writes.
fn told(hostile: bool, ago: SignedDuration) -> Vec<Record> {
    let mut records = another(&fixtures::hostile(), RUN, ago, |_| {});
    if !hostile {
        // The same story in words that mean no harm.
        let text = serde_json::to_string(&records).unwrap();
        let word = serde_json::to_string(fixtures::HOSTILE).unwrap();
        return serde_json::from_str(&text.replace(word.trim_matches('"'), "harmless")).unwrap();
    }
    let worse = format!("\"><img src=x onerror=alert(1)>'><svg onload=alert(1)>{}\u{202e}", "y".repeat(100_000));
    for record in &mut records {
        match &mut record.event {
            Event::RunStarted(started) => started.tests = [(worse.clone(), worse.clone())].into(),
            Event::Noted { text, .. } => text.push_str(&worse),
            Event::CheckEnded { check, .. } => check.shown.files.push(worse.clone()),
            _ => {}
        }
    }
    records
}

fn paths() -> Vec<String> {
    let of_run = ["", "/log", "/log/lines", "/junit.xml"].map(|end| format!("/runs/{RUN}{end}"));
    let other = ["/", "/runs", "/recipes/custom-html", "/coverage", "/fleet", "/nightly", "/feed.atom", "/metrics"];
    let badges = ["/badges/custom-html.svg", "/badges/custom-html/install.svg", "/badges/custom-html/standing.svg"];
    of_run.into_iter().chain(other.into_iter().chain(badges).map(str::to_owned)).collect()
}

async fn page(to: SocketAddr, path: &str) -> String {
    let answer = get(to, path).await;
    assert_eq!(answer.status, 200, "{path}");
    answer.text()
}

fn check(what: &str, text: &str) {
    for word in FORBIDDEN {
        assert!(!text.contains(word), "{what} holds {word:?}");
    }
    check_characters(what, text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_text_is_text_everywhere() {
    let (hostile, harmless) = (Scene::new(), Scene::new());
    hostile.over(&told(true, SignedDuration::from_hours(1)));
    harmless.over(&told(false, SignedDuration::from_hours(1)));
    nights::put(hostile.state(), fixtures::HOSTILE);
    nights::put(harmless.state(), "harmless");
    let (bad, good) = (hostile.serve(Shows::default()), harmless.serve(Shows::default()));
    for path in paths() {
        let text = page(bad.address, &path).await;
        // A picture that the page itself wants is there with harmless words too.
        check(&path, &text.replace("<img src=\"/badges/custom-html", ""));
        if path == "/metrics" {
            continue;
        }
        check_nested(&path, &text);
        if !path.ends_with(".atom") {
            check_own(&path, &text);
        }
        let (found, wanted) = (census(&text), census(&page(good.address, &path).await));
        let own = |name: &str| !matches!(name, "li" | "span" | "a" | "br");
        for (name, count) in found.iter().filter(|(name, _)| own(name)) {
            assert_eq!(wanted.get(name), Some(count), "{path}: <{name}>; {wanted:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_get_no_control_characters_either() {
    let scene = Scene::new();
    scene.over(&told(true, SignedDuration::from_hours(1)));
    let server = scene.serve(Shows::default());
    for path in ["/api/recipes", "/api/runs", &format!("/api/runs/{RUN}"), "/api/coverage"] {
        let answer = get(server.address, path).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{path}");
        check_characters(path, &answer.text());
        let value: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        check_texts(path, &value);
    }
    // The journal is what was told, to the letter; in JSON no control character stands as itself.
    let journal = page(server.address, &format!("/runs/{RUN}/journal.jsonl")).await;
    assert!(journal.chars().all(|c| c == '\n' || !c.is_ascii_control()));
}

/// No text that a program reads out of JSON steers a terminal.
fn check_texts(path: &str, value: &serde_json::Value) {
    match value {
        serde_json::Value::String(text) => check_characters(path, text),
        serde_json::Value::Array(all) => all.iter().for_each(|one| check_texts(path, one)),
        serde_json::Value::Object(all) => all.values().for_each(|one| check_texts(path, one)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_text_is_text_in_an_export() {
    let scene = Scene::new();
    scene.over(&told(true, SignedDuration::from_hours(1)));
    let folder = tempfile::tempdir().unwrap();
    export(&scene.site(Shows::default()), folder.path(), 10).await.unwrap();
    let mut seen = 0;
    for file in crate::exported::files(folder.path()) {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.display().to_string();
        if name.ends_with(".html") {
            check(&name, &text.replace("<img src=\"../../badges/custom-html", ""));
            check_nested(&name, &text);
            check_own(&name, &text);
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen} pages");
}
