//! The watcher's state and its transitions. Pure.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::api::Comment;
use crate::grammar::{self, Parsed};
use crate::names::{CommentId, PullId, User};

/// Overlap of two consecutive polls: a comment may be in the forge's database later than its own time says, and the
/// forge's clock may be set back.
pub(super) const OVERLAP: SignedDuration = SignedDuration::from_mins(5);

/// How long a comment's fate is remembered beyond that. Older comments are recognized only by their number.
const MEMORY: SignedDuration = SignedDuration::from_hours(24);

/// The watcher's state, which is the content of its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    /// The forge and owner.
    pub(super) about: String,
    /// The first start, by the forge's clock.
    from: Timestamp,
    /// Everything before this time has been read.
    since: Timestamp,
    /// No comment up to this number is new.
    floor: CommentId,
    /// The comments that were read and may be returned again.
    seen: BTreeMap<CommentId, SeenPull>,
    /// The commands that are not accepted yet, oldest first.
    waiting: Vec<Waiting>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeenPull {
    created: Timestamp,
    fate: Fate,
}

/// What was done with a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It has no command.
    Chatter,
    /// It is an answer of the bot.
    Own,
    /// It is from before the first start, or an edited old one. Not stored.
    Old,
    /// It has a command that is not accepted yet.
    Waiting,
    /// Its commands were accepted.
    Accepted,
    /// Its author is no member.
    Stranger,
    /// It was deleted before it was accepted, or its pull request is gone.
    Withdrawn,
}

/// A comment with commands that are not accepted yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    pub id: CommentId,
    pub pull: PullId,
    pub author: User,
    pub created: Timestamp,
    /// Its commands, in order.
    pub said: Vec<Parsed>,
}

impl Known {
    /// The state at the first start, at this time of the forge's clock.
    pub(super) fn first(about: String, now: Timestamp) -> Self {
        let floor = CommentId(0);
        Self { about, from: now, since: now, floor, seen: BTreeMap::new(), waiting: Vec::new() }
    }

    /// The start of the next poll's period.
    pub(super) fn since(&self) -> Timestamp {
        self.since
    }

    /// The waiting commands, oldest first.
    pub(super) fn waiting(&self) -> &[Waiting] {
        &self.waiting
    }

    /// The fate of a comment, as far as it is remembered.
    pub(super) fn fate(&self, id: CommentId) -> Option<Fate> {
        self.seen.get(&id).map(|seen| seen.fate)
    }

    /// Records a comment; returns its fate if it was not known before.
    pub(super) fn read(&mut self, comment: &Comment, me: &User) -> Option<Fate> {
        if comment.id <= self.floor || self.seen.contains_key(&comment.id) {
            return None;
        }
        // The account may also be a person's: a comment without the answer's marker is theirs.
        let is_own = comment.author.id == me.id && comment.is_answer();
        let said = if is_own { Vec::new() } else { grammar::parse(&comment.text) };
        let fate = match () {
            () if comment.created < self.since => Fate::Old,
            () if is_own => Fate::Own,
            () if said.is_empty() => Fate::Chatter,
            () => Fate::Waiting,
        };
        // An old one is not stored: it stays old by its time, unless it only looks old because the forge's clock was
        // set back; then the next poll has to find it.
        if fate == Fate::Old {
            return Some(fate);
        }
        self.seen.insert(comment.id, SeenPull { created: comment.created, fate });
        if fate == Fate::Waiting {
            let at = self.waiting.partition_point(|other| other.id < comment.id);
            self.waiting.insert(
                at,
                Waiting {
                    id: comment.id,
                    pull: comment.pull.clone(),
                    author: comment.author.clone(),
                    created: comment.created,
                    said,
                },
            );
        }
        Some(fate)
    }

    /// Everything up to this time of the forge's clock has been read. It may be earlier than the last one.
    pub(super) fn read_until(&mut self, now: Timestamp) {
        self.since = minus(now, OVERLAP).max(self.from);
        let horizon = minus(self.since, MEMORY);
        let mut floor = self.floor;
        self.seen.retain(|id, seen| {
            let stays = seen.fate == Fate::Waiting || seen.created >= horizon;
            if !stays {
                floor = floor.max(*id);
            }
            stays
        });
        // Waiting commands below the floor are stored separately.
        self.floor = floor;
    }

    /// Ends a waiting command. No effect if none waits under this number.
    pub(super) fn settle(&mut self, id: CommentId, fate: Fate) {
        let before = self.waiting.len();
        self.waiting.retain(|waiting| waiting.id != id);
        if self.waiting.len() < before
            && let Some(seen) = self.seen.get_mut(&id)
        {
            seen.fate = fate;
        }
    }
}

pub(super) fn minus(moment: Timestamp, span: SignedDuration) -> Timestamp {
    moment.checked_sub(span).unwrap_or(Timestamp::MIN)
}
