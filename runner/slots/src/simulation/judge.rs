//! Checks the invariants. It sees everything and takes no part.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base::names::RunId;
use tokio::time::Instant;

use crate::admit::{Admission, admit, leaves_room};
use crate::lease::Lost;
use crate::state::{Caps, Ledger, LedgerEntry, SlotRequest, SlotsView};

/// How long a process may continue after it is woken if its slot was given away meanwhile.
const DISCOVERY: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
pub(super) struct Judge {
    /// Violations, the first few of each kind.
    pub(super) wrong: BTreeMap<&'static str, Vec<String>>,
    /// What is deployed, by lease.
    live: BTreeMap<u64, SlotRequest>,
    times: BTreeMap<u64, Times>,
    could_go: BTreeMap<u64, Instant>,
    pub(super) count: Count,
}

/// Statistics.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) granted: usize,
    pub(super) ended: usize,
    pub(super) cancelled: usize,
    pub(super) gave_up: usize,
    pub(super) fenced: usize,
    pub(super) removed: usize,
    /// Maximum number of live runs.
    pub(super) most_live: usize,
    /// Maximum length of the queue.
    pub(super) longest_queue: usize,
    /// The longest time that an admitted waiter did not take its slot.
    pub(super) idle: Duration,
    /// The longest wait after everything older was over.
    pub(super) passed_over: Duration,
    /// The longest that a woken process continued after its slot had been given away.
    pub(super) late: Duration,
}

#[derive(Debug)]
struct Times {
    joined: Instant,
    granted: Option<Instant>,
    over: Option<Instant>,
    /// A yielding run may be passed.
    yields: bool,
}

impl Judge {
    pub(super) fn fail(&mut self, kind: &'static str, what: String) {
        let all = self.wrong.entry(kind).or_default();
        if all.len() < 3 {
            all.push(what);
        }
    }

    pub(super) fn joined(&mut self, number: u64, _run: &RunId) {
        self.times.insert(number, Times { joined: Instant::now(), granted: None, over: None, yields: false });
    }

    pub(super) fn left(&mut self, number: u64) {
        self.over(number);
    }

    fn over(&mut self, number: u64) {
        if let Some(times) = self.times.get_mut(&number) {
            times.over = Some(Instant::now());
        }
    }

    /// The ledger changed. A new entry must fit.
    pub(super) fn ledger_changed(&mut self, before: Option<&Ledger>, after: &Ledger) {
        let numbers = |ledger: &Ledger| ledger.held.iter().map(|held| held.number).collect::<BTreeSet<u64>>();
        let (was, is) = (before.map(numbers).unwrap_or_default(), numbers(after));
        for number in was.difference(&is) {
            self.over(*number);
        }
        let came = |held: &&LedgerEntry| !was.contains(&held.number) && held.ask.yields;
        if let Some(held) = after.held.iter().find(came).filter(|_| after.caps.tests > 1 && !leaves_room(after, &[])) {
            self.fail("left no room for others", held.ask.run.to_string());
        }
        if is.difference(&was).next().is_some() {
            self.check("more entries than the cap", after.held.iter().map(|held| &held.ask).collect(), after.caps);
        }
    }

    fn check(&mut self, kind: &'static str, asks: Vec<&SlotRequest>, caps: Caps) {
        let apps: u32 = asks.iter().map(|ask| ask.apps).sum();
        let mib: u64 = asks.iter().map(|ask| ask.mib).sum();
        let tests = asks.len();
        let (mut ports, mut stacks) = (BTreeSet::new(), BTreeSet::new());
        let alone = asks.iter().all(|ask| {
            ask.ports.iter().all(|port| ports.insert(*port)) && ask.stacks.iter().all(|stack| stacks.insert(stack))
        });
        if tests > caps.tests as usize || apps > caps.apps || mib > caps.mib || !alone {
            self.fail(kind, format!("{tests} runs, {apps} apps, {mib} MiB under {caps:?}, names alone: {alone}"));
        }
    }

