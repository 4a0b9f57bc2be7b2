//! Fakes of a forge and of runs.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use base::names::{Commit, RunId};
use forge::api::{Changed, Comment, Forge, ForgeError, Listed, Pull, PullEnd, Pushes, Status};
use forge::grammar;
use forge::names::{CommentId, Login, PullId, Repo, User};
use forge::watch::{CommandRequest, Pin, Waiting};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::WorkerMessage;
use crate::child::{Leash, Order, Runs};
use crate::kept::{Ending, KeptApps};

pub(crate) const HEAD: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f80912a3b4c5";

/// Ada's comment on a pull request of custom-html.
pub(crate) fn asked(comment: u64, number: u64, text: &str) -> CommandRequest {
    let pull = PullId { repo: "coop/custom-html".parse().unwrap(), number };
    let ada = User { id: 2, login: "ada".parse().unwrap() };
    CommandRequest {
        comment: Waiting {
            id: CommentId(comment),
            pull: pull.clone(),
            author: ada.clone(),
            created: Timestamp::now(),
            said: grammar::parse(text),
        },
        member: ada.clone(),
        pull: Pull {
            head: HEAD.parse().unwrap(),
            head_repo: Some(pull.repo.clone()),
            id: pull,
            base: "main".parse().unwrap(),
            author: ada,
            ended: None,
        },
        pin: Pin::Head,
    }
}

/// A forge in memory.
#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<Shown>);

#[derive(Debug, Default)]
struct Shown {
    comments: BTreeMap<u64, (PullId, String)>,
    statuses: Vec<(Commit, Status)>,
    edits: usize,
    /// How pull requests ended.
    ended: BTreeMap<u64, PullEnd>,
    /// Number of requests that fail; the first of them after it was carried out.
    fails: usize,
    last: u64,
}

impl Board {
    fn with<T>(&self, work: impl FnOnce(&mut Shown) -> T) -> T {
        work(&mut self.0.lock().unwrap())
    }

    fn write<T>(&self, work: impl FnOnce(&mut Shown) -> T) -> Result<T, ForgeError> {
        self.with(|shown| {
            let fails = shown.fails;
            shown.fails = fails.saturating_sub(1);
            match fails {
                0 => Ok(work(shown)),
                // The response is lost, the request was carried out.
                1 => {
                    work(shown);
                    Err(down())
                }
                _ => Err(down()),
            }
        })
    }

    /// Makes the next `count` writing requests fail.
    pub(crate) fn fail(&self, count: usize) {
        self.with(|shown| shown.fails = count);
    }

    /// The comments on a pull request.
    pub(crate) fn on(&self, number: u64) -> Vec<String> {
        let here = |(pull, text): &(PullId, String)| (pull.number == number).then(|| text.clone());
        self.with(|shown| shown.comments.values().filter_map(here).collect())
    }

    /// A pull request ends while cc-ci is down.
    pub(crate) fn ends(&self, number: u64, end: PullEnd) {
        self.with(|shown| shown.ended.insert(number, end));
    }

    pub(crate) fn delete_all(&self) {
        self.with(|shown| shown.comments.clear());
    }

    pub(crate) fn edits(&self) -> usize {
        self.with(|shown| shown.edits)
    }

    pub(crate) fn statuses(&self) -> Vec<(String, forge::api::StatusState, String)> {
        let one = |(_, status): &(Commit, Status)| (status.context.clone(), status.state, status.description.clone());
        self.with(|shown| shown.statuses.iter().map(one).collect())
    }
}

fn down() -> ForgeError {
    ForgeError::Unreachable { asked: "POST /".to_owned(), why: "down".to_owned() }
}

