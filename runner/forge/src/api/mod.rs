//! What cc-ci asks of a forge. What differs between forges stays behind [`Forge`].
//!
//! Every text that a forge gives is a stranger's: it becomes one of the types of [`crate::names`], or a
//! bounded text that is read by the grammar alone.

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

/// A forge, as one bot with one token sees one owner's repositories. Each method is one attempt; who
/// tries again is the caller.
///
/// What an implementation has to keep, for nothing to be lost and nothing to be read twice:
///
/// - [`Forge::changed`] is one request as long as nothing changed, however many repositories and pull
///   requests there are; a pull request is in it when a comment was added at or after the moment;
/// - moments are the forge's own clock, and one of a later answer may be earlier when that clock was set;
/// - a later comment has a higher [`CommentId`], over all repositories.
pub trait Forge: Send + Sync {
    /// Who the bot is.
    fn me(&self) -> impl Future<Output = Result<User, ForgeError>> + Send;

    /// What the forge's clock says.
    fn now(&self) -> impl Future<Output = Result<Timestamp, ForgeError>> + Send;

    /// The pull requests that changed at or after a moment.
    fn changed(&self, since: Timestamp) -> impl Future<Output = Result<Changed, ForgeError>> + Send;

    /// The comments on a repository's pull requests that were written or edited at or after a moment.
    fn comments(
        &self,
        repo: &Repo,
        since: Timestamp,
    ) -> impl Future<Output = Result<Listed<Comment>, ForgeError>> + Send;

    /// A comment as it is now; none where it was deleted.
    fn comment(&self, repo: &Repo, id: CommentId) -> impl Future<Output = Result<Option<Comment>, ForgeError>> + Send;

    /// Whether a user is a member of the organisation, in public or not.
    fn is_member(&self, user: &Login) -> impl Future<Output = Result<bool, ForgeError>> + Send;

    /// A pull request as it is now; none where there is none.
    fn pull(&self, pull: &PullId) -> impl Future<Output = Result<Option<Pull>, ForgeError>> + Send;

    /// What was pushed to a pull request's head at or after a moment, or from its beginning on; none where the forge
    /// does not tell. A push that has just come may not be in it yet.
    fn pushes(
        &self,
        pull: &PullId,
        since: Option<Timestamp>,
    ) -> impl Future<Output = Result<Option<Pushes>, ForgeError>> + Send;

    /// The bot's own comment on a pull request whose text begins with a marker; the first one. What was begun before
    /// a crash is found again by it.
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

    /// Where git fetches a repository's pull requests from, without any password.
    fn clone_url(&self, repo: &Repo) -> Url;
}
