//! Every rule: a planted illusion is found, and its sound twin is not reported.

use base::failure::Kind;
use jiff::SignedDuration;

use super::fixtures::{CHECK, GREEN, PROOF, RED, Scene, TESTS, check, commit};
use super::{Cell, CellState, Feature, Rule};
use journal::event::{Outcome, Stage, VerdictKind};
use recipe_folder::prints;

/// A sound recipe with one change.
fn with(change: impl FnOnce(&mut Scene)) -> Scene {
    let mut scene = Scene::sound();
    change(&mut scene);
    scene
}

fn found(cell: &Cell) -> (CellState, Option<Rule>) {
    (cell.state, cell.rule)
}

#[track_caller]
fn is(scene: &Scene, feature: Feature, rule: Rule) {
    let cell = scene.cell(feature);
    assert_eq!(found(&cell), (CellState::Illusion, Some(rule)), "{}", cell.why);
}

#[track_caller]
fn is_state(scene: &Scene, feature: Feature, state: CellState) {
    let cell = scene.cell(feature);
    assert_eq!(found(&cell), (state, None), "{}", cell.why);
}

#[test]
fn a_recipe_of_which_all_is_shown_is_gating_everywhere() {
    for cell in Scene::sound().row().cells {
        assert_eq!(found(&cell), (CellState::Gating, None), "{}: {}", cell.feature.name(), cell.why);
        assert!(!cell.why.contains('\n') && !cell.why.is_empty());
        let run = if cell.feature == Feature::Proven { PROOF } else { GREEN };
        let shown = cell.shown.unwrap();
        assert_eq!(shown.run, Scene::sound().runs[run].run);
        assert_eq!(shown.age_s, if run == GREEN { 7200 } else { 10_800 });
    }
}

#[test]
fn a_stage_that_ended_early() {
    let scene = with(|scene| {
        scene.without(GREEN, Stage::Functional, TESTS[4]);
    });
    is(&scene, Feature::Functional, Rule::EndedEarly);
    is(&scene, Feature::Sso, Rule::EndedEarly);
    is_state(&scene, Feature::Browser, CellState::Gating);

    let generic = with(|scene| {
        scene.without(GREEN, Stage::Upgrade, "upgrade.moved");
    });
    is(&generic, Feature::Upgrade, Rule::EndedEarly);
    let data = with(|scene| {
        scene.without(GREEN, Stage::Backup, "restored: ");
    });
    is(&data, Feature::Backup, Rule::EndedEarly);

    // Red before its end, and killed: the same.
    let red = with(|scene| {
        scene.without(GREEN, Stage::Backup, TESTS[2]);
        scene.seen(GREEN, Stage::Backup).outcome = Some(Outcome::Failed);
    });
    is(&red, Feature::Backup, Rule::EndedEarly);
    let killed = with(|scene| {
        scene.seen(GREEN, Stage::Fresh).outcome = None;
        scene.runs.truncate(1);
    });
    is(&killed, Feature::Fresh, Rule::EndedEarly);
}

#[test]
fn a_stage_that_is_red_with_all_its_checks_has_not_ended_early() {
    let scene = with(|scene| {
        let seen = scene.seen(GREEN, Stage::Functional);
        seen.outcome = Some(Outcome::Failed);
        seen.checks[0] = check(TESTS[3], Outcome::Failed);
        scene.runs.remove(PROOF);
        // A new test was never seen red; only the first is new.
        let only = [TESTS[3], TESTS[5]];
        scene.promise.tests.retain(|name, _| only.contains(&name.as_str()) || !name.starts_with("functional"));
        let red = scene.runs.len() - 1;
        scene.seen(red, Stage::Functional).checks.push(check(TESTS[5], Outcome::Failed));
    });
    let cell = scene.cell(Feature::Functional);
    assert_eq!(found(&cell), (CellState::Gating, None), "{}", cell.why);
    assert!(cell.why.starts_with("it bites, and is red"), "{}", cell.why);
    assert!(scene.cell(Feature::Browser).why.contains("red by another check"));
}

