use proptest::prelude::*;

use super::*;
use crate::state::CapSettings;
use crate::testing::{ask, of_asks, view};

const CAPS: Caps = Caps { tests: 4, apps: 6, mib: 1_000 };

fn goes(view: &SlotsView) -> Vec<u64> {
    let answers = admit(view, &BTreeSet::new()).into_iter();
    answers.filter(|(_, answer)| *answer == Admission::Go).map(|(number, _)| number).collect()
}

#[test]
fn whoever_fits_goes_in_order() {
    assert_eq!(goes(&view(CAPS, &[(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)], 0)), [1, 2, 3, 4]);
    assert_eq!(goes(&view(CAPS, &[(1, 3), (2, 2), (3, 2)], 1)), [2]);
}

#[test]
fn those_that_fit_beside_a_heavy_one_pass_it_and_no_others() {
    // 1 holds 3 of 6; 2 needs 5, so one app may pass it, and not two.
    assert_eq!(goes(&view(CAPS, &[(1, 3), (2, 5), (3, 2), (4, 1), (5, 1)], 1)), [4]);
    // The one that passed holds; no other may pass until 2 was admitted.
    assert_eq!(goes(&view(CAPS, &[(1, 3), (4, 1), (2, 5), (5, 1)], 2)), Vec::<u64>::new());
    // All that was older has ended.
    assert_eq!(goes(&view(CAPS, &[(4, 1), (2, 5), (5, 1)], 1)), [2]);
}

