//! Whether a word is about the commit that is at the head now. Pure.
//!
//! Between a word and the moment when it is taken on, the pull request's author may push. The member has not seen
//! that, so it is not what the word approves: nothing of it is run.

use std::collections::BTreeMap;

use base::names::Commit;
use serde::{Deserialize, Serialize};

use crate::api::Push;
use crate::names::CommentId;

/// What a word is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pin {
    /// The head: it was there when the word was written.
    #[default]
    Head,
    /// Something was pushed after the word was written.
    Pushed,
    /// Nobody knows: the forge has written down no push after the word, and none before it that led to this head. The
    /// push may have been a moment ago.
    Unsure,
}

/// What a word is about, by the pushes to its pull request; none where the forge does not tell of pushes.
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
        // The row of a push comes a moment after the head itself.
        assert_eq!(of('b', &[push(5, &['a'])]), Pin::Unsure);
        assert_eq!(of('a', &[push(5, &['a', 'b'])]), Pin::Unsure, "an earlier commit of the last push");
        assert_eq!(of('a', &[push(4, &['a']), push(5, &['b'])]), Pin::Unsure, "back to what was there once");
        assert_eq!(of('a', &[]), Pin::Unsure);
        assert_eq!(pin(&commit('a'), CommentId(10), None), Pin::Unsure);
    }
}
