use jiff::Timestamp;
use proptest::prelude::*;
use pulldown_cmark::{Event as Mark, Options, Parser, Tag};

use forge::drone::BuildEnd;

use super::*;
use crate::job::EarlierAttempt;
use crate::work::fake::asked;
use journal::event::{CheckResult, Event, Fault, Origin, Outcome, Record, Stage};
use journal::fold::fold;
use journal_fixtures as fixtures;
use journal_fixtures::HOSTILE;

fn job(text: &str) -> Job {
    let mut job = Job::new(&asked(5, 7, text), Timestamp::UNIX_EPOCH);
    job.phase = Phase::Queued;
    job
}

fn ran(text: &str) -> Job {
    let run = fixtures::started().run;
    Job { phase: Phase::Ended(End::Ran { run }), only: Some(Vec::new()), ..job(text) }
}

fn shown<'a>(job: &'a Job, view: Option<&'a RunView>) -> ShownRun<'a> {
    ShownRun { job, view, build: None, before: 0, expected_ms: Some(18_400), on_main: None }
}

fn page(shown: ShownRun<'_>) -> String {
    render(&CommentPage { main: Some(shown), next: &[], words: &[shown.job], public_url: None, stopping: false })
}

#[test]
fn queued_behind_others() {
    let (mut first, second) = (job("!testme from=1.2.0+1.22.1"), job("!testme only=backup"));
    first.remarks = vec!["`!testme`: it waits for the run that is under way here.".to_owned()];
    first.hold_s = Some(1_800);
    let main = ShownRun { before: 2, ..shown(&first, None) };
    let page = CommentPage { main: Some(main), next: &[&second], words: &[&first], public_url: None, stopping: false };
    insta::assert_snapshot!(render(&page));
    let status = status(main, None).unwrap();
    assert_eq!((status.state, status.context.as_str()), (StatusState::Pending, "cc-ci"));
    assert_eq!(status.description, "place 3 in the queue, 2 runs before it");
}

#[test]
fn a_build() {
    use crate::job::AsBuild;

    let link: Url = "https://drone.example.org/coop/cc-ci/12".parse().unwrap();
    let known = AsBuild {
        number: Some(12),
        name: Some("coop/cc-ci/12".to_owned()),
        link: Some(link.clone()),
        ..AsBuild::default()
    };
    let run = fixtures::started().run;
    let begun = Job { phase: Phase::Running { run: run.clone() }, build: Some(AsBuild::default()), ..job("!testme") };
    let away = AtDrone::Away("GET https://drone.example.org/api: no answer (503 @eve)".to_owned());
    let of = |job: &Job, build: Option<&AtDrone>, view: Option<&RunView>| {
        let shown = ShownRun { build, ..shown(job, view) };
        let status = status(shown, None).unwrap();
        format!("{}{:?}: {} {:?}\n", page(shown), status.state, status.description, status.target.map(String::from))
    };
    let mut text = of(&begun, Some(&away), None);
    let job = Job { build: Some(known.clone()), ..begun };
    for state in [AtDrone::Waits, AtDrone::Blocked, AtDrone::EndsSoon { left: 4, limit: 60 }] {
        text += &of(&job, Some(&state), None);
    }
    let view = fold(&fixtures::killed()).unwrap();
    let earlier = EarlierAttempt { run: run.clone(), name: Some("coop/cc-ci/11".to_owned()), link: Some(link) };
    let build = AsBuild { earlier: vec![earlier], ..known };
    let job = Job { phase: Phase::Running { run }, build: Some(build), ..job };
    text += &of(&job, Some(&AtDrone::Runs), Some(&view));
    insta::assert_snapshot!(text);
}