#[test]
fn names_are_had_by_one_at_a_time_in_order() {
    let with_port = |number: u64| {
        let mut ask = ask(number, 1);
        ask.ports.insert(25);
        (number, ask)
    };
    let view = of_asks(CAPS, vec![with_port(1), with_port(2), (3, ask(3, 1)), with_port(4)], 1);
    let answers = admit(&view, &BTreeSet::new());
    assert_eq!(answers.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(answers[0].1, Admission::Wait(For::Port(25)));
    assert_eq!(goes(&view), [3]);

    let twin = SlotRequest { stacks: ask(1, 1).stacks, ..ask(2, 1) };
    let twins = of_asks(CAPS, vec![(1, ask(1, 1)), (2, twin)], 0);
    assert_eq!(goes(&twins), [1]);
}

#[test]
fn what_never_fits_is_told_so_and_holds_nobody_up() {
    let view = view(CAPS, &[(1, 7), (2, 6)], 0);
    let answers = admit(&view, &BTreeSet::new());
    assert!(matches!(&answers[0].1, Admission::Never(what) if what.contains("7 apps")), "{answers:?}");
    assert_eq!(goes(&view), [2]);
    assert!(too_much(&Caps { tests: 0, ..CAPS }, &ask(1, 1)).is_some());
    assert!(too_much(&CAPS, &SlotRequest { mib: 1_001, ..ask(1, 1) }).is_some());
}

#[test]
fn nobody_waits_for_one_that_is_silent() {
    let view = view(CAPS, &[(1, 3), (2, 6), (3, 3)], 1);
    assert_eq!(goes(&view), Vec::<u64>::new());
    let answers = admit(&view, &BTreeSet::from([2]));
    assert_eq!(answers, [(2, Admission::Wait(For::Owner)), (3, Admission::Go)]);
}

#[test]
fn a_kept_app_counts_as_an_app_and_not_as_a_run() {
    let mut kept = view(CAPS, &[(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (7, 1)], 4);
    assert_eq!(goes(&kept), Vec::<u64>::new());
    let mut ledger = kept.ledger.as_ref().clone();
    ledger.held[0].kept = true;
    kept.ledger = ledger.into();
    assert_eq!(goes(&kept), [5], "a fourth run, and then six apps less five");
}

#[test]
fn a_run_that_accepts_few_others_goes_when_few_live_and_keeps_younger_ones_out() {
    let picky = |number: u64, most: u32| (number, SlotRequest { most_runs: most.try_into().ok(), ..ask(number, 1) });
    let any = |number: u64| (number, ask(number, 1));
    // 1 lives and accepts all; 2 accepts one other; 3 fits the cap, and would be one too many for 2.
    let one_other = of_asks(CAPS, vec![any(1), picky(2, 2), any(3)], 1);
    assert_eq!(goes(&one_other), [2]);
    // 2 wants to be alone: it waits, and no younger one passes it for ever.
    assert_eq!(goes(&of_asks(CAPS, vec![any(1), picky(2, 1), any(3)], 1)), Vec::<u64>::new());
    assert_eq!(goes(&of_asks(CAPS, vec![picky(2, 1), any(3)], 0)), [2]);
    // While it lives it is alone.
    assert_eq!(goes(&of_asks(CAPS, vec![picky(2, 1), any(3)], 1)), Vec::<u64>::new());
    // A kept app is not a run.
    let mut kept = of_asks(CAPS, vec![picky(2, 1), any(3)], 1);
    let mut ledger = kept.ledger.as_ref().clone();
    ledger.held[0].kept = true;
    kept.ledger = ledger.into();
    assert_eq!(goes(&kept), [3]);
    // More than the cap changes nothing.
    assert_eq!(goes(&of_asks(CAPS, vec![picky(1, 9), picky(2, 4), any(3), any(4), any(5)], 0)), [1, 2, 3, 4]);
}

#[test]
fn one_that_yields_goes_behind_all_others_and_leaves_a_slot_for_them() {
    let yields = |number: u64, apps: u32| (number, SlotRequest { yields: true, ..ask(number, apps) });
    let any = |number: u64| (number, ask(number, 1));
    let two = Caps { tests: 2, apps: 4, mib: 1_000 };
    // It is older, and the other is admitted first: otherwise it would take the last slot.
    assert_eq!(goes(&of_asks(two, vec![yields(1, 1), any(2)], 0)), [2]);
    assert_eq!(goes(&of_asks(CAPS, vec![yields(1, 1), any(2)], 0)), [1, 2], "there is a third slot");
    // A yielding run never takes the last slot, even if no other waits.
    let last = of_asks(two, vec![any(1), yields(2, 1)], 1);
    assert_eq!(admit(&last, &BTreeSet::new()), [(2, Admission::Wait(For::Others))]);
    assert!(!fits(&last.ledger, &last.tickets[1].ask), "nor where it was told its turn");
    assert_eq!(goes(&of_asks(two, vec![yields(1, 1), yields(2, 1)], 0)), [1], "one leaves a slot, two do not");
    assert_eq!(goes(&of_asks(two, vec![yields(1, 1), any(2)], 1)), [2], "and it is there for whoever comes");
    // Apps count as well: a run that takes all of them leaves no room, and is admitted only on an empty swarm.
    assert_eq!(goes(&of_asks(two, vec![yields(1, 3)], 0)), [1]);
    assert_eq!(goes(&of_asks(two, vec![any(1), yields(2, 3)], 1)), Vec::<u64>::new());
    assert_eq!(goes(&of_asks(two, vec![yields(1, 4)], 0)), [1], "it would wait for ever");
    // If the cap is one run, it is admitted when no other waits.
    let one = Caps { tests: 1, apps: 2, mib: 1_000 };
    assert_eq!(goes(&of_asks(one, vec![yields(1, 1)], 0)), [1]);
    assert_eq!(goes(&of_asks(one, vec![yields(1, 1), any(2)], 0)), [2]);
}

#[test]
fn one_that_yields_keeps_nothing_back_and_waits_while_anybody_does() {
    let yields = |number: u64, apps: u32| (number, SlotRequest { yields: true, ..ask(number, apps) });
    // 2 needs all and yields; 3 does not wait for it.
    assert_eq!(goes(&of_asks(CAPS, vec![(1, ask(1, 1)), yields(2, 6), (3, ask(3, 5))], 1)), [3]);
    // 2 waits for room; a yielding run does not use what is left meanwhile.
    let waits = of_asks(CAPS, vec![(1, ask(1, 3)), (2, ask(2, 5)), yields(3, 1)], 1);
    assert_eq!(goes(&waits), Vec::<u64>::new());
    // A silent request, or one that never fits, delays no other.
    let answers = admit(&waits, &BTreeSet::from([2]));
    assert_eq!(answers, [(2, Admission::Wait(For::Owner)), (3, Admission::Go)]);
    assert_eq!(goes(&of_asks(CAPS, vec![(1, ask(1, 7)), yields(2, 1)], 0)), [2]);
    // Places follow the order of admission.
    let queue = of_asks(CAPS, vec![(1, ask(1, 3)), yields(2, 1), (3, ask(3, 5))], 1);
    assert_eq!(queue.tickets.iter().map(|ticket| queue.place(ticket)).collect::<Vec<_>>()[1..], [1, 0]);
}

proptest! {
    /// The admitted requests fit together, and leave each waiter what it reserves against younger ones.
    #[test]
    fn all_that_go_fit_and_keep_room_back(
        runs in prop::collection::vec((1_u32..7, 1_u64..1_001, prop::option::of(0_u16..3), 0_u32..6), 0..20),
        holds in 0_usize..6,
        order in any::<prop::sample::Index>(),
    ) {
        let mut asks: Vec<(u64, SlotRequest)> = runs.iter().zip(1..).map(|((apps, mib, port, most), number)| {
            let most_runs = (*most).try_into().ok();
            (number, SlotRequest { mib: *mib, ports: port.iter().copied().collect(), most_runs, ..ask(number, *apps) })
        }).collect();
        // Any subset may hold, as long as it fits together.
        let first = if asks.is_empty() { 0 } else { order.index(asks.len()) };
        asks.rotate_left(first);
        let mut ledger = of_asks(CAPS, Vec::new(), 0).ledger.as_ref().clone();
        let mut held = 0;
        while held < holds.min(asks.len()) && fits(&ledger, &asks[held].1) {
            let (number, ask) = asks[held].clone();
            ledger = ledger.with(LedgerEntry { ask, number, since: ledger.updated, kept: false });
            held += 1;
        }
        let view = of_asks(CAPS, asks, held);
        let go = goes(&view);
        let mut after = view.ledger.as_ref().clone();
        for ticket in view.tickets.iter().filter(|ticket| go.contains(&ticket.number)) {
            prop_assert!(fits(&after, &ticket.ask));
            after = after.with(LedgerEntry { ask: ticket.ask.clone(), number: ticket.number, since: after.updated, kept: false });
        }
        for ticket in view.waiting().filter(|ticket| !go.contains(&ticket.number)) {
            // Once everything older has ended, only those that passed it are left: it has to fit.
            let young = after.held.iter().filter(|held| held.number > ticket.number);
            let was_young = view.ledger.held.iter().any(|held| held.number > ticket.number);
            let then = Ledger { held: young.cloned().collect(), ..after.clone() };
            prop_assert!(was_young || fits(&then, &ticket.ask), "{} is passed", ticket.number);
        }
    }

    #[test]
    fn the_first_always_goes_on_an_empty_swarm(apps in 1_u32..7, others in 0_u64..9) {
        let runs: Vec<(u64, u32)> = (0..=others).map(|number| (number + 1, apps)).collect();
        let go = goes(&view(CAPS, &runs, 0));
        prop_assert_eq!(go.first(), Some(&1));
    }
}

#[test]
fn what_one_runner_sets_holds_for_those_that_set_nothing() {
    let usual = Caps { tests: 2, apps: 4, mib: 100 };
    let silent = CapSettings { tests: None, apps: None, mib: None, usual };
    let there = Caps { tests: 5, apps: 7, mib: 300 };
    assert_eq!((silent.over(None), silent.over(Some(there))), (usual, there));
    let four = CapSettings { tests: Some(4), ..silent };
    assert_eq!(four.over(Some(there)), Caps { tests: 4, apps: 8, mib: 300 });
    assert_eq!(CapSettings { apps: Some(3), ..four }.over(Some(there)).apps, 3);
    assert_eq!(CapSettings { tests: Some(u32::MAX), ..silent }.over(None).apps, u32::MAX);
}
