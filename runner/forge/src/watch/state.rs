//! What a watcher knows, and how it changes. Pure.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::api::Comment;
use crate::grammar::{self, Parsed};
use crate::names::{CommentId, PullId, User};

/// How far back every look goes behind the one before it: a comment may be in the forge's database later
/// than its own time says, and the forge's clock may be set back.
pub(super) const OVERLAP: SignedDuration = SignedDuration::from_mins(5);

/// How long a comment's fate is remembered behind that. What is older is told by its number alone.
const MEMORY: SignedDuration = SignedDuration::from_hours(24);

/// What a watcher knows: all of its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    /// Of which forge and owner.
    pub(super) about: String,
    /// When it was first started, by the forge's clock.
    from: Timestamp,
    /// Everything before this moment has been read.
    since: Timestamp,
    /// No comment up to this number is new.
    floor: CommentId,
    /// The comments that were read and could come again.
    seen: BTreeMap<CommentId, SeenPull>,
    /// The words that nobody has taken on yet, the oldest first.
    waiting: Vec<Waiting>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeenPull {
    created: Timestamp,
    fate: Fate,
}

/// What became of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It has no command.
    Chatter,
    /// It is an answer of the bot's own.
    Own,
    /// It is from before the first start, or an old one that was edited. This is not remembered.
    Old,
    /// It has a command that nobody has taken on yet.
    Waiting,
    /// Its commands were taken on.
    Accepted,
    /// Its author is no member.
    Stranger,
    /// It was deleted before it was taken on, or its pull request is gone.
    Withdrawn,
}

/// A comment with commands that nobody has taken on yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// The comment's number.
    pub id: CommentId,
    /// Where it stands.
    pub pull: PullId,
    /// Who wrote it.
    pub author: User,
    /// When it was written.
    pub created: Timestamp,
    /// What it says, in order.
    pub said: Vec<Parsed>,
}

impl Known {
    /// At the first start, at this moment of the forge's clock.
    pub(super) fn first(about: String, now: Timestamp) -> Self {
        let floor = CommentId(0);
        Self { about, from: now, since: now, floor, seen: BTreeMap::new(), waiting: Vec::new() }
    }

    /// From when on the forge is to be asked.
    pub(super) fn since(&self) -> Timestamp {
        self.since
    }

    /// The words that wait, the oldest first.
    pub(super) fn waiting(&self) -> &[Waiting] {
        &self.waiting
    }

    /// What became of a comment, as far as that is remembered.
    pub(super) fn fate(&self, id: CommentId) -> Option<Fate> {
        self.seen.get(&id).map(|seen| seen.fate)
    }

    /// Takes note of a comment; its fate, if it was not known before.
    pub(super) fn read(&mut self, comment: &Comment, me: &User) -> Option<Fate> {
        if comment.id <= self.floor || self.seen.contains_key(&comment.id) {
            return None;
        }
        // The account may be a person's, too: what begins as no answer does is theirs.
        let is_own = comment.author.id == me.id && comment.is_answer();
        let said = if is_own { Vec::new() } else { grammar::parse(&comment.text) };
        let fate = match () {
            () if comment.created < self.since => Fate::Old,
            () if is_own => Fate::Own,
            () if said.is_empty() => Fate::Chatter,
            () => Fate::Waiting,
        };
        // An old one is not remembered: it stays old by its time, unless it only looks old because the forge's
        // clock was set back, and then it is to be found by the next look.
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

    /// Everything up to this moment of the forge's clock has been read. The moment may lie before the one
    /// of the last time.
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
        // What still waits keeps its place below the floor: it is remembered by itself.
        self.floor = floor;
    }

    /// A waiting word has found its end. Nothing happens where none waits under this number.
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
