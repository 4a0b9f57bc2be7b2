//! git's messages about a repository, as failures. The table of messages is in [`base::messages`]. Pure.

use base::failure::{Cause, Failure, Kind};
use base::messages::{self, Speaker};

use super::without_credentials;

/// The message of [`super::git`] after a timeout.
pub(crate) const SILENT: &str = "no answer in";

/// The failure for git's message. An unknown message is no fault of the recipe.
pub(crate) fn unreadable(what: &str, why: &str) -> Failure {
    let row = messages::meaning(Speaker::Git, why);
    Failure::new(row.kind, format!("{} cannot be read, {}: {why}", without_credentials(what), row.means), row.look_at)
}

/// cc-ci's own failure for something that does not exist or is invalid.
pub(crate) fn not_there(what: &str, why: &str) -> Failure {
    let what = format!("{} cannot be tested: {why}", without_credentials(what));
    Failure::new(Kind::InvalidRecipe, what, "the requested address and revision")
}

/// Whether git's message says that the repository was not contacted, or did not answer, so that nothing follows from
/// it.
pub fn is_unreachable(why: &str) -> bool {
    says_nothing(why) && !messages::is_refused(why)
}

/// The same, or that it refuses access: its content is unknown.
pub(super) fn says_nothing(why: &str) -> bool {
    messages::known(Speaker::Git, why).is_some_and(|row| row.kind.usual_cause() == Cause::Infrastructure)
}

/// Whether a retry may succeed.
pub(super) fn may_pass(why: &str) -> bool {
    messages::known(Speaker::Git, why).is_some_and(|row| row.passes)
}

/// The lines of git's standard error that contain the cause, as one line: the last ones often only say that it failed.
pub(crate) fn reason(stderr: &str) -> String {
    let says = |line: &&str| ["fatal:", "error:", "remote:", "ssh:"].iter().any(|word| line.starts_with(word));
    let lines: Vec<&str> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let telling: Vec<&str> = lines.iter().copied().filter(says).collect();
    match (telling.is_empty(), lines.last()) {
        (false, _) => telling[telling.len().saturating_sub(3)..].join("; "),
        (true, Some(last)) => (*last).to_owned(),
        (true, None) => NOTHING.to_owned(),
    }
}

/// The reason of a git that failed without a message: with `--quiet`, for a missing object.
pub(crate) const NOTHING: &str = "git printed nothing";
