//! A forge in memory, with a manual clock and injected failures.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use base::names::Commit;
use jiff::Timestamp;
use url::Url;

use crate::api::{Changed, Comment, Forge, ForgeError, Listed, Mark, Pull, PullEnd, Push, Pushes, Status};
use crate::names::{CommentId, Login, PullId, Repo, User};

pub(super) const BOT: i64 = 1;
pub(super) const MEMBER: i64 = 2;
pub(super) const STRANGER: i64 = 3;

/// Page size.
const PART: usize = 5;

#[derive(Debug, Clone, Default)]
pub(super) struct Model(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    second: i64,
    last: u64,
    comments: BTreeMap<u64, Comment>,
    updated: BTreeMap<PullId, i64>,
    ended: BTreeMap<PullId, PullEnd>,
    pushes: BTreeMap<PullId, Vec<(i64, Push)>>,
    /// It does not report pushes.
    is_old: bool,
    /// A second member, next to ada.
    member: Option<String>,
    requests: u32,
    /// The request that fails, counted from now.
    fails: Option<(u32, ForgeError)>,
    /// Deleted between the first page of a list of comments and the rest.
    slips: Option<u64>,
}

pub(super) fn user(id: i64) -> User {
    let login = match id {
        BOT => "bot",
        MEMBER => "ada",
        _ => "eve",
    };
    User { id, login: login.parse().unwrap() }
}

pub(super) fn pull(number: u64) -> PullId {
    // Two repositories share the pull requests.
    let repo = if number.is_multiple_of(2) { "org/even" } else { "org/odd" };
    PullId { repo: repo.parse().unwrap(), number }
}

pub(super) fn down() -> ForgeError {
    ForgeError::Unreachable { asked: "GET /".to_owned(), why: "down".to_owned() }
}

pub(super) fn wrong() -> ForgeError {
    ForgeError::Wrong { asked: "GET /".to_owned(), why: "odd".to_owned() }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

impl Model {
    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.0.lock().unwrap())
    }

    pub(super) fn tick(&self, seconds: i64) {
        self.with(|inner| inner.second += seconds);
    }

    pub(super) fn comment_by(&self, author: i64, number: u64, text: &str) -> CommentId {
        self.with(|inner| {
            inner.last += 1;
            let (id, now) = (CommentId(inner.last), at(inner.second));
            let (author, text) = (user(author), text.to_owned());
            inner.comments.insert(id.0, Comment { id, pull: pull(number), author, text, created: now, updated: now });
            inner.updated.insert(pull(number), inner.second);
            id
        })
    }

    /// A push to a pull request's head: a row of the same sequence as comments.
    pub(super) fn push(&self, number: u64, digit: char) {
        self.with(|inner| {
            inner.last += 1;
            let commits = vec![digit.to_string().repeat(40).parse().unwrap()];
            let push = Push { id: CommentId(inner.last), is_force: false, commits };
            inner.pushes.entry(pull(number)).or_default().push((inner.second, push));
            inner.updated.insert(pull(number), inner.second);
        });
    }

    /// A pull request ends, or is reopened.
    pub(super) fn end(&self, number: u64, end: Option<PullEnd>) {
        self.with(|inner| {
            match end {
                Some(end) => inner.ended.insert(pull(number), end),
                None => inner.ended.remove(&pull(number)),
            };
            inner.updated.insert(pull(number), inner.second);
        });
    }

    /// Makes a user a member.
    pub(super) fn is_member(&self, login: &str) {
        self.with(|inner| inner.member = Some(login.to_owned()));
    }

    /// It does not report pushes.
    pub(super) fn is_old(&self) {
        self.with(|inner| inner.is_old = true);
    }

    pub(super) fn read(&self, id: CommentId) -> Comment {
        self.with(|inner| inner.comments[&id.0].clone())
    }

    pub(super) fn reword(&self, id: CommentId, text: &str) {
        self.with(|inner| {
            let now = at(inner.second);
            if let Some(comment) = inner.comments.get_mut(&id.0) {
                (comment.text, comment.updated) = (text.to_owned(), now);
            }
        });
    }

    pub(super) fn delete(&self, id: CommentId) {
        self.with(|inner| inner.comments.remove(&id.0));
    }

    /// The request after this many others fails.
    pub(super) fn fail_after(&self, others: u32, error: ForgeError) {
        self.with(|inner| inner.fails = Some((others, error)));
    }

    /// This comment vanishes in the middle of the next list of several pages.
    pub(super) fn slip(&self, id: CommentId) {
        self.with(|inner| inner.slips = Some(id.0));
    }

    /// The number of requests since the last call.
    pub(super) fn requests(&self) -> u32 {
        self.with(|inner| std::mem::take(&mut inner.requests))
    }

    fn answer<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> Result<T, ForgeError> {
        self.with(|inner| {
            inner.requests += 1;
            match inner.fails.take() {
                Some((0, error)) => return Err(error),
                Some((others, error)) => inner.fails = Some((others - 1, error)),
                None => {}
            }
            Ok(work(inner))
        })
    }
}

