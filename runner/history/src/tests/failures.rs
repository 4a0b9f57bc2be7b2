//! Failures of a database.

use std::io::{Seek as _, SeekFrom, Write as _};

use rusqlite::Connection;

use super::*;

fn sqlite(history: &History) -> Connection {
    Connection::open(history.file()).unwrap()
}

/// Sets a pragma on the writing connection.
fn pragma(history: &History, text: &str) {
    let set = history.write(|writer| {
        writer.db.query_row(text, [], |_| Ok(())).unwrap();
        Ok(())
    });
    set.unwrap();
}

#[test]
fn the_database_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::new();
    scene.imported("20261121-a", &fixtures::passed());
    for end in ["", "-wal", "-shm"] {
        let path = format!("{}{end}", scene.history.file().display());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{path}");
    }
}

#[test]
fn one_keeps_it_and_others_read() {
    let scene = Scene::new();
    scene.imported("20261121-a", &fixtures::passed());
    assert!(matches!(History::open(scene.path()), Err(HistoryError::Held(_))));
    let other = History::open_to_read(scene.path()).unwrap();
    assert_eq!(other.read_now(Db::overview).unwrap().len(), 1);
    assert!(other.import(&scene.over("20261121-b", &fixtures::passed())).is_err(), "it only reads");
}

#[test]
fn a_busy_database_loses_no_journal() {
    let scene = Scene::new();
    let dir = scene.over("20261121-a", &fixtures::passed());
    let other = sqlite(&scene.history);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = scene.history.import(&dir).unwrap_err();
    assert!(matches!(error, HistoryError::Busy(_)) && error.passes(), "{error}");
    assert!(scene.history.waiting()[0].passes && dir.journal().exists());
    assert!(scene.find("20261121-a").is_none(), "who reads is not kept waiting");
    other.execute_batch("ROLLBACK").unwrap();
    assert!(scene.history.import(&dir).unwrap().is_some());
    assert!(scene.history.waiting().is_empty());
}

#[test]
fn a_full_disk_loses_no_journal() {
    let scene = Scene::new();
    scene.imported("20261121-a", &fixtures::passed());
    let limit = |pages: &str| pragma(&scene.history, &format!("PRAGMA max_page_count = {pages}"));
    let before = dump(&scene.history);
    limit("1");
    let noise: String =
        (0..200_000_u32).map(|n| char::from(b'a' + (n.wrapping_mul(2_654_435_761) >> 24) as u8 % 26)).collect();
    let mut records = fixtures::passed();
    let stage = journal::event::Stage::Prepare;
    records[2].event = Event::Noted { stage, text: noise };
    let (dir, _alive) = scene.live("20261121-b", &bytes(&records));
    let error = scene.history.import(&dir).unwrap_err();
    assert!(matches!(error, HistoryError::Full(_)) && error.passes(), "{error}");
    assert_eq!(dump(&scene.history), before, "nothing half done is seen");
    limit("1000000");
    assert!(scene.history.import(&dir).unwrap().is_some());
    assert_eq!(scene.history.read_now(|db| db.told(&id("20261121-b"))).unwrap().unwrap().records, records);
}

#[test]
fn an_import_that_is_killed_in_the_middle_leaves_nothing_and_is_done_again() {
    let scene = Scene::new();
    scene.imported("20261121-a", &fixtures::passed());
    let dir = scene.over("20261121-b", &fixtures::failed_upgrade());
    let before = dump(&scene.history);
    // Simulates a kill: the transaction has written to the log, and its process is gone before the commit.
    let torn = sqlite(&scene.history);
    torn.execute_batch("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE").unwrap();
    for n in 0..5000 {
        torn.execute("INSERT INTO chunks VALUES (77, ?1, 1, 1, zeroblob(400))", [n]).unwrap();
    }
    torn.execute("DELETE FROM runs", []).unwrap();
    let wal = std::fs::read(format!("{}-wal", scene.history.file().display())).unwrap();
    assert!(wal.len() > 1 << 20, "the log has its pages");
    // The same files in another place, as the next process finds them.
    let next = tempfile::tempdir().unwrap();
    std::fs::copy(scene.history.file(), next.path().join("history.sqlite")).unwrap();
    std::fs::write(next.path().join("history.sqlite-wal"), wal).unwrap();
    let history = History::open(next.path()).unwrap();
    assert_eq!(dump(&history), before);
    let copy = dead(next.path(), "20261121-b", &std::fs::read(dir.journal()).unwrap());
    history.import(&copy).unwrap();
    drop(torn);
    scene.history.import(&dir).unwrap();
    assert_eq!(dump(&history), dump(&scene.history));
}

