//! Whether a command is about the current head commit. Pure.
//!
//! Between a command and its acceptance, the pull request's author may push. The member has not seen that, so the
//! command does not approve it, and it is not run.

use std::collections::BTreeMap;

use base::names::Commit;
use serde::{Deserialize, Serialize};

use crate::api::Push;
use crate::names::CommentId;

/// The revision that a command is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pin {
    /// The head: it existed when the command was written.
    #[default]
    Head,
    /// There was a push after the command was written.
    Pushed,
    /// Unknown: the forge has recorded no push after the command, and none before it that led to this head. The push
    /// may be very recent.
    Unsure,
}

/// The pin of a command, from the pushes to its pull request; `None` if the forge does not report pushes.
pub fn pin(head: &Commit, word: CommentId, pushes: Option<&BTreeMap<CommentId, Push>>) -> Pin {
    match pushes.and_then(|pushes| pushes.last_key_value()) {
        Some((id, _)) if *id > word => Pin::Pushed,
        Some((_, last)) if last.commits.last() == Some(head) => Pin::Head,
        _ => Pin::Unsure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(digit: char) -> Commit {
        digit.to_string().repeat(40).parse().unwrap()
    }

    fn push(id: u64, commits: &[char]) -> Push {
        let commits = commits.iter().map(|digit| commit(*digit)).collect();
        Push { id: CommentId(id), is_force: false, commits }
    }

    fn of(head: char, pushes: &[Push]) -> Pin {
        let pushes = pushes.iter().map(|push| (push.id, push.clone())).collect();
        pin(&commit(head), CommentId(10), Some(&pushes))
    }

    #[test]
    fn the_head_is_pinned_where_the_last_push_before_the_word_led_to_it() {
        assert_eq!(of('b', &[push(1, &['a']), push(5, &['a', 'b'])]), Pin::Head);
    }

    #[test]
    fn a_push_after_the_word_is_not_what_it_is_about() {
        let before = push(5, &['a']);
        assert_eq!(of('b', &[before.clone(), push(11, &['b'])]), Pin::Pushed);
        assert_eq!(of('a', &[before, push(11, &['b', 'a'])]), Pin::Pushed, "there and back");
        assert_eq!(of('b', &[push(11, &[])]), Pin::Pushed, "one that cannot be read");
    }

    #[test]
    fn a_head_that_no_push_tells_of_is_not_sure() {
        // The row of a push is written a moment after the head itself has moved.
        assert_eq!(of('b', &[push(5, &['a'])]), Pin::Unsure);
        assert_eq!(of('a', &[push(5, &['a', 'b'])]), Pin::Unsure, "an earlier commit of the last push");
        assert_eq!(of('a', &[push(4, &['a']), push(5, &['b'])]), Pin::Unsure, "back to what was there once");
        assert_eq!(of('a', &[]), Pin::Unsure);
        assert_eq!(pin(&commit('a'), CommentId(10), None), Pin::Unsure);
    }
}
