//! Accepts commands from the watcher.

use forge::api::PullEnd;
use forge::names::PullId;
use forge::watch::{CommandRequest, Desk};
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::job::Job;
use super::job_store::JobStore;
use super::message::WorkerMessage;

/// Stores commands and notifies the worker.
#[derive(Debug)]
pub struct JobQueue {
    book: JobStore,
    worker: mpsc::UnboundedSender<WorkerMessage>,
}

impl JobQueue {
    pub fn new(book: JobStore, worker: mpsc::UnboundedSender<WorkerMessage>) -> Self {
        Self { book, worker }
    }
}

impl Desk for JobQueue {
    async fn take_on(&mut self, asked: &CommandRequest) -> Result<(), String> {
        // A duplicate: it is stored, and the worker has it.
        if self.book.has(asked.comment.id) {
            return Ok(());
        }
        let job = Job::new(asked, Timestamp::now());
        self.book.save(&job).map_err(|error| error.to_string())?;
        // A worker that is not running reads it from the store when it starts.
        let _ = self.worker.send(WorkerMessage::Word(Box::new(job)));
        Ok(())
    }

    fn ended(&mut self, pull: &PullId, end: PullEnd) {
        // A worker that is not running queries it when it starts.
        let _ = self.worker.send(WorkerMessage::PullEnded { pull: pull.clone(), end, until: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::fake::asked;

    #[tokio::test]
    async fn a_word_that_comes_twice_is_taken_on_once() {
        let state = tempfile::tempdir().unwrap();
        let (send, mut came) = mpsc::unbounded_channel();
        let book = JobStore::below(state.path()).unwrap();
        let mut desk = JobQueue::new(book.clone(), send);
        desk.take_on(&asked(5, 7, "!testme")).await.unwrap();
        desk.take_on(&asked(5, 7, "!testme")).await.unwrap();
        assert!(
            matches!(came.try_recv().unwrap(), WorkerMessage::Word(job) if book.all(Timestamp::now()).unwrap() == std::slice::from_ref(&*job))
        );
        assert!(came.try_recv().is_err());
    }
}
