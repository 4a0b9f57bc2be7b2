//! Whether a service that ends repeatedly may be waiting for another one. What counts is the state of the others, not
//! how often it has ended: a database may take a second or ten minutes until it first answers.

use super::super::seen::{Health, Listens, Restart};
use super::view::View;

/// Number of ends after everything that it could wait for was ready: then it had its chance, twice.
const FAIR_TRIES: usize = 2;
/// The restart delay from which on one try is enough, since two would take a minute.
const LONG_DELAY_MS: u64 = 15_000;
/// How long a process without a healthcheck, whose listening ports are unknown, counts as starting.
const SILENT_MS: u64 = 45_000;
/// The same for one that is known not to accept connections.
const DEAF_MS: u64 = 180_000;
/// How long two services that name each other excuse each other.
const MUTUAL_MS: u64 = 45_000;
/// Number of ends that are accepted as waiting for an unknown service, while another is on its first start.
const UNKNOWN_ENDS: usize = 6;

/// The minimum number of ends before a judgement.
pub(super) fn ends_needed(view: &View) -> usize {
    if view.service.restart_delay_ms >= LONG_DELAY_MS { 2 } else { 3 }
}

/// The service that `this` may be waiting for.
pub(super) fn waits_for<'a>(this: &View, views: &'a [View]) -> Option<&'a str> {
    let names = |view: &View, other: &View| view.service.mentions.contains(&other.service.name);
    views.iter().filter(|other| other.service.id != this.service.id).find_map(|other| {
        let excuses = match (names(this, other), names(other, this)) {
            // Whether the other one comes up is its own judgement.
            (true, false) => is_awaited(this, other) || (other.is_down() && !other.ends.tasks.is_empty()),
            (true, true) => is_awaited(this, other) && !other.is_crashing() && other.first_start_ms() < MUTUAL_MS,
            (false, true) => false,
            (false, false) => {
                let knows_others = !this.service.mentions.is_empty();
                !knows_others && this.ends.ended() < UNKNOWN_ENDS && other.is_on_first_start()
            }
        };
        excuses.then_some(other.service.name.as_str())
    })
}

/// Whether the other one is not ready, or has been for so short a time that this one had no fair try since.
fn is_awaited(this: &View, other: &View) -> bool {
    let Some(ready_ms) = ready_ms(other) else { return true };
    let tries = this.ends.tasks.iter().filter(|end| end.started_ms.unwrap_or(end.age_ms) < ready_ms).count();
    tries < if this.service.restart_delay_ms >= LONG_DELAY_MS { 1 } else { FAIR_TRIES }
}

/// How long a service has been ready; `None` if it is not.
fn ready_ms(view: &View) -> Option<u64> {
    if view.is_down() {
        return None;
    }
    let running = view.running();
    if running.is_empty() {
        // It ran to its end, has no replica, or runs on another node.
        return Some(view.newest_since_ms());
    }
    let of = |container: &super::super::seen::ContainerSeen| {
        let up_ms = container.up_s * 1000;
        let after = |patience: u64| up_ms.checked_sub(patience);
        match (container.health, container.listens) {
            (Health::Healthy, Listens::Since(ms)) => Some(container.healthy_ms.unwrap_or(u64::MAX).min(ms)),
            // Healthy only by a socket: MySQL and MariaDB are so while a temporary server sets them up.
            (Health::Healthy, Listens::No) => after(DEAF_MS),
            (Health::Healthy, Listens::Unknown) => Some(container.healthy_ms.unwrap_or(u64::MAX)),
            (Health::Starting | Health::Unhealthy, _) => None,
            (Health::None, Listens::Since(ms)) => Some(ms),
            // A service that is never restarted runs once, and others follow it.
            (Health::None, _) if view.service.restart == Restart::Never => None,
            (Health::None, Listens::No) => after(DEAF_MS),
            (Health::None, Listens::Unknown) => after(SILENT_MS),
        }
    };
    running.into_iter().map(of).min().flatten()
}

