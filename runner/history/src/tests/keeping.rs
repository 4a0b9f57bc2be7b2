use jiff::{SignedDuration, Timestamp};

use super::*;

const ALL: Keep = Keep { keep_runs: 1000, keep_days: 365, keep_folders: 365 };

fn now() -> Timestamp {
    "2026-12-31T00:00:00Z".parse().unwrap()
}

/// The number of days before `now`, as seconds from the fixtures' time.
fn days_ago(days: i64) -> i64 {
    let fixture: Timestamp = "2026-11-21T09:14:03Z".parse().unwrap();
    (now() - SignedDuration::from_hours(days * 24)).duration_since(fixture).as_secs()
}

impl Scene {
    fn ago(&self, run: &str, days: i64, records: Vec<Record>) -> RunDir {
        let dir = self.over(run, &told(records, days_ago(days), |_| {}));
        self.history.import(&dir).unwrap();
        dir
    }
}

#[test]
fn too_many_and_too_old_go_with_their_folders() {
    let scene = Scene::new();
    for n in 0..6 {
        scene.ago(&format!("r-{n}"), 10 * n, fixtures::passed());
    }
    let mut changes = scene.history.changes();
    let dropped = scene.history.retain(&Keep { keep_runs: 4, ..ALL }, now()).unwrap();
    assert_eq!((dropped.runs.as_slice(), dropped.folders.len()), ([id("r-5"), id("r-4")].as_slice(), 2));
    assert!(matches!(changes.try_recv(), Ok(HistoryChange::Run(RunChange { kind: ChangeKind::Dropped, .. }))));
    let dropped = scene.history.retain(&Keep { keep_days: 25, ..ALL }, now()).unwrap();
    assert_eq!(dropped.runs, [id("r-3")]);
    catch_up(&scene.history).unwrap();
    assert!(scene.find("r-4").is_none(), "what was dropped does not come back");
    assert!(scene.find("r-2").is_some());
}

#[test]
fn what_is_shown_stays_whatever_its_age() {
    let scene = Scene::new();
    scene.ago("green", 300, fixtures::passed());
    scene.ago("red-1", 200, fixtures::failed_upgrade());
    scene.ago("red-2", 100, fixtures::failed_upgrade());
    scene.ago("killed", 90, fixtures::killed());
    let dropped = scene.history.retain(&Keep { keep_runs: 0, keep_days: 0, ..ALL }, now()).unwrap();
    assert_eq!(dropped.runs, [id("red-1"), id("killed")]);
    let row = &scene.history.read_now(Db::overview).unwrap()[0];
    assert_eq!((&row.newest.run, &row.standing.as_ref().unwrap().run.run), (&id("red-2"), &id("red-2")));
    assert!(row.green_at.is_some());
}

#[test]
fn a_run_that_lives_is_never_touched() {
    let scene = Scene::new();
    let records = told(fixtures::killed(), days_ago(90), |_| {});
    let (dir, _alive) = scene.live("old", &bytes(&records));
    scene.history.import(&dir).unwrap();
    scene.ago("new", 1, fixtures::passed());
    // Ended by its journal, and its process still lives.
    let (ended, _too) = scene.live("ended", &bytes(&told(fixtures::failed_upgrade(), days_ago(80), |_| {})));
    scene.history.import(&ended).unwrap();
    let dropped = scene.history.retain(&Keep { keep_runs: 0, keep_days: 0, keep_folders: 0 }, now()).unwrap();
    assert_eq!((dropped.runs, dropped.folders), (vec![], vec![id("new")]));
    assert!(dir.journal().exists() && ended.journal().exists() && scene.find("ended").is_some());
}

#[test]
fn folders_go_when_all_of_them_is_in_the_history() {
    let scene = Scene::new();
    let old = scene.ago("old", 40, fixtures::passed());
    std::fs::create_dir(old.artifacts()).unwrap();
    scene.ago("young", 4, fixtures::passed());
    let kept = scene.ago("kept", 40, fixtures::passed());
    std::fs::create_dir(kept.abra()).unwrap();
    let grown = scene.ago("grown", 40, fixtures::killed());
    append(&grown, b"{}\n");
    let large = scene.over("large", &told(fixtures::passed(), days_ago(40), |_| {}));
    std::fs::create_dir_all(large.artifacts().join("folder")).unwrap();
    scene.history.import(&large).unwrap();
    let never = scene.over("never", &told(fixtures::passed(), days_ago(40), |_| {}));
    let dropped = scene.history.retain(&Keep { keep_folders: 30, ..ALL }, now()).unwrap();
    assert_eq!((dropped.runs, dropped.folders), (vec![], vec![id("old")]));
    assert!(!old.path().exists() && scene.find("old").is_some(), "the history still has it");
    assert!([kept, grown, large, never].iter().all(|dir| dir.journal().exists()));
}

#[test]
fn a_run_that_reported_goes_too_unless_it_may_go_on() {
    let scene = Scene::new();
    let bytes = bytes(&told(fixtures::passed(), days_ago(90), |_| {}));
    for run in ["ended", "silent", "heard-of"] {
        let dir = RunDir::of(scene.path(), &id(run));
        dir.create_reported("0123456789abcdef").unwrap();
        std::fs::write(dir.journal(), &bytes).unwrap();
    }
    let of = |run: &str| RunDir::of(scene.path(), &id(run));
    std::fs::write(of("ended").path().join("report.html"), "").unwrap();
    let journal = std::fs::File::options().write(true).open(of("silent").journal()).unwrap();
    journal.set_modified(std::time::SystemTime::now() - journal::run_dir::SILENT).unwrap();
    catch_up(&scene.history).unwrap();
    let dropped = scene.history.retain(&Keep { keep_folders: 30, ..ALL }, now()).unwrap();
    assert_eq!(dropped.folders.len(), 2, "{dropped:?}");
    assert!(of("heard-of").path().exists() && !of("ended").path().exists() && !of("silent").path().exists());
}
