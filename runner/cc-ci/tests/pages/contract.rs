//! Each path answers as it is described, whatever is asked for.

use std::net::SocketAddr;

use serde_json::Value;

use crate::client::{Answer, ask, get, until};
use crate::fixtures;
use crate::markup::{check_nested, check_own};
use crate::scene::{Scene, Shows, TOKEN, another};
use crate::stories::{self, GREEN, LIVE, RED, hours};

/// What is on every answer, good or bad.
fn check_headers(what: &str, answer: &Answer) {
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{what}: {policy:?}");
    assert!(policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"), "{what}: {policy:?}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(answer.header("referrer-policy"), "no-referrer", "{what}");
    assert!(!answer.headers.contains_key("set-cookie"), "{what}");
    assert!(!answer.header("cache-control").is_empty(), "{what}");
}

async fn checked(to: SocketAddr, method: &str, path: &str, form: &str) -> Answer {
    let answer = ask(to, method, path, form).await;
    check_headers(&format!("{method} {path:.80}"), &answer);
    answer
}

fn real(path: &str) -> String {
    path.replace("{run}", GREEN).replace("{recipe}", "custom-html").replace("{stage}", "install")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_for_machines_answers_as_it_is_described() {
    let scene = Scene::new();
    let _alive = stories::history(&scene);
    let server = scene.serve(Shows::default());
    let to = server.address;
    let document: Value = serde_json::from_slice(&checked(to, "GET", "/api/openapi.json", "").await.body).unwrap();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= 12, "{paths:?}");
    for (path, described) in paths {
        let (kind, schema) =
            described["get"]["responses"]["200"]["content"].as_object().unwrap().iter().next().unwrap();
        if kind == "text/event-stream" {
            let heard = until(to, &real(path), "\n\n").await;
            assert!(heard.contains("200 OK") && heard.contains("text/event-stream"), "{heard}");
            continue;
        }
        let answer = checked(to, "GET", &real(path), "").await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(answer.header("content-type").starts_with(kind.as_str()), "{path}: {}", answer.header("content-type"));
        if kind == "application/json" {
            let value: Value = serde_json::from_slice(&answer.body).unwrap();
            check_required(path, &document, &schema["schema"], &value);
        }
        let head = checked(to, "HEAD", &real(path), "").await;
        assert_eq!((head.status, head.body.len()), (200, 0), "HEAD {path}");
    }
    let told = checked(to, "GET", &real("/runs/{run}/journal.jsonl"), "").await;
    assert!(told.text().lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
}

/// Fails where the description promises a field that is not there, or the other way round.
fn check_required(path: &str, document: &Value, schema: &Value, value: &Value) {
    if let Some(items) = schema.get("items") {
        let list = value.as_array().unwrap_or_else(|| panic!("{path}: {value}"));
        assert!(!list.is_empty(), "{path} has nothing to show");
        return list.iter().for_each(|one| check_required(path, document, items, one));
    }
    let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.rsplit('/').next()) else {
        return;
    };
    let schema = &document["components"]["schemas"][name];
    let described = schema["properties"].as_object().unwrap_or_else(|| panic!("{path}: {name} is not described"));
    let there = value.as_object().unwrap_or_else(|| panic!("{path}: {value}"));
    for field in there.keys() {
        assert!(described.contains_key(field), "{path}: {field} of {name} is not described");
    }
    for field in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        assert!(there.contains_key(field), "{path}: {field} of {name} is promised");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_answers_and_what_is_not_there_says_so() {
    let scene = Scene::new();
    let _alive = stories::history(&scene);
    let server = scene.serve(Shows { acts: true, pictures: false });
    for (name, path) in stories::pages() {
        let answer = checked(server.address, "GET", &path, "").await;
        assert_eq!(answer.status, if name == "missing" { 404 } else { 200 }, "{path}");
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
        check_nested(&path, &answer.text());
        check_own(&path, &answer.text());
    }
    let long = "a".repeat(10_000);
    // A run's id in capitals is none, and a name that a recipe may have: it has an unknown badge and no runs.
    let capitals = "20261121-110000-GREE";
    let odd = ["%00", "..%2f..%2fetc%2fpasswd", "%2e%2e", "<script>", "%ff%fe", capitals, "a%0d%0ab", "gr.ee", &long];
    for odd in odd.iter().map(|odd| odd.replace('<', "%3C").replace('>', "%3E")) {
        for path in ["/runs/{}", "/runs/{}/log", "/runs/{}/log/lines", "/runs/{}/journal.jsonl", "/runs/{}/junit.xml"]
            .into_iter()
            .chain(["/recipes/{}", "/badges/{}", "/badges/{}/install.svg", "/api/runs/{}", "/assets/{}", "/{}"])
            .chain(["/runs?before={}", "/runs?pull={}", "/runs?recipe={}", "/runs?verdict={}", "/api/runs?before={}"])
            .chain(["/events?run={}", "/runs/20261121-110000-gree/log?from={}"])
        {
            let path = path.replace("{}", &odd);
            let answer = checked(server.address, "GET", &path, "").await;
            if [format!("/badges/{capitals}/install.svg"), format!("/runs?recipe={capitals}")].contains(&path) {
                assert_eq!(answer.status, 200, "{path}");
                continue;
            }
            assert!([400, 404].contains(&answer.status), "{path:.80}: {}", answer.status);
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            let kind = if path.starts_with("/api/") { "application/json" } else { "text/html" };
            assert!(answer.header("content-type").starts_with(kind), "{path:.80} answers {text:.200}");
            assert!(text.len() < 8_000 && !text.contains("<script>"), "{path:.80} answers {text:.200}");
        }
    }
    for path in ["/runs/20200101-000000-none", "/recipes/unknown", "/nothing", "/assets/nothing.css"] {
        let answer = checked(server.address, "GET", path, "").await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text().contains("Not found"), "{path}");
    }
    assert_eq!(get(server.address, "/runs/20261121-120000-redd/log?from=18446744073709551615").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_need_the_token() {
    let scene = Scene::new();
    let (run, _alive) = stories::begin(&scene);
    scene.over(&another(&fixtures::passed(), GREEN, hours(1), |_| {}));
    let (mute, server) = (scene.serve(Shows::default()), scene.serve(Shows { acts: true, pictures: false }));
    let right = format!("token={TOKEN}&by=alice&minutes=5");
    for action in ["cancel", "hold"] {
        let path = format!("/runs/{LIVE}/{action}");
        assert_eq!(checked(mute.address, "POST", &path, &right).await.status, 403);
        let wrong = right.replace(TOKEN, "another-token-than-this-one");
        assert_eq!(checked(server.address, "POST", &path, &wrong).await.status, 403);
        assert_eq!(checked(server.address, "POST", &path, &right.replace("alice", "")).await.status, 400);
        assert_eq!(checked(server.address, "GET", &path, "").await.status, 405);
        assert!([400, 422].contains(&checked(server.address, "POST", &path, "nonsense").await.status));
    }
    assert!(scene.dir(&run).asked_to_hold().is_none());
    let held = checked(server.address, "POST", &format!("/runs/{LIVE}/hold"), &right).await;
    assert_eq!((held.status, held.header("location")), (303, format!("/runs/{LIVE}").as_str()));
    assert_eq!(scene.dir(&run).asked_to_hold().map(|time| time.as_secs()), Some(300));
    let over = checked(server.address, "POST", &format!("/runs/{GREEN}/hold"), &right).await;
    assert_eq!(over.status, 409, "a run that is over holds nothing");
    let cancelled = checked(server.address, "POST", &format!("/runs/{LIVE}/cancel"), &right).await;
    assert!([409, 503].contains(&cancelled.status), "{}", cancelled.status);
    assert_eq!(checked(server.address, "GET", &format!("/runs/{RED}/cancel"), "").await.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_shown_only_where_the_operator_says_so() {
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\nnothing more";
    let scene = Scene::new();
    let (run, alive) = scene.begin(&another(&fixtures::passed(), GREEN, hours(1), |_| {}));
    let artifacts = scene.dir(&run).artifacts();
    std::fs::create_dir_all(&artifacts).unwrap();
    for (name, bytes) in [("login.png", PNG), ("page.html", b"<script>alert(1)</script>"), ("no.png", b"<svg>")] {
        std::fs::write(artifacts.join(name), bytes).unwrap();
    }
    drop(alive);
    scene.history.import(&scene.dir(&run)).unwrap();
    let path = |name: &str| format!("/runs/{GREEN}/pictures/{name}");
    let hides = scene.serve(Shows::default());
    assert_eq!(checked(hides.address, "GET", &path("login.png"), "").await.status, 404);
    let shows = scene.serve(Shows { pictures: true, acts: false });
    let shown = checked(shows.address, "GET", &path("login.png"), "").await;
    assert_eq!((shown.status, shown.header("content-type"), &shown.body[..]), (200, "image/png", PNG));
    for name in ["page.html", "no.png", "..%2fjournal.jsonl", "other.png"] {
        assert_eq!(checked(shows.address, "GET", &path(name), "").await.status, 404, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_link_of_a_page_is_answered() {
    let scene = Scene::new();
    let _alive = stories::history(&scene);
    let server = scene.serve(Shows::default());
    let mut links = std::collections::BTreeSet::new();
    for (_, path) in stories::pages() {
        let page = get(server.address, &path).await.text();
        for tag in crate::markup::tags(&page) {
            let found = ["href", "src"].iter().filter_map(|name| tag.attributes.get(*name));
            links.extend(
                found.filter(|link| link.starts_with('/')).map(|link| link.split('#').next().unwrap().to_owned()),
            );
        }
    }
    assert!(links.len() > 60, "{links:?}");
    for link in links {
        assert_eq!(get(server.address, &link.replace("&#38;", "&")).await.status, 200, "{link}");
    }
}
