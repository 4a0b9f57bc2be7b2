mod ends;
mod loops;
mod model;
mod random;

use std::path::Path;

use self::model::{BOT, MEMBER, Model, STRANGER, down, wrong};
use super::*;
use crate::api::{ANSWER_MARKER, ForgeError};
use crate::names::CommentId;

const ABOUT: &str = "a forge, an owner";

async fn open(model: &Model, folder: &Path) -> Watcher<Model> {
    Watcher::open(model.clone(), Store::hold(&folder.join("watch.json")).unwrap(), ABOUT).await.unwrap()
}

/// Everything that can be accepted now.
async fn taken(watcher: &mut Watcher<Model>) -> Vec<CommentId> {
    let mut taken = Vec::new();
    while let Some(asked) = watcher.next().await.unwrap() {
        taken.push(asked.comment.id);
        watcher.confirm(asked.comment.id).unwrap();
    }
    taken
}

#[tokio::test]
async fn the_first_start_leaves_old_comments_alone() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let old = model.comment_by(MEMBER, 1, "!testme");
    model.tick(1);
    let mut watcher = open(&model, folder.path()).await;
    let new = model.comment_by(MEMBER, 1, "!testme");
    assert_eq!(watcher.cycle().await.unwrap().words, 1);
    assert_eq!(taken(&mut watcher).await, [new]);
    assert_eq!(watcher.fate(old), None);
}

#[tokio::test]
async fn an_idle_cycle_is_one_request_also_right_after_a_comment() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let mut watcher = open(&model, folder.path()).await;
    for number in 0..40 {
        model.comment_by(MEMBER, number, "hello");
    }
    model.requests();
    model.tick(1);
    // One request reads all pull requests of a repository. With several pages it is read once more.
    for requests in [3, 3] {
        watcher.cycle().await.unwrap();
        assert_eq!(model.requests(), requests);
        model.tick(1);
    }
    for _ in 0..20 {
        watcher.cycle().await.unwrap();
        assert_eq!(model.requests(), 1);
        model.tick(30);
    }
}

#[tokio::test]
async fn comments_of_one_second_are_all_read() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let mut watcher = open(&model, folder.path()).await;
    let mut all = Vec::new();
    // In sequence, with a cycle in between, all in the same second.
    for _ in 0..3 {
        all.push(model.comment_by(MEMBER, 1, "!testme"));
        watcher.cycle().await.unwrap();
    }
    // One is deleted and one added: the mark of the pull request is the same as before.
    model.delete(all[0]);
    all.push(model.comment_by(MEMBER, 1, "!testme"));
    watcher.cycle().await.unwrap();
    model.tick(30);
    watcher.cycle().await.unwrap();
    assert_eq!(taken(&mut watcher).await, all[1..]);
}

#[tokio::test]
async fn what_counts_is_what_was_first_read() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let mut watcher = open(&model, folder.path()).await;
    let chatter = model.comment_by(MEMBER, 1, "nice");
    let word = model.comment_by(MEMBER, 1, "!stop");
    let quick = model.comment_by(MEMBER, 1, "!tesme");
    model.reword(quick, "!testme");
    watcher.cycle().await.unwrap();
    model.tick(10);
    model.reword(chatter, "!testme");
    model.reword(word, "!testme");
    model.comment_by(MEMBER, 1, "hello");
    watcher.cycle().await.unwrap();
    let asked = watcher.next().await.unwrap().unwrap();
    assert_eq!(
        (asked.comment.id, serde_json::to_string(&asked.comment.said).unwrap()),
        (word, r#"[{"command":"!stop"}]"#.to_owned())
    );
    assert_eq!(taken(&mut watcher).await, [word, quick]);

    // Days later, when the comment itself is no longer remembered.
    for _ in 0..3 {
        model.tick(24 * 3600);
        watcher.cycle().await.unwrap();
    }
    assert_eq!(watcher.fate(chatter), None);
    model.reword(chatter, "!testme failed");
    model.comment_by(MEMBER, 1, "hello");
    watcher.cycle().await.unwrap();
    assert_eq!(taken(&mut watcher).await, []);
}

#[tokio::test]
async fn deleted_comments_own_ones_and_strangers_start_nothing() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let mut watcher = open(&model, folder.path()).await;
    let before = model.comment_by(MEMBER, 1, "!testme");
    model.delete(before);
    let after = model.comment_by(MEMBER, 1, "!testme");
    let own = model.comment_by(BOT, 1, &format!("{ANSWER_MARKER}\n!testme"));
    let stranger = model.comment_by(STRANGER, 1, "!testme");
    assert_eq!(watcher.cycle().await.unwrap().words, 2);
    model.delete(after);
    assert_eq!(taken(&mut watcher).await, []);
    let fates = [before, after, own, stranger].map(|id| watcher.fate(id));
    assert_eq!(fates, [None, Some(Fate::Withdrawn), Some(Fate::Own), Some(Fate::Stranger)]);
}

