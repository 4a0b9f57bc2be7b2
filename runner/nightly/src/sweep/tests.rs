use super::*;
use journal::fold::fold;
use journal_fixtures as fixtures;
use source::Tag;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub(crate) fn commit(digit: char) -> Commit {
    digit.to_string().repeat(40).parse().unwrap()
}

fn name(recipe: &str) -> RecipeName {
    recipe.parse().unwrap()
}

/// A finished run: `main` or a release, its commit's digit, and its state.
pub(crate) fn over(tested: &str, digit: char, health: Option<SweptHealth>) -> SweepRun {
    let is_main = tested == "main";
    let red = health == Some(SweptHealth::Red);
    SweepRun {
        tested: Tested { release: (!is_main).then(|| tested.to_owned()), main: is_main },
        commit: Some(commit(digit)),
        phase: SweepPhase::Ended(SweepEnd {
            health,
            run: Some(format!("20261128-000000-{digit}{digit}{digit}{digit}").parse().unwrap()),
            at: at(i64::from(u32::from(digit))),
            cause: red.then_some(Cause::Recipe),
            stage: red.then_some(Stage::Upgrade),
            kind: match health {
                Some(SweptHealth::Red) => Some("rolled-back".to_owned()),
                Some(SweptHealth::Blocked) => Some("node-full".to_owned()),
                _ => None,
            },
            line: "a line <b>".to_owned(),
        }),
        restarts: 0,
        was: None,
    }
}

pub(crate) fn swept(recipes: &[(&str, &[SweepRun])]) -> Sweep {
    let names = recipes.iter().map(|(recipe, _)| name(recipe)).collect();
    let mut sweep = Sweep::new("2026-11-28".parse().unwrap(), "03:30 UTC", at(0), names);
    for (swept, (_, runs)) in sweep.recipes.iter_mut().zip(recipes) {
        swept.runs = runs.to_vec();
        swept.source = Some(format!("https://git.example.org/coop/{}.git", swept.recipe));
    }
    sweep
}

fn heads(main: char, tags: &[(&str, char)]) -> Heads {
    let tag = |(name, digit): &(&str, char)| Tag {
        name: (*name).to_owned(),
        annotated: true,
        commit: commit(*digit).to_string(),
    };
    Heads { main: commit(main), tags: tags.iter().map(tag).collect() }
}

#[test]
fn the_newest_release_and_main_are_tested_and_once_where_they_are_the_same() {
    let tested = |heads: &Heads| {
        let words = |run: SweepRun| format!("{} {}", run.tested.words(), run.commit.unwrap().short());
        revisions(heads).into_iter().map(words).collect::<Vec<_>>()
    };
    let tags = [("1.9.0+1", '1'), ("1.10.0+1", '2'), ("nightly", '3')];
    assert_eq!(tested(&heads('4', &tags)), ["release 1.10.0+1 22222222", "main 44444444"]);
    assert_eq!(tested(&heads('2', &tags)), ["release 1.10.0+1 and main 22222222"]);
    assert_eq!(tested(&heads('4', &[("nightly", '3')])), ["main 44444444"]);
    assert_eq!(tested(&heads('4', &[])), ["main 44444444"]);
}

#[test]
fn recipes_are_asked_and_run_one_after_the_other() {
    let waiting = |tested: &str| SweepRun { phase: SweepPhase::Waiting, ..over(tested, '1', None) };
    let mut sweep = swept(&[("a", &[]), ("b", &[])]);
    assert_eq!((sweep.next(), sweep.open()), (Some(Next::Ask(0)), 2));
    sweep.recipes[0].runs = vec![waiting("1.0.0+1"), waiting("main")];
    assert_eq!((sweep.next(), sweep.open()), (Some(Next::Start(0, 0)), 3));
    sweep.recipes[0].runs[0] = over("1.0.0+1", '1', Some(SweptHealth::Green));
    assert_eq!(sweep.next(), Some(Next::Start(0, 1)));
    sweep.recipes[0].runs[1].phase = SweepPhase::Running { run: "20261128-a".parse().unwrap() };
    assert_eq!((sweep.next(), sweep.open()), (Some(Next::Ask(1)), 2));
    sweep.recipes[1].not_tested = Some("its folder was removed".to_owned());
    assert_eq!((sweep.next(), sweep.open()), (None, 1));
}

#[test]
fn a_recipe_turns_where_it_is_not_what_it_was_as_the_same() {
    use SweptHealth::{Blocked, Green, Red};
    let last = swept(&[("a", &[over("1.0.0+1", '1', Some(Green)), over("main", '2', Some(Red))])]);
    let older = swept(&[("a", &[over("main", '3', Some(Green))]), ("b", &[over("main", '4', Some(Blocked))])]);
    // The newest sweep says nothing about b.
    let silent = swept(&[("b", &[over("main", '5', None)])]);
    let earlier = [silent, last, older];
    let was = |recipe: &str, release: Option<&str>, main, now| {
        before(&earlier, &name(recipe), &Tested { release: release.map(str::to_owned), main }, Some(now))
    };
    assert_eq!(was("a", None, true, Red), Some(Red));
    assert_eq!(was("a", None, true, Green), Some(Red));
    assert_eq!(was("a", Some("1.1.0+1"), false, Red), Some(Green), "the newest release, whichever it was");
    assert_eq!(was("b", None, true, Green), Some(Blocked));
    assert_eq!(was("c", None, true, Green), None, "nothing is known");
    assert_eq!(was("b", Some("1.0.0+1"), false, Red), None, "its release was never tested");
    // A commit that is both release and main turns if either does.
    assert_eq!(was("a", Some("1.1.0+1"), true, Green), Some(Red));
    assert_eq!(was("a", Some("1.1.0+1"), true, Red), Some(Green));
    let both = [swept(&[(
        "a",
        &[SweepRun {
            tested: Tested { release: Some("1.0.0+1".into()), main: true },
            ..over("main", '1', Some(Green))
        }],
    )])];
    let tested = Tested { release: None, main: true };
    assert_eq!(before(&both, &name("a"), &tested, Some(Red)), Some(Green));
}

