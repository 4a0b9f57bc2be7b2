//! Who may go: the pure rule that all runners share.
//!
//! In the order of tickets, whoever fits goes. Whoever does not fit keeps what it needs back from the
//! *younger* ones: together they may use what is left beside it, and no name that it wants. So those that
//! fit beside a heavy run pass it, and when everything older than it has ended, it fits: nobody waits for
//! more than what was there before it. That needs no counters, no estimates and no state of its own.
//!
//! A run may accept fewer runs than the caps do, for as long as it lives. It goes when no more than that live with it,
//! keeps younger ones out in the same way, and passes nobody: it would keep out whom it has passed.
//!
//! A run may yield, such as one of a nightly sweep: it comes behind all others that wait, keeps nothing back from them,
//! and goes only where another run could still start beside it. Where the caps are for one run, or it needs all that
//! they give, it goes when nobody else waits.

use std::collections::{BTreeSet, HashSet};

use base::names::StackName;

use super::state::{Caps, Ledger, LedgerEntry, SlotRequest, SlotsView};

/// The rule's answer for one that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It fits, and nobody older is harmed.
    Go,
    /// Not yet, and what it waits for.
    Wait(For),
    /// Never, under these caps: what is too much.
    Never(String),
}

/// What somebody waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum For {
    /// Room, or room that is kept back for an older one.
    Room,
    /// A port of the host that another run has, or an older one wants.
    Port(u16),
    /// A stack that another run has, or an older one wants.
    Stack(StackName),
    /// Its owner, who gave no sign of life in time. The others do not wait for it.
    Owner,
    /// Others, which go first, or room beside it for one of them.
    Others,
}

/// An amount. Room can be negative: caps may be lowered below what is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Load {
    tests: i64,
    apps: i64,
    mib: i64,
}

impl Load {
    fn of(ask: &SlotRequest) -> Self {
        Self { tests: 1, apps: ask.apps.max(1).into(), mib: i64::try_from(ask.mib).unwrap_or(i64::MAX) }
    }

    fn held(held: &LedgerEntry) -> Self {
        Self { tests: i64::from(!held.kept), ..Self::of(&held.ask) }
    }

    fn whole(caps: &Caps) -> Self {
        Self { tests: caps.tests.into(), apps: caps.apps.into(), mib: i64::try_from(caps.mib).unwrap_or(i64::MAX) }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            tests: self.tests.saturating_sub(other.tests),
            apps: self.apps.saturating_sub(other.apps),
            mib: self.mib.saturating_sub(other.mib),
        }
    }

    fn least(self, other: Self) -> Self {
        Self { tests: self.tests.min(other.tests), apps: self.apps.min(other.apps), mib: self.mib.min(other.mib) }
    }

    /// At most so many runs more.
    fn with_tests(self, most: i64) -> Self {
        Self { tests: self.tests.min(most), ..self }
    }

    /// Whether no run at all fits: each is one run with one app.
    fn is_none(self) -> bool {
        self.tests < 1 || self.apps < 1
    }

    fn fits(self, room: Self) -> bool {
        self.tests <= room.tests && self.apps <= room.apps && self.mib <= room.mib
    }
}

/// Names that one run at a time may have.
#[derive(Debug, Default)]
struct Names<'a> {
    ports: HashSet<u16>,
    stacks: HashSet<&'a StackName>,
}

impl<'a> Names<'a> {
    fn add(&mut self, ask: &'a SlotRequest) {
        self.ports.extend(&ask.ports);
        self.stacks.extend(&ask.stacks);
    }

    fn of(ledger: &'a Ledger) -> Self {
        let mut names = Self::default();
        ledger.held.iter().for_each(|held| names.add(&held.ask));
        names
    }

    fn clash(&self, ask: &SlotRequest) -> Option<For> {
        let port = ask.ports.iter().find(|port| self.ports.contains(port)).map(|port| For::Port(*port));
        port.or_else(|| ask.stacks.iter().find(|stack| self.stacks.contains(stack)).cloned().map(For::Stack))
    }
}

/// Whether anybody at all might go beside those whom the rule lets go.
pub fn leaves_room(ledger: &Ledger, goes: &[&SlotRequest]) -> bool {
    let mut live = live(ledger);
    let room = goes.iter().fold(left(ledger), |room, ask| {
        live += 1;
        room.minus(Load::of(ask)).with_tests(accepts(ledger, ask) - live)
    });
    !room.is_none()
}

