use proptest::prelude::*;

use super::*;
use journal::event::{Outcome, Stage, VerdictKind};
use journal::fold::fold;
use journal::tone::Tone;

#[test]
fn a_run_is_in_the_tables_as_its_journal_tells_it() {
    let scene = Scene::new();
    let one = scene.imported("20261121-a", &fixtures::failed_upgrade());
    let view = fold(&fixtures::failed_upgrade()).unwrap();
    assert_eq!((one.run.state, one.run.tone), (RunState::Ended, Some(Tone::Failed)));
    assert_eq!((one.run.line.as_str(), one.run.look_at.as_deref()), (view.line().as_str(), view.look_at()));
    assert_eq!((one.run.took_ms, one.run.worked_ms, one.run.at), (view.took_ms, view.worked_ms(), view.at));
    assert_eq!(
        (one.run.word, one.run.stage),
        (view.verdict.as_ref().map(|verdict| verdict.word), Some(Stage::Upgrade))
    );
    assert_eq!((one.run.kind.as_deref(), one.run.pull_request), (Some("rolled-back"), Some(7)));
    assert!(one.run.sealed && one.run.is_whole() && one.run.remarks.is_empty());
    let stages: Vec<_> = view.stages.iter().map(|stage| (stage.stage, stage.from_ms, stage.took_ms)).collect();
    assert_eq!(one.stages.iter().map(|stage| (stage.stage, stage.from_ms, stage.took_ms)).collect::<Vec<_>>(), stages);
    let checks: Vec<_> = view.stages.iter().flat_map(|stage| &stage.checks).map(|check| &check.name).collect();
    assert_eq!(one.checks.iter().map(|check| &check.name).collect::<Vec<_>>(), checks);
    let red = one.checks.iter().find(|check| check.outcome == Outcome::Failed).unwrap();
    assert!(red.text.starts_with("swarm rolled app back"), "{}", red.text);
    let told = scene.history.read_now(|db| db.told(&id("20261121-a"))).unwrap().unwrap();
    assert_eq!((told.view, told.records), (view, fixtures::failed_upgrade()));
}

#[test]
fn nothing_new_changes_nothing() {
    let scene = Scene::new();
    let dir = scene.over("20261121-a", &fixtures::passed());
    let first = scene.history.import(&dir).unwrap().unwrap();
    let count = fixtures::passed().len() as u64;
    assert_eq!((first.kind, first.lines), (ChangeKind::Ended, 0..count));
    let before = dump(&scene.history);
    assert_eq!(scene.history.import(&dir).unwrap(), None);
    assert_eq!(dump(&scene.history), before);
}

#[test]
fn a_run_that_lives_is_shown_so_far_and_a_line_that_is_not_whole_waits() {
    let scene = Scene::new();
    let all = bytes(&fixtures::passed());
    let lines: Vec<&[u8]> = all.split_inclusive(|byte| *byte == b'\n').collect();
    let (dir, alive) = scene.live("20261121-a", &lines[..10].concat());
    append(&dir, &lines[10][..7]);
    let change = scene.history.import(&dir).unwrap().unwrap();
    assert_eq!((change.kind, change.lines), (ChangeKind::Began, 0..10));
    let one = scene.one("20261121-a");
    assert_eq!((one.run.state, one.run.tone, one.run.lines, one.run.look_at), (RunState::Live, None, 10, None));
    assert!(one.run.line.starts_with("in slot"), "{}", one.run.line);
    assert_eq!(scene.history.read_now(Db::live).unwrap().len(), 1);
    append(&dir, &lines[10][7..]);
    let change = scene.history.import(&dir).unwrap().unwrap();
    assert_eq!((change.kind, change.lines), (ChangeKind::Grew, 10..11));
    append(&dir, &lines[11..].concat());
    let change = scene.history.import(&dir).unwrap().unwrap();
    assert_eq!((change.kind, change.lines), (ChangeKind::Ended, 11..lines.len() as u64));
    assert!(!scene.one("20261121-a").run.sealed, "its process lives");
    end(&dir, alive);
    assert_eq!(scene.history.import(&dir).unwrap().unwrap().kind, ChangeKind::Sealed);
    assert!(scene.history.read_now(Db::live).unwrap().is_empty());
}

