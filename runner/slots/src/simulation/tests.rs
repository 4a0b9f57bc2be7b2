use std::collections::BTreeSet;
use std::time::Duration;

use super::bugs;
use super::model::Faults;
use super::page::{row, says};
use super::scenario::{Report, Scenario};
use crate::lease_times::LeaseTimes;
use crate::rules::Rules;
use crate::state::Caps;

/// Plays a history in which every invariant must hold.
fn holds(scenario: Scenario) -> Report {
    let report = scenario.play();
    assert!(report.wrong.is_empty(), "seed {}: {report:#?}", scenario.seed);
    report
}

/// Plays several, and compares the page with their results.
fn shows(name: &str, seeds: u64, scenario: impl Fn(u64) -> Scenario) -> Vec<Report> {
    let reports: Vec<Report> = (0..seeds).map(|seed| holds(scenario(seed))).collect();
    let Scenario { hosts, runs, .. } = scenario(0);
    says(&row(name, (hosts, runs), &reports));
    reports
}

/// Plays a planted bug, and compares the page with how it was detected.
fn is_found(bug: &str, as_what: &str, scenario: impl Fn(u64) -> Scenario) {
    let found: BTreeSet<&'static str> = (0..3).flat_map(|seed| scenario(seed).play().wrong.into_keys()).collect();
    assert!(found.contains(as_what), "{bug}: {found:?}");
    says(&format!("| {bug} | {as_what} |"));
}

/// No waiter polls, and no run expires, within the length of any history.
fn no_polls() -> LeaseTimes {
    let hours = |hours: u64| Duration::from_secs(hours * 3_600);
    LeaseTimes { beat: hours(10), fence: hours(30), lease: hours(40), ..LeaseTimes::default() }
}

#[test]
fn on_a_calm_swarm_everybody_is_told_at_once() {
    let reports = shows("calm", 4, Scenario::calm);
    assert!(reports.iter().all(|report| report.count.ended == 200 && report.count.longest_queue > 10));
}

#[test]
fn nobody_needs_to_look_around_when_nothing_goes_wrong() {
    shows("calm, without polls", 2, |seed| Scenario { timing: no_polls(), ..Scenario::calm(seed) });
}

#[test]
fn a_clock_that_jumps_costs_no_lease() {
    let faults = Faults { jumps_every: 20, ..Faults::default() };
    let reports = shows("the leader's clock jumps", 2, |seed| Scenario { faults, ..Scenario::calm(seed) });
    assert!(reports.iter().all(|report| report.count.removed + report.count.fenced == 0));
}

#[test]
fn whatever_goes_wrong_the_properties_hold() {
    let reports = shows("rough", 10, Scenario::rough);
    assert!(reports.iter().all(|report| report.died > 5), "{reports:?}");
}

#[test]
fn those_that_yield_leave_a_slot_pass_nobody_and_come_to_their_end() {
    // When the last of the others has its slot, yielding runs are not notified: they poll.
    let patience = Duration::from_secs(45);
    for seed in 0..4 {
        let report = holds(Scenario { yields: 300, patience, ..Scenario::calm(seed) });
        assert_eq!(report.count.ended, 200);
        holds(Scenario { yields: 300, ..Scenario::rough(seed) });
    }
}

#[test]
fn far_more_than_a_machine_can_start() {
    shows("rough, and large", 1, |seed| Scenario {
        hosts: 64,
        runs: 10_000,
        caps: Caps { tests: 64, apps: 100, mib: 80_000 },
        gap_ms: 900,
        works_s: 60,
        ..Scenario::rough(seed)
    });
}

#[test]
fn a_lease_costs_the_same_however_many_wait() {
    let caps = Caps { tests: 4, apps: 100_000, mib: 1_000_000_000 };
    for runs in [10, 500, 2_000] {
        // They arrive much faster than they end.
        let crowd = Scenario { runs, gap_ms: 10, works_s: 1, caps, timing: no_polls(), ..Scenario::calm(1) };
        let report = holds(crowd);
        let per_lease = |all: u64| all.div_ceil(u64::from(runs));
        says(&format!(
            "| {runs} | {} | {} | {} |",
            per_lease(report.reads),
            per_lease(report.writes),
            per_lease(report.records)
        ));
    }
}

#[test]
fn one_seed_gives_one_history() {
    assert_eq!(Scenario::rough(7).play(), Scenario::rough(7).play());
    assert_ne!(Scenario::rough(7).play(), Scenario::rough(8).play());
}

#[test]
fn changes_without_compare_and_swap_are_found() {
    let faults = Faults { no_swap: true, ..Faults::default() };
    is_found("the ledger is changed whatever its version", "went on without its slot", |seed| Scenario {
        faults,
        gap_ms: 100,
        ..Scenario::calm(seed)
    });
}

#[test]
fn a_head_of_the_line_that_blocks_is_found() {
    let rules = Rules { admit: bugs::plain_fifo, ..Rules::default() };
    is_found("first come, first served, without passing", "could go and did not", |seed| Scenario {
        rules,
        ..Scenario::calm(seed)
    });
}

#[test]
fn overtaking_without_bound_is_found() {
    let rules = Rules { admit: bugs::overtaking_without_bound, ..Rules::default() };
    is_found("every run that fits is admitted", "passed over", |seed| Scenario { rules, ..Scenario::calm(seed) });
}

#[test]
fn dead_holders_that_nobody_buries_are_found() {
    let rules = Rules { dead: bugs::no_deaths, ..Rules::default() };
    let patience = Duration::from_secs(240);
    is_found("dead runs are not looked for", "never ended", |seed| Scenario {
        rules,
        die: 300,
        die_at_call: 200,
        patience,
        ..Scenario::calm(seed)
    });
}

#[test]
fn death_by_timestamps_is_found_when_a_clock_jumps() {
    let rules = Rules { dead: bugs::dead_by_timestamps, ..Rules::default() };
    let faults = Faults { jumps_every: 20, ..Faults::default() };
    is_found("a lease expires by the swarm's timestamps", "a healthy run lost its slot", |seed| Scenario {
        rules,
        faults,
        ..Scenario::calm(seed)
    });
}

#[test]
fn a_release_that_tells_nobody_is_found() {
    let rules = Rules { tells: false, ..Rules::default() };
    is_found("a run that leaves notifies no other", "could go and did not", |seed| Scenario {
        rules,
        ..Scenario::calm(seed)
    });
}

#[test]
fn a_holder_that_does_not_stop_is_found() {
    let patience = Duration::from_secs(240);
    is_found("a run does not stop when its slot is lost", "went on without its slot", |seed| Scenario {
        deaf: true,
        pause: 300,
        patience,
        ..Scenario::calm(seed)
    });
}
