//! Gitea. Written for 1.26; it relies on:
//!
//! - a new comment sets its pull request's `updated_at` in the same transaction; an edited one does not;
//! - `GET /repos/issues/search` without search words queries the database and no index, which would lag behind; with
//!   `owner` it finds what the bot may see in that owner's repositories;
//! - comments share one sequence of ids over all repositories;
//! - a push to a pull request's head is a row of that sequence, written a moment after the head itself has moved, and
//!   the timeline returns it with its commits;
//! - times are whole seconds;
//! - setting the status of a commit that was garbage-collected returns 500.
//!
//! The bot is a member of the organisation, in a team that may write to its repositories' issues and pull requests, and
//! to code if it is to set statuses. Its token has the scopes `read:user`, `read:organization`, `write:issue` and
//! `write:repository`.

mod account;
mod call;
mod hosting;
mod json;
mod list;
mod version;

use base::names::Commit;
use http_client::{Http, Method, coded};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::json;
use url::Url;

pub use self::account::{Account, ENROL_TITLE};
use self::call::{Call, date};
pub(crate) use self::json::comment_of_payload;
use super::{Changed, Comment, Forge, ForgeError, Listed, Pull, Pushes, Status, StatusState};
use crate::names::{CommentId, Login, Owner, PullId, Repo, User};

/// A Gitea with one bot's token and one organisation.
#[derive(Debug, Clone)]
pub struct Gitea {
    call: Call,
    owner: Owner,
}

impl Gitea {
    /// For the Gitea at this address, such as `https://git.example.org`. Sends no request yet.
    pub fn new(http: Http, url: Url, owner: Owner, token: SecretString) -> Self {
        Self { call: Call::new(http, url, token), owner }
    }

    fn repo_path(repo: &Repo) -> String {
        format!("repos/{}/{}", coded(repo.owner.as_str()), coded(repo.name.as_str()))
    }
}

impl Forge for Gitea {
    async fn me(&self) -> Result<User, ForgeError> {
        let answer = self.call.get("user", &[]).await?;
        let user: json::User = answer.read()?;
        user.checked().map_err(|why| answer.wrong(why))
    }

    async fn now(&self) -> Result<Timestamp, ForgeError> {
        // Every response has the clock; this one needs no other permission.
        let answer = self.call.get("user", &[]).await?;
        date(&answer).ok_or_else(|| answer.wrong("the answer has no date"))
    }

    async fn changed(&self, since: Timestamp) -> Result<Changed, ForgeError> {
        let since = since.to_string();
        let query = [("type", "pulls"), ("state", "all"), ("owner", self.owner.as_str()), ("since", &since)];
        let (answers, pulls) = self.list::<json::Issue>("repos/issues/search", &query).await?;
        // The first of several responses: changes while the others arrived are queried again.
        let at = answers.first().and_then(date);
        let mut marks = Vec::new();
        for issue in pulls.items {
            match issue.mark() {
                // A forge without the filter returns every owner's.
                Ok(Some(mark)) if mark.pull.repo.owner.as_str().eq_ignore_ascii_case(self.owner.as_str()) => {
                    marks.push(mark);
                }
                Ok(_) => {}
                Err(why) => tracing::warn!("a pull request is left out: {why}"),
            }
        }
        Ok(Changed { at, pulls: Listed { items: marks, at_once: pulls.at_once } })
    }

    async fn comments(&self, repo: &Repo, since: Timestamp) -> Result<Listed<Comment>, ForgeError> {
        let path = format!("{}/issues/comments", Self::repo_path(repo));
        let (_, listed) = self.list::<json::Comment>(&path, &[("since", &since.to_string())]).await?;
        let mut items = Vec::new();
        for comment in listed.items {
            match comment.of_repo(repo) {
                Ok(Some(comment)) => items.push(comment),
                Ok(None) => {}
                Err(why) => tracing::warn!("a comment in {repo} is left out: {why}"),
            }
        }
        Ok(Listed { items, at_once: listed.at_once })
    }

    async fn comment(&self, repo: &Repo, id: CommentId) -> Result<Option<Comment>, ForgeError> {
        let answer = self.call.ask(Method::GET, &format!("{}/issues/comments/{id}", Self::repo_path(repo))).await?;
        if answer.status() == 404 {
            return Ok(None);
        }
        let comment: json::Comment = answer.read()?;
        comment.of_repo(repo).map_err(|why| answer.wrong(why))
    }

