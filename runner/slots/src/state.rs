//! The shared records as plain values.
//!
//! Two kinds of records, four states of a run:
//!
//! | its ticket | its entry in the ledger | the run |
//! |---|---|---|
//! | there | none | waits |
//! | there | there | holds a slot |
//! | none | there | is dead, or ended with its app kept: what it holds still counts |
//! | none | none | is over |

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use base::names::{RecipeName, RunId, StackName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Number of tickets marked as the front of a long queue.
const FRONT: usize = 32;

/// Limits of what is live on the swarm, over all runners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps {
    pub tests: u32,
    /// Apps, dependencies included.
    pub apps: u32,
    /// Memory of the apps at their peak, in MiB.
    pub mib: u64,
}

/// A runner's caps. A run creates the ledger with them and does not change caps that exist; an operator's command
/// changes them, and leaves unset ones as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapSettings {
    pub tests: Option<u32>,
    /// Apps.
    pub apps: Option<u32>,
    /// Memory in MiB.
    pub mib: Option<u64>,
    /// Defaults.
    pub usual: Caps,
}

impl CapSettings {
    /// The resulting caps, given the existing ones. Since every run needs an app, more runs raise the number of apps as
    /// well.
    pub fn over(&self, there: Option<Caps>) -> Caps {
        let there = there.unwrap_or(self.usual);
        let apps = self.tests.map_or(there.apps, |tests| there.apps.max(tests.saturating_mul(2)));
        Caps {
            tests: self.tests.unwrap_or(there.tests),
            apps: self.apps.unwrap_or(apps),
            mib: self.mib.unwrap_or(there.mib),
        }
    }
}

impl From<Caps> for CapSettings {
    fn from(caps: Caps) -> Self {
        Self { tests: Some(caps.tests), apps: Some(caps.apps), mib: Some(caps.mib), usual: caps }
    }
}

/// A run's request. It is granted as a whole: no run holds a part and waits for the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotRequest {
    pub run: RunId,
    /// For people and for the expected time.
    pub recipe: RecipeName,
    /// The host of the run's process.
    pub owner: String,
    /// Number of apps, dependencies included.
    pub apps: u32,
    /// Memory of these apps at their peak, in MiB.
    pub mib: u64,
    /// Host ports that its apps publish.
    pub ports: BTreeSet<u16>,
    /// Its stacks, dependencies included.
    pub stacks: BTreeSet<StackName>,
    /// The maximum number of live runs during its life, itself included; the caps alone apply if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_runs: Option<NonZeroU32>,
    /// Whether all others take precedence, and room for another run is left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub yields: bool,
    /// Seconds after which it gives the slot up, whatever it does.
    pub limit_s: u64,
}

/// A run's place in the queue, and later the holder's heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The id of the swarm config.
    pub id: String,
    pub ask: SlotRequest,
    /// The place in the order: the swarm's version at creation, which is unique.
    pub number: u64,
    /// The swarm's version at the last change.
    pub version: u64,
    /// Counts the owner's heartbeats.
    pub beat: u64,
    /// The owner's promise: the next heartbeat comes within this time, in milliseconds.
    pub within_ms: u64,
    /// The ledger's version at which the owner was notified of its turn; 0 for never.
    pub turn: u64,
    /// Whether it is marked as the front of a long queue: see [`SlotsView::unmarked_front`].
    pub front: bool,
    /// Who requested that the run stops.
    pub cancel: Option<String>,
    /// On the swarm's clock.
    pub created: Timestamp,
    /// Last change, on the swarm's clock.
    pub updated: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    pub ask: SlotRequest,
    /// Its ticket's number, which identifies this lease, also among those of the same run.
    pub number: u64,
    /// On the swarm's clock.
    pub since: Timestamp,
    /// Whether the run has ended and its app is kept for a while. It counts as apps, not as a run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
}

/// The holders. This is the one authoritative record: every change is a compare-and-swap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// The swarm's version at the last change.
    pub version: u64,
    /// The caps: from the first runner's settings, or set by an operator since.
    pub caps: Caps,
    /// The holders, by number.
    pub held: Vec<LedgerEntry>,
    /// Last change, on the swarm's clock.
    pub updated: Timestamp,
}

/// A consistent snapshot of all records.
#[derive(Debug, Clone)]
pub struct SlotsView {
    pub ledger: Arc<Ledger>,
    /// The tickets, by number.
    pub tickets: Vec<Arc<Ticket>>,
}

impl Ledger {
    /// The entry of a run.
    pub fn of(&self, run: &RunId) -> Option<&LedgerEntry> {
        self.held.iter().find(|held| held.ask.run == *run)
    }

    /// Whether this lease is valid.
    pub fn has(&self, number: u64) -> bool {
        self.held.iter().any(|held| held.number == number)
    }

    /// A copy with one more holder.
    pub fn with(&self, held: LedgerEntry) -> Self {
        let mut more = self.clone();
        let at = more.held.partition_point(|other| other.number < held.number);
        more.held.insert(at, held);
        more
    }

    /// A copy without one lease.
    pub fn without(&self, number: u64) -> Self {
        let held = self.held.iter().filter(|held| held.number != number).cloned().collect();
        Self { held, ..self.clone() }
    }
}

impl SlotsView {
    pub fn ticket(&self, run: &RunId) -> Option<&Arc<Ticket>> {
        self.tickets.iter().find(|ticket| ticket.ask.run == *run)
    }

    /// A waiter's place, from 0: yielding ones come after all others.
    pub fn place(&self, ticket: &Ticket) -> usize {
        let order = |ticket: &Ticket| (ticket.ask.yields, ticket.number);
        self.waiting().filter(|other| order(other) < order(ticket)).count()
    }

    /// The waiters' tickets, in order.
    pub fn waiting(&self) -> impl Iterator<Item = &Arc<Ticket>> {
        self.tickets.iter().filter(|ticket| !self.ledger.has(ticket.number))
    }

    /// The entries without a ticket that are not kept: dead runs, whose apps have to be removed before their room is
    /// given away.
    pub fn orphans(&self) -> impl Iterator<Item = &LedgerEntry> {
        let lives = |number: u64| self.tickets.binary_search_by_key(&number, |ticket| ticket.number).is_ok();
        self.ledger.held.iter().filter(move |held| !held.kept && !lives(held.number))
    }

    /// The tickets to mark as the front of the queue, if it is so long that reading all of it costs more than the
    /// marks: a run that leaves then reads only the marked ones.
    pub fn unmarked_front(&self) -> Vec<&Arc<Ticket>> {
        let waiting: Vec<_> = self.waiting().collect();
        let long = waiting.len() > 2 * FRONT;
        waiting.into_iter().take(if long { FRONT } else { 0 }).filter(|ticket| !ticket.front).collect()
    }

    /// Whether a waiter at this place (from 0) finds that the queue has just become long. Several places do, in case
    /// one waiter dies.
    pub fn lengthens_at(&self, place: usize) -> bool {
        (2 * FRONT..2 * FRONT + 4).contains(&place)
    }

    /// The newest time in the records: the swarm's present, as far as they show it.
    pub fn now(&self) -> Timestamp {
        self.tickets.iter().map(|ticket| ticket.updated).fold(self.ledger.updated, Timestamp::max)
    }
}
