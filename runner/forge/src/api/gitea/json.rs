//! The parts of Gitea's objects that cc-ci reads, and their conversion to checked types.

use base::names::Commit;
use jiff::Timestamp;
use serde::Deserialize;

use crate::api::{self, PullEnd};
use crate::grammar::COMMENT_BYTES;
use crate::names::{self, CommentId, PullId, Repo};

#[derive(Deserialize)]
pub(super) struct User {
    id: i64,
    login: String,
}

impl User {
    pub(super) fn checked(&self) -> Result<names::User, String> {
        let login = self.login.parse().map_err(|e: base::names::NameError| e.to_string())?;
        Ok(names::User { id: self.id, login })
    }
}

#[derive(Deserialize)]
struct FullName {
    full_name: String,
}

impl FullName {
    fn checked(&self) -> Result<Repo, String> {
        self.full_name.parse().map_err(|e: base::names::NameError| e.to_string())
    }
}

/// A pull request in a search result.
#[derive(Deserialize)]
pub(super) struct Issue {
    number: u64,
    comments: u64,
    updated_at: Timestamp,
    state: String,
    repository: Option<FullName>,
    pull_request: Option<Merged>,
}

#[derive(Deserialize)]
struct Merged {
    #[serde(default)]
    merged: bool,
}

/// How a pull request ended, from the forge's fields.
fn ended(state: &str, merged: bool) -> Option<PullEnd> {
    match (merged, state) {
        (true, _) => Some(PullEnd::Merged),
        (false, "open") => None,
        (false, _) => Some(PullEnd::Closed),
    }
}

impl Issue {
    pub(super) fn mark(&self) -> Result<Option<api::Mark>, String> {
        let Some(merged) = &self.pull_request else { return Ok(None) };
        let repo = self.repository.as_ref().ok_or("it has no repository")?.checked()?;
        let pull = PullId { repo, number: self.number };
        let ended = ended(&self.state, merged.merged);
        Ok(Some(api::Mark { pull, updated: self.updated_at, comments: self.comments, ended }))
    }
}

#[derive(Deserialize)]
pub(super) struct Comment {
    pub(super) id: u64,
    user: Option<User>,
    #[serde(default)]
    pub(super) body: String,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(default)]
    pull_request_url: String,
    #[serde(default)]
    original_author: String,
}

impl Comment {
    pub(super) fn is_by(&self, user: &names::User) -> bool {
        self.user.as_ref().is_some_and(|own| own.id == user.id)
    }

    /// The comment, if it belongs to a pull request of this repository.
    pub(super) fn of_repo(self, repo: &Repo) -> Result<Option<api::Comment>, String> {
        if self.pull_request_url.is_empty() {
            return Ok(None);
        }
        let number = self.pull_request_url.rsplit('/').next().and_then(|number| number.parse().ok());
        let number =
            number.ok_or_else(|| format!("the address of the pull request of comment {} has no number", self.id))?;
        self.on(PullId { repo: repo.clone(), number })
    }

    fn on(self, pull: PullId) -> Result<Option<api::Comment>, String> {
        // The user who imported it did not write it.
        if !self.original_author.is_empty() {
            return Ok(None);
        }
        let author = self.user.ok_or_else(|| format!("comment {} has no author", self.id))?.checked()?;
        Ok(Some(api::Comment {
            id: CommentId(self.id),
            pull,
            author,
            text: cut(self.body),
            created: self.created_at,
            updated: self.updated_at,
        }))
    }
}

/// Cuts a text that is too long to be parsed, so that it stays too long and takes no more memory.
fn cut(mut text: String) -> String {
    if text.len() > COMMENT_BYTES {
        text.truncate(text.ceil_char_boundary(COMMENT_BYTES + 1));
        text.shrink_to_fit();
    }
    text
}

#[derive(Deserialize)]
pub(super) struct Made {
    pub(super) id: u64,
}

#[derive(Deserialize)]
pub(super) struct Pull {
    number: u64,
    state: String,
    #[serde(default)]
    merged: bool,
    user: User,
    head: Side,
    base: Side,
}

#[derive(Deserialize)]
struct Side {
    #[serde(rename = "ref")]
    branch: String,
    sha: String,
    repo: Option<FullName>,
}

impl Pull {
    pub(super) fn checked(&self, asked: &PullId) -> Result<api::Pull, String> {
        let name = |e: base::names::NameError| e.to_string();
        if self.number != asked.number {
            return Err(format!("it is pull request {} and not {}", self.number, asked.number));
        }
        Ok(api::Pull {
            id: asked.clone(),
            head: self.head.sha.parse().map_err(name)?,
            head_repo: self.head.repo.as_ref().map(FullName::checked).transpose()?,
            base: self.base.branch.parse().map_err(name)?,
            author: self.user.checked()?,
            ended: ended(&self.state, self.merged),
        })
    }
}

/// A row of a pull request's timeline: a comment, a push, or one of many other events.
#[derive(Deserialize)]
pub(super) struct Event {
    id: u64,
    pub(super) updated_at: Option<Timestamp>,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    body: String,
}

/// The content of a push's row.
#[derive(Deserialize)]
struct Pushed {
    #[serde(default)]
    is_force_push: bool,
    #[serde(default)]
    commit_ids: Vec<Commit>,
}

impl Event {
    /// The row's push. One that cannot be parsed still counts as a push, of unknown commits.
    pub(super) fn push(&self) -> Option<api::Push> {
        let unknown = || Pushed { is_force_push: false, commit_ids: Vec::new() };
        let pushed = |body| serde_json::from_str(body).unwrap_or_else(|_| unknown());
        (self.kind == "pull_push").then(|| {
            let Pushed { is_force_push, commit_ids } = pushed(&self.body);
            api::Push { id: CommentId(self.id), is_force: is_force_push, commits: commit_ids }
        })
    }
}

/// The payload of a webhook about a comment.
#[derive(Deserialize)]
struct Payload {
    action: String,
    is_pull: bool,
    comment: Comment,
    issue: Number,
    repository: FullName,
}

#[derive(Deserialize)]
struct Number {
    number: u64,
}

/// The comment of a webhook's payload; `None` if it is not a new comment on a pull request.
pub(crate) fn comment_of_payload(payload: &[u8]) -> Result<Option<api::Comment>, String> {
    let payload: Payload = serde_json::from_slice(payload).map_err(|error| {
        format!("it is no payload about a comment, at line {} column {}", error.line(), error.column())
    })?;
    if !payload.is_pull || payload.action != "created" {
        return Ok(None);
    }
    let pull = PullId { repo: payload.repository.checked()?, number: payload.issue.number };
    payload.comment.on(pull)
}
