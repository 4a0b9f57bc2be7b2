//! Pull requests that end, pushes around a command, and an account that is both a bot's and a person's.

use super::model::{BOT, MEMBER, Model, pull};
use super::{open, taken};
use crate::api::{ANSWER_MARKER, PullEnd};
use crate::watch::{Fate, Pin, Watcher};

async fn pin(watcher: &mut Watcher<Model>) -> Pin {
    watcher.cycle().await.unwrap();
    let asked = watcher.next().await.unwrap().unwrap();
    watcher.confirm(asked.comment.id).unwrap();
    asked.pin
}

#[tokio::test]
async fn a_word_is_about_the_head_that_was_there_when_it_was_written() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let mut watcher = open(&model, folder.path()).await;
    // All of it in one second.
    model.push(1, 'a');
    model.comment_by(MEMBER, 1, "!testme");
    assert_eq!(pin(&mut watcher).await, Pin::Head);
    model.comment_by(MEMBER, 1, "!testme");
    model.push(1, 'b');
    assert_eq!(pin(&mut watcher).await, Pin::Pushed);
    model.comment_by(MEMBER, 1, "!testme");
    assert_eq!(pin(&mut watcher).await, Pin::Head);
    // There and back is no better.
    model.comment_by(MEMBER, 1, "!testme");
    model.tick(1);
    model.push(1, 'a');
    model.push(1, 'b');
    assert_eq!(pin(&mut watcher).await, Pin::Pushed);
    model.is_old();
    model.comment_by(MEMBER, 1, "!testme");
    assert_eq!(pin(&mut watcher).await, Pin::Unsure);
}

#[tokio::test]
async fn only_a_word_about_a_run_costs_a_look_at_the_pushes() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let mut watcher = open(&model, folder.path()).await;
    for (word, requests) in [("!status", 3), ("!stop", 3), ("!tesme", 3), ("!testme", 5)] {
        model.comment_by(MEMBER, 1, word);
        watcher.cycle().await.unwrap();
        model.requests();
        let asked = watcher.next().await.unwrap().unwrap();
        assert_eq!(model.requests(), requests, "{word}");
        watcher.confirm(asked.comment.id).unwrap();
    }
}

#[tokio::test]
async fn many_words_on_one_pull_request_cost_its_whole_timeline_once() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let mut watcher = open(&model, folder.path()).await;
    model.push(1, 'a');
    for _ in 0..4 {
        model.tick(10);
        model.comment_by(MEMBER, 1, "!testme");
    }
    watcher.cycle().await.unwrap();
    let mut next = async |requests: u32| {
        model.requests();
        let asked = watcher.next().await.unwrap().unwrap();
        assert_eq!(model.requests(), requests);
        watcher.confirm(asked.comment.id).unwrap();
        (asked.comment.id.0, asked.pin)
    };
    // The oldest one cannot be told about: the one after it is read first, and it from its own moment on.
    model.fail_after(0, super::wrong());
    assert_eq!(next(6).await, (3, Pin::Head));
    assert_eq!(next(5).await, (2, Pin::Head));
    assert_eq!(next(4).await, (4, Pin::Head));
    model.tick(10);
    model.push(1, 'b');
    assert_eq!(next(4).await, (5, Pin::Pushed), "a push that came while words waited");
    model.comment_by(MEMBER, 1, "!testme");
    watcher.cycle().await.unwrap();
    model.requests();
    assert_eq!(watcher.next().await.unwrap().unwrap().pin, Pin::Head);
    assert_eq!(model.requests(), 5, "with no word left, nothing was kept");
}

#[tokio::test]
async fn the_end_of_a_pull_request_is_told_until_it_is_old() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let mut watcher = open(&model, folder.path()).await;
    let mut ended = async || {
        let cycle = watcher.cycle().await.unwrap();
        cycle.ended.into_iter().map(|(pull, end)| (pull.number, end)).collect::<Vec<_>>()
    };
    model.comment_by(MEMBER, 2, "nice");
    assert_eq!(ended().await, []);
    model.end(1, Some(PullEnd::Closed));
    model.end(2, Some(PullEnd::Merged));
    let mut both = ended().await;
    both.sort_by_key(|(number, _)| *number);
    assert_eq!(both, [(1, PullEnd::Closed), (2, PullEnd::Merged)]);
    model.tick(30);
    ended().await;
    assert_eq!(ended().await, [], "once it is settled it is no news");
    model.end(1, None);
    assert_eq!(ended().await, []);
    assert_eq!(pull(1).number, 1);
}

#[tokio::test]
async fn an_end_that_a_failed_look_saw_is_told_by_the_next() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let mut watcher = open(&model, folder.path()).await;
    model.comment_by(MEMBER, 1, "nice");
    model.end(1, Some(PullEnd::Closed));
    model.fail_after(1, super::down());
    assert!(watcher.cycle().await.is_err());
    assert_eq!(watcher.cycle().await.unwrap().ended, [(pull(1), PullEnd::Closed)]);
}

#[tokio::test]
async fn a_person_with_the_bots_account_is_heard_and_answers_are_not() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    // The account has to be a member's for its commands to count.
    model.is_member("bot");
    let mut watcher = open(&model, folder.path()).await;
    let answers = [
        format!("{ANSWER_MARKER}\n### queued\n\n!testme"),
        format!("{ANSWER_MARKER}\n!testme\n!testme"),
        ANSWER_MARKER.to_owned(),
    ]
    .map(|text| model.comment_by(BOT, 1, &text));
    let words = ["!testme", "Thanks.\n\n!stop"].map(|text| model.comment_by(BOT, 1, text));
    let quoted = model.comment_by(BOT, 1, &format!("> {ANSWER_MARKER}\n> !testme"));
    watcher.cycle().await.unwrap();
    assert_eq!(taken(&mut watcher).await, words);
    assert!(answers.iter().all(|id| watcher.fate(*id) == Some(Fate::Own)));
    assert_eq!(watcher.fate(quoted), Some(Fate::Chatter));
    // The person owns the answer, too, and may edit it: an edit is no command.
    model.reword(answers[0], "!testme");
    model.comment_by(MEMBER, 1, "nice");
    watcher.cycle().await.unwrap();
    assert_eq!(taken(&mut watcher).await, []);
}