/// Overwrites pages of the complete database with nonsense.
fn overwrite(scene: Scene, from: u64, bytes: usize) -> tempfile::TempDir {
    let Scene { state, history } = scene;
    let path = history.file();
    pragma(&history, "PRAGMA wal_checkpoint(TRUNCATE)");
    drop(history);
    let mut file = std::fs::File::options().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(from)).unwrap();
    file.write_all(&vec![0xa5; bytes]).unwrap();
    state
}

#[test]
fn a_database_that_is_none_is_set_aside_and_made_again() {
    let scene = Scene::new();
    scene.imported("20261121-a", &fixtures::passed());
    let before = dump(&scene.history);
    let state = overwrite(scene, 0, 200);
    let history = History::open(state.path()).unwrap();
    let aside = history.set_aside();
    assert_eq!(aside.len(), 1);
    let kept = aside[0].path.as_ref().unwrap();
    assert!(kept.exists() && kept.to_string_lossy().contains("history.sqlite.broken-"));
    assert!(history.read_now(Db::overview).unwrap().is_empty());
    catch_up(&history).unwrap();
    assert_eq!(dump(&history), before);
}

#[test]
fn damage_that_shows_later_sets_it_aside_too_and_saves_what_has_no_folder() {
    let scene = Scene::new();
    for n in 0..60 {
        let records = told(fixtures::passed(), n, |_| {});
        let dir = scene.over(&format!("20261121-{n:02}"), &records);
        scene.history.import(&dir).unwrap();
        if n < 40 {
            std::fs::remove_dir_all(dir.path()).unwrap();
        }
    }
    let pages: u64 = std::fs::metadata(scene.history.file()).unwrap().len() / 4096;
    // Not the schema, and not everything.
    let state = overwrite(scene, 4096 * (pages / 3), 4096 * 12);
    let history = History::open(state.path()).unwrap();
    let mut changes = history.changes();
    let _alive: Vec<_> = (100..160)
        .map(|n| {
            let (dir, alive) =
                live(state.path(), &format!("20261121-{n}"), &bytes(&told(fixtures::passed(), n, |_| {})));
            history.import(&dir).unwrap();
            alive
        })
        .collect();
    if history.set_aside().is_empty() {
        // Imports do not touch the overwritten pages: queries do.
        let found =
            history.read_now(|db| (0..60).try_for_each(|n| db.told(&id(&format!("20261121-{n:02}"))).map(drop)));
        assert!(matches!(found, Err(HistoryError::Corrupt { .. })), "{found:?}");
        let mend = history.mend();
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(mend).unwrap();
    }
    assert_eq!(history.set_aside().len(), 1);
    assert!(std::iter::from_fn(|| changes.try_recv().ok()).any(|change| matches!(change, HistoryChange::SetAside(_))));
    catch_up(&history).unwrap();
    let kept = |n: i64| history.read_now(|db| db.run(&id(&format!("20261121-{n:02}")))).unwrap().is_some();
    assert!((40..60).all(kept) && (100..160).all(kept), "what has a folder is there");
    let saved = (0..40).filter(|n| kept(*n)).count();
    assert!(saved >= 10, "{saved} of 40 were saved");
    assert_eq!(history.salvage().unwrap(), 0, "once is enough");
}