#[test]
fn builds_whose_runs_came_to_no_verdict_here() {
    use crate::job::AsBuild;

    let view = fold(&fixtures::killed()).unwrap();
    let why = "linter: untrusted @eve <b>".to_owned();
    let log = vec!["✗ failed by the recipe in upgrade: `web` @eve".to_owned(), "```".to_owned()];
    let run = fixtures::started().run;
    let mut text = String::new();
    for (end, stopped_by, view) in [
        (BuildEnd::Exited { code: 0 }, None, None),
        (BuildEnd::Exited { code: 10 }, None, Some(&view)),
        (BuildEnd::Exited { code: 15 }, Some("ada"), None),
        (BuildEnd::Exited { code: 99 }, None, None),
        (BuildEnd::Cancelled, Some("ada"), Some(&view)),
        (BuildEnd::Cancelled, None, Some(&view)),
        (BuildEnd::FoundDead, Some("ada"), Some(&view)),
        (BuildEnd::FoundDead, None, Some(&view)),
        (BuildEnd::Killed, None, Some(&view)),
        (BuildEnd::TimeLimit { minutes: 60 }, Some("ada"), Some(&view)),
        (BuildEnd::Error { why }, None, Some(&view)),
        (BuildEnd::Forgotten, None, None),
    ] {
        let build = AsBuild { end: Some(end), log: log.clone(), ..AsBuild::default() };
        let stopped_by = stopped_by.map(|by| by.parse().unwrap());
        let job = Job {
            build: Some(build),
            stopped_by,
            phase: Phase::Ended(End::Ran { run: run.clone() }),
            ..ran("!testme")
        };
        let shown = shown(&job, view);
        let status = status(shown, None).unwrap();
        let page = page(shown);
        assert!(!page.contains("memory"), "{page}");
        text += &format!("{page}{:?}: {}\n\n", status.state, status.description);
    }
    insta::assert_snapshot!(text);
}

#[test]
fn under_way() {
    let records = fixtures::killed();
    let view = fold(&records).unwrap();
    let run = view.started.run.clone();
    let job = Job { phase: Phase::Running { run }, restarts: 1, ..job("!testme") };
    insta::assert_snapshot!(page(shown(&job, Some(&view))));
    // While it waits for its slot, the status shows the place.
    let slot = records.iter().position(|record| matches!(record.event, Event::Progress { stage: Stage::Slot, .. }));
    let view = fold(&records[..=slot.unwrap()]).unwrap();
    let status = status(shown(&job, Some(&view)), None).unwrap();
    assert_eq!(status.description, "place 1 of 1 in the queue, waits for room");
}

#[test]
fn passed() {
    let view = fold(&fixtures::passed()).unwrap();
    let url: Url = "https://ci.example.org".parse().unwrap();
    let job = ran("!testme");
    let shown = shown(&job, Some(&view));
    let page = CommentPage { main: Some(shown), next: &[], words: &[&job], public_url: Some(&url), stopping: false };
    insta::assert_snapshot!(render(&page));
    let status = status(shown, Some(&url)).unwrap();
    assert_eq!(status.state, StatusState::Success);
    assert_eq!(status.target.unwrap().as_str(), "https://ci.example.org/runs/20261121-091403-kxqv");
}

#[test]
fn red() {
    let view = fold(&fixtures::failed_upgrade()).unwrap();
    let job = ran("!testme");
    insta::assert_snapshot!(page(shown(&job, Some(&view))));
    assert_eq!(status(shown(&job, Some(&view)), None).unwrap().state, StatusState::Failure);
}

#[test]
fn what_was_so_on_main_stands_below_what_is_red() {
    let view = fold(&fixtures::failed_upgrade()).unwrap();
    let on_main = OnMain {
        commit: "9f8e7d6c9f8e7d6c9f8e7d6c9f8e7d6c9f8e7d6c".parse().unwrap(),
        at: "2026-11-20T23:59:59Z".parse().unwrap(),
        run: "20261120-235959-main".parse().unwrap(),
        red: vec!["upgrade.converged".to_owned(), format!("@eve {HOSTILE}")],
        green: vec!["functional/20-content.hurl".to_owned()],
    };
    let job = ran("!testme");
    let with = |on_main, public_url: Option<&Url>| {
        let shown = ShownRun { on_main, ..shown(&job, Some(&view)) };
        render(&CommentPage { main: Some(shown), next: &[], words: &[&job], public_url, stopping: false })
    };
    let text = with(Some(&on_main), None);
    let added: Vec<&str> = text.lines().filter(|line| line.contains("main")).collect();
    assert_eq!(added.len(), 3, "{text}");
    assert_eq!(added[0], "**On main**, by run `20261120-235959-main` of commit 9f8e7d6c on 2026-11-20:");
    assert!(added[1].starts_with("- red on main too: `upgrade.converged`, `"), "{}", added[1]);
    assert_eq!(added[2], "- green on main: `functional/20-content.hurl`");
    assert!(!with(None, None).contains("main"), "nothing is said of what nobody knows");
    let url: Url = "https://ci.example.org".parse().unwrap();
    let linked = with(Some(&on_main), Some(&url));
    assert!(linked.contains(" ([report](<https://ci.example.org/runs/20261120-235959-main>)):\n"), "{linked}");
}

