use std::time::Duration;

use super::model::Faults;
use super::scenario::{Report, Scenario};
use crate::rules::Rules;
use crate::state::Caps;
use crate::timing::Timing;

fn holds(scenario: Scenario) -> Report {
    let report = scenario.play();
    assert!(report.wrong.is_empty(), "seed {}: {report:#?}", scenario.seed);
    report
}

/// The kinds of wrong that a planted bug brings about, over some seeds.
fn found(scenario: impl Fn(u64) -> Scenario) -> std::collections::BTreeSet<&'static str> {
    (0..3).flat_map(|seed| scenario(seed).play().wrong.into_keys()).collect()
}

#[test]
fn on_a_calm_swarm_everybody_is_told_at_once() {
    for seed in 0..4 {
        let report = holds(Scenario::calm(seed));
        assert_eq!(report.count.ended, 200);
        assert!(report.count.longest_queue > 10, "nobody had to wait: {report:?}");
    }
}

#[test]
fn nobody_needs_to_look_around_when_nothing_goes_wrong() {
    // An hour between looks: whoever is not told waits for so long.
    let timing = Timing {
        beat: Duration::from_secs(3_600),
        fence: Duration::from_secs(14_000),
        lease: Duration::from_secs(20_000),
        ..Timing::default()
    };
    holds(Scenario { timing, ..Scenario::calm(1) });
}

#[test]
fn whatever_goes_wrong_the_properties_hold() {
    for seed in 0..10 {
        let report = holds(Scenario::rough(seed));
        assert!(report.died > 0, "{report:?}");
    }
}

#[test]
fn a_clock_that_jumps_costs_no_lease() {
    let faults = Faults { jumps_every: 20, ..Faults::default() };
    let report = holds(Scenario { faults, ..Scenario::calm(3) });
    assert_eq!((report.count.removed, report.count.fenced), (0, 0));
}

#[test]
fn one_seed_gives_one_history() {
    assert_eq!(Scenario::rough(7).play(), Scenario::rough(7).play());
    assert_ne!(Scenario::rough(7).play(), Scenario::rough(8).play());
}

#[test]
fn changes_without_compare_and_swap_are_found() {
    let bug =
        |seed| Scenario { faults: Faults { no_swap: true, ..Faults::default() }, gap_ms: 100, ..Scenario::calm(seed) };
    assert!(found(bug).contains("went on without its slot"), "{:?}", found(bug));
}

#[test]
fn a_head_of_the_line_that_blocks_is_found() {
    let bug =
        |seed| Scenario { rules: Rules { admit: super::bugs::plain_fifo, ..Rules::default() }, ..Scenario::calm(seed) };
    assert!(found(bug).contains("could go and did not"), "{:?}", found(bug));
}

#[test]
fn overtaking_without_bound_is_found() {
    let rules = Rules { admit: super::bugs::overtaking_without_bound, ..Rules::default() };
    let bug = |seed| Scenario { rules, ..Scenario::calm(seed) };
    assert!(found(bug).contains("passed over"), "{:?}", found(bug));
}

#[test]
fn dead_holders_that_nobody_buries_are_found() {
    let rules = Rules { dead: super::bugs::nobody_dies, ..Rules::default() };
    let patience = Duration::from_secs(240);
    let bug = |seed| Scenario { rules, die: 300, die_at_call: 200, patience, ..Scenario::calm(seed) };
    assert!(found(bug).contains("never ended"), "{:?}", found(bug));
}

#[test]
fn death_by_timestamps_is_found_when_a_clock_jumps() {
    let rules = Rules { dead: super::bugs::dead_by_timestamps, ..Rules::default() };
    let faults = Faults { jumps_every: 20, ..Faults::default() };
    let lost: usize = (0..5).map(|seed| Scenario { rules, faults, ..Scenario::calm(seed) }.play().count.removed).sum();
    assert!(lost > 0, "a live run loses its slot when the leader's clock jumps");
}

#[test]
fn a_release_that_tells_nobody_is_found() {
    let rules = Rules { tells: false, ..Rules::default() };
    let bug = |seed| Scenario { rules, ..Scenario::calm(seed) };
    assert!(found(bug).contains("could go and did not"), "{:?}", found(bug));
}

#[test]
fn a_holder_that_does_not_stop_is_found() {
    let bug = |seed| Scenario { deaf: true, pause: 300, patience: Duration::from_secs(240), ..Scenario::calm(seed) };
    assert!(found(bug).contains("went on without its slot"), "{:?}", found(bug));
}

#[test]
fn debug_big() {
    let t = std::time::Instant::now();
    let report = Scenario {
        hosts: 64,
        runs: 10_000,
        caps: Caps { tests: 64, apps: 100, mib: 80_000 },
        gap_ms: 900,
        works_s: 60,
        ..Scenario::rough(1)
    }
    .play();
    eprintln!("{:?} {report:#?}", t.elapsed());
}

#[test]
fn debug_cost() {
    for runs in [10, 100, 500, 2_000] {
        let report = Scenario {
            runs,
            gap_ms: 20,
            works_s: 2,
            caps: Caps { tests: 4, apps: 10_000, mib: 1_000_000_000 },
            ..Scenario::calm(1)
        }
        .play();
        let n = u64::from(runs);
        eprintln!(
            "{runs}: {} reads, {} writes, {} tickets read per lease; {:?}",
            report.reads / n,
            report.writes / n,
            report.records / n,
            report.wrong
        );
    }
}