#[test]
fn a_check_that_never_was_red() {
    for (run, feature) in [(PROOF, Feature::Browser), (RED, Feature::Install), (RED, Feature::Backup)] {
        let scene = with(|scene| drop(scene.runs.remove(run)));
        is(&scene, feature, Rule::NeverRed);
    }
    // A broken test has not asserted anything.
    let broken = with(|scene| {
        let seen = scene.seen(RED, Stage::Install);
        seen.checks.iter_mut().filter(|one| one.name == TESTS[0]).for_each(|one| one.kind = Some(Kind::CheckBroken));
    });
    is(&broken, Feature::Install, Rule::NeverRed);
    // One red run of any commit is enough.
    is_state(&Scene::sound(), Feature::Install, CellState::Gating);
}

#[test]
fn what_was_skipped() {
    let stage = with(|scene| {
        let seen = scene.seen(GREEN, Stage::Backup);
        seen.outcome = Some(Outcome::Skipped);
        seen.reason = Some("no service is labelled".to_owned());
        scene.runs.truncate(2);
    });
    is(&stage, Feature::Backup, Rule::Skipped);
    let one = with(|scene| {
        let seen = scene.seen(GREEN, Stage::Install);
        seen.checks.iter_mut().for_each(|one| one.outcome = Outcome::Skipped);
    });
    is(&one, Feature::Install, Rule::Skipped);
    is_state(&one, Feature::Upgrade, CellState::Gating);
}

#[test]
fn what_is_opted_out_of() {
    let reason = "the app keeps nothing between two starts".to_owned();
    let scene = with(|scene| drop(scene.promise.opt_outs.insert("upgrade.data".to_owned(), reason)));
    is(&scene, Feature::Upgrade, Rule::OptedOut);
    assert!(scene.cell(Feature::Upgrade).why.contains("keeps nothing"));
    is_state(&scene, Feature::Backup, CellState::Gating);
    let lint = with(|scene| drop(scene.promise.opt_outs.insert("prepare.rules".to_owned(), "x".to_owned())));
    assert!(lint.row().cells.iter().all(|cell| cell.state == CellState::Gating));
}

#[test]
fn a_test_that_is_hollow() {
    let hollow = |scene: &mut Scene| {
        let one = &mut scene.seen(PROOF, Stage::Prove).checks[0];
        (one.outcome, one.kind) = (Outcome::Failed, Some(Kind::Hollow));
    };
    let scene = with(hollow);
    is(&scene, Feature::Functional, Rule::Hollow);
    is(&scene, Feature::Proven, Rule::Hollow);
    is_state(&scene, Feature::Browser, CellState::Gating);
    // It was fixed since: its current version is not proven, and not hollow.
    let mended = with(|scene| {
        hollow(scene);
        scene.change(TESTS[3]);
        scene.runs[GREEN].tests = Some(scene.promise.prints.clone());
    });
    is(&mended, Feature::Proven, Rule::ChangedSinceProven);
}

#[test]
fn a_test_that_was_changed_since_it_was_proven() {
    let scene = with(|scene| {
        scene.change(TESTS[5]);
        scene.runs[GREEN].tests = Some(scene.promise.prints.clone());
    });
    is(&scene, Feature::Browser, Rule::ChangedSinceProven);
    is(&scene, Feature::Proven, Rule::ChangedSinceProven);
    is_state(&scene, Feature::Install, CellState::Gating);
    // A text about the tests is no test.
    let words = with(|scene| {
        scene.change("PARITY.md");
    });
    is_state(&words, Feature::Proven, CellState::Gating);
    // An old journal does not record it; then the cell says so.
    let old = with(|scene| scene.runs.iter_mut().for_each(|run| run.tests = None));
    let cell = old.cell(Feature::Proven);
    assert!(cell.state == CellState::Gating && cell.why.contains("does not record the tests"), "{}", cell.why);
}

