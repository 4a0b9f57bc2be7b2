//! The data of `cc-ci status`: holders, waiters and what is left. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use super::admit::{Admission, For, admit};
use super::forecast::forecast;
use super::state::{Caps, SlotRequest, SlotsView};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    pub caps: Caps,
    /// Number of live runs.
    pub tests: u32,
    /// Number of live apps, kept ones included.
    pub apps: u32,
    /// The maximum memory of these, in MiB.
    pub mib: u64,
    /// Oldest first.
    pub holders: Vec<Holder>,
    /// In order.
    pub waiters: Vec<Waiter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    pub ask: SlotRequest,
    pub held_s: u64,
    /// Seconds since its last heartbeat; `None` without a process.
    pub silent_s: Option<u64>,
    pub state: HolderState,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HolderState {
    Runs,
    /// It was asked to stop, by the one named.
    Stops(String),
    /// It has ended, and its app is kept.
    Kept,
    /// It is dead, and its apps have to be removed.
    Dead,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiter {
    pub ask: SlotRequest,
    /// Its place, from 1.
    pub place: usize,
    pub waited_s: u64,
    /// What it waits for, for people.
    pub why: String,
    /// The expected remaining wait in seconds, from the durations of earlier runs.
    pub expected_s: Option<u64>,
}

/// The status of a snapshot. `takes` is the duration of such a run, from history.
pub fn status(view: &SlotsView, takes: impl Fn(&SlotRequest) -> Duration) -> Status {
    let now = view.now();
    let since = |then| u64::try_from(now.duration_since(then).as_secs()).unwrap_or(0);
    let holders: Vec<Holder> = view
        .ledger
        .held
        .iter()
        .map(|held| {
            let ticket = view.tickets.iter().find(|ticket| ticket.number == held.number);
            let state = match ticket {
                _ if held.kept => HolderState::Kept,
                None => HolderState::Dead,
                Some(ticket) => ticket.cancel.clone().map_or(HolderState::Runs, HolderState::Stops),
            };
            let silent_s = ticket.map(|ticket| since(ticket.updated));
            Holder { ask: held.ask.clone(), held_s: since(held.since), silent_s, state }
        })
        .collect();
    let expected = forecast(view, takes);
    let answers = admit(view, &BTreeSet::new());
    let waiters = view.waiting().zip(answers).map(|(ticket, (number, answer))| Waiter {
        ask: ticket.ask.clone(),
        place: view.place(ticket) + 1,
        waited_s: since(ticket.created),
        why: why(&answer),
        expected_s: expected.get(&number).map(Duration::as_secs),
    });
    let mut waiters: Vec<Waiter> = waiters.collect();
    waiters.sort_by_key(|waiter| waiter.place);
    Status {
        caps: view.ledger.caps,
        tests: u32::try_from(view.ledger.held.iter().filter(|held| !held.kept).count()).unwrap_or(u32::MAX),
        apps: view.ledger.held.iter().fold(0, |sum, held| sum.saturating_add(held.ask.apps)),
        mib: view.ledger.held.iter().fold(0, |sum, held| sum.saturating_add(held.ask.mib)),
        waiters,
        holders,
    }
}

fn why(answer: &Admission) -> String {
    match answer {
        Admission::Go => "it is its turn".to_owned(),
        Admission::Never(what) => format!("it never fits: {what}"),
        Admission::Wait(why) => why.to_string(),
    }
}

impl std::fmt::Display for For {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Room => f.write_str("for room"),
            Self::Port(port) => write!(f, "for port {port} of the host"),
            Self::Stack(stack) => write!(f, "for the stack {stack}"),
            Self::Others => f.write_str("for others, which go first and have a slot left for them"),
            Self::Owner => f.write_str("its owner sends no heartbeat"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::{at, view};

    #[test]
    fn it_tells_who_holds_who_waits_and_for_how_long() {
        let mut now = view(Caps { tests: 2, apps: 4, mib: 1_000 }, &[(1, 1), (2, 2), (3, 1)], 2);
        // 30 s later, the second run is gone and the first was asked to stop.
        now.tickets.remove(1);
        Arc::make_mut(&mut now.tickets[0]).cancel = Some("an operator".to_owned());
        Arc::make_mut(&mut now.tickets[1]).updated = at(30);
        let status = status(&now, |_| Duration::from_secs(60));
        assert_eq!((status.tests, status.apps, status.mib), (2, 3, 200));
        let states: Vec<(&HolderState, u64, Option<u64>)> =
            status.holders.iter().map(|holder| (&holder.state, holder.held_s, holder.silent_s)).collect();
        let stops = HolderState::Stops("an operator".to_owned());
        assert_eq!(states, [(&stops, 30, Some(30)), (&HolderState::Dead, 30, None)]);
        let [waiter] = status.waiters.as_slice() else { panic!("{status:?}") };
        assert_eq!((waiter.place, waiter.waited_s, waiter.expected_s), (1, 30, Some(30)));
        assert_eq!(waiter.why, "for room");
    }
}