#[test]
fn a_run_that_was_killed_has_no_end() {
    let scene = Scene::new();
    let (dir, alive) = scene.live("20261121-a", &bytes(&fixtures::killed()));
    append(&dir, b"{\"seq\":99,\"at\":");
    scene.history.import(&dir).unwrap();
    assert_eq!(scene.one("20261121-a").run.state, RunState::Live);
    end(&dir, alive);
    assert_eq!(scene.history.import(&dir).unwrap().unwrap().kind, ChangeKind::NoEnd);
    let one = scene.one("20261121-a");
    assert_eq!((one.run.state, one.run.tone, one.run.word), (RunState::NoEnd, Some(Tone::NoEnd), None));
    assert_eq!(one.run.line, "no end: the run was killed during backup");
    assert!(one.run.remarks[0].contains("is cut short and was left out"), "{:?}", one.run.remarks);
    assert_eq!(scene.history.import(&dir).unwrap(), None, "it is told once");
}

#[test]
fn a_run_that_lived_when_its_folder_went_has_no_end() {
    let scene = Scene::new();
    let (dir, _alive) = scene.live("20261121-a", &bytes(&fixtures::killed()));
    scene.history.import(&dir).unwrap();
    catch_up(&scene.history).unwrap();
    assert_eq!(scene.one("20261121-a").run.state, RunState::Live, "it lives");
    std::fs::remove_dir_all(dir.path()).unwrap();
    catch_up(&scene.history).unwrap();
    let one = scene.one("20261121-a");
    assert_eq!((one.run.state, one.run.lines), (RunState::NoEnd, fixtures::killed().len() as u64));
    assert!(one.stages.iter().any(|stage| stage.state == StageState::Running) && !one.checks.is_empty());
}

#[test]
fn a_last_line_without_its_end_counts_when_nobody_writes_any_more() {
    let scene = Scene::new();
    let mut all = bytes(&fixtures::passed());
    all.pop();
    let dir = scene.dead("20261121-a", &all);
    scene.history.import(&dir).unwrap();
    assert_eq!(scene.one("20261121-a").run.word, Some(VerdictKind::Passed));
}

#[test]
fn texts_of_strangers_come_back_unharmed() {
    let scene = Scene::new();
    let one = scene.imported("20261121-a", &fixtures::hostile());
    let text = fixtures::HOSTILE;
    assert_eq!((one.run.head_subject.as_str(), one.run.host.as_str(), one.run.source.as_str()), (text, text, text));
    assert_eq!(one.run.base.as_deref(), Some(text));
    assert!(one.checks.iter().any(|check| check.name == text && check.text == text));
    assert!(one.stages.iter().any(|stage| stage.reason.as_deref() == Some(text)));
    let told = scene.history.read_now(|db| db.told(&id("20261121-a"))).unwrap().unwrap();
    assert_eq!(told.records, fixtures::hostile());
    assert_eq!(scene.history.read_now(Db::overview).unwrap()[0].newest.head_subject, text);
}

#[test]
fn a_journal_of_this_repositorys_first_day_is_imported() {
    let scene = Scene::new();
    let dir = scene.dead("20261121-064334-vcav", include_bytes!("first_day.jsonl"));
    scene.history.import(&dir).unwrap();
    let one = scene.one("20261121-064334-vcav");
    assert_eq!((one.run.recipe.as_str(), one.run.state), ("custom-html", RunState::Ended));
    assert!(one.run.remarks.is_empty() && !one.checks.is_empty(), "{:?}", one.run.remarks);
}

#[test]
fn a_journal_of_a_newer_format_stays_in_its_folder() {
    let scene = Scene::new();
    let newer = String::from_utf8(bytes(&fixtures::passed())).unwrap().replacen("\"format\":1", "\"format\":2", 1);
    let dir = scene.dead("20261121-a", newer.as_bytes());
    let error = scene.history.import(&dir).unwrap_err();
    assert!(matches!(&error, HistoryError::Journal { why: journal::ReadError::Newer { found: 2 }, .. }), "{error}");
    assert_eq!(scene.history.waiting()[0].run, id("20261121-a"));
    assert!(scene.find("20261121-a").is_none() && dir.journal().exists());
}