#[cfg(test)]
mod tests {
    use super::super::super::seen::*;
    use super::super::examples::*;
    use super::super::{Judgement, judge};

    /// An app that has ended several times, each try begun this many seconds ago, and names db; and db.
    fn stack(tries_s: &[u64], db: ContainerSeen) -> Snapshot {
        let mut now = one(ServiceSeen { mentions: ["db".to_owned()].into(), ..service("app") }, vec![], vec![db]);
        for (at, s) in tries_s.iter().enumerate() {
            let end = failed("app", &at.to_string(), "task: non-zero exit (1)", 1);
            now.tasks.push(TaskSeen { started_ms: Some(s * 1000), ..end });
        }
        now.tasks.push(task("app", "9", TaskState::Ready));
        now.services.push(service("db"));
        now.tasks.push(task("db", "d", TaskState::Running));
        now
    }

    fn said(now: &Snapshot) -> String {
        match judge(now, &Before::default()) {
            Judgement::Settled(_) => "settled".to_owned(),
            Judgement::Going { line, .. } => line,
            Judgement::Never { failure, .. } => failure.to_string(),
        }
    }

    fn crashes(now: &Snapshot, who: &str) -> bool {
        said(now).starts_with(&format!("service {who} (nginx:2) exited"))
    }

    const MANY: [u64; 9] = [42, 37, 32, 27, 22, 17, 12, 7, 2];

    fn db(health: Health, up_s: u64) -> ContainerSeen {
        ContainerSeen { up_s, ..container("d", health) }
    }

    #[test]
    fn ends_do_not_count_while_what_it_names_is_not_ready() {
        assert!(said(&stack(&MANY, db(Health::Starting, 600))).contains("may be waiting for db"));
        let deaf = ContainerSeen { listens: Listens::No, ..db(Health::None, 120) };
        assert!(said(&stack(&MANY, deaf)).contains("may be waiting for db"));
        assert!(!crashes(&stack(&MANY, db(Health::None, 44)), "app"), "nothing tells whether it is up");
        // It just came up, and there was no try since.
        let just = ContainerSeen { healthy_ms: Some(1_000), ..db(Health::Healthy, 44) };
        assert!(!crashes(&stack(&MANY, just), "app"));
    }

    #[test]
    fn what_ends_although_all_is_ready_crashes() {
        assert!(crashes(&stack(&[12, 7, 2], db(Health::Healthy, 44)), "app"));
        let tried = ContainerSeen { healthy_ms: Some(8_000), ..db(Health::Healthy, 44) };
        assert!(crashes(&stack(&MANY, tried), "app"));
        let hears = ContainerSeen { listens: Listens::Since(9_000), ..db(Health::None, 20) };
        assert!(crashes(&stack(&[17, 7, 2], hears), "app"));
        assert!(crashes(&stack(&MANY, db(Health::None, 54)), "app"));
        let deaf = ContainerSeen { listens: Listens::No, ..db(Health::None, 190) };
        assert!(crashes(&stack(&MANY, deaf), "app"), "a worker that never listens");
        assert!(!crashes(&stack(&[7, 2], db(Health::Healthy, 44)), "app"), "two ends are none");
    }

    #[test]
    fn one_that_waits_patiently_excuses_nobody_whom_it_names() {
        let mut now = stack(&[], db(Health::Starting, 5));
        now.containers = vec![ContainerSeen { up_s: 5, ..container("9", Health::Starting) }];
        now.tasks = vec![task("app", "9", TaskState::Running), task("db", "d", TaskState::Ready)];
        now.tasks.extend((0..3).map(|at| failed("db", &at.to_string(), "task: non-zero exit (7)", 7)));
        assert!(crashes(&now, "db"), "{}", said(&now));
        // The same if the app ends, too: the one that everything waits for is named, in any order.
        let ends = (0..9).map(|at| failed("app", &format!("a{at}"), "task: non-zero exit (1)", 1));
        now.tasks = ends.chain(now.tasks).collect();
        now.containers.clear();
        now.tasks[9].state = TaskState::Ready;
        assert!(crashes(&now, "db"), "{}", said(&now));
    }