#[test]
fn a_test_that_was_changed_or_added_since_the_run() {
    let changed = with(|scene| {
        scene.change(TESTS[0]);
    });
    is(&changed, Feature::Install, Rule::ChangedSinceRun);
    let shared = with(|scene| {
        scene.change("lib/app.sh");
    });
    is(&shared, Feature::Functional, Rule::ChangedSinceRun);
    let added = with(|scene| {
        scene.promise.tests.insert("install/20-more.sh".to_owned(), false);
        scene.promise.prints.insert("install/20-more.sh".to_owned(), prints::of(b"more"));
    });
    is(&added, Feature::Install, Rule::ChangedSinceRun);
    is_state(&added, Feature::Backup, CellState::Gating);
}

#[test]
fn a_test_that_is_not_proven_beside_others_that_are() {
    let scene = with(|scene| {
        scene.without(PROOF, Stage::Prove, TESTS[5]);
    });
    is(&scene, Feature::Proven, Rule::NotProven);
    let none = with(|scene| drop(scene.runs.remove(PROOF)));
    is_state(&none, Feature::Proven, CellState::Missing);
}

#[test]
fn a_green_run_that_is_older_than_the_newest_release() {
    let release = |commit_digit: &'static str, hours: i64| {
        with(|scene| {
            let now = scene.now;
            let release = scene.repository().release.as_mut().unwrap();
            (release.commit, release.at) = (commit(commit_digit), now - SignedDuration::from_hours(hours));
        })
    };
    is_state(&release("2", 1), Feature::Fresh, CellState::Stale);
    is_state(&release("2", 3), Feature::Fresh, CellState::Gating);
    // The tag was created after the run, as usual, for the tested commit.
    is_state(&release("1", 1), Feature::Fresh, CellState::Gating);
}

#[test]
fn a_part_of_a_run() {
    let part = |scene: &mut Scene| {
        scene.runs[GREEN].only = vec!["functional/10".to_owned()];
        scene.runs.remove(RED);
    };
    let all = with(part);
    is_state(&all, Feature::Functional, CellState::Advisory);
    let some = with(|scene| {
        part(scene);
        for run in [GREEN, PROOF] {
            let seen = scene.seen(run, Stage::Functional);
            seen.checks.retain(|check| check.name == TESTS[3]);
            seen.planned = vec![TESTS[3].to_owned()];
        }
    });
    is(&some, Feature::Functional, Rule::OnlyAPart);
    is_state(&Scene::sound(), Feature::Functional, CellState::Gating);
}

#[test]
fn a_run_of_another_commit() {
    let scene = with(|scene| scene.repository().head = commit("3"));
    for feature in [Feature::Install, Feature::Functional, Feature::Fresh, Feature::Parity] {
        is_state(&scene, feature, CellState::Stale);
    }
    assert!(scene.cell(Feature::Install).why.contains("commit 1111111"), "{}", scene.cell(Feature::Install).why);
    // A merge creates a commit with the same files.
    let merged = with(|scene| {
        let repository = scene.repository();
        repository.head = commit("3");
        repository.trees.insert(commit("3"), "tree 1".to_owned());
    });
    is_state(&merged, Feature::Install, CellState::Gating);
    // If the repository is unknown, the cell says so.
    let unknown = with(|scene| scene.repository = None);
    assert!(unknown.cell(Feature::Install).why.contains("newest commit is not known here"));
}