#[test]
fn red_by_what_is_left() {
    let view = fold(&fixtures::left_behind()).unwrap();
    let text = page(shown(&ran("!testme"), Some(&view)));
    assert!(text.contains("**Left behind:**") && text.contains("by infrastructure"), "{text}");
    assert_eq!(status(shown(&ran("!testme"), Some(&view)), None).unwrap().state, StatusState::Error);
}

#[test]
fn no_run() {
    let end = End::NoRun { what: "ghost is not a recipe".to_owned(), look_at: "docs/enroll-recipe.md".to_owned() };
    let job = Job { phase: Phase::Ended(end), remarks: vec!["one\u{20}remark".to_owned()], ..job("!testme") };
    insta::assert_snapshot!(page(shown(&job, None)));
}

#[test]
fn nothing_was_asked_for() {
    let mut job = job("!status");
    (job.phase, job.remarks) = (Phase::Ended(End::Done), vec!["`!status`: its status is above.".to_owned()]);
    let page = CommentPage { main: None, next: &[], words: &[&job], public_url: None, stopping: false };
    insta::assert_snapshot!(render(&page));
    assert_eq!(status(shown(&job, None), None), None);
}

#[test]
fn a_part_that_is_green_is_no_green_whole() {
    let view = fold(&fixtures::passed()).unwrap();
    for (text, only, context) in [
        ("!testme", vec![], "cc-ci"),
        ("!testme only=install", vec!["install"], "cc-ci (in part)"),
        ("!testme failed", vec!["backup"], "cc-ci (in part)"),
        // Only a whole run could find these failures.
        ("!testme failed", vec![], "cc-ci"),
    ] {
        let only = Some(only.into_iter().map(str::to_owned).collect());
        let job = Job { only, ..ran(text) };
        assert_eq!(status(shown(&job, Some(&view)), None).unwrap().context, context, "{text}");
    }
}

#[test]
fn hollow_tests_are_counted() {
    let mut records = fixtures::passed();
    let end = records.pop().unwrap();
    let fault = Fault {
        cause: base::failure::Cause::Test,
        failure: base::failure::Failure::new(base::failure::Kind::Hollow, "it is green against nobody", "it"),
    };
    let check = |name: &str, outcome, fault| CheckResult {
        name: name.to_owned(),
        origin: Origin::Overlay,
        outcome,
        text: String::new(),
        fault,
        took_ms: 1,
        shown: journal::event::CheckTrace::default(),
    };
    let red = check("functional/a against nobody", Outcome::Failed, Some(fault.clone()));
    let green = check("functional/b against nobody", Outcome::Passed, None);
    let result = journal::event::StageResult { outcome: Outcome::Failed, fault: Some(fault), reason: None };
    for event in [
        Event::StageStarted { stage: Stage::Prove, deadline_s: 1, expected_ms: None },
        Event::CheckEnded { stage: Stage::Prove, check: red },
        Event::CheckEnded { stage: Stage::Prove, check: green },
        Event::StageEnded { stage: Stage::Prove, result, took_ms: 1, used: None },
        end.event.clone(),
    ] {
        records.push(Record { event, ..end.clone() });
    }
    let text = page(shown(&ran("!testme"), Some(&fold(&records).unwrap())));
    assert!(text.contains("1 hollow of 2 against impostors"), "{text}");
}

/// All text in the markdown that is not constant.
fn foreign(markdown: &str) -> Vec<String> {
    let html = ["<details><summary>What was seen</summary>", "<details><summary>The last lines of its logs</summary>"];
    Parser::new_ext(markdown, Options::all())
        .filter_map(|mark| match &mark {
            Mark::Text(_) | Mark::Code(_) | Mark::Rule | Mark::SoftBreak | Mark::End(_) => None,
            Mark::Html(text) if [MARKER, "</details>"].contains(&text.trim()) || html.contains(&text.trim()) => None,
            Mark::Start(Tag::Link { dest_url, .. }) if dest_url.starts_with("https://custom-html-pr7-") => None,
            Mark::Start(
                Tag::Paragraph
                | Tag::Heading { .. }
                | Tag::Strong
                | Tag::List(_)
                | Tag::Item
                | Tag::CodeBlock(_)
                | Tag::HtmlBlock
                | Tag::Table(_)
                | Tag::TableHead
                | Tag::TableRow
                | Tag::TableCell,
            ) => None,
            other => Some(format!("{other:?}")),
        })
        .collect()
}

