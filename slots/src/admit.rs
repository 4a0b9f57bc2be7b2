//! Who may go: the pure rule that all runners share.
//!
//! In the order of tickets, whoever fits goes. Whoever does not fit keeps what it needs back from the
//! *younger* ones: together they may use what is left beside it, and no name that it wants. So those that
//! fit beside a heavy run pass it, and when everything older than it has ended, it fits: nobody waits for
//! more than what was there before it. That needs no counters, no estimates and no state of its own.

use std::collections::{BTreeSet, HashSet};

use harness::names::StackName;

use super::state::{Ask, Caps, Held, Ledger, View};

/// The rule's answer for one that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
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
}

/// An amount. Room can be negative: caps may be lowered below what is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Load {
    tests: i64,
    apps: i64,
    mib: i64,
}

impl Load {
    fn of(ask: &Ask) -> Self {
        Self { tests: 1, apps: ask.apps.max(1).into(), mib: i64::try_from(ask.mib).unwrap_or(i64::MAX) }
    }

    fn held(held: &Held) -> Self {
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
    fn add(&mut self, ask: &'a Ask) {
        self.ports.extend(&ask.ports);
        self.stacks.extend(&ask.stacks);
    }

    fn of(ledger: &'a Ledger) -> Self {
        let mut names = Self::default();
        ledger.held.iter().for_each(|held| names.add(&held.ask));
        names
    }

    fn clash(&self, ask: &Ask) -> Option<For> {
        let port = ask.ports.iter().find(|port| self.ports.contains(port)).map(|port| For::Port(*port));
        port.or_else(|| ask.stacks.iter().find(|stack| self.stacks.contains(stack)).cloned().map(For::Stack))
    }
}

/// Whether anybody at all might go beside those whom the rule lets go.
#[must_use]
pub fn leaves_room(ledger: &Ledger, goes: &[&Ask]) -> bool {
    !goes.iter().fold(left(ledger), |room, ask| room.minus(Load::of(ask))).is_none()
}

/// The rule's answers for all that wait, by ticket number, in order.
#[must_use]
pub fn admit(view: &View, silent: &BTreeSet<u64>) -> Vec<(u64, Answer)> {
    let ledger = &view.ledger;
    let whole = Load::whole(&ledger.caps);
    let mut room = left(ledger);
    let mut names = Names::of(ledger);
    let mut answers = Vec::new();
    for ticket in view.waiting() {
        let (ask, need) = (&ticket.ask, Load::of(&ticket.ask));
        let answer = if silent.contains(&ticket.number) {
            Answer::Wait(For::Owner)
        } else if let Some(what) = too_much(&ledger.caps, ask) {
            Answer::Never(what)
        } else if room.is_none() {
            // Room only shrinks from here on, so nothing has to be kept back either.
            Answer::Wait(For::Room)
        } else {
            let clash = names.clash(ask);
            names.add(ask);
            if clash.is_none() && need.fits(room) {
                room = room.minus(need);
                Answer::Go
            } else {
                let young = ledger.held.iter().filter(|held| held.number > ticket.number);
                let beside = young.fold(whole.minus(need), |beside, held| beside.minus(Load::held(held)));
                room = room.least(beside);
                Answer::Wait(clash.unwrap_or(For::Room))
            }
        };
        answers.push((ticket.number, answer));
    }
    answers
}

/// Whether a run fits beside the holders. Says nothing of whose turn it is.
#[must_use]
pub fn fits(ledger: &Ledger, ask: &Ask) -> bool {
    Names::of(ledger).clash(ask).is_none() && Load::of(ask).fits(left(ledger))
}

/// Why a run fits never, also on an empty swarm.
#[must_use]
pub fn too_much(caps: &Caps, ask: &Ask) -> Option<String> {
    if caps.tests == 0 {
        return Some("no run is allowed at all (MAX_TESTS is 0)".to_owned());
    }
    if ask.apps > caps.apps {
        return Some(format!("it holds {} apps, and the swarm may hold {}", ask.apps, caps.apps));
    }
    (ask.mib > caps.mib).then(|| format!("its apps take {} MiB, and the swarm may give {}", ask.mib, caps.mib))
}

fn left(ledger: &Ledger) -> Load {
    ledger.held.iter().fold(Load::whole(&ledger.caps), |room, held| room.minus(Load::held(held)))
}

#[cfg(test)]
mod tests;