#[test]
fn fewer_than_two_tests() {
    let scene = with(|scene| scene.promise.tests.retain(|name, _| !TESTS[4..].contains(&name.as_str())));
    is(&scene, Feature::Functional, Rule::FewTests);
    let health = with(|scene| {
        scene.promise.tests.retain(|name, _| !TESTS[4..].contains(&name.as_str()));
        scene.promise.tests.insert("functional/01-health.sh".to_owned(), false);
    });
    is(&health, Feature::Functional, Rule::FewTests);
    let two = with(|scene| {
        scene.promise.tests.remove(TESTS[5]);
    });
    is_state(&two, Feature::Functional, CellState::Gating);
    is_state(&two, Feature::Browser, CellState::Missing);
    let none = with(|scene| scene.promise.tests.clear());
    is_state(&none, Feature::Functional, CellState::Missing);
}

#[test]
fn a_backup_without_data_of_the_apps_own() {
    let scene = with(|scene| scene.promise.data = None);
    is(&scene, Feature::Backup, Rule::NoData);
    is_state(&Scene::sound(), Feature::Backup, CellState::Gating);
}

#[test]
fn logins_that_nobody_tries() {
    let scene = with(|scene| scene.promise.tests.values_mut().for_each(|logs_in| *logs_in = false));
    is(&scene, Feature::Sso, Rule::SsoUntested);
    let unwired = with(|scene| scene.promise.sso = false);
    is_state(&unwired, Feature::Sso, CellState::Missing);
    let blocked = with(|scene| {
        scene.promise.sso = false;
        scene.promise.missing.insert("sso".to_owned(), "the app has no accounts at all".to_owned());
    });
    is_state(&blocked, Feature::Sso, CellState::Blocked);
}

#[test]
fn rows_of_parity() {
    let gone = with(|scene| drop(scene.promise.prints.remove(TESTS[3])));
    is(&gone, Feature::Parity, Rule::ParityGone);
    let empty = with(|scene| scene.promise.parity.as_mut().unwrap()[1].files.clear());
    is(&empty, Feature::Parity, Rule::ParityGone);
    let idle = with(|scene| {
        scene.without(GREEN, Stage::Functional, TESTS[3]);
    });
    is(&idle, Feature::Parity, Rule::ParityNotRun);
    let blocked = with(|scene| {
        scene.promise.parity.as_mut().unwrap()[1].files.clear();
        scene.promise.missing.insert("work".to_owned(), "needs a licence that nobody has".to_owned());
    });
    is_state(&blocked, Feature::Parity, CellState::Blocked);
    let none = with(|scene| scene.promise.parity = None);
    is_state(&none, Feature::Parity, CellState::Missing);
}

#[test]
fn what_could_not_run_is_blocked_with_the_blocker() {
    let scene = with(|scene| {
        let seen = scene.seen(GREEN, Stage::Fresh);
        (seen.outcome, seen.reason) = (Some(Outcome::Blocked), Some("upgrade did not succeed".to_owned()));
        scene.runs.truncate(1);
    });
    is_state(&scene, Feature::Fresh, CellState::Blocked);
    assert!(scene.cell(Feature::Fresh).why.contains("upgrade did not succeed"));
}

#[test]
fn without_a_release_install_is_the_fresh_install_and_upgrade_is_blocked() {
    let scene = with(|scene| {
        let run = &mut scene.runs[GREEN];
        run.base = None;
        for stage in [Stage::Upgrade, Stage::Fresh] {
            let seen = scene.seen(GREEN, stage);
            (seen.outcome, seen.reason) = (Some(Outcome::Skipped), Some("no release yet".to_owned()));
            seen.checks.clear();
        }
        scene.runs.truncate(1);
        scene.without(GREEN, Stage::Install, TESTS[0]);
        scene.promise.tests.remove(TESTS[0]);
        scene.seen(GREEN, Stage::Install).planned.clear();
    });
    is_state(&scene, Feature::Upgrade, CellState::Blocked);
    is_state(&scene, Feature::Fresh, CellState::Gating);
}

#[test]
fn a_recipe_that_never_ran_is_missing() {
    let scene = with(|scene| scene.runs.clear());
    for feature in Feature::ALL {
        is_state(&scene, feature, CellState::Missing);
    }
}

