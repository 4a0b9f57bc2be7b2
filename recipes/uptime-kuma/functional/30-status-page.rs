//! What the public sees: a page with the monitors that are shown there, as they are now, and no other one.

use harness::testing::{Outcome, Test};
use serde_json::json;

use super::lib::kuma::{DOWN, PATIENCE, UP, owner, public, random};

pub async fn run(test: &Test) -> Outcome {
    let (http, mut owner) = (test.http()?, owner(test).await?);
    let (mark, push) = (random()?.split_off(20), random()?);
    test.hide(&push)?;
    let name = format!("Pushed {mark}");
    let monitor = owner.add(json!({ "type": "push", "name": name, "interval": 3600, "pushToken": push })).await?;
    let said = public(&http, &test.url(&format!("/api/push/{}?status=up", random()?)), 404).await?;
    assert_eq!(said["ok"], false, "a push with a wrong token: {said}");
    for (word, status) in [("down", DOWN), ("up", UP)] {
        public(&http, &test.url(&format!("/api/push/{push}?status={word}&msg={mark}&ping=12")), 200).await?;
        let beat = owner.beat(monitor, status, PATIENCE).await?;
        assert_eq!((&beat["msg"], &beat["ping"]), (&json!(mark), &json!(12)), "a beat that was pushed");
    }

    let slug = format!("page-{mark}");
    let page = test.url(&format!("/api/status-page/{slug}"));
    owner.call("addStatusPage", &[json!(name), json!(slug)]).await?;
    let config = json!({ "slug": slug, "title": name, "description": mark, "theme": "light", "logo": "",
        "showTags": false, "footerText": "", "customCSS": "", "showPoweredBy": false, "domainNameList": [] });
    let groups = json!([{ "name": "Shown", "monitorList": [{ "id": monitor }] }]);
    owner.call("saveStatusPage", &[json!(slug), config, json!(""), groups]).await?;

    let shown = public(&http, &page, 200).await?;
    assert_eq!(shown["config"]["title"], name.as_str(), "the title of the page");
    let listed = &shown["publicGroupList"][0]["monitorList"];
    assert_eq!(
        (&listed[0]["name"], listed.as_array().map(Vec::len)),
        (&json!(name), Some(1)),
        "who is shown: {listed}"
    );
    let beats = public(&http, &test.url(&format!("/api/status-page/heartbeat/{slug}")), 200).await?;
    let lists = beats["heartbeatList"].as_object();
    assert_eq!(lists.map(serde_json::Map::len), Some(1), "the monitors with beats on the page: {beats}");
    let last = beats["heartbeatList"][monitor.to_string()].as_array().and_then(|beats| beats.last());
    assert_eq!(last.map(|beat| &beat["status"]), Some(&json!(UP)), "the last beat on the page: {beats}");
    test.remember("shown_monitor_name", &name)?;
    Ok(format!("the public page {slug} shows {name:?}, which is up, and nothing else"))
}