/// The structure: every element but texts and code, with its depth.
fn structure(markdown: &str) -> Vec<String> {
    let marks = Parser::new_ext(markdown, Options::all());
    let is_kept = |mark: &Mark<'_>| !matches!(mark, Mark::Text(_) | Mark::Code(_) | Mark::SoftBreak);
    marks.filter(is_kept).map(|mark| format!("{mark:?}")).collect()
}

#[test]
fn hostile_text_is_text() {
    let view = fold(&fixtures::hostile()).unwrap();
    let text = page(shown(&ran("!testme"), Some(&view)));
    assert!(text.len() <= BYTES, "{}", text.len());
    assert_eq!(foreign(&text), Vec::<String>::new());
    // The other fixture has the same characters only in code.
    let outside: String = Parser::new_ext(&text, Options::all())
        .scan(false, |in_code, mark| {
            match &mark {
                Mark::Start(Tag::CodeBlock(_)) => *in_code = true,
                Mark::End(pulldown_cmark::TagEnd::CodeBlock) => *in_code = false,
                _ => {}
            }
            Some(match mark {
                Mark::Text(text) if !*in_code => text.to_string(),
                _ => String::new(),
            })
        })
        .collect();
    assert!(!outside.contains("script") && !outside.contains("evil"), "{outside}");
}

#[test]
fn a_long_story_fits() {
    let mut records = fixtures::failed_upgrade();
    let at = records.iter().position(|record| matches!(record.event, Event::StageEnded { stage: Stage::Upgrade, .. }));
    let at = at.unwrap();
    for n in 0..200 {
        let mut fault = fixtures::rolled_back();
        fault.failure.what = format!("{n} {}", "ä`".repeat(3_000));
        fault.failure.detail = format!("{}\n", "日本 `` ".repeat(500)).repeat(100);
        let check = CheckResult {
            name: format!("functional/{n}.sh"),
            origin: Origin::Overlay,
            outcome: Outcome::Failed,
            text: String::new(),
            fault: Some(fault),
            took_ms: 1,
            shown: journal::event::CheckTrace::default(),
        };
        let record = Record { event: Event::CheckEnded { stage: Stage::Upgrade, check }, ..records[at - 1].clone() };
        records.insert(at, record);
    }
    let text = page(shown(&ran("!testme"), Some(&fold(&records).unwrap())));
    assert!(text.len() <= BYTES, "{}", text.len());
    assert!(text.contains("more, in the report") && foreign(&text).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_is_said_the_structure_is_ours(word in prop_oneof![
        any::<String>(),
        "[@#`<>!\\[\\]()*_~|&\\\\ \n\r\t:/.a-c-]{0,60}",
        Just(HOSTILE.to_owned()),
    ]) {
        // An empty text is reported as such.
        prop_assume!(!one_line(&word, 10_000).trim().is_empty());
        let with = |word: &str| {
            let mut records = fixtures::failed_upgrade();
            for record in &mut records {
                match &mut record.event {
                    Event::RunStarted(started) => {
                        started.head_version = Some(word.to_owned());
                        started.base = Some(word.to_owned());
                        for planned in &mut started.stages {
                            planned.opt_outs.iter_mut().for_each(|opt_out| opt_out.reason = word.to_owned());
                        }
                    }
                    Event::CheckEnded { check, .. } => {
                        check.name = format!("functional/{word}");
                        if let Some(fault) = &mut check.fault {
                            fault.failure.what = word.to_owned();
                            fault.failure.look_at = word.to_owned();
                            fault.failure.detail = word.to_owned();
                        }
                    }
                    Event::ServiceLogs { service, text, .. } => {
                        (*service, *text) = (word.to_owned(), word.to_owned());
                    }
                    Event::RunEnded { verdict } => verdict.line = word.to_owned(),
                    _ => {}
                }
            }
            page(shown(&ran("!testme"), Some(&fold(&records).unwrap())))
        };
        prop_assert_eq!(structure(&with(&word)), structure(&with("plain")));
    }
}
