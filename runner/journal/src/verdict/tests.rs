use proptest::prelude::*;

use super::*;
use crate::exit::Exit;
use crate::fixtures;

fn ended(outcome: Outcome) -> StageResult {
    StageResult { outcome, fault: None, reason: None }
}

fn red(outcome: Outcome, cause: Cause, what: &str) -> StageResult {
    let failure = Failure::new(Kind::NoAnswer, what, "the log of app");
    StageResult { outcome, fault: Some(Fault { cause, failure }), reason: None }
}

fn all_passed() -> Vec<(Stage, StageResult)> {
    Stage::ALL
        .into_iter()
        .filter(|stage| !matches!(stage, Stage::Dependencies | Stage::Prove | Stage::Faults | Stage::Variants))
        .map(|stage| (stage, ended(Outcome::Passed)))
        .collect()
}

fn set(results: &mut [(Stage, StageResult)], stage: Stage, result: StageResult) {
    for slot in results.iter_mut().filter(|(known, _)| *known == stage) {
        slot.1 = result.clone();
    }
}

fn object(name: &str) -> ObjectFact {
    ObjectFact { kind: "volume".into(), name: name.into() }
}

fn line(results: &[(Stage, StageResult)], cancelled: bool, left: &[ObjectFact]) -> String {
    verdict(&fixtures::started(), results, 18_437, cancelled, left).line
}