    pub(super) fn granted(&mut self, held: &LedgerEntry) {
        self.count.granted += 1;
        if let Some(times) = self.times.get_mut(&held.number) {
            times.granted = Some(Instant::now());
            times.yields = held.ask.yields;
        }
    }

    /// A run deploys or uses its apps.
    pub(super) fn acted(&mut self, held: &LedgerEntry, caps: Caps, entered: bool, woken: Option<Instant>) {
        if !entered {
            // A woken process cannot know at once. Other runs may not act for a moment.
            let late = woken.map(|woken| woken.elapsed());
            self.count.late = self.count.late.max(late.unwrap_or_default());
            if late.is_some_and(|late| late <= DISCOVERY) {
                return;
            }
            self.fail("went on without its slot", format!("{}, {late:?} after it was woken", held.ask.run));
        }
        if self.live.insert(held.number, held.ask.clone()).is_none() {
            self.count.most_live = self.count.most_live.max(self.live.len());
            let live = self.live.clone();
            self.check("more live than the cap", live.values().collect(), caps);
        }
    }

    pub(super) fn torn_down(&mut self, number: u64) {
        self.live.remove(&number);
    }

    pub(super) fn lost(&mut self, why: Option<&Lost>) {
        match why {
            Some(Lost::Cancelled(_)) => self.count.cancelled += 1,
            Some(Lost::Silent(_) | Lost::Limit(_)) => self.count.fenced += 1,
            Some(Lost::Removed) => self.count.removed += 1,
            None => {}
        }
    }

    pub(super) fn ended(&mut self, held: &LedgerEntry, gave_back: bool) {
        self.count.ended += 1;
        if !gave_back {
            self.count.gave_up += 1;
        }
        self.could_go.remove(&held.number);
    }

    pub(super) fn gave_up(&mut self, _run: &RunId, cancelled: bool) {
        *(if cancelled { &mut self.count.cancelled } else { &mut self.count.gave_up }) += 1;
    }

    /// No request that the correct rule admits may continue to wait.
    pub(super) fn observe(&mut self, view: &SlotsView, silent: &BTreeSet<u64>, patience: Duration) {
        let now = Instant::now();
        let answers = admit(view, silent);
        self.count.longest_queue = self.count.longest_queue.max(answers.len());
        let go: BTreeSet<u64> =
            answers.into_iter().filter(|(_, answer)| *answer == Admission::Go).map(|(number, _)| number).collect();
        self.could_go.retain(|number, _| go.contains(number));
        for number in go {
            let idle = now.duration_since(*self.could_go.entry(number).or_insert(now));
            self.count.idle = self.count.idle.max(idle);
            if idle > patience {
                self.fail("could go and did not", format!("ticket {number} for {idle:?}"));
            }
        }
    }

    /// While the engine is down, no request can be admitted.
    pub(super) fn excuse_all(&mut self) {
        self.could_go.clear();
    }

    /// At the end: every run waited only for what was there before it.
    pub(super) fn close(&mut self, patience: Duration) {
        let end = Instant::now();
        let mut older = None;
        let mut passed_over = Vec::new();
        for (number, times) in &self.times {
            if let Some(granted) = times.granted.filter(|_| !times.yields) {
                let delay = granted.saturating_duration_since(older.max(Some(times.joined)).unwrap_or(end));
                passed_over.push((delay, *number));
            }
            older = older.max(Some(times.over.unwrap_or(end)));
        }
        for (delay, number) in passed_over {
            self.count.passed_over = self.count.passed_over.max(delay);
            if delay > patience {
                self.fail("passed over", format!("ticket {number} for {delay:?} after all before it were over"));
            }
        }
        if !self.live.is_empty() {
            self.fail("left behind", format!("{:?}", self.live.keys().collect::<Vec<_>>()));
        }
    }
}