#[test]
fn what_is_damaged_or_unknown_in_the_middle_is_kept_and_told() {
    let scene = Scene::new();
    let all = bytes(&fixtures::passed());
    let mut lines: Vec<&[u8]> = all.split_inclusive(|byte| *byte == b'\n').collect();
    lines.insert(3, b"\x00\xff not json\n");
    lines.insert(6, b"{\"seq\":5,\"at\":\"2026-11-21T09:14:03.250Z\",\"ms\":1,\"event\":\"sang\"}\n");
    let dir = scene.dead("20261121-a", &lines.concat());
    scene.history.import(&dir).unwrap();
    let one = scene.one("20261121-a");
    assert!(one.run.remarks[0].starts_with("line 4 is damaged"), "{:?}", one.run.remarks);
    assert!(one.run.remarks[1].contains("unknown event \"sang\""), "{:?}", one.run.remarks);
    assert_eq!((one.run.word, one.run.lines), (Some(VerdictKind::Passed), lines.len() as u64));
    let window = scene.history.read_now(|db| db.window(&id("20261121-a"), 6, 1)).unwrap().unwrap();
    assert!(window[0].text.contains("sang") && window[0].number == 6, "{window:?}");
}

#[test]
fn a_journal_that_was_replaced_is_read_again() {
    let scene = Scene::new();
    let dir = scene.over("20261121-a", &fixtures::passed());
    scene.history.import(&dir).unwrap();
    std::fs::write(dir.journal(), bytes(&fixtures::killed())).unwrap();
    assert_eq!(scene.history.import(&dir).unwrap().unwrap().kind, ChangeKind::NoEnd);
    let again = dump(&scene.history);
    let other = Scene::new();
    other.imported("20261121-a", &fixtures::killed());
    assert_eq!(again, dump(&other.history));
}

#[test]
fn files_that_tests_left_are_kept_and_nothing_else_is_opened() {
    let scene = Scene::new();
    let dir = scene.over("20261121-a", &fixtures::failed_upgrade());
    std::fs::create_dir(dir.artifacts()).unwrap();
    let picture: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(dir.artifacts().join("page.png"), &picture).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", dir.artifacts().join("link.png")).unwrap();
    scene.history.import(&dir).unwrap();
    let one = scene.one("20261121-a");
    assert_eq!(one.files, [query::FileRow { name: "page.png".into(), bytes: 800_000 }]);
    let file = |name: &str| scene.history.read_now(|db| db.file(&id("20261121-a"), name)).unwrap();
    assert_eq!(file("page.png"), Some(picture));
    assert_eq!(file("link.png"), None);
}

/// Every journal of a machine: set CCCI_STATE to a copy of its state folder with only the runs.
#[test]
#[ignore = "needs a machine's journals"]
fn journals_of_real_runs_are_imported_as_reports_read_them() {
    let state = std::path::PathBuf::from(std::env::var_os("CCCI_STATE").unwrap());
    let history = History::open(&state).unwrap();
    let begin = std::time::Instant::now();
    catch_up(&history).unwrap();
    let took = begin.elapsed();
    let (mut same, mut waiting) = (0, history.waiting());
    for (run, dir) in RunDir::all(&state).unwrap() {
        let Ok(read) = journal::read(&dir.journal()) else { continue };
        let one = history.read_now(|db| db.run(&run)).unwrap().unwrap_or_else(|| panic!("{run} is not there"));
        let told = history.read_now(|db| db.told(&run)).unwrap().unwrap();
        assert_eq!((&told.records, &told.remarks), (&read.records, &read.remarks), "{run}");
        let view = fold(&read.records).unwrap();
        assert_eq!((one.run.line, one.run.took_ms), (view.line(), view.took_ms), "{run}");
        waiting.retain(|waiting| waiting.run != run);
        same += 1;
    }
    eprintln!(
        "{same} runs in {took:?}; {} bytes; not imported: {waiting:#?}",
        std::fs::metadata(history.file()).unwrap().len()
    );
    for row in history.read_now(Db::overview).unwrap() {
        let flakes = history.read_now(|db| db.flakes(&row.recipe)).unwrap();
        let facts = history.read_now(|db| db.facts(&row.recipe)).unwrap();
        eprintln!(
            "{}: {:?}, newest {}; {} flakes, {} checks were red, proof {:?}",
            row.recipe,
            row.standing.map(|standing| standing.run.line),
            row.newest.run,
            flakes.len(),
            facts.red.len(),
            facts.proof.map(|proof| proof.run.run),
        );
    }
}

