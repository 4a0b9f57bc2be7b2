//! git's words about a repository, as a failure. What they mean stands in [`base::messages`]. Pure.

use base::failure::{Cause, Failure, Kind};
use base::messages::{self, Speaker};

use super::without_credentials;

/// What [`super::git`] says of one that was ended for its silence.
pub(crate) const SILENT: &str = "no answer in";

/// The failure that git's words stand for. Words that no row knows are no fault of the recipe.
pub(crate) fn unreadable(what: &str, why: &str) -> Failure {
    let row = messages::meaning(Speaker::Git, why);
    Failure::new(row.kind, format!("{} cannot be read, {}: {why}", without_credentials(what), row.means), row.look_at)
}

/// What cc-ci itself says of something that is not there, or is none.
pub(crate) fn not_there(what: &str, why: &str) -> Failure {
    let what = format!("{} cannot be tested: {why}", without_credentials(what));
    Failure::new(Kind::InvalidRecipe, what, "the address and the revision that were asked for")
}

/// Whether git's words say that the repository was not asked at all, or did not answer: nothing follows from them.
pub fn is_unreachable(why: &str) -> bool {
    says_nothing(why) && !messages::is_refused(why)
}

/// The same, or that it does not let this machine in: nothing is known of what it has.
pub(super) fn says_nothing(why: &str) -> bool {
    messages::known(Speaker::Git, why).is_some_and(|row| row.kind.usual_cause() == Cause::Infrastructure)
}

/// Whether the same may go well a moment later.
pub(super) fn may_pass(why: &str) -> bool {
    messages::known(Speaker::Git, why).is_some_and(|row| row.passes)
}

/// The lines of git's standard error that say why, as one: the last ones alone often only say that it failed.
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

/// The reason of a git that failed and did not say why: with `--quiet`, for what is not there.
pub(crate) const NOTHING: &str = "git said nothing";
