//! What other programs show: the feed, badges, figures. And flakes, which people find on a recipe's page.

use std::collections::BTreeSet;

use crate::client::get;
use crate::fixtures;
use crate::markup::{check_nested, tags};
use crate::scene::{Scene, Shows, another};
use crate::stories::{self, FLAKY, GREEN, RED, hours};

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_tells_of_each_change_once() {
    let scene = Scene::new();
    let told = |id: &str, ago, records: &[_]| scene.over(&another(records, id, hours(ago), |_| {}));
    told("20261101-000000-aaaa", 50, &fixtures::passed());
    told("20261102-000000-bbbb", 40, &fixtures::passed());
    told("20261103-000000-cccc", 30, &fixtures::failed_upgrade());
    told("20261104-000000-dddd", 20, &fixtures::failed_upgrade());
    told("20261105-000000-eeee", 10, &fixtures::killed());
    told("20261106-000000-ffff", 5, &fixtures::passed());
    let server = scene.serve(Shows::default());
    let feed = get(server.address, "/feed.atom").await.text();
    check_nested("the feed", &feed);
    let count = |text: &str| feed.matches(text).count();
    assert_eq!(count("<entry>"), 3, "{feed}");
    assert_eq!(count("custom-html: failed, was passed"), 1, "{feed}");
    assert_eq!(count("custom-html: passed, was failed"), 1, "{feed}");
    assert!(!feed.contains("bbbb") && !feed.contains("dddd") && !feed.contains("eeee"), "{feed}");
    assert_eq!(feed, get(server.address, "/feed.atom").await.text(), "nothing changed");
    let ids: Vec<&str> = feed.split("<id>").skip(1).filter_map(|rest| rest.split('<').next()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_and_badges_can_be_read() {
    let scene = Scene::new();
    let _alive = stories::history(&scene);
    let server = scene.serve(Shows::default());
    let figures = get(server.address, "/metrics").await.text();
    let mut known = BTreeSet::new();
    for line in figures.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            assert!(known.insert(kind.split(' ').next().unwrap()), "{line} comes twice");
            continue;
        }
        if line.starts_with("# HELP ") {
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
        let (name, labels) = name.split_once('{').unwrap_or((name, "}"));
        assert!(known.contains(name), "{line} has no type");
        assert!(labels.ends_with('}') && labels.matches('"').count() % 2 == 0, "{line}");
    }
    assert!(figures.contains("cc_ci_recipe_verdict{recipe=\"n8n\",verdict=\"failed\"} 1\n"), "{figures}");
    assert!(figures.contains("cc_ci_runs_live 1\n"), "{figures}");
    let badge = async |path: &str| {
        let text = get(server.address, path).await.text();
        check_nested(path, &text);
        assert!(tags(&text).iter().all(|tag| !matches!(tag.name.as_str(), "script" | "foreignobject" | "a")), "{text}");
        text
    };
    assert!(badge("/badges/n8n.svg").await.contains("failed"));
    assert!(badge("/badges/custom-html.svg").await.contains("passed"));
    assert!(badge("/badges/n8n/install.svg").await.contains("passed"));
    assert!(badge("/badges/never-ran.svg").await.contains("unknown"));
    let standing = badge("/badges/n8n/standing.svg").await;
    assert!(["stable", "testing", "unstable"].iter().any(|word| standing.contains(word)), "{standing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flake_is_named_with_both_runs_and_stays_red() {
    let scene = Scene::new();
    stories::flaky(&scene);
    let server = scene.serve(Shows::default());
    let page = get(server.address, "/recipes/keycloak").await.text();
    let section =
        page.split("id=\"h-flakes\"").nth(1).expect("flakes have a place").split("</section>").next().unwrap();
    assert!(section.contains("upgrade.converged"), "{section}");
    for run in FLAKY {
        assert!(section.contains(&format!("href=\"/runs/{run}/log?from=0#r")), "{run} is missing: {section}");
    }
    assert!(section.contains("They first differ at"), "{section}");
    // Each link leads to a record that is there.
    for link in tags(section).iter().filter_map(|tag| tag.attributes.get("href")).filter(|link| link.contains("#r")) {
        let (path, record) = link.split_once('#').unwrap();
        let log = get(server.address, path).await.text();
        assert!(log.contains(&format!("id=\"{record}\"")), "{link}");
    }
    let overview = get(server.address, "/").await.text();
    assert!(overview.contains("0 green and 1 red"), "it stays red: {overview:.4000}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_names_the_newest_verdicts() {
    let scene = Scene::new();
    let _alive = stories::history(&scene);
    let server = scene.serve(Shows::default());
    let page = get(server.address, "/").await.text();
    for wanted in [format!("runs/{RED}#upgrade"), format!("runs/{GREEN}"), "hedgedoc".to_owned(), "Now".to_owned()] {
        assert!(page.contains(&wanted), "{wanted} is missing");
    }
}
