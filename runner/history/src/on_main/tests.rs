use super::*;
use crate::History;
use journal::event::{Event, Record, RunStarted};
use journal_fixtures as fixtures;

use journal::run_dir::RunDir;

/// The same run under another id, some minutes earlier, with another start.
fn another(records: Vec<Record>, id: &str, minutes: i64, change: impl Fn(&mut RunStarted)) -> Vec<Record> {
    let earlier = |mut record: Record| {
        record.at -= SignedDuration::from_mins(minutes);
        if let Event::RunStarted(started) = &mut record.event {
            started.run = id.parse().unwrap();
            change(started);
        }
        record
    };
    records.into_iter().map(earlier).collect()
}

struct Scene(tempfile::TempDir, History);

impl Scene {
    fn new() -> Self {
        let state = tempfile::tempdir().unwrap();
        let history = History::open(state.path()).unwrap();
        Self(state, history)
    }

    fn tell(&self, records: &[Record]) {
        let Some(Event::RunStarted(started)) = records.first().map(|record| &record.event) else { panic!("no start") };
        let dir = RunDir::of(self.0.path(), &started.run);
        drop(dir.create().unwrap());
        let lines: Vec<u8> = records.iter().flat_map(|record| journal::line(record).unwrap()).collect();
        std::fs::write(dir.journal(), lines).unwrap();
        self.1.import(&dir).unwrap();
    }

    fn look(&self, records: &[Record]) -> Option<OnMain> {
        let view = journal::fold::fold(records).unwrap();
        self.1.read_now(|db| look(db, &view)).unwrap()
    }
}

fn main(started: &mut RunStarted) {
    (started.pull_request, started.on_main) = (None, true);
    started.head = "2".repeat(40).parse().unwrap();
}

#[test]
fn what_is_red_is_compared_with_the_newest_run_of_main() {
    let (red, green) = (fixtures::failed_upgrade(), fixtures::passed());
    let scene = Scene::new();
    assert_eq!(scene.look(&red), None, "nothing is known");
    // None of these is a finished run of this repository's default branch.
    scene.tell(&another(red.clone(), "20261121-a", 60, |started| started.pull_request = None));
    scene.tell(&another(red.clone(), "20261121-b", 60, |started| started.on_main = true));
    scene.tell(&another(red.clone(), "20261121-c", 60, |started| {
        main(started);
        started.source = "https://git.example.org/another/custom-html.git".to_owned();
    }));
    scene.tell(&another(red.clone(), "20261121-d", 60, |started| {
        main(started);
        started.only = vec!["upgrade".to_owned()];
    }));
    scene.tell(&another(red.clone(), "20261121-e", -60, main));
    scene.tell(&another(fixtures::killed(), "20261121-f", 50, main));
    assert_eq!(scene.look(&red), None);
    scene.tell(&another(red.clone(), "20261121-g", 40, main));
    let found = scene.look(&red).unwrap();
    assert_eq!((found.red.as_slice(), found.green.len()), (&["upgrade.converged".to_owned()][..], 0));
    assert_eq!(found.lines(), ["red too at commit 22222222 on 2026-11-21: upgrade.converged"]);
    // A newer one takes precedence.
    scene.tell(&another(green.clone(), "20261121-h", 30, main));
    let found = scene.look(&red).unwrap();
    assert_eq!(
        (found.run.as_str(), found.red.len(), found.green.as_slice()),
        ("20261121-h", 0, &["upgrade.converged".to_owned()][..])
    );
    // A green run, and one without a pull request, are not compared.
    assert_eq!(scene.look(&green), None);
    assert_eq!(scene.look(&another(red, "20261121-i", 0, main)), None);
}

#[test]
fn nothing_is_said_of_what_cannot_be_compared() {
    let view = |records: &[Record]| journal::fold::fold(records).unwrap();
    let red = view(&fixtures::failed_upgrade());
    let scene = Scene::new();
    scene.tell(&another(fixtures::failed_upgrade(), "20261121-a", 60, main));
    let started = &red.started;
    let known = |db: &Db| db.main_run(&started.recipe, &started.source, red.at);
    let mut of_main = scene.1.read_now(known).unwrap().unwrap();
    assert!(compare(&red, &of_main).is_some());
    // Its test was different then.
    of_main.tests.insert("upgrade.converged".to_owned(), "another print".to_owned());
    assert_eq!(compare(&red, &of_main), None);
    of_main.tests.clear();
    of_main.tests.clone_from(&started.tests);
    // It was neither red nor green there, or did not run.
    of_main.checks.iter_mut().for_each(|check| check.outcome = Outcome::Blocked);
    assert_eq!(compare(&red, &of_main), None);
    of_main.checks.clear();
    assert_eq!(compare(&red, &of_main), None);

    // A stage without a red check is compared by the kind of its failure.
    let mut bare = red.clone();
    bare.stages.iter_mut().for_each(|stage| stage.checks.clear());
    assert_eq!(compare(&bare, &of_main).unwrap().red, ["upgrade"]);
    of_main.stages.iter_mut().for_each(|stage| stage.kind = Some("another".to_owned()));
    assert_eq!(compare(&bare, &of_main), None);
    of_main.stages.iter_mut().for_each(|stage| stage.state = StageState::Ended(Outcome::Passed));
    assert_eq!(compare(&bare, &of_main).unwrap().green, ["upgrade"]);
}
