//! Expected waiting times: the admission rule itself, simulated with the durations of earlier runs. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::admit::{Admission, admit};
use super::state::{Ledger, LedgerEntry, SlotRequest, SlotsView};

/// The expected waiting time of each waiter, by number. `takes` is the duration of such a run, from history. A holder
/// that exceeded it is expected to end soon: after a tenth of that duration.
pub fn forecast(view: &SlotsView, takes: impl Fn(&SlotRequest) -> Duration) -> BTreeMap<u64, Duration> {
    let now = view.now();
    let left = |held: &LedgerEntry| {
        let all = takes(&held.ask);
        let age = Duration::try_from(now.duration_since(held.since)).unwrap_or_default();
        all.checked_sub(age).unwrap_or(all / 10)
    };
    // The end of kept apps is unknown: they hold their room for the whole forecast.
    let mut ends: BTreeSet<(Duration, u64)> =
        view.ledger.held.iter().filter(|held| !held.kept).map(|held| (left(held), held.number)).collect();
    let mut at = Duration::ZERO;
    let mut starts = BTreeMap::new();
    let mut ledger: Ledger = view.ledger.as_ref().clone();
    let mut waiting: Vec<_> = view.waiting().cloned().collect();
    loop {
        let then = SlotsView { ledger: Arc::new(ledger.clone()), tickets: waiting.clone() };
        let answers: BTreeMap<u64, Admission> = admit(&then, &BTreeSet::new()).into_iter().collect();
        waiting.retain(|ticket| {
            let goes = answers.get(&ticket.number) == Some(&Admission::Go);
            if goes {
                starts.insert(ticket.number, at);
                ends.insert((at + takes(&ticket.ask), ticket.number));
                let held = LedgerEntry { ask: ticket.ask.clone(), number: ticket.number, since: now, kept: false };
                ledger = ledger.with(held);
            }
            !goes && !matches!(answers.get(&ticket.number), Some(Admission::Never(_)))
        });
        let Some((end, number)) = ends.pop_first().filter(|_| !waiting.is_empty()) else { return starts };
        at = end;
        ledger = ledger.without(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Caps;
    use crate::testing::{ask, of_asks, view};

    const CAPS: Caps = Caps { tests: 2, apps: 4, mib: 1_000 };

    fn minute(_: &SlotRequest) -> Duration {
        Duration::from_secs(60)
    }

    fn seconds(view: &SlotsView) -> Vec<(u64, u64)> {
        forecast(view, minute).into_iter().map(|(number, time)| (number, time.as_secs())).collect()
    }

    #[test]
    fn each_waits_for_those_before_it() {
        assert_eq!(seconds(&view(CAPS, &[(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)], 2)), [(3, 60), (4, 60), (5, 120)]);
        assert_eq!(seconds(&view(CAPS, &[], 0)), []);
    }

    #[test]
    fn what_is_over_its_time_is_expected_soon() {
        let mut late = view(Caps { tests: 1, ..CAPS }, &[(1, 1), (2, 1)], 1);
        let mut ledger = late.ledger.as_ref().clone();
        ledger.held[0].since = crate::testing::at(-600);
        late.ledger = ledger.into();
        assert_eq!(seconds(&late), [(2, 6)]);
    }

    #[test]
    fn a_light_one_is_expected_before_the_heavy_one_that_it_fits_beside() {
        let asks = vec![(1, ask(1, 2)), (2, ask(2, 3)), (3, ask(3, 1))];
        assert_eq!(seconds(&of_asks(CAPS, asks, 1)), [(2, 60), (3, 0)]);
    }

    #[test]
    fn one_that_never_fits_has_no_time() {
        assert_eq!(seconds(&view(CAPS, &[(1, 5), (2, 4)], 0)), [(2, 0)]);
    }
}