    #[test]
    fn two_that_name_each_other_are_excused_for_a_while() {
        let mutual = |up_s| {
            let mut now = stack(&[12, 7, 2], db(Health::Starting, up_s));
            now.services[1].mentions = ["app".to_owned()].into();
            now.tasks.iter_mut().find(|task| task.id == "d").unwrap().age_ms = up_s * 1000;
            now
        };
        assert!(!crashes(&mutual(12), "app"));
        assert!(crashes(&mutual(50), "app"));
    }

    #[test]
    fn a_migration_is_waited_for_and_no_crash_when_it_has_ended() {
        let mut now = stack(&MANY, db(Health::None, 170));
        now.services[1].restart = Restart::Never;
        assert!(said(&now).contains("may be waiting for db"));
        now.containers.clear();
        let done = |since_ms| TaskSeen { exit: Some(0), since_ms, ..task("db", "d", TaskState::Complete) };
        *now.tasks.iter_mut().find(|task| task.id == "d").unwrap() = done(1_000);
        assert!(!crashes(&now, "app"));
        *now.tasks.iter_mut().find(|task| task.id == "d").unwrap() = done(30_000);
        assert!(crashes(&now, "app"));
    }

    #[test]
    fn where_swarm_waits_long_between_starts_two_ends_are_enough() {
        let mut now = one(ServiceSeen { restart_delay_ms: 30_000, ..service("app") }, vec![], vec![]);
        now.tasks =
            vec![failed("app", "1", "task: non-zero exit (1)", 1), failed("app", "2", "task: non-zero exit (1)", 1)];
        now.tasks.push(task("app", "9", TaskState::Ready));
        assert!(crashes(&now, "app"));
    }

    #[test]
    fn what_swarm_starts_no_more_is_told_at_once_with_what_it_waited_for() {
        let mut now = stack(&[7, 2], db(Health::Starting, 9));
        now.services[0].max_attempts = 2;
        now.tasks.retain(|task| task.id != "9");
        let line = said(&now);
        assert!(line.contains("restart_policy swarm does not restart it, while db was not ready"), "{line}");
    }

    #[test]
    fn an_app_that_ends_well_and_is_not_started_again_is_not_up() {
        let ended = TaskSeen { exit: Some(0), ..task("app", "1", TaskState::Complete) };
        let quits = |is_routed| ServiceSeen { is_routed, restart: Restart::OnFailure, ..service("app") };
        assert_eq!(said(&one(quits(false), vec![ended.clone()], vec![])), "settled");
        let line = said(&one(quits(true), vec![ended], vec![]));
        assert!(line.contains("exited with code 0, and by its restart_policy swarm does not restart it"), "{line}");
    }

    #[test]
    fn a_healthcheck_that_calls_what_is_not_there_is_named_at_once() {
        let lacks = Some("sh: curl: not found".to_owned());
        let checked = ContainerSeen { lacks, ..container("1", Health::Starting) };
        let now = one(service("app"), vec![task("app", "1", TaskState::Running)], vec![checked]);
        assert!(
            said(&now).starts_with("the healthcheck of service app (nginx:2) calls a program that its image lacks")
        );
    }

    #[test]
    fn ends_on_the_way_up_are_told() {
        let mut now = one(service("app"), vec![], vec![container("9", Health::Healthy)]);
        now.tasks = (0..8).map(|at| failed("app", &at.to_string(), "task: non-zero exit (1)", 1)).collect();
        now.tasks.push(task("app", "9", TaskState::Running));
        let Judgement::Settled(up) = judge(&now, &Before::default()) else { panic!("{}", said(&now)) };
        assert_eq!(up[0].before.as_deref(), Some("exited 8 times, last with code 1"));
    }
}