#[test]
fn the_lines_read_well() {
    let mut lines = vec![line(&all_passed(), false, &[])];

    let mut some = all_passed();
    set(&mut some, Stage::Backup, ended(Outcome::Skipped));
    lines.push(line(&some, false, &[]));

    let mut broken = all_passed();
    set(&mut broken, Stage::Upgrade, red(Outcome::Failed, Cause::Recipe, "app answered 502"));
    set(&mut broken, Stage::Backup, red(Outcome::Blocked, Cause::Recipe, "upgrade failed"));
    lines.push(line(&broken, false, &[]));
    lines.push(line(&broken, false, &[object("a_data")]));
    lines.push(line(&broken, true, &[]));

    let mut blocked = all_passed();
    set(&mut blocked, Stage::Backup, red(Outcome::Blocked, Cause::Infrastructure, "no backup bot"));
    lines.push(line(&blocked, false, &[]));

    lines.push(line(&all_passed(), false, &[object("a_data"), object("b"), object("c"), object("d")]));
    lines.push(line(&all_passed(), true, &[object("a_data")]));

    let skipped: Vec<_> = Stage::ALL.iter().map(|stage| (*stage, ended(Outcome::Skipped))).collect();
    lines.push(line(&skipped, false, &[]));
    lines.push(line(&all_passed()[..3], false, &[]));

    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn an_infrastructure_fault_does_not_hide_an_earlier_one_of_the_recipe() {
    let mut results = all_passed();
    set(&mut results, Stage::Upgrade, red(Outcome::Failed, Cause::Recipe, "rolled back"));
    set(&mut results, Stage::Teardown, red(Outcome::Failed, Cause::Infrastructure, "volume in use"));
    results.reverse();
    let verdict = verdict(&fixtures::started(), &results, 1, false, &[object("a")]);
    assert_eq!(verdict.word, VerdictKind::Failed(Cause::Recipe));
    assert_eq!(verdict.decided_by.unwrap().stage, Stage::Upgrade);
}

/// The verdict with this selection.
fn asked(only: &[&str], results: &[(Stage, StageResult)]) -> Verdict {
    let only = only.iter().map(|word| (*word).to_owned()).collect();
    verdict(&RunStarted { only, ..fixtures::started() }, results, 1, false, &[])
}

fn skipped(reason: &str) -> StageResult {
    StageResult { outcome: Outcome::Skipped, fault: None, reason: Some(reason.to_owned()) }
}

#[test]
fn an_install_that_is_only_there_for_tests_of_which_there_are_none_shows_nothing() {
    let mut results = all_passed();
    for stage in [Stage::Upgrade, Stage::Backup, Stage::Fresh] {
        set(&mut results, stage, skipped("only functional was asked for"));
    }
    assert_eq!(asked(&["functional"], &results).word, VerdictKind::Passed);
    set(&mut results, Stage::Functional, skipped("there is no functional test"));
    let nothing = asked(&["functional"], &results);
    assert_eq!(nothing.line, "nothing was tested: there is no functional test");
    assert_eq!((Exit::from(&nothing).code(), nothing.decided_by.unwrap().stage), (11, Stage::Functional));
    assert_eq!(asked(&["install"], &results).word, VerdictKind::Passed, "that was asked for");
    assert_eq!(asked(&[], &results).word, VerdictKind::Passed, "a whole run has installed it");
    results.push((Stage::Prove, skipped("there is nothing to prove")));
    assert_eq!(Exit::from(&asked(&["functional"], &results)).code(), 11);
    set(&mut results, Stage::Prove, ended(Outcome::Passed));
    assert_eq!(asked(&["functional"], &results).word, VerdictKind::Passed, "a data set was proven");
}

#[test]
fn a_data_set_that_is_proven_on_a_kept_app_was_tested() {
    let kept = "tests on the app that run r1 keeps";
    let mut results: Vec<_> = Stage::ALL.iter().map(|stage| (*stage, skipped("run r1 keeps the app"))).collect();
    assert_eq!(Exit::from(&asked(&[kept], &results)).code(), 11);
    set(&mut results, Stage::Prove, ended(Outcome::Passed));
    assert_eq!(asked(&[kept], &results).word, VerdictKind::Passed);
}

fn any_result() -> impl Strategy<Value = StageResult> {
    let cause = prop_oneof![
        Just(Cause::Recipe),
        Just(Cause::Test),
        Just(Cause::BaseRelease),
        Just(Cause::Dependency),
        Just(Cause::Infrastructure),
    ];
    // Mostly green, or none of the runs would be.
    let outcome = prop_oneof![
        8 => Just(Outcome::Passed),
        4 => Just(Outcome::Skipped),
        1 => Just(Outcome::Failed),
        1 => Just(Outcome::Blocked),
    ];
    (outcome, proptest::option::of(cause)).prop_map(|(outcome, cause)| {
        let red_one = matches!(outcome, Outcome::Failed | Outcome::Blocked);
        match cause {
            Some(cause) if red_one => red(outcome, cause, "something"),
            _ => ended(outcome),
        }
    })
}

proptest! {
    #[test]
    fn green_means_that_everything_planned_ran_and_was_green(
        results in proptest::collection::vec(any_result(), 8),
        present in proptest::collection::vec(proptest::bool::weighted(0.95), 8),
        cancelled: bool,
        left in 0..3_usize,
    ) {
        let optional = |stage: &Stage| matches!(stage, Stage::Dependencies | Stage::Prove | Stage::Faults | Stage::Variants);
        let stages = Stage::ALL.into_iter().filter(|stage| !optional(stage));
        let planned = fixtures::started().stages.len();
        prop_assert_eq!((stages.clone().count(), results.len()), (planned, planned), "one result for each stage");
        let results: Vec<_> = stages.zip(results).zip(present)
            .filter(|(_, present)| *present).map(|(result, _)| result).collect();
        let left: Vec<_> = (0..left).map(|n| object(&n.to_string())).collect();
        let verdict = verdict(&fixtures::started(), &results, 1, cancelled, &left);

        let is_red = |outcome| matches!(outcome, Outcome::Failed | Outcome::Blocked);
        let reds: Vec<_> = results.iter().filter(|(_, result)| is_red(result.outcome)).collect();
        let tested = results.iter().any(|(stage, result)| {
            !matches!(stage, Stage::Prepare | Stage::Slot | Stage::Teardown) && result.outcome == Outcome::Passed
        });
        let good = reds.is_empty() && results.len() == planned && left.is_empty() && tested && !cancelled;
        prop_assert_eq!(verdict.word == VerdictKind::Passed, good);
        prop_assert_eq!(Exit::from(&verdict).code() == 0, good);
        prop_assert_eq!(verdict.word == VerdictKind::Cancelled, cancelled);
        prop_assert!(!verdict.line.contains('\n'));
        let named = reds.iter().find(|(_, result)| result.fault.is_some()).or_else(|| reds.first());
        if let (Some((stage, _)), false) = (named, cancelled) {
            prop_assert_eq!(verdict.decided_by.map(|decision| decision.stage), Some(*stage));
        }
    }
}
