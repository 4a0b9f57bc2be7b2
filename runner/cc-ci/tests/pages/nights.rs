//! Nightly sweeps on a server's shelf, their page and their entries of the feed.

use std::path::Path;

use nightly::{Clock, Shelf, Sweep};
use serde_json::{Value, json};

use crate::client::get;
use crate::markup::check_nested;
use crate::scene::{Scene, Shows};
use crate::stories::{self, FLAKY, GREEN, RED};

/// A run of a sweep that is over.
fn over(tested: &Value, digit: &str, now: Value, (was, run, line): (Value, &str, &str)) -> Value {
    let end = json!({
        "health": now, "run": run, "at": "2026-11-21T03:41:00Z", "cause": if now == "red" { json!("recipe") } else { Value::Null },
        "stage": if now == "red" { json!("upgrade") } else { Value::Null }, "kind": null, "line": line,
    });
    json!({"tested": tested, "commit": digit.repeat(40), "phase": {"ended": end}, "was": was})
}

/// Two sweeps: one where some recipes turned, with a stranger's text, and one before it where none did.
pub(crate) fn put(state: &Path, text: &str) {
    let main = json!({"main": true});
    let release = json!({"release": "1.2.0+1.29.3", "main": false});
    let both = json!({"release": text, "main": true});
    let red = format!("failed by the recipe in upgrade: the service app was rolled back: {text}");
    let sweep = |date: &str, recipes: Value, rest: Value| -> Sweep {
        let mut sweep = json!({
            "date": date, "hour": "03:30 Europe/Berlin", "began": "2026-11-21T02:30:00Z", "ended": "2026-11-21T03:41:12Z",
            "recipes": recipes,
        });
        sweep.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        serde_json::from_value(sweep).unwrap()
    };
    let shelf = Shelf::below(state);
    let (green, none) = (json!("green"), Value::Null);
    let newest = json!([
        {"recipe": "cryptpad", "not_tested": format!("its folder was removed {text}")},
        {"recipe": "custom-html", "runs": [
            over(&release, "a", json!("green"), (json!("red"), GREEN, "passed")),
            over(&main, "b", json!("green"), (green.clone(), GREEN, "passed")),
        ]},
        {"recipe": "keycloak", "runs": [
            over(&both, "c", json!("blocked"), (green.clone(), RED, &format!("no room on the disk: {text}"))),
        ]},
        {"recipe": "n8n", "runs": [
            over(&release, "d", json!("green"), (green.clone(), GREEN, "passed")),
            over(&main, "e", json!("red"), (green.clone(), RED, &red)),
        ]},
    ]);
    let before = json!([{"recipe": "n8n", "runs": [over(&main, "e", json!("green"), (none, GREEN, "passed"))]}]);
    let sent = json!({"given-up": {"why": "https://hooks.example.org answered 403"}});
    shelf.put(&sweep("2026-11-20", before, json!({"left_out": ["2026-11-19"]}))).unwrap();
    shelf.put(&sweep("2026-11-21", newest, json!({"message": sent}))).unwrap();
    let done = "2026-11-21".parse().unwrap();
    shelf.put_clock(&Clock { done, hour: "03:30 Europe/Berlin".to_owned() }).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_is_told_on_its_page_and_in_the_feed() {
    let scene = Scene::new();
    let server = scene.serve(Shows::default());
    let none = get(server.address, "/nightly").await.text();
    assert!(none.contains("There was no sweep yet") && none.contains("CCCI_NIGHTLY"), "{none}");
    put(scene.state(), "words");
    let page = get(server.address, "/nightly").await.text();
    check_nested("the sweep", &page);
    for wanted in [
        "3 green, 1 red, 1 blocked; 3 turned",
        "was green",
        "main at eeeeeeee",
        "not tested",
        "answered 403",
        "03:30 Europe/Berlin",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    let before = get(server.address, "/nightly/2026-11-20").await.text();
    assert!(before.contains("nothing turned") && before.contains("2026-11-19 was skipped"), "{before}");
    for (path, status) in [("/nightly/2026-11-18", 404), ("/nightly/yesterday", 404)] {
        assert_eq!(get(server.address, path).await.status, status, "{path}");
    }
    let feed = get(server.address, "/feed.atom").await.text();
    check_nested("the feed", &feed);
    assert_eq!(feed.matches("<entry>").count(), 3, "{feed}");
    assert!(feed.contains("<title>n8n, main: red, was green</title>"), "{feed}");
    assert!(feed.contains(&format!("<link href=\"https://ci.example.org/runs/{RED}\"/>")), "{feed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_red_run_of_a_pull_request_says_what_was_red_on_main_too() {
    let scene = Scene::new();
    let _alive = stories::history(&scene);
    let server = scene.serve(Shows::default());
    let page = async |run: &str| get(server.address, &format!("/runs/{run}")).await.text();
    let red = page(FLAKY[0]).await;
    assert!(red.contains("<b>On main</b> red too at commit 00000000 on "), "{red}");
    // It is green, or nothing is known of its default branch.
    for run in [FLAKY[1], RED] {
        assert!(!page(run).await.contains("On main"), "{run}");
    }
}