#[test]
fn a_green_run_says_more_than_a_newer_red_one_of_the_same_commit() {
    let scene = with(|scene| {
        let mut red = scene.runs[GREEN].clone();
        red.run = "20261121-110000-dddd".parse().unwrap();
        red.word = Some(VerdictKind::Failed(base::failure::Cause::Infrastructure));
        red.stages.retain(|seen| seen.stage == Stage::Install);
        red.stages[0].outcome = Some(Outcome::Failed);
        scene.runs.insert(0, red);
    });
    is_state(&scene, Feature::Install, CellState::Gating);
    assert!(scene.cell(Feature::Install).why.starts_with("green"));
}

#[test]
fn a_run_that_was_green_to_its_end_is_preferred_to_a_newer_one_that_was_not() {
    let scene = with(|scene| {
        let mut broken = scene.runs[RED].clone();
        broken.run = "20261121-113000-eeee".parse().unwrap();
        scene.runs.insert(0, broken);
        scene.repository = None;
    });
    for feature in [Feature::Functional, Feature::Fresh, Feature::Parity] {
        assert_eq!(scene.cell(feature).shown.unwrap().head, commit("1"), "{feature:?}");
    }
    // A red run of the newest commit without a result does not hide a green one of another commit.
    let stopped = with(|scene| {
        let mut stopped = scene.runs[GREEN].clone();
        (stopped.head, stopped.word) = (commit("3"), Some(VerdictKind::Failed(base::failure::Cause::Recipe)));
        stopped.stages.clear();
        scene.runs.insert(0, stopped);
        scene.repository().head = commit("3");
    });
    is_state(&stopped, Feature::Parity, CellState::Stale);
    is_state(&stopped, Feature::Install, CellState::Stale);
}

#[test]
fn names_of_proofs_lead_to_their_file() {
    for name in
        [CHECK, "restored: data/check.hurl", "wiped: data/check.hurl must be red", "data/check.hurl against a 404"]
    {
        assert_eq!(check(name, Outcome::Passed).file(), CHECK);
    }
    assert!(check("wiped: data/check.hurl must be red", Outcome::Passed).shows_red());
    assert!(!check("restored: data/check.hurl", Outcome::Passed).shows_red());
}

#[test]
fn faults_are_shown_one_by_one_and_a_blocked_one_is_named() {
    let sound = Scene::sound().cell(Feature::Faults);
    assert!(sound.why.ends_with("(restart, two-back)"), "{}", sound.why);
    let none = with(|scene| scene.promise.faults.clear());
    is_state(&none, Feature::Faults, CellState::Missing);
    let forgotten = with(|scene| {
        scene.without(GREEN, Stage::Faults, "faults.two-back");
    });
    is(&forgotten, Feature::Faults, Rule::EndedEarly);
    let blocked = with(|scene| {
        let seen = scene.seen(GREEN, Stage::Faults);
        seen.checks[3] = check("faults.two-back", Outcome::Blocked);
    });
    is_state(&blocked, Feature::Faults, CellState::Gating);
    assert!(blocked.cell(Feature::Faults).why.ends_with("(restart; blocked: two-back)"));
    let all = with(|scene| {
        scene.runs.truncate(1);
        let seen = scene.seen(GREEN, Stage::Faults);
        seen.outcome = Some(Outcome::Skipped);
        seen.reason = Some("not shown: two-back (one release)".to_owned());
        seen.checks = vec![check("faults.two-back", Outcome::Blocked)];
    });
    is_state(&all, Feature::Faults, CellState::Blocked);
    let off = with(|scene| {
        scene.runs.truncate(1);
        let seen = scene.seen(GREEN, Stage::Faults);
        (seen.outcome, seen.reason) = (Some(Outcome::Skipped), Some("this machine makes no faults".to_owned()));
        seen.checks.clear();
    });
    is(&off, Feature::Faults, Rule::Skipped);
}