#[test]
fn a_picture_that_cannot_be_unpacked_is_damage() {
    let scene = Scene::new();
    scene.imported("20261121-a", &fixtures::passed());
    sqlite(&scene.history).execute_batch("UPDATE chunks SET data = x'00'").unwrap();
    let told = scene.history.read_now(|db| db.told(&id("20261121-a")));
    assert!(matches!(told, Err(HistoryError::Corrupt { .. })), "{told:?}");
}

#[test]
fn a_journal_that_is_a_pipe_or_a_link_is_an_error_that_names_it_and_nothing_waits() {
    let scene = Scene::new();
    for make in [&["mkfifo"][..], &["ln", "-s", "/proc/version"]] {
        let dir = scene.dead("20261121-a", b"");
        std::fs::remove_file(dir.journal()).unwrap();
        assert!(std::process::Command::new(make[0]).args(&make[1..]).arg(dir.journal()).status().unwrap().success());
        let error = scene.history.import(&dir).unwrap_err().to_string();
        assert!(error.contains("20261121-a") && error.contains("the journal is no file"), "{error}");
        dir.discard();
    }
}

#[test]
fn a_database_that_somebody_removes_is_made_again_from_the_folders() {
    let scene = Scene::new();
    scene.imported("20261121-a", &fixtures::passed());
    let dir = scene.over("20261121-b", &fixtures::failed_upgrade());
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", scene.history.file().display()));
    }
    // Retention follows the history at its path, not a file that was moved away.
    let keep = Keep { keep_runs: 1, keep_days: 1, keep_folders: 0 };
    assert!(scene.history.import(&dir).unwrap().is_some());
    let aside = scene.history.set_aside()[0].clone();
    assert!(aside.to_string().starts_with("is gone (its file was removed or replaced"), "{aside}");
    catch_up(&scene.history).unwrap();
    let other = History::open_to_read(scene.path()).unwrap();
    for run in ["20261121-a", "20261121-b"] {
        assert!(other.read_now(|db| db.run(&id(run))).unwrap().is_some(), "{run}");
    }
    std::fs::remove_file(scene.history.file()).unwrap();
    scene.history.retain(&keep, "2026-12-31T00:00:00Z".parse().unwrap()).unwrap();
    assert!(dir.path().exists());
}

#[test]
fn a_database_that_somebody_replaces_is_set_aside_and_read() {
    let scene = Scene::new();
    scene.imported("20261121-a", &fixtures::passed());
    let copy = scene.path().join("copy");
    sqlite(&scene.history).execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    // The log of the open database does not belong to the other one.
    for n in 0..20 {
        scene.imported(&format!("20261121-later-{n}"), &fixtures::failed_upgrade());
    }
    assert!(std::fs::metadata(format!("{}-wal", scene.history.file().display())).unwrap().len() > 100_000);
    RunDir::of(scene.path(), &id("20261121-a")).discard();
    std::fs::rename(&copy, scene.history.file()).unwrap();
    let dir = scene.over("20261121-b", &fixtures::failed_upgrade());
    scene.history.import(&dir).unwrap();
    assert_eq!(scene.history.salvage().unwrap(), 1);
    assert!(scene.find("20261121-a").is_some() && scene.find("20261121-b").is_some());
}

#[test]
fn what_the_disk_does_not_tell_is_no_sign_that_the_database_is_gone() {
    let scene = Scene::new();
    scene.imported("20261121-a", &fixtures::passed());
    let dir = scene.over("20261121-b", &fixtures::failed_upgrade());
    // For a moment its folder does not exist.
    let (state, away) = (scene.path().to_owned(), scene.path().with_extension("away"));
    std::fs::rename(&state, &away).unwrap();
    std::fs::write(&state, "no folder").unwrap();
    assert!(matches!(scene.history.import(&dir), Err(HistoryError::Io { .. })));
    std::fs::remove_file(&state).unwrap();
    std::fs::rename(&away, &state).unwrap();
    assert!(scene.history.import(&dir).unwrap().is_some());
    assert!(scene.history.set_aside().is_empty());
}
