//! Pull requests that are closed or merged, commands about unseen commits.

use forge::api::PullEnd;
use forge::names::PullId;
use forge::watch::Pin;

use super::*;
use crate::job::KeptJob;
use journal::event::{Event, Outcome, Stage, StageResult};

fn pull(number: u64) -> PullId {
    asked(1, number, "").pull.id
}

/// The records of a run whose app is kept.
fn kept() -> Vec<Record> {
    let mut records = fixtures::passed();
    for record in &mut records {
        if let Event::StageEnded { stage: Stage::Teardown, result, .. } = &mut record.event {
            let reason = Some("the app stays for 2 h".to_owned());
            *result = StageResult { outcome: Outcome::Skipped, fault: None, reason };
        }
    }
    records
}

impl Scene {
    async fn hears_as(&mut self, comment: u64, pin: Pin, ended: Option<PullEnd>) {
        let mut word = asked(comment, 7, "!testme");
        (word.pin, word.pull.ended) = (pin, ended);
        self.desk.take_on(&word).await.unwrap();
    }

    /// A run writes all its records, and its journal exists.
    fn tells(&self, run: &Started, records: Vec<Record>) {
        let dir = self.dir(run);
        let _alive = dir.create().unwrap();
        let mut writer = journal::Writer::create(&dir.journal()).unwrap();
        records.iter().for_each(|record| writer.record(record).unwrap());
        run.plays(records);
    }

    /// A run that ended, and whose app is kept.
    async fn keeps(&mut self) -> Started {
        self.hears(1, 7, "!testme\n!hold 2h").await;
        let run = self.started().await;
        self.tells(&run, kept());
        run.ends(0, &[]);
        self.shows(7, &["The app stays"]).await;
        self.all_told().await;
        run
    }
}

#[tokio::test]
async fn what_waits_and_runs_ends_with_its_pull_request_and_nothing_elsewhere() {
    let mut scene = scene();
    scene.hears(1, 7, "!testme").await;
    scene.hears(2, 7, "!testme only=backup").await;
    scene.hears(3, 8, "!testme").await;
    let (run, other) = (scene.started().await, scene.started().await);
    scene.desk.ended(&pull(7), PullEnd::Merged);
    run.let_go.cancelled().await;
    scene.shows(7, &["The pull request was merged, which ends it; everything is torn down first"]).await;
    run.ends(130, &[]);
    scene.shows(7, &["### × stopped: the pull request was merged"]).await;
    scene.all_told_on(7).await;
    assert!(scene.starts.try_recv().is_err() && !other.let_go.is_cancelled());
    // Repeated as long as the forge's list has it.
    let before = scene.jobs();
    scene.desk.ended(&pull(7), PullEnd::Merged);
    scene.desk.ended(&pull(9), PullEnd::Closed);
    scene.hears(4, 9, "!status").await;
    scene.shows(9, &["its status is above"]).await;
    assert_eq!(scene.jobs()[..2], before[..2]);
}

#[tokio::test]
async fn a_verdict_that_came_before_the_end_stays() {
    let mut scene = scene();
    scene.hears(1, 7, "!testme").await;
    let run = scene.started().await;
    scene.tells(&run, fixtures::passed());
    run.ends(0, &[]);
    scene.shows(7, &["### ✓ passed"]).await;
    scene.all_told().await;
    let before = scene.jobs();
    scene.desk.ended(&pull(7), PullEnd::Merged);
    scene.hears(2, 7, "!status").await;
    scene.shows(7, &["### ✓ passed", "its status is above"]).await;
    assert_eq!((scene.jobs()[0].clone(), scene.apps.ended()), (before[0].clone(), Vec::new()));
}

#[tokio::test]
async fn an_app_that_stays_goes_with_its_pull_request() {
    let mut scene = scene();
    let run = scene.keeps().await;
    scene.desk.ended(&pull(7), PullEnd::Closed);
    scene.shows(7, &["The pull request was closed, so the kept app was removed", "a new `!testme` tests it"]).await;
    scene.desk.ended(&pull(7), PullEnd::Closed);
    scene.hears(2, 7, "!status").await;
    scene.shows(7, &["its status is above"]).await;
    assert_eq!(scene.apps.ended(), [run.order.run], "once");
}