/// The rule's answers for all that wait, by ticket number, in order.
pub fn admit(view: &SlotsView, silent: &BTreeSet<u64>) -> Vec<(u64, Admission)> {
    let ledger = &view.ledger;
    let whole = Load::whole(&ledger.caps);
    let mut room = left(ledger);
    let mut live = live(ledger);
    let mut names = Names::of(ledger);
    let mut one_waits = false;
    let mut answers = Vec::new();
    let (yielding, others): (Vec<_>, Vec<_>) = view.waiting().partition(|ticket| ticket.ask.yields);
    for ticket in others.into_iter().chain(yielding) {
        let (ask, need) = (&ticket.ask, Load::of(&ticket.ask));
        let answer = if silent.contains(&ticket.number) {
            Admission::Wait(For::Owner)
        } else if let Some(what) = too_much(&ledger.caps, ask) {
            Admission::Never(what)
        } else if room.is_none() {
            // Room only shrinks from here on, so nothing has to be kept back either.
            Admission::Wait(For::Room)
        } else {
            let clash = names.clash(ask);
            names.add(ask);
            let most = accepts(ledger, ask);
            let is_picky = most < i64::from(ledger.caps.tests);
            let others_go = ask.yields && (one_waits || !spares(&ledger.caps, room, need));
            if clash.is_none() && need.fits(room) && live < most && !(is_picky && one_waits) && !others_go {
                live += 1;
                room = room.minus(need).with_tests(most - live);
                Admission::Go
            } else {
                one_waits = true;
                let young = ledger.held.iter().filter(|held| held.number > ticket.number);
                let whole = whole.with_tests(most).minus(need);
                let beside = young.fold(whole, |beside, held| beside.minus(Load::held(held)));
                room = room.least(beside);
                Admission::Wait(clash.unwrap_or(if others_go { For::Others } else { For::Room }))
            }
        };
        answers.push((ticket.number, answer));
    }
    answers.sort_by_key(|(number, _)| *number);
    answers
}

/// Whether another run could start beside one that takes so much of the room. One beside which none ever could is not
/// held to it.
fn spares(caps: &Caps, room: Load, need: Load) -> bool {
    !room.minus(need).is_none() || Load::whole(caps).minus(need).is_none()
}

/// Whether a run fits beside the holders. Says nothing of whose turn it is.
pub fn fits(ledger: &Ledger, ask: &SlotRequest) -> bool {
    let (need, room) = (Load::of(ask), left(ledger));
    let accepted = live(ledger) < accepts(ledger, ask) && (!ask.yields || spares(&ledger.caps, room, need));
    accepted && Names::of(ledger).clash(ask).is_none() && need.fits(room)
}

/// Why a run fits never, also on an empty swarm.
pub fn too_much(caps: &Caps, ask: &SlotRequest) -> Option<String> {
    if caps.tests == 0 {
        return Some("no run is allowed at all: the cap is 0, which `cc-ci caps --runs N` changes".to_owned());
    }
    if ask.apps > caps.apps {
        return Some(format!("it holds {} apps, and the swarm may hold {}", ask.apps, caps.apps));
    }
    (ask.mib > caps.mib).then(|| format!("its apps take {} MiB, and the swarm may give {}", ask.mib, caps.mib))
}

/// How many runs may live at once while this one does, itself included.
fn accepts(ledger: &Ledger, ask: &SlotRequest) -> i64 {
    let cap = i64::from(ledger.caps.tests);
    ask.most_runs.map_or(cap, |most| cap.min(most.get().into()))
}

/// How many runs live.
fn live(ledger: &Ledger) -> i64 {
    ledger.held.iter().map(|held| Load::held(held).tests).sum()
}

/// What is left for others, as far as the caps go and those that live accept.
fn left(ledger: &Ledger) -> Load {
    let live = live(ledger);
    let running = ledger.held.iter().filter(|held| !held.kept);
    let most = running.map(|held| accepts(ledger, &held.ask)).min().unwrap_or(i64::MAX);
    let room = ledger.held.iter().fold(Load::whole(&ledger.caps), |room, held| room.minus(Load::held(held)));
    room.with_tests(most.saturating_sub(live))
}

#[cfg(test)]
mod tests;
