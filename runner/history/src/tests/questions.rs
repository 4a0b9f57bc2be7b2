use jiff::Timestamp;

use super::*;
use crate::query::{After, Filter, Shows};
use base::failure::Cause;
use journal::event::{Outcome, Stage, VerdictKind};
use journal::tone::Tone;

/// The same run with another verdict.
fn with_word(mut records: Vec<Record>, word: VerdictKind) -> Vec<Record> {
    if let Some(Event::RunEnded { verdict }) = records.last_mut().map(|record| &mut record.event) {
        verdict.word = word;
    }
    records
}

#[test]
fn a_recipe_stands_as_its_newest_whole_run_of_what_is_published_says() {
    let scene = Scene::new();
    let of = |run: &str, seconds, pull, records: Vec<Record>| {
        scene.imported(run, &told(records, seconds, |started| started.pull_request = pull));
    };
    let shown = || {
        let rows = scene.history.read_now(Db::overview).unwrap();
        (rows[0].standing.as_ref().map(|standing| standing.run.run.to_string()), rows[0].newest.run.to_string())
    };
    of("r-1", 10, Some(7), fixtures::killed());
    assert_eq!(shown(), (None, "r-1".into()));
    of("r-2", 20, Some(7), fixtures::failed_upgrade());
    assert_eq!(shown(), (Some("r-2".into()), "r-2".into()), "where nothing else is there, a pull request");
    of("r-0", 5, None, fixtures::passed());
    assert_eq!(shown(), (Some("r-0".into()), "r-2".into()));
    of("r-3", 30, None, with_word(fixtures::failed_upgrade(), VerdictKind::Failed(Cause::Infrastructure)));
    of("r-4", 40, None, with_word(fixtures::failed_upgrade(), VerdictKind::Cancelled));
    let part = told(fixtures::passed(), 50, |started| {
        started.pull_request = None;
        started.only = vec!["install".into()];
    });
    scene.imported("r-5", &part);
    assert_eq!(shown(), (Some("r-0".into()), "r-5".into()), "none of these is about the whole recipe");
    of("r-6", 60, None, fixtures::failed_upgrade());
    assert_eq!(shown(), (Some("r-6".into()), "r-6".into()));
    let rows = scene.history.read_now(Db::overview).unwrap();
    let stages = &rows[0].standing.as_ref().unwrap().stages;
    let upgrade = stages.iter().find(|stage| stage.stage == Stage::Upgrade).unwrap();
    assert_eq!((upgrade.state, upgrade.cause), (StageState::Ended(Outcome::Failed), Some(Cause::Recipe)));
    assert_eq!(rows[0].green_at.unwrap(), part[0].at);
}

#[test]
fn pages_of_a_list_give_every_run_once_newest_first() {
    let scene = Scene::new();
    for n in 0..25 {
        // Several began at the same time.
        scene.imported(&format!("r-{n:02}"), &told(fixtures::passed(), n / 3, |_| {}));
    }
    let mut found = Vec::new();
    let mut after: Option<After> = None;
    loop {
        let page = scene.history.read_now(|db| db.list(&Filter::default(), after.as_ref(), 4)).unwrap();
        found.extend(page.runs.iter().map(|run| run.run.to_string()));
        let Some(next) = page.next else { break };
        after = Some(next.to_string().parse().unwrap());
    }
    let mut wanted: Vec<String> = (0..25).map(|n| format!("r-{n:02}")).collect();
    wanted.reverse();
    assert_eq!(found, wanted);
    assert!("x".parse::<After>().is_err() && "5.UPPER CASE".parse::<After>().is_err());
}

#[test]
fn a_list_has_what_is_asked_for() {
    let scene = Scene::new();
    scene.imported("r-1", &fixtures::passed());
    scene.imported("r-2", &fixtures::failed_upgrade());
    scene.imported("r-3", &told(fixtures::killed(), 0, |started| started.pull_request = Some(9)));
    scene.imported("r-4", &told(fixtures::passed(), 0, |started| started.recipe = "ghost".parse().unwrap()));
    let (dir, _alive) = scene.live("r-5", &bytes(&fixtures::killed()));
    scene.history.import(&dir).unwrap();
    let list = |filter: Filter| -> Vec<String> {
        let page = scene.history.read_now(|db| db.list(&filter, None, 100)).unwrap();
        page.runs.iter().map(|run| run.run.to_string()).collect()
    };
    let recipe = Some("custom-html".parse().unwrap());
    let shows = |shows| Filter { shows: Some(shows), ..Filter::default() };
    assert_eq!(list(Filter::default()).len(), 5);
    assert_eq!(list(Filter { recipe: Some("ghost".parse().unwrap()), ..Filter::default() }), ["r-4"]);
    assert_eq!(list(Filter { recipe: recipe.clone(), pull_request: Some(9), ..Filter::default() }), ["r-3"]);
    assert_eq!(list(shows(Shows::Live)), ["r-5"]);
    assert_eq!(list(shows(Shows::Tone(Tone::NoEnd))), ["r-3"]);
    assert_eq!(list(Filter { recipe, shows: Some(Shows::Tone(Tone::Passed)), pull_request: Some(7) }), ["r-1"]);
}