#[test]
fn what_turned_is_a_line_without_a_strangers_word() {
    use SweptHealth::{Blocked, Green, Red};
    let was = |was, run: SweepRun| SweepRun { was, ..run };
    let sweep = swept(&[
        ("a", &[was(Some(Green), over("1.0.0+<@eve>", '1', Some(Red))), was(Some(Red), over("main", '2', Some(Red)))]),
        ("b", &[was(Some(Red), over("main", '3', Some(Green))), was(None, over("1.0.0+1", '4', Some(Red)))]),
        ("c", &[was(Some(Green), over("main", '5', Some(Blocked))), was(Some(Green), over("1.0.0+1", '6', None))]),
    ]);
    let lines: Vec<String> = sweep.turned().map(|turned| turned.words()).collect();
    assert_eq!(
        lines,
        [
            "a, release of an odd name at 11111111: red by the recipe in upgrade, was green",
            "b, main at 33333333: green, was red",
            "c, main at 55555555: blocked, was green",
        ]
    );
    assert_eq!([Green, Red, Blocked].map(|health| sweep.count(health)), [1, 3, 1]);
}

#[test]
fn three_of_the_same_trouble_in_a_row_end_a_sweep() {
    use SweptHealth::{Blocked, Green};
    let blocked = |digit| over("main", digit, Some(Blocked));
    let mut sweep = swept(&[("a", &[blocked('1'), blocked('2')]), ("b", &[blocked('3')]), ("c", &[]), ("d", &[])]);
    assert_eq!(sweep.hopeless(), Some("node-full"));
    sweep.recipes[3].runs = vec![SweepRun { phase: SweepPhase::Waiting, ..blocked('9') }];
    sweep.cut_short("three runs");
    assert_eq!((sweep.next(), sweep.open()), (None, 0));
    let two = swept(&[("a", &[blocked('1'), blocked('2')])]);
    assert_eq!(two.hopeless(), None);
    let between =
        swept(&[("a", &[blocked('1'), over("main", '2', Some(Green))]), ("b", &[blocked('3'), blocked('4')])]);
    assert_eq!(between.hopeless(), None);
    let other = SweepRun { phase: SweepPhase::Waiting, ..blocked('3') };
    let other = SweepRun { phase: not_asked(Kind::SourceUnreachable, "x", at(99)).phase, ..other };
    assert_eq!(swept(&[("a", &[blocked('1'), blocked('2'), other])]).hopeless(), None, "for another reason");
}

#[test]
fn a_commit_that_was_green_as_the_same_can_be_left_out() {
    use SweptHealth::{Green, Red};
    let green = over("main", '1', Some(Green));
    let on =
        |earlier: &[Sweep]| green_on(earlier, &name("a"), &SweepRun { phase: SweepPhase::Waiting, ..green.clone() });
    let day = swept(&[]).date;
    let of = |run: SweepRun| swept(&[("a", &[run])]);
    assert_eq!(on(&[of(green.clone())]), Some(day));
    assert_eq!(
        on(&[of(over("main", '1', None)), of(green.clone())]),
        Some(day),
        "one that says nothing is passed over"
    );
    assert_eq!(on(&[of(over("main", '1', Some(Red))), of(green.clone())]), None, "it was red since");
    assert_eq!(on(&[of(over("main", '2', Some(Green)))]), None, "another commit");
    assert_eq!(on(&[of(over("1.0.0+1", '1', Some(Green)))]), None, "as something else");
    assert_eq!(on(&[]), None);
}

#[test]
fn an_end_is_what_the_verdict_says_of_the_recipe() {
    let health = |records: &[journal::event::Record]| end_of(&fold(records).unwrap(), at(0)).map(|end| end.health);
    assert_eq!(health(&fixtures::passed()), Some(Some(SweptHealth::Green)));
    assert_eq!(health(&fixtures::failed_upgrade()), Some(Some(SweptHealth::Red)));
    assert_eq!(health(&fixtures::killed()), None);
    let end = end_of(&fold(&fixtures::failed_upgrade()).unwrap(), at(0)).unwrap();
    assert_eq!((end.cause, end.stage), (Some(Cause::Recipe), Some(Stage::Upgrade)));
}

#[test]
fn a_sweep_survives_its_file() {
    let sweep = swept(&[("a", &[over("main", '1', Some(SweptHealth::Red))]), ("b", &[])]);
    let text = serde_json::to_string(&sweep).unwrap();
    assert_eq!(serde_json::from_str::<Sweep>(&text).unwrap(), sweep);
}