impl Forge for Board {
    async fn me(&self) -> Result<User, ForgeError> {
        Ok(User { id: 1, login: "cc-ci".parse().unwrap() })
    }
    async fn now(&self) -> Result<Timestamp, ForgeError> {
        Ok(Timestamp::now())
    }
    async fn changed(&self, _: Timestamp) -> Result<Changed, ForgeError> {
        Err(down())
    }
    async fn comments(&self, _: &Repo, _: Timestamp) -> Result<Listed<Comment>, ForgeError> {
        Err(down())
    }
    async fn comment(&self, _: &Repo, _: CommentId) -> Result<Option<Comment>, ForgeError> {
        Err(down())
    }
    async fn is_member(&self, _: &Login) -> Result<bool, ForgeError> {
        Err(down())
    }
    async fn pull(&self, pull: &PullId) -> Result<Option<Pull>, ForgeError> {
        let ended = self.with(|shown| shown.ended.get(&pull.number).copied());
        Ok(Some(Pull { ended, ..asked(1, pull.number, "").pull }))
    }
    async fn pushes(&self, _: &PullId, _: Option<Timestamp>) -> Result<Option<Pushes>, ForgeError> {
        Err(down())
    }
    async fn own_comment(&self, pull: &PullId, marker: &str) -> Result<Option<CommentId>, ForgeError> {
        let found = |shown: &mut Shown| {
            let mut own = shown.comments.iter().filter(|(_, (at, text))| at == pull && text.starts_with(marker));
            own.next().map(|(id, _)| CommentId(*id))
        };
        Ok(self.with(found))
    }
    async fn say(&self, pull: &PullId, text: &str) -> Result<CommentId, ForgeError> {
        self.write(|shown| {
            shown.last += 1;
            shown.comments.insert(shown.last, (pull.clone(), text.to_owned()));
            CommentId(shown.last)
        })
    }
    async fn edit(&self, _: &Repo, id: CommentId, text: &str) -> Result<(), ForgeError> {
        let done = self.write(|shown| match shown.comments.get_mut(&id.0) {
            Some((_, known)) => {
                shown.edits += 1;
                text.clone_into(known);
                true
            }
            None => false,
        })?;
        let gone = || ForgeError::Refused { asked: "PATCH /".to_owned(), status: 404, hint: "it is gone" };
        if done { Ok(()) } else { Err(gone()) }
    }
    async fn set_status(&self, _: &Repo, commit: &Commit, status: &Status) -> Result<(), ForgeError> {
        self.write(|shown| shown.statuses.push((commit.clone(), status.clone())))
    }
    fn clone_url(&self, repo: &Repo) -> Url {
        format!("https://git.example.org/{repo}.git").parse().unwrap()
    }
}

/// Removes kept apps as instructed, and records whose.
#[derive(Debug, Default)]
pub(crate) struct Apps {
    ended: Mutex<Vec<RunId>>,
    /// The error to return.
    refuses: Mutex<Option<String>>,
}

impl Apps {
    pub(crate) fn ended(&self) -> Vec<RunId> {
        self.ended.lock().unwrap().clone()
    }

    pub(crate) fn refuse(&self, why: &str) {
        *self.refuses.lock().unwrap() = Some(why.to_owned());
    }
}

impl KeptApps for Apps {
    fn end<'a>(&'a self, run: &'a RunId) -> Ending<'a> {
        self.ended.lock().unwrap().push(run.clone());
        let refused = self.refuses.lock().unwrap().clone();
        Box::pin(async move { refused.map_or(Ok(()), Err) })
    }
}

/// The test's side of a started run.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) order: Order,
    pub(crate) let_go: CancellationToken,
    pub(crate) came: mpsc::UnboundedSender<WorkerMessage>,
}

/// Starts no process and reports each order.
#[derive(Debug, Clone)]
pub(crate) struct Stage(pub(crate) Arc<Mutex<mpsc::UnboundedSender<Started>>>);

impl Runs for Stage {
    fn start(&self, order: &Order, came: mpsc::UnboundedSender<WorkerMessage>) -> io::Result<Leash> {
        let (leash, let_go) = Leash::new();
        let started = Started { order: order.clone(), let_go, came };
        self.0.lock().unwrap().send(started).map_err(io::Error::other)?;
        Ok(leash)
    }
}