impl Forge for Model {
    async fn me(&self) -> Result<User, ForgeError> {
        self.answer(|_| user(BOT))
    }

    async fn now(&self) -> Result<Timestamp, ForgeError> {
        self.answer(|inner| at(inner.second))
    }

    async fn changed(&self, since: Timestamp) -> Result<Changed, ForgeError> {
        self.answer(|inner| {
            let marks = inner.updated.iter().filter(|(_, second)| at(**second) >= since).map(|(pull, second)| Mark {
                pull: pull.clone(),
                updated: at(*second),
                comments: inner.comments.values().filter(|comment| comment.pull == *pull).count() as u64,
                ended: inner.ended.get(pull).copied(),
            });
            Changed { at: Some(at(inner.second)), pulls: Listed { items: marks.collect(), at_once: true } }
        })
    }

    async fn comments(&self, repo: &Repo, since: Timestamp) -> Result<Listed<Comment>, ForgeError> {
        self.answer(|inner| {
            let all = |inner: &Inner| -> Vec<Comment> {
                let meant = |comment: &&Comment| comment.pull.repo == *repo && comment.updated >= since;
                inner.comments.values().filter(meant).cloned().collect()
            };
            let mut items: Vec<Comment> = all(inner).into_iter().take(PART).collect();
            let at_once = all(inner).len() < PART;
            if !at_once {
                if let Some(id) = inner.slips.take() {
                    inner.comments.remove(&id);
                }
                items.extend(all(inner).into_iter().skip(PART));
            }
            Listed { items, at_once }
        })
    }

    async fn comment(&self, _repo: &Repo, id: CommentId) -> Result<Option<Comment>, ForgeError> {
        self.answer(|inner| inner.comments.get(&id.0).cloned())
    }

    async fn is_member(&self, login: &Login) -> Result<bool, ForgeError> {
        self.answer(|inner| login.as_str() == "ada" || inner.member.as_deref() == Some(login.as_str()))
    }

    async fn pull(&self, pull: &PullId) -> Result<Option<Pull>, ForgeError> {
        self.answer(|inner| {
            let last = inner.pushes.get(pull).and_then(|pushes| pushes.last()?.1.commits.last().cloned());
            Some(Pull {
                id: pull.clone(),
                head: last.unwrap_or_else(|| "0123456789abcdef0123456789abcdef01234567".parse().unwrap()),
                head_repo: Some(pull.repo.clone()),
                base: "main".parse().unwrap(),
                author: user(MEMBER),
                ended: inner.ended.get(pull).copied(),
            })
        })
    }

    async fn pushes(&self, pull: &PullId, since: Option<Timestamp>) -> Result<Option<Pushes>, ForgeError> {
        self.answer(|inner| {
            let is_meant = |moment: &Timestamp| since.is_none_or(|since| *moment >= since);
            let pushes = inner.pushes.get(pull).into_iter().flatten().map(|(second, push)| (at(*second), push));
            let items = pushes.clone().filter(|(moment, _)| is_meant(moment)).map(|(_, push)| push.clone()).collect();
            let comments = inner.comments.values().filter(|comment| comment.pull == *pull);
            let rows = comments.map(|comment| comment.updated).chain(pushes.map(|(moment, _)| moment));
            (!inner.is_old).then(|| Pushes { items, newest: rows.filter(is_meant).max() })
        })
    }

    async fn own_comment(&self, _pull: &PullId, _marker: &str) -> Result<Option<CommentId>, ForgeError> {
        unreachable!("the watcher writes nothing")
    }

    async fn say(&self, _pull: &PullId, _text: &str) -> Result<CommentId, ForgeError> {
        unreachable!("the watcher writes nothing")
    }

    async fn edit(&self, _repo: &Repo, _id: CommentId, _text: &str) -> Result<(), ForgeError> {
        unreachable!("the watcher writes nothing")
    }

    async fn set_status(&self, _repo: &Repo, _commit: &Commit, _status: &Status) -> Result<(), ForgeError> {
        unreachable!("the watcher writes nothing")
    }

    fn clone_url(&self, _repo: &Repo) -> Url {
        unreachable!("the watcher fetches nothing")
    }
}