/// A run that is long enough for several chunks.
fn long() -> Vec<Record> {
    let mut records = fixtures::passed();
    let filler = records[3].clone();
    records.splice(3..3, std::iter::repeat_n(filler, 1100));
    for (seq, record) in (0..).zip(&mut records) {
        record.seq = seq;
    }
    records
}

#[test]
fn a_window_is_the_same_wherever_pieces_end() {
    let scene = Scene::new();
    let records = long();
    scene.imported("20261121-a", &records);
    let window = |from, count| scene.history.read_now(|db| db.window(&id("20261121-a"), from, count)).unwrap().unwrap();
    for (from, count) in [(0, 1), (0, 2000), (499, 2), (500, 500), (999, 3), (records.len() as u64 - 1, 9), (5000, 10)]
    {
        let wanted: Vec<&Record> = records.iter().filter(|r| (from..from + count).contains(&r.seq)).collect();
        let found: Vec<Record> = window(from, count).iter().map(|line| line.record().unwrap()).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{from}, {count}");
    }
    assert_eq!(scene.history.read_now(|db| db.window(&id("20261121-b"), 0, 1)).unwrap(), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn parts_make_the_same_as_the_whole(cuts in prop::collection::vec(0.0..1.0_f64, 0..5), which in 0..6_usize, forget: bool) {
        let stories = [fixtures::passed(), fixtures::failed_upgrade(), fixtures::killed(), fixtures::left_behind(),
            fixtures::hostile(), long()];
        let all = bytes(&stories[which]);
        let whole = Scene::new();
        whole.imported("20261121-a", &stories[which]);

        let mut scene = Scene::new();
        let (dir, alive) = scene.live("20261121-a", b"");
        let mut at: Vec<usize> = cuts.iter().map(|cut| (cut * all.len() as f64) as usize).collect();
        at.sort_unstable();
        let mut from = 0;
        for cut in at.into_iter().chain([all.len()]) {
            append(&dir, &all[from..cut]);
            scene.history.import(&dir).unwrap();
            from = cut;
            if forget {
                // Simulates a restart: what was read is only in the database.
                let Scene { state, history } = scene;
                drop(history);
                let history = History::open(state.path()).unwrap();
                scene = Scene { state, history };
            }
        }
        end(&dir, alive);
        scene.history.import(&dir).unwrap();
        prop_assert_eq!(dump(&scene.history), dump(&whole.history));
    }

    #[test]
    fn the_order_of_imports_does_not_matter(order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let stories: Vec<Vec<Record>> = [fixtures::passed(), fixtures::failed_upgrade(), fixtures::killed(),
            fixtures::passed(), fixtures::left_behind(), fixtures::failed_upgrade()]
            .into_iter()
            .enumerate()
            .map(|(n, records)| told(records, n as i64 % 4, |started| {
                started.pull_request = (n % 2 == 0).then_some(3);
                started.only = if n == 4 { vec!["install".into()] } else { vec![] };
            }))
            .collect();
        let import = |order: &[usize]| {
            let scene = Scene::new();
            for n in order {
                scene.imported(&format!("20261121-{n}"), &stories[*n]);
            }
            dump(&scene.history)
        };
        prop_assert_eq!(import(&order), import(&[0, 1, 2, 3, 4, 5]));
    }
}