#[tokio::test]
async fn a_webhook_and_a_look_are_one_word() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let mut watcher = open(&model, folder.path()).await;
    let word = model.comment_by(MEMBER, 1, "!testme");
    assert!(watcher.offer(&model.read(word)).unwrap());
    assert!(!watcher.offer(&model.read(word)).unwrap());
    assert_eq!(taken(&mut watcher).await, [word]);
    watcher.cycle().await.unwrap();
    assert!(!watcher.offer(&model.read(word)).unwrap());
    assert_eq!(taken(&mut watcher).await, []);
    // Redelivered manually, days later.
    for _ in 0..3 {
        model.tick(24 * 3600);
        watcher.cycle().await.unwrap();
    }
    assert_eq!(watcher.fate(word), None);
    assert!(!watcher.offer(&model.read(word)).unwrap());
}

#[tokio::test]
async fn a_clock_that_is_set_back_loses_and_repeats_nothing() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let mut watcher = open(&model, folder.path()).await;
    model.tick(20_000);
    let first = model.comment_by(MEMBER, 1, "!testme");
    watcher.cycle().await.unwrap();
    assert_eq!(taken(&mut watcher).await, [first]);
    model.tick(400);
    watcher.cycle().await.unwrap();
    model.tick(-7200);
    watcher.cycle().await.unwrap();
    let second = model.comment_by(MEMBER, 2, "!testme");
    model.tick(30);
    watcher.cycle().await.unwrap();
    assert_eq!(taken(&mut watcher).await, [second]);
}

#[tokio::test]
async fn what_slips_out_of_a_list_in_parts_is_found_by_the_next_look() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let mut watcher = open(&model, folder.path()).await;
    let all: Vec<CommentId> = (0..9).map(|_| model.comment_by(MEMBER, 1, "!testme")).collect();
    // The forge was unreachable for long.
    model.tick(7200);
    model.slip(all[1]);
    assert_eq!(watcher.cycle().await.unwrap().words, 8);
    model.tick(30);
    assert_eq!(watcher.cycle().await.unwrap().words, 1);
    let rest: Vec<CommentId> = all.iter().copied().filter(|id| *id != all[1]).collect();
    assert_eq!(taken(&mut watcher).await, rest);
}

#[tokio::test]
async fn one_repository_that_cannot_be_read_holds_no_other_up() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let mut watcher = open(&model, folder.path()).await;
    let (even, odd) = (model.comment_by(MEMBER, 2, "!testme"), model.comment_by(MEMBER, 1, "!testme"));
    model.fail_after(1, wrong());
    assert!(matches!(watcher.cycle().await, Err(WatchError::Forge(ForgeError::Wrong { .. }))));
    assert_eq!(taken(&mut watcher).await, [odd]);
    assert_eq!(watcher.cycle().await.unwrap().words, 1);
    // The same with the command itself.
    model.fail_after(0, wrong());
    assert!(watcher.next().await.is_err());
    assert_eq!(taken(&mut watcher).await, [even]);
    model.fail_after(0, down());
    assert!(watcher.cycle().await.is_err());
}

#[tokio::test]
async fn a_refused_repository_is_told_and_left() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let mut watcher = open(&model, folder.path()).await;
    model.comment_by(MEMBER, 2, "!testme");
    model.fail_after(1, ForgeError::Refused { asked: "GET /".to_owned(), status: 403, hint: "no" });
    assert_eq!(watcher.cycle().await.unwrap().refused.len(), 1);
}

#[tokio::test]
async fn a_file_that_is_broken_another_s_or_held_is_told() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let path = folder.path().join("watch.json");
    let watcher = open(&model, folder.path()).await;
    assert!(matches!(Store::hold(&path), Err(StoreError::Held { .. })));
    drop(watcher);

    let other = Watcher::open(model.clone(), Store::hold(&path).unwrap(), "another").await.unwrap_err();
    assert!(other.to_string().contains(ABOUT), "{other}");

    for text in ["", "{", "[]", "{\"about\": \"hunter2\"}", "\u{0}"] {
        std::fs::write(&path, text).unwrap();
        let broken = Watcher::open(model.clone(), Store::hold(&path).unwrap(), ABOUT).await.unwrap_err();
        assert!(matches!(broken, WatchError::Store(StoreError::Unreadable { .. })), "{broken}");
        assert!(broken.to_string().contains("Move it away") && !broken.to_string().contains("hunter2"), "{broken}");
    }
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_known() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let inner = folder.path().join("inner");
    let mut watcher = open(&model, &inner).await;
    let word = model.comment_by(MEMBER, 1, "!testme");
    std::fs::rename(&inner, folder.path().join("away")).unwrap();
    assert!(matches!(watcher.cycle().await, Err(WatchError::Store(StoreError::Disk { .. }))));
    assert!(watcher.next().await.unwrap().is_none());
    std::fs::rename(folder.path().join("away"), &inner).unwrap();
    watcher.cycle().await.unwrap();
    assert_eq!(taken(&mut watcher).await, [word]);
}