    async fn is_member(&self, user: &Login) -> Result<bool, ForgeError> {
        let path = format!("orgs/{}/members/{}", coded(self.owner.as_str()), coded(user.as_str()));
        let answer = self.call.ask(Method::GET, &path).await?;
        match answer.status() {
            204 => Ok(true),
            404 => Ok(false),
            // Gitea redirects users who are not members to the list of public members.
            302 | 303 => Err(answer.refused("the bot must be a member of the organisation to see who else is one")),
            _ => Err(answer.error()),
        }
    }

    async fn pull(&self, pull: &PullId) -> Result<Option<Pull>, ForgeError> {
        let answer =
            self.call.ask(Method::GET, &format!("{}/pulls/{}", Self::repo_path(&pull.repo), pull.number)).await?;
        if answer.status() == 404 {
            return Ok(None);
        }
        let found: json::Pull = answer.read()?;
        found.checked(pull).map(Some).map_err(|why| answer.wrong(why))
    }

    async fn pushes(&self, pull: &PullId, since: Option<Timestamp>) -> Result<Option<Pushes>, ForgeError> {
        let path = format!("{}/issues/{}/timeline", Self::repo_path(&pull.repo), pull.number);
        let since = since.map(|since| since.to_string());
        let query: Vec<(&str, &str)> = since.iter().map(|since| ("since", since.as_str())).collect();
        // A row that the forge cannot render is null.
        match self.list_with_gaps::<Option<json::Event>>(&path, &query).await {
            Ok(rows) => {
                let rows: Vec<json::Event> = rows.into_iter().flatten().collect();
                let newest = rows.iter().filter_map(|event| event.updated_at).max();
                Ok(Some(Pushes { items: rows.iter().filter_map(json::Event::push).collect(), newest }))
            }
            Err(ForgeError::Refused { status: 403 | 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn own_comment(&self, pull: &PullId, marker: &str) -> Result<Option<CommentId>, ForgeError> {
        let me = self.me().await?;
        let path = format!("{}/issues/{}/comments", Self::repo_path(&pull.repo), pull.number);
        let (_, listed) = self.list::<json::Comment>(&path, &[]).await?;
        let mut own = listed.items.into_iter().filter(|comment| comment.is_by(&me) && comment.body.starts_with(marker));
        Ok(own.next().map(|comment| CommentId(comment.id)))
    }

    async fn say(&self, pull: &PullId, text: &str) -> Result<CommentId, ForgeError> {
        let path = format!("{}/issues/{}/comments", Self::repo_path(&pull.repo), pull.number);
        let made: json::Made = self.call.send(Method::POST, &path, &json!({ "body": text })).await?.read()?;
        Ok(CommentId(made.id))
    }

    async fn edit(&self, repo: &Repo, id: CommentId, text: &str) -> Result<(), ForgeError> {
        let path = format!("{}/issues/comments/{id}", Self::repo_path(repo));
        self.call.send(Method::PATCH, &path, &json!({ "body": text })).await.map(|_| ())
    }

    async fn set_status(&self, repo: &Repo, commit: &Commit, status: &Status) -> Result<(), ForgeError> {
        let state = match status.state {
            StatusState::Pending => "pending",
            StatusState::Success => "success",
            StatusState::Failure => "failure",
            StatusState::Error => "error",
        };
        let description: String = status.description.chars().take(140).collect();
        let body = json!({
            "state": state,
            "context": status.context,
            "description": description,
            "target_url": status.target.as_ref().map_or("", Url::as_str),
        });
        let path = Self::repo_path(repo);
        match self.call.send(Method::POST, &format!("{path}/statuses/{commit}"), &body).await {
            Ok(_) => Ok(()),
            // For a commit that it no longer has, Gitea returns the same status as when it is down.
            Err(error @ ForgeError::Unreachable { .. }) => {
                match self.call.ask(Method::GET, &format!("{path}/git/commits/{commit}")).await {
                    Ok(answer) if answer.status() == 404 => Err(answer.refused("the commit no longer exists")),
                    _ => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    fn clone_url(&self, repo: &Repo) -> Url {
        self.call.page(&format!("{repo}.git"))
    }
}

#[cfg(test)]
mod tests;