#[tokio::test]
async fn an_app_that_cannot_go_says_why_and_how_it_goes() {
    let mut scene = scene();
    scene.keeps().await;
    scene.apps.refuse("the engine does not answer @eve");
    scene.desk.ended(&pull(7), PullEnd::Merged);
    scene.shows(7, &["could not be removed (`the engine does not answer @eve`)", "cc-ci reap --run"]).await;
    assert!(matches!(scene.jobs()[0].kept, Some(KeptJob::Stays { .. })));
}

#[tokio::test]
async fn an_app_that_was_kept_in_the_moment_of_the_end_goes_too() {
    let mut scene = scene();
    scene.hears(1, 7, "!testme\n!hold 2h").await;
    let run = scene.started().await;
    scene.desk.ended(&pull(7), PullEnd::Merged);
    run.let_go.cancelled().await;
    scene.tells(&run, kept());
    run.ends(0, &[]);
    scene.shows(7, &["the kept app was removed"]).await;
    assert_eq!(scene.apps.ended(), [run.order.run]);
}

#[tokio::test]
async fn a_pull_request_that_ended_while_nobody_watched_is_found_at_the_start() {
    let mut scene = scene();
    let kept = scene.keeps().await;
    scene.hears(2, 8, "!testme").await;
    scene.started().await;
    let (state, board) = scene.dies().await;
    [7, 8].into_iter().for_each(|number| board.ends(number, PullEnd::Merged));
    let mut scene = open(state, board);
    // A run in progress may have begun again before the forge has answered.
    let mut starts = std::mem::replace(&mut scene.starts, mpsc::unbounded_channel().1);
    tokio::spawn(async move {
        while let Some(run) = starts.recv().await {
            run.let_go.cancelled().await;
            run.ends(130, &[]);
        }
    });
    scene.shows(7, &["the kept app was removed"]).await;
    scene.shows(8, &["### × stopped: the pull request was merged"]).await;
    assert_eq!(scene.apps.ended(), [kept.order.run]);
}

#[tokio::test]
async fn a_word_on_a_pull_request_that_ended_starts_nothing_until_it_is_open_again() {
    let mut scene = scene();
    scene.hears_as(1, Pin::Unsure, Some(PullEnd::Merged)).await;
    scene.shows(7, &["this pull request is merged: it is not tested any more"]).await;
    scene.hears_as(2, Pin::Unsure, Some(PullEnd::Closed)).await;
    scene.shows(7, &["this pull request is closed: reopen it to test it"]).await;
    assert!(scene.starts.try_recv().is_err() && scene.board.statuses().is_empty());
    scene.hears_as(3, Pin::Head, None).await;
    assert_eq!(scene.started().await.order.comment, CommentId(3));
}

#[tokio::test]
async fn what_was_pushed_after_the_word_is_not_run_until_somebody_has_seen_it() {
    let mut scene = scene();
    scene.hears_as(1, Pin::Pushed, None).await;
    scene.shows(7, &["something was pushed after this was written", super::super::fake::HEAD, "Nothing is run"]).await;
    scene.all_told().await;
    // The same again after another push.
    scene.hears_as(2, Pin::Pushed, None).await;
    scene.all_told().await;
    assert!(scene.starts.try_recv().is_err() && scene.board.statuses().is_empty());
    scene.hears_as(3, Pin::Head, None).await;
    assert_eq!(scene.started().await.order.comment, CommentId(3));
}

#[tokio::test]
async fn a_commit_that_nobody_is_sure_of_is_run_when_an_answer_has_named_it() {
    let mut scene = scene();
    scene.hears_as(1, Pin::Unsure, None).await;
    scene.shows(7, &["it is unknown whether commit", super::super::fake::HEAD]).await;
    scene.all_told().await;
    let mut other = asked(2, 7, "!testme");
    (other.pin, other.pull.head) = (Pin::Unsure, "f".repeat(40).parse().unwrap());
    scene.desk.take_on(&other).await.unwrap();
    scene.all_told().await;
    assert!(scene.starts.try_recv().is_err(), "another commit was not named");
    scene.hears_as(3, Pin::Unsure, None).await;
    assert_eq!(scene.started().await.order.commit.as_str(), super::super::fake::HEAD);
}