#[test]
fn times_are_those_of_stages_that_passed() {
    let scene = Scene::new();
    let week = 7 * 24 * 3600;
    scene.imported("r-1", &fixtures::passed());
    scene.imported("r-2", &told(fixtures::failed_upgrade(), 60, |_| {}));
    scene.imported("r-3", &told(fixtures::passed(), week, |_| {}));
    let recipe = "custom-html".parse().unwrap();
    let weeks = scene.history.read_now(|db| db.weeks(&recipe, Timestamp::UNIX_EPOCH)).unwrap();
    let mondays: Vec<String> = weeks.iter().map(|week| week.monday.to_string()).collect();
    assert_eq!(mondays, ["2026-11-16", "2026-11-23"]);
    let upgrade = |spreads: &[query::Spread]| {
        let found = spreads.iter().find(|spread| spread.stage == Stage::Upgrade).unwrap();
        (found.runs, found.p50_ms, found.p95_ms)
    };
    assert_eq!(upgrade(&weeks[0].stages), (1, 3500, 3500));
    let all = scene.history.read_now(|db| db.spreads(&recipe, 10)).unwrap();
    assert_eq!(upgrade(&all), (2, 3500, 3500));
    let since = scene.history.read_now(|db| db.weeks(&recipe, "2026-11-23T00:00:00Z".parse().unwrap())).unwrap();
    assert_eq!(since.len(), 1);
}

#[test]
fn pairs_of_versions_have_the_newest_run_that_tried_them() {
    let scene = Scene::new();
    scene.imported("r-1", &fixtures::passed());
    scene.imported("r-2", &told(fixtures::failed_upgrade(), 60, |_| {}));
    scene.imported("r-3", &told(fixtures::passed(), 30, |started| started.base = None));
    let pairs = scene.history.read_now(|db| db.version_pairs(&"custom-html".parse().unwrap())).unwrap();
    let short: Vec<_> =
        pairs.iter().map(|pair| (pair.base.as_deref(), pair.runs, pair.newest.run.to_string(), pair.upgrade)).collect();
    assert_eq!(
        short,
        [
            (Some("1.2.0+1.22.1"), 2, "r-2".to_owned(), Some(Outcome::Failed)),
            (None, 1, "r-3".to_owned(), Some(Outcome::Passed)),
        ]
    );
}

#[test]
fn a_check_that_comes_and_goes_is_named_with_both_runs_and_where_they_part() {
    let scene = Scene::new();
    let recipe = "custom-html".parse().unwrap();
    let flakes = || scene.history.read_now(|db| db.flakes(&recipe)).unwrap();
    scene.imported("r-1", &fixtures::failed_upgrade());
    assert!(flakes().is_empty());
    let base = |started: &mut journal::event::RunStarted| started.base = Some("1.1.0".into());
    scene.imported("r-2", &told(fixtures::passed(), 60, base));
    let part = |started: &mut journal::event::RunStarted| started.only = vec!["upgrade".into()];
    scene.imported("r-3", &told(fixtures::passed(), 70, part));
    scene.imported("r-4", &with_word(told(fixtures::passed(), 80, |_| {}), VerdictKind::Cancelled));
    assert!(flakes().is_empty(), "another base, another part, one that was stopped: none of these is the same");
    scene.imported("r-5", &told(fixtures::passed(), 3600, |_| {}));
    scene.imported("r-6", &told(fixtures::passed(), 90, |_| {}));
    scene.imported("r-7", &told(fixtures::failed_upgrade(), 3000, |_| {}));
    let found = flakes();
    assert_eq!(found.len(), 1, "{found:?}");
    let flake = &found[0];
    assert_eq!((flake.stage, flake.check.as_str(), flake.times), (Stage::Upgrade, "upgrade.converged", 2));
    assert_eq!((&flake.red.run, &flake.green.run), (&id("r-7"), &id("r-5")));
    let parting = scene.history.read_now(|db| db.parting(&flake.red.run, &flake.green.run)).unwrap().unwrap();
    let (left, right) = (parting.left.unwrap(), parting.right.unwrap());
    assert_eq!((left.number, right.number), (flake.red_line, flake.green_line));
    assert!(left.text.contains("rolled-back") && right.text.contains("healthy after 2.3 s"));
    let same = scene.history.read_now(|db| db.parting(&id("r-5"), &id("r-6"))).unwrap();
    assert_eq!(same, None);
}

#[test]
fn facts_name_the_evidence() {
    let scene = Scene::new();
    let recipe = "custom-html".parse().unwrap();
    let facts = || scene.history.read_now(|db| db.facts(&recipe)).unwrap();
    assert_eq!((facts().green, facts().red), (None, vec![]));
    scene.imported("r-1", &fixtures::passed());
    scene.imported("r-2", &told(fixtures::failed_upgrade(), 60, |_| {}));
    scene.imported("r-3", &told(fixtures::failed_upgrade(), 50, |_| {}));
    let facts = facts();
    let name = |run: &Option<query::RunFacts>| run.as_ref().map(|one| one.run.run.to_string());
    assert_eq!(
        (name(&facts.green), name(&facts.standing), name(&facts.proof)),
        (Some("r-1".into()), Some("r-2".into()), None)
    );
    assert!(!facts.green.unwrap().checks.is_empty());
    let red: Vec<_> = facts.red.iter().map(|red| (red.stage, red.name.as_str(), red.run.to_string())).collect();
    assert_eq!(red, [(Stage::Upgrade, "upgrade.converged", "r-2".to_owned())]);
}
