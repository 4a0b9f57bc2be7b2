//! What every runner can read from the swarm, as plain values.
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

/// How many of a long queue are marked as its first.
const FRONT: usize = 32;

/// What may live on the swarm at once, over all runners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps {
    /// Runs.
    pub tests: u32,
    /// Apps, dependencies included.
    pub apps: u32,
    /// Memory of the apps at their peak, in MiB.
    pub mib: u64,
}

/// What a runner wants the caps to be. A run opens the ledger with it and changes no caps that are there; an
/// operator's command changes them, and what it says nothing about stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapSettings {
    /// Runs.
    pub tests: Option<u32>,
    /// Apps.
    pub apps: Option<u32>,
    /// Memory in MiB.
    pub mib: Option<u64>,
    /// What holds where nobody has set anything.
    pub usual: Caps,
}

impl CapSettings {
    /// The caps, given those that are there. More runs than apps would be a cap that nobody can reach, so more
    /// runs bring more apps along.
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

/// What a run asks for, all of it at once: nobody holds a part and waits for the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotRequest {
    /// The run.
    pub run: RunId,
    /// The recipe, for people and for the expected time.
    pub recipe: RecipeName,
    /// The host that the run's process lives on.
    pub owner: String,
    /// How many apps it deploys, dependencies included.
    pub apps: u32,
    /// Memory of these apps at their peak, in MiB.
    pub mib: u64,
    /// Ports of the host that its apps publish.
    pub ports: BTreeSet<u16>,
    /// Its stacks, dependencies included.
    pub stacks: BTreeSet<StackName>,
    /// How many runs may live at once, itself included, for as long as it lives; none where the caps alone say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_runs: Option<NonZeroU32>,
    /// Whether all others go first, and room is left for another one beside it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub yields: bool,
    /// Seconds after which it gives the slot up by itself, whatever it does.
    pub limit_s: u64,
}

/// A run's place in the queue, and later the sign that its holder lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The swarm's own name for this very ticket.
    pub id: String,
    /// What is asked for.
    pub ask: SlotRequest,
    /// The place in the order: the swarm's change that made the ticket. No two are the same.
    pub number: u64,
    /// The swarm's change that made the ticket as it is now.
    pub version: u64,
    /// Counts the signs of life that the owner gave.
    pub beat: u64,
    /// The owner's promise: the next sign of life comes within this time, in milliseconds.
    pub within_ms: u64,
    /// The ledger's version for which the owner was told that it is its turn; 0 for never.
    pub turn: u64,
    /// Whether it is one of the first of a long queue: see [`SlotsView::unmarked_front`].
    pub front: bool,
    /// Who wants the run to stop.
    pub cancel: Option<String>,
    /// When it was made, on the swarm's clock.
    pub created: Timestamp,
    /// When it was changed last, on the swarm's clock.
    pub updated: Timestamp,
}

/// One run in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// What it holds.
    pub ask: SlotRequest,
    /// Its ticket's number. It tells this lease from every other one, also of the same run.
    pub number: u64,
    /// Since when, on the swarm's clock.
    pub since: Timestamp,
    /// Whether the run has ended and its app stays for a while. It counts as apps, not as a run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
}

/// Who holds what. The one record that decides: every change of it is a compare-and-swap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// The swarm's change that made it so.
    pub version: u64,
    /// What may live at once: what the first runner was set to, or an operator has set since.
    pub caps: Caps,
    /// The holders, by number.
    pub held: Vec<LedgerEntry>,
    /// When it was changed last, on the swarm's clock.
    pub updated: Timestamp,
}

/// Everything, as of one moment.
#[derive(Debug, Clone)]
pub struct SlotsView {
    /// The holders.
    pub ledger: Arc<Ledger>,
    /// The tickets, by number.
    pub tickets: Vec<Arc<Ticket>>,
}

impl Ledger {
    /// The entry of a run.
    pub fn of(&self, run: &RunId) -> Option<&LedgerEntry> {
        self.held.iter().find(|held| held.ask.run == *run)
    }

    /// Whether this very lease stands.
    pub fn has(&self, number: u64) -> bool {
        self.held.iter().any(|held| held.number == number)
    }

    /// The same with one more holder.
    pub fn with(&self, held: LedgerEntry) -> Self {
        let mut more = self.clone();
        let at = more.held.partition_point(|other| other.number < held.number);
        more.held.insert(at, held);
        more
    }

    /// The same without one lease.
    pub fn without(&self, number: u64) -> Self {
        let held = self.held.iter().filter(|held| held.number != number).cloned().collect();
        Self { held, ..self.clone() }
    }
}

impl SlotsView {
    /// A run's ticket.
    pub fn ticket(&self, run: &RunId) -> Option<&Arc<Ticket>> {
        self.tickets.iter().find(|ticket| ticket.ask.run == *run)
    }

    /// The place of one that waits, from 0: those that yield come behind all others.
    pub fn place(&self, ticket: &Ticket) -> usize {
        let order = |ticket: &Ticket| (ticket.ask.yields, ticket.number);
        self.waiting().filter(|other| order(other) < order(ticket)).count()
    }

    /// The tickets of those that wait, in order.
    pub fn waiting(&self) -> impl Iterator<Item = &Arc<Ticket>> {
        self.tickets.iter().filter(|ticket| !self.ledger.has(ticket.number))
    }

    /// The entries that nobody's ticket stands behind, and that are not kept: dead runs, whose apps have to
    /// be removed before anybody gets their place.
    pub fn orphans(&self) -> impl Iterator<Item = &LedgerEntry> {
        let lives = |number: u64| self.tickets.binary_search_by_key(&number, |ticket| ticket.number).is_ok();
        self.ledger.held.iter().filter(move |held| !held.kept && !lives(held.number))
    }

    /// Those that shall be marked as the first, where the queue is so long that a look at all of it costs
    /// more than the marks do: whoever leaves then looks at the marked ones alone.
    pub fn unmarked_front(&self) -> Vec<&Arc<Ticket>> {
        let waiting: Vec<_> = self.waiting().collect();
        let long = waiting.len() > 2 * FRONT;
        waiting.into_iter().take(if long { FRONT } else { 0 }).filter(|ticket| !ticket.front).collect()
    }

    /// Whether one at this place (from 0) finds that the queue has just become long. A few do, for the case
    /// that one dies.
    pub fn lengthens_at(&self, place: usize) -> bool {
        (2 * FRONT..2 * FRONT + 4).contains(&place)
    }

    /// The newest moment that the swarm has told: its present, as far as records show it.
    pub fn now(&self) -> Timestamp {
        self.tickets.iter().map(|ticket| ticket.updated).fold(self.ledger.updated, Timestamp::max)
    }
}
