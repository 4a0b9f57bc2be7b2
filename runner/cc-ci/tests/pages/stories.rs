//! A history as a machine has it after some weeks: green, red, killed, flaky, and runs that live.

use base::names::RunId;
use jiff::SignedDuration;
use journal::event::{Event, Record, RunStarted};
use journal::run_dir::Alive;

use crate::fixtures;
use crate::scene::{Scene, another};

/// The newest red run.
pub(crate) const RED: &str = "20261121-120000-redd";
/// The newest green run.
pub(crate) const GREEN: &str = "20261121-110000-gree";
/// The two runs of one commit that differ.
pub(crate) const FLAKY: [&str; 2] = ["20261118-080000-flak", "20261118-070000-flak"];
/// The run that lives.
pub(crate) const LIVE: &str = "20261121-130000-live";
/// A version as long as some are.
const LONG: &str = "12.34.567+v2026.11.21-enterprise-edition-alpine-with-everything-1.2.3.4";

pub(crate) fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// Who it is of.
fn of(recipe: &str, commit: char, pull: Option<u64>) -> impl Fn(&mut RunStarted) {
    move |started| {
        started.recipe = recipe.parse().unwrap();
        started.head = commit.to_string().repeat(40).parse().unwrap();
        started.pull_request = pull;
    }
}

/// Everything that the pages can show. The lock keeps one run alive.
pub(crate) fn history(scene: &Scene) -> Alive {
    let (green, red) = (fixtures::passed(), fixtures::failed_upgrade());
    for (at, recipe) in ["custom-html", "n8n", "keycloak", "hedgedoc", "cryptpad"].into_iter().enumerate() {
        for week in 1..9 {
            let id = format!("20261001-0{at}000{week}-{recipe:.3}a", recipe = recipe.replace('-', ""));
            let ago = hours(24 * 7 * week + at as i64);
            let commit = char::from_digit(week as u32, 16).unwrap();
            let records = if week == 3 && at % 2 == 0 { &red } else { &green };
            scene.over(&another(records, &id, ago, of(recipe, commit, Some(week as u64))));
        }
    }
    scene.over(&another(&green, GREEN, hours(4), of("custom-html", 'a', None)));
    scene.over(&another(&red, RED, hours(3), of("n8n", 'b', Some(12))));
    flaky(scene);
    // What was red there was red on the default branch before.
    let on_main = another(&red, "20261117-080000-main", hours(80), |started| {
        of("keycloak", '0', None)(started);
        started.on_main = true;
    });
    scene.over(&on_main);
    scene.over(&another(&fixtures::killed(), "20261120-090000-kill", hours(30), of("hedgedoc", 'c', Some(3))));
    scene.over(&another(&fixtures::left_behind(), "20261120-100000-left", hours(26), of("cryptpad", 'd', None)));
    let long = another(&green, "20261121-090000-long", hours(6), |started| {
        of("cryptpad", 'e', Some(1_234))(started);
        (started.head_version, started.base) = (Some(LONG.to_owned()), Some(LONG.to_owned()));
    });
    scene.over(&long);
    crate::nights::put(scene.state(), "it is out of date");
    begin(scene).1
}

/// The same commit, green and then red in its upgrade.
pub(crate) fn flaky(scene: &Scene) {
    let same = of("keycloak", 'f', Some(9));
    scene.over(&another(&fixtures::passed(), FLAKY[1], hours(73), &same));
    scene.over(&another(&fixtures::failed_upgrade(), FLAKY[0], hours(72), &same));
}

/// A run in the middle of its install stage.
pub(crate) fn begin(scene: &Scene) -> (RunId, Alive) {
    scene.begin(&early())
}

fn whole() -> Vec<Record> {
    another(&fixtures::passed(), LIVE, SignedDuration::from_secs(9), of("hedgedoc", '9', Some(44)))
}

fn middle() -> usize {
    let is_end =
        |record: &Record| matches!(&record.event, Event::StageEnded { stage, .. } if stage.name() == "install");
    whole().iter().position(is_end).unwrap()
}

fn early() -> Vec<Record> {
    whole()[..middle()].to_vec()
}

/// What the live run tells up to the end of its upgrade, and all the rest.
pub(crate) fn later() -> (Vec<Record>, Vec<Record>) {
    let rest = whole()[middle()..].to_vec();
    let is_end =
        |record: &Record| matches!(&record.event, Event::StageEnded { stage, .. } if stage.name() == "upgrade");
    let at = rest.iter().position(is_end).unwrap();
    (rest[..at].to_vec(), rest[at..].to_vec())
}

/// Every page of such a history.
pub(crate) fn pages() -> Vec<(&'static str, String)> {
    vec![
        ("overview", "/".to_owned()),
        ("runs", "/runs".to_owned()),
        ("runs-red", "/runs?recipe=n8n&verdict=failed".to_owned()),
        ("run-green", format!("/runs/{GREEN}")),
        ("run-red", format!("/runs/{RED}")),
        ("run-red-on-main", format!("/runs/{}", FLAKY[0])),
        ("run-live", format!("/runs/{LIVE}")),
        ("log", format!("/runs/{RED}/log")),
        ("log-live", format!("/runs/{LIVE}/log")),
        ("recipe", "/recipes/custom-html".to_owned()),
        ("recipe-flaky", "/recipes/keycloak".to_owned()),
        ("coverage", "/coverage".to_owned()),
        ("nightly", "/nightly".to_owned()),
        ("nightly-before", "/nightly/2026-11-20".to_owned()),
        ("fleet", "/fleet".to_owned()),
        ("missing", "/runs/20200101-000000-none".to_owned()),
    ]
}
