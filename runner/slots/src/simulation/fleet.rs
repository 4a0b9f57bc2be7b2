//! The makespan of a small fleet by the rule, compared with the best order that can be found.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use super::page::says;
use crate::forecast::forecast;
use crate::state::{Caps, SlotRequest};
use crate::testing::{ask, of_asks};

const CAPS: Caps = Caps { tests: 4, apps: 6, mib: 6_000 };

/// The makespan of these runs if they arrive in this order.
fn takes(fleet: &[(SlotRequest, Duration)]) -> Duration {
    let times: BTreeMap<_, _> = fleet.iter().map(|(ask, time)| (ask.run.clone(), *time)).collect();
    let view = of_asks(CAPS, fleet.iter().zip(1..).map(|((ask, _), number)| (number, ask.clone())).collect(), 0);
    let starts = forecast(&view, |ask| times[&ask.run]);
    starts.values().zip(fleet).map(|(start, (_, time))| *start + *time).max().unwrap_or_default()
}

#[test]
fn a_fleet_of_twelve_ends_near_the_best_order() {
    let mut rng = StdRng::seed_from_u64(1);
    let mut ratios: Vec<f64> = (0..100)
        .map(|_| {
            let mut fleet: Vec<(SlotRequest, Duration)> = (0..12)
                .map(|number| {
                    let (apps, mib) = if rng.random_bool(0.3) { (2, 2_000) } else { (1, 600) };
                    (SlotRequest { mib, ..ask(number, apps) }, Duration::from_secs(rng.random_range(20..240)))
                })
                .collect();
            let by_rule = takes(&fleet);
            let best = (0..300).map(|_| {
                fleet.shuffle(&mut rng);
                takes(&fleet)
            });
            by_rule.as_secs_f64() / best.min().unwrap().as_secs_f64()
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    says(&format!("| 100 fleets of 12 | {:.2} | {:.2} | {:.2} |", ratios[50], ratios[90], ratios[99]));
}
