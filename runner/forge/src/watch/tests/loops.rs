use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::model::{MEMBER, Model, down};
use super::open;
use crate::names::CommentId;
use crate::watch::{Backoff, CommandRequest, Desk, WatchError, keep};

#[derive(Default)]
struct Notes {
    taken: Vec<CommentId>,
    tries: HashMap<CommentId, u32>,
    looks: Vec<bool>,
    /// How often a command is refused before it is accepted.
    refuses: u32,
    /// Stops after this many accepted commands.
    enough: usize,
    stop: CancellationToken,
}

impl Desk for Notes {
    async fn take_on(&mut self, asked: &CommandRequest) -> Result<(), String> {
        let tries = self.tries.entry(asked.comment.id).or_default();
        *tries += 1;
        if *tries <= self.refuses {
            return Err("the disk is full".to_owned());
        }
        self.taken.push(asked.comment.id);
        if self.taken.len() >= self.enough {
            self.stop.cancel();
        }
        Ok(())
    }

    fn looked(&mut self, result: Result<(), &WatchError>) {
        self.looks.push(result.is_ok());
    }
}

fn pace() -> Backoff {
    Backoff::default()
}

#[tokio::test(start_paused = true)]
async fn a_webhook_is_taken_on_before_the_next_look() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let mut watcher = open(&model, folder.path()).await;
    let mut notes = Notes { enough: 1, ..Notes::default() };
    let (send, receive) = mpsc::channel(4);
    let stop = notes.stop.clone();
    let begun = tokio::time::Instant::now();
    let word = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let id = model.comment_by(MEMBER, 1, "!testme");
        send.send(model.read(id)).await.unwrap();
        id
    };
    let (id, ()) = tokio::join!(word, keep(&mut watcher, receive, &mut notes, pace(), &stop));
    assert_eq!((notes.taken, begun.elapsed().as_secs()), (vec![id], 2));
}

#[tokio::test(start_paused = true)]
async fn without_webhooks_it_is_the_next_look() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let mut watcher = open(&model, folder.path()).await;
    let mut notes = Notes { enough: 1, ..Notes::default() };
    let (_, receive) = mpsc::channel(1);
    let stop = notes.stop.clone();
    let begun = tokio::time::Instant::now();
    let word = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        model.comment_by(MEMBER, 1, "!testme")
    };
    let (id, ()) = tokio::join!(word, keep(&mut watcher, receive, &mut notes, pace(), &stop));
    assert_eq!((notes.taken, begun.elapsed().as_secs()), (vec![id], 30));
}

#[tokio::test(start_paused = true)]
async fn a_forge_that_is_down_is_asked_again_and_loses_nothing() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let mut watcher = open(&model, folder.path()).await;
    let id = model.comment_by(MEMBER, 1, "!testme");
    let mut notes = Notes { enough: 1, ..Notes::default() };
    let (_, receive) = mpsc::channel(1);
    let stop = notes.stop.clone();
    model.fail_after(0, down());
    keep(&mut watcher, receive, &mut notes, pace(), &stop).await;
    assert_eq!((notes.taken, notes.looks[0]), (vec![id], false));
}

#[tokio::test(start_paused = true)]
async fn a_desk_that_is_full_is_given_the_word_again() {
    let (model, folder) = (Model::default(), tempfile::tempdir().unwrap());
    let mut watcher = open(&model, folder.path()).await;
    let ids = [model.comment_by(MEMBER, 1, "!testme"), model.comment_by(MEMBER, 2, "!stop")];
    let mut notes = Notes { enough: 2, refuses: 3, ..Notes::default() };
    let (_, receive) = mpsc::channel(1);
    let stop = notes.stop.clone();
    keep(&mut watcher, receive, &mut notes, pace(), &stop).await;
    assert_eq!(notes.taken, ids);
    assert!(watcher.waiting().len() <= 1);
}
