//! What members ask for.

use std::time::{Duration, Instant};

use journal::event::VerdictKind;

use super::pull::until;
use super::scene::{POLL, REPO, Scene};

pub(super) async fn a_verdict_on_the_pinned_commit(scene: &mut Scene<'_>) {
    scene.serve().await;
    let pull = scene.pull().await;
    pull.says("Thanks!\n\n!testme only=install\n!tesme").await;
    let begun = Instant::now();
    let first = pull.answer(&[&pull.head]).await;
    let took = begun.elapsed();
    println!("    comment to acknowledged, polling every {POLL}: {:.1} s", took.as_secs_f32());
    assert!(first.contains("queued") || first.contains("under way"), "{first}");
    assert!(took < Duration::from_secs(6), "{took:?}");
    // A push in between: another commit is at the head, and it was not asked for.
    let pushed = pull.ada.commits(REPO, &pull.branch, "pushed.txt", false).await;
    let answer = pull.answer(&["### ✓ passed, in part"]).await;
    println!("{answer}");
    let report = "[report](<https://ci.example.org/runs/";
    for wanted in
        [pull.head.as_str(), "| install | ✓ passed |", "| teardown | ✓ passed |", report, "did you mean `!testme`?"]
    {
        assert!(answer.contains(wanted), "{wanted}: {answer}");
    }
    assert!(!answer.contains(&pushed));
    pull.has_status("cc-ci (in part)", "success").await;
    assert_eq!(pull.statuses(&pushed).await, []);
    println!("    comment to verdict: {:.1} s", begun.elapsed().as_secs_f32());
    pull.nothing_is_left().await;
}

pub(super) async fn a_run_is_stopped(scene: &mut Scene<'_>) {
    scene.serve().await;
    let pull = scene.pull().await;
    pull.says("!testme").await;
    pull.is_deployed().await;
    pull.says("!stop").await;
    let answer = pull.answer(&["### × cancelled by `ada`"]).await;
    assert!(answer.contains("the run is stopped"), "{answer}");
    pull.has_status("cc-ci", "error").await;
    pull.nothing_is_left().await;
}

pub(super) async fn an_app_is_held(scene: &mut Scene<'_>) {
    scene.serve().await;
    let pull = scene.pull().await;
    pull.says("!testme only=install\n!hold 30m").await;
    let answer = pull.answer(&["### ✓ passed, in part", "The app stays: <https://"]).await;
    let line = answer.lines().find(|line| line.contains("the app stays at")).expect("a line that says until when");
    assert!(line.contains("until") && line.contains("UTC"), "{line}");
    pull.has_status("cc-ci (in part)", "success").await;
    assert!(pull.left().await.iter().any(|object| object.contains("service")), "its app is there");
    // It goes with its pull request, and nothing begins again when that is opened again.
    pull.turns("closed").await;
    pull.answer(&["The pull request was closed, so the kept app was removed", "a new `!testme` tests it"]).await;
    pull.nothing_is_left().await;
    pull.says("!testme only=install").await;
    pull.answer(&["this pull request is closed: reopen it to test it"]).await;
    pull.turns("open").await;
    pull.says("!testme only=install").await;
    pull.is_deployed().await;
    // And what runs goes, too.
    pull.turns("closed").await;
    pull.answer(&["### × cancelled: the pull request was closed"]).await;
    pull.nothing_is_left().await;
    assert_eq!(scene.verdicts(&pull), [Some(VerdictKind::Passed), Some(VerdictKind::Cancelled)]);
}

/// Somebody pushes between a member's word and the look that finds it: nothing of it is run, until a member has seen it.
pub(super) async fn a_push_after_the_word_is_not_run(scene: &mut Scene<'_>) {
    scene.serve().await;
    let pull = scene.pull().await;
    let held = scene.next_look().await;
    pull.says("!testme only=install").await;
    let pushed = pull.ada.commits(REPO, &pull.branch, "pushed.txt", false).await;
    pull.has_push(&pushed).await;
    held.pass();
    let answer = pull.answer(&["something was pushed after this was written", &pushed]).await;
    assert!(!answer.contains("under way") && !answer.contains(&pull.head), "{answer}");
    assert_eq!((pull.statuses(&pushed).await, scene.verdicts(&pull)), (vec![], vec![]));
    pull.nothing_is_left().await;
}

pub(super) async fn comments_that_are_edited_or_deleted(scene: &mut Scene<'_>) {
    scene.serve().await;
    let pull = scene.pull().await;
    let nothing = pull.says("Nice.").await;
    pull.says("!status").await;
    pull.answer(&["No run was started yet"]).await;
    // It was read, and an edit is no new word.
    pull.ada.rewords(REPO, nothing, "!testme").await;
    let word = pull.says("!testme only=install").await;
    pull.is_deployed().await;
    // What was taken on goes on: a comment that is gone stops nothing, and !stop does.
    pull.ada.deletes(&format!("repos/{REPO}/issues/comments/{word}")).await;
    pull.answer(&["### ✓ passed, in part"]).await;
    pull.has_status("cc-ci (in part)", "success").await;
    until("the word's end", async || scene.word(word).is_some_and(|word| word["told"] == true)).await;
    // Read after all of it.
    pull.says("!status").await;
    until("the second answer", async || {
        pull.answers().await.concat().matches("`!status`: its status is above").count() == 2
    })
    .await;
    assert!(scene.word(nothing).is_none());
    assert_eq!(scene.verdicts(&pull), [Some(VerdictKind::Passed)]);
    pull.nothing_is_left().await;
}

pub(super) async fn a_stopped_server_tears_down(scene: &mut Scene<'_>) {
    scene.serve().await;
    let pull = scene.pull().await;
    pull.says("!testme only=install").await;
    pull.is_deployed().await;
    let server = scene.take_server().unwrap();
    assert!(server.stop().await.success());
    pull.answer(&["cc-ci is shutting down; this run begins again when it is back"]).await;
    pull.nothing_is_left().await;
    scene.serve().await;
    pull.answer(&["### ✓ passed, in part", "begun again after a restart"]).await;
    pull.nothing_is_left().await;
}
