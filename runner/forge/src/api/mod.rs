//! The interface to a forge. Differences between forges stay behind [`Forge`].
//!
//! Every text from a forge is untrusted: it becomes one of the types of [`crate::names`], or a bounded text that only
//! the grammar parses.

mod error;
mod gitea;
mod hosting;
mod release;
mod types;

pub use self::error::ForgeError;
pub(crate) use self::gitea::comment_of_payload;
pub use self::gitea::{Account, ENROL_TITLE, Gitea};
pub use self::hosting::{Hosted, Hosting, NewPull, NewRepo, OwnPull};
pub use self::release::{FEATURES, Feature, ForgeRelease, Number};
pub use self::types::{
    ANSWER_MARKER, Changed, Comment, Listed, Mark, Pull, PullEnd, Push, Pushes, Status, StatusState,
};

use base::names::Commit;
use jiff::Timestamp;
use url::Url;

use crate::names::{CommentId, Login, PullId, Repo, User};

/// One owner's repositories on a forge, accessed with one bot's token. Each method is one attempt; the caller retries.
///
/// Requirements on an implementation, so that no comment is lost or read twice:
///
/// - [`Forge::changed`] is one request as long as nothing changed, regardless of the number of repositories and pull
///   requests; a pull request is in it when a comment was added at or after the given time;
/// - times are by the forge's own clock, and a later response may have an earlier time when that clock was set;
/// - a later comment has a higher [`CommentId`], over all repositories.
pub trait Forge: Send + Sync {
    /// The bot's account.
    fn me(&self) -> impl Future<Output = Result<User, ForgeError>> + Send;

    /// The forge's clock.
    fn now(&self) -> impl Future<Output = Result<Timestamp, ForgeError>> + Send;

    /// The pull requests that changed at or after a time.
    fn changed(&self, since: Timestamp) -> impl Future<Output = Result<Changed, ForgeError>> + Send;

    /// The comments on a repository's pull requests that were written or edited at or after a time.
    fn comments(
        &self,
        repo: &Repo,
        since: Timestamp,
    ) -> impl Future<Output = Result<Listed<Comment>, ForgeError>> + Send;

    /// The current state of a comment; `None` if it was deleted.
    fn comment(&self, repo: &Repo, id: CommentId) -> impl Future<Output = Result<Option<Comment>, ForgeError>> + Send;

    /// Whether a user is a member of the organisation, publicly or not.
    fn is_member(&self, user: &Login) -> impl Future<Output = Result<bool, ForgeError>> + Send;

    /// The current state of a pull request, if it exists.
    fn pull(&self, pull: &PullId) -> impl Future<Output = Result<Option<Pull>, ForgeError>> + Send;

    /// The pushes to a pull request's head, all or since a time; `None` if the forge does not report them. The newest
    /// push may be missing for a moment.
    fn pushes(
        &self,
        pull: &PullId,
        since: Option<Timestamp>,
    ) -> impl Future<Output = Result<Option<Pushes>, ForgeError>> + Send;

    /// The bot's first comment on a pull request whose text begins with a marker. It finds a comment again that was
    /// written before a crash.
    fn own_comment(
        &self,
        pull: &PullId,
        marker: &str,
    ) -> impl Future<Output = Result<Option<CommentId>, ForgeError>> + Send;

    /// Writes a comment.
    fn say(&self, pull: &PullId, text: &str) -> impl Future<Output = Result<CommentId, ForgeError>> + Send;

    /// Replaces a comment's text.
    fn edit(&self, repo: &Repo, id: CommentId, text: &str) -> impl Future<Output = Result<(), ForgeError>> + Send;

    /// Sets a commit's status.
    fn set_status(
        &self,
        repo: &Repo,
        commit: &Commit,
        status: &Status,
    ) -> impl Future<Output = Result<(), ForgeError>> + Send;

    /// The address that git fetches a repository's pull requests from, without a password.
    fn clone_url(&self, repo: &Repo) -> Url;
}
