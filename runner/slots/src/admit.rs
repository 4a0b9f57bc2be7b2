//! The admission rule that all runners share. Pure.
//!
//! In the order of tickets, a request that fits is admitted. A request that does not fit reserves what it needs against
//! *younger* ones: together they may use what is left next to it, and no name that it needs. Requests that fit next to
//! a heavy run therefore pass it, and when everything older has ended, it fits: a request waits only for what was there
//! before it. The rule needs no counters, estimates or state.
//!
//! A request may limit the number of live runs below the cap for as long as it lives. It is admitted when no more than
//! that number live with it, keeps younger ones out in the same way, and passes no older one, which it would keep out.
//!
//! A request may yield, as those of a nightly sweep do: it comes after all other waiters, reserves nothing against
//! them, and is admitted only if another run could still start. If the caps allow one run, or it needs all of them, it
//! is admitted when no other request waits.

use std::collections::{BTreeSet, HashSet};

use base::names::StackName;

use super::state::{Caps, Ledger, LedgerEntry, SlotRequest, SlotsView};

/// The rule's answer for a waiter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It fits, and delays no older request.
    Go,
    /// Not yet, and what it waits for.
    Wait(For),
    /// Never, under these caps: what is too much.
    Never(String),
}

/// What a waiter waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum For {
    /// Room, or room that is reserved for an older one.
    Room,
    /// A port of the host that another run has, or an older one needs.
    Port(u16),
    /// A stack that another run has, or an older one needs.
    Stack(StackName),
    /// Its owner, whose heartbeat is late. Other waiters do not wait for it.
    Owner,
    /// Requests with precedence, or room to start one of them.
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

    /// Limited to this many more runs.
    fn with_tests(self, most: i64) -> Self {
        Self { tests: self.tests.min(most), ..self }
    }

    /// Whether not even a run with one app fits.
    fn is_none(self) -> bool {
        self.tests < 1 || self.apps < 1
    }

    fn fits(self, room: Self) -> bool {
        self.tests <= room.tests && self.apps <= room.apps && self.mib <= room.mib
    }
}

/// Names that only one run at a time may have.
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

/// Whether any other request could be admitted next to those that the rule admits.
pub fn leaves_room(ledger: &Ledger, goes: &[&SlotRequest]) -> bool {
    let mut live = live(ledger);
    let room = goes.iter().fold(left(ledger), |room, ask| {
        live += 1;
        room.minus(Load::of(ask)).with_tests(accepts(ledger, ask) - live)
    });
    !room.is_none()
}

/// The rule's answers for all waiters, by ticket number, in order.
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
            // Room only shrinks from here on, so nothing has to be reserved.
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

/// Whether another run could start next to one that takes this much. A run that would never leave such room is exempt.
fn spares(caps: &Caps, room: Load, need: Load) -> bool {
    !room.minus(need).is_none() || Load::whole(caps).minus(need).is_none()
}

/// Whether a run fits next to the holders, regardless of its turn.
pub fn fits(ledger: &Ledger, ask: &SlotRequest) -> bool {
    let (need, room) = (Load::of(ask), left(ledger));
    let accepted = live(ledger) < accepts(ledger, ask) && (!ask.yields || spares(&ledger.caps, room, need));
    accepted && Names::of(ledger).clash(ask).is_none() && need.fits(room)
}

/// Why a request never fits, even on an empty swarm.
pub fn too_much(caps: &Caps, ask: &SlotRequest) -> Option<String> {
    if caps.tests == 0 {
        return Some("no run is allowed at all: the cap is 0, which `cc-ci caps --runs N` changes".to_owned());
    }
    if ask.apps > caps.apps {
        return Some(format!("it holds {} apps, and the swarm may hold {}", ask.apps, caps.apps));
    }
    (ask.mib > caps.mib).then(|| format!("its apps take {} MiB, and the swarm may give {}", ask.mib, caps.mib))
}

/// The number of live runs that this one accepts, itself included.
fn accepts(ledger: &Ledger, ask: &SlotRequest) -> i64 {
    let cap = i64::from(ledger.caps.tests);
    ask.most_runs.map_or(cap, |most| cap.min(most.get().into()))
}

/// The number of live runs.
fn live(ledger: &Ledger) -> i64 {
    ledger.held.iter().map(|held| Load::held(held).tests).sum()
}

/// What is left for others within the caps and the limits of live runs.
fn left(ledger: &Ledger) -> Load {
    let live = live(ledger);
    let running = ledger.held.iter().filter(|held| !held.kept);
    let most = running.map(|held| accepts(ledger, &held.ask)).min().unwrap_or(i64::MAX);
    let room = ledger.held.iter().fold(Load::whole(&ledger.caps), |room, held| room.minus(Load::held(held)));
    room.with_tests(most.saturating_sub(live))
}

#[cfg(test)]
mod tests;
