use rusqlite::Connection;

use super::*;
use crate::steps::{STEPS, version};

/// A database of the first release of version 1, with some runs in it.
const FIRST: &str = include_str!("version_1.sql");

fn of_version(state: &Path, wanted: usize) {
    let db = Connection::open(state.join("history.sqlite")).unwrap();
    db.execute_batch(STEPS[0]).unwrap();
    db.execute_batch(FIRST).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    for (at, step) in STEPS.iter().enumerate().take(wanted).skip(1) {
        db.execute_batch(step).unwrap();
        db.pragma_update(None, "user_version", at + 1).unwrap();
    }
}

#[test]
fn every_earlier_version_becomes_this_one_with_all_that_it_had() {
    for wanted in 1..=STEPS.len() {
        let state = tempfile::tempdir().unwrap();
        of_version(state.path(), wanted);
        let history = History::open(state.path()).unwrap();
        assert_eq!(history.read_now(|db| db.ask(version)).unwrap(), VERSION);
        let rows = history.read_now(Db::overview).unwrap();
        let names: Vec<&str> = rows.iter().map(|row| row.recipe.as_str()).collect();
        assert_eq!(names, ["custom-html", "ghost"], "from version {wanted}");
        assert_eq!(rows[0].newest.run, id("20261121-c"));
        assert_eq!(rows[0].standing.as_ref().unwrap().run.run, id("20261121-b"));
        let one = history.read_now(|db| db.run(&id("20261121-a"))).unwrap().unwrap();
        assert!(one.run.line.starts_with("passed: custom-html") && one.stages.len() == 8 && one.checks.len() > 15);
        let told = history.read_now(|db| db.told(&id("20261121-a"))).unwrap().unwrap();
        assert_eq!(told.view.line(), one.run.line, "from version {wanted}");
        // It continues like one that always had this version.
        let dir = dead(state.path(), "20261121-d", &bytes(&fixtures::passed()));
        assert!(history.import(&dir).unwrap().is_some());
    }
}

#[test]
fn a_step_is_done_whole_or_not_at_all() {
    let state = tempfile::tempdir().unwrap();
    of_version(state.path(), 1);
    let path = state.path().join("history.sqlite");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE salvaged (x)").unwrap();
    assert!(History::open(state.path()).is_err(), "the last table of step 2 is there already");
    let db = Connection::open(&path).unwrap();
    assert_eq!(version(&db).unwrap(), 1);
    assert!(db.prepare("SELECT * FROM latest").is_err(), "nothing of step 2 is there");
    db.execute_batch("DROP TABLE salvaged").unwrap();
    drop(db);
    History::open(state.path()).unwrap();
}

#[test]
fn a_database_of_a_newer_cc_ci_is_refused_and_left_as_it_is() {
    let state = tempfile::tempdir().unwrap();
    of_version(state.path(), STEPS.len());
    let path = state.path().join("history.sqlite");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", VERSION + 1).unwrap();
    for opened in [History::open(state.path()), History::open_to_read(state.path())] {
        let error = opened.unwrap_err();
        assert!(matches!(error, HistoryError::Newer { found, .. } if found == VERSION + 1), "{error}");
        assert!(error.to_string().contains("use a newer cc-ci"), "{error}");
    }
    assert!(
        std::fs::read_dir(state.path()).unwrap().flatten().all(|e| !e.file_name().to_string_lossy().contains("broken"))
    );
}

#[test]
fn the_tables_are_the_same_however_they_came_about() {
    let schema = |path: &Path| -> Vec<String> {
        let db = Connection::open(path.join("history.sqlite")).unwrap();
        let mut ask = db.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").unwrap();
        ask.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    of_version(old.path(), 1);
    drop(History::open(old.path()).unwrap());
    drop(History::open(new.path()).unwrap());
    assert_eq!(schema(old.path()), schema(new.path()));
}

/// Writes `version_1.sql` again: run it with the program of the commit whose STEPS end with step 1.
#[test]
#[ignore = "makes a file of the repository; it does not change any more"]
fn write_version_1() {
    let scene = Scene::new();
    scene.imported("20261121-a", &fixtures::passed());
    scene.imported("20261121-b", &told(fixtures::failed_upgrade(), 60, |_| {}));
    scene.imported("20261121-c", &told(fixtures::killed(), 120, |_| {}));
    scene.imported("20261121-g", &told(fixtures::passed(), 180, |started| started.recipe = "ghost".parse().unwrap()));
    let db = Connection::open(scene.history.file()).unwrap();
    let mut text = String::new();
    for table in ["runs", "stages", "checks", "chunks"] {
        let columns: Vec<String> = db
            .prepare(&format!("SELECT name FROM pragma_table_info('{table}') WHERE name <> 'left_out'"))
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let quoted = columns.iter().map(|name| format!("quote({name})")).collect::<Vec<_>>().join(" || ', ' || ");
        let mut ask = db.prepare(&format!("SELECT {quoted} FROM {table} ORDER BY 1")).unwrap();
        for row in ask.query_map([], |row| row.get::<_, String>(0)).unwrap() {
            text.push_str(&format!("INSERT INTO {table} ({}) VALUES ({});\n", columns.join(", "), row.unwrap()));
        }
    }
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/version_1.sql"), text).unwrap();
}
