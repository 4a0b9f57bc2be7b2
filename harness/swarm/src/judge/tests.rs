use base::failure::Kind;
use proptest::prelude::*;

use super::super::seen::*;
use super::examples::*;
use super::*;

/// The judgement in one line.
fn said(now: &Snapshot, before: &Before) -> String {
    match judge(now, before) {
        Judgement::Settled(up) => {
            let up: Vec<String> = up.iter().map(|up| format!("{} [{}]", up.service, up.containers.join(" "))).collect();
            format!("settled: {}", up.join(", "))
        }
        Judgement::Going { line, .. } => line,
        Judgement::Never { failure, .. } => format!("{}: {}", failure.kind.code(), failure.what),
    }
}

fn first(now: &Snapshot) -> String {
    said(now, &Before::default())
}

#[test]
fn a_first_deploy_line_by_line() {
    let starting =
        |health| one(service("app"), vec![task("app", "1", TaskState::Starting)], vec![container("1", health)]);
    assert_eq!(first(&Snapshot::default()), "waiting for the first service to appear");
    assert_eq!(first(&one(service("app"), vec![], vec![])), "waiting for app: swarm creates its tasks");
    for (state, words) in [
        (TaskState::New, "waits for a node"),
        (TaskState::Preparing, "prepares its image, volumes and networks"),
        (TaskState::Ready, "is ready, and waits for its turn"),
        (TaskState::Starting, "starting"),
    ] {
        let now = one(service("app"), vec![task("app", "1", state)], vec![]);
        assert_eq!(first(&now), format!("waiting for app: {words}"));
    }
    assert_eq!(first(&starting(Health::Starting)), "waiting for app: runs, its healthcheck has not passed yet");
    assert_eq!(first(&starting(Health::Unhealthy)), "waiting for app: runs, its healthcheck fails");
    // Swarm still says "starting": the engine's report is enough.
    assert_eq!(first(&starting(Health::Healthy)), "settled: app [c-1]");
}

#[test]
fn a_process_without_a_healthcheck_must_stay_up_for_a_moment() {
    let up = |seconds, more: Vec<TaskSeen>| {
        let container = ContainerSeen { up_s: seconds, ..container("9", Health::None) };
        let tasks = more.into_iter().chain([task("app", "9", TaskState::Running)]).collect();
        first(&one(service("app"), tasks, vec![container]))
    };
    assert_eq!(up(0, vec![]), "waiting for app: runs, and must stay up for a moment");
    assert_eq!(up(1, vec![]), "settled: app [c-9]");
    let died = || vec![failed("app", "1", "task: non-zero exit (1)", 1)];
    assert_eq!(up(1, died()), "waiting for app: runs, and must stay up for a moment (it exited with code 1 before)");
    assert_eq!(up(6, died()), "settled: app [c-9]");
}

#[test]
fn the_engine_knows_of_a_death_before_the_swarm() {
    let dead = ContainerSeen { running: false, exit: Some(1), ..container("1", Health::None) };
    let now = one(service("app"), vec![task("app", "1", TaskState::Running)], vec![dead]);
    assert_eq!(first(&now), "waiting for app: swarm restarts it");
}

#[test]
fn a_container_on_another_node_is_up_when_swarm_says_so() {
    let now = one(service("app"), vec![task("app", "1", TaskState::Running)], vec![]);
    assert_eq!(first(&now), "settled: app [c-1]");
}

#[test]
fn modes() {
    let none = ServiceSeen { mode: Mode::Replicated(0), ..service("app") };
    assert_eq!(first(&one(none, vec![], vec![])), "settled: app []");
    let global = || ServiceSeen { mode: Mode::Global, ..service("app") };
    assert_eq!(first(&one(global(), vec![], vec![])), "waiting for app: swarm creates its tasks");
    let nodes = |second| {
        let of = |id: &str, state| TaskSeen { slot: format!("node-{id}"), ..task("app", id, state) };
        one(global(), vec![of("1", TaskState::Running), of("2", second)], vec![])
    };
    assert_eq!(first(&nodes(TaskState::Preparing)), "waiting for app: prepares its image, volumes and networks");
    assert_eq!(first(&nodes(TaskState::Running)), "settled: app [c-1 c-2]");
    let two = ServiceSeen { mode: Mode::Replicated(2), ..service("app") };
    let now = one(two, vec![task("app", "1", TaskState::Running)], vec![]);
    assert_eq!(first(&now), "waiting for app: swarm creates its tasks");
}

#[test]
fn jobs_and_programs_that_run_once() {
    let job = || ServiceSeen { mode: Mode::Job(1), restart: Restart::OnFailure, ..service("app") };
    let ended = |exit| TaskSeen { exit: Some(exit), ..task("app", "1", TaskState::Complete) };
    assert_eq!(
        first(&one(job(), vec![task("app", "1", TaskState::Running)], vec![])),
        "waiting for app: 0 of 1 have run to their end"
    );
    assert_eq!(first(&one(job(), vec![ended(0)], vec![])), "settled: app []");
    let once = || ServiceSeen { restart: Restart::Never, ..service("app") };
    assert_eq!(first(&one(once(), vec![ended(0)], vec![])), "settled: app []");
    assert_eq!(
        first(&one(once(), vec![failed("app", "1", "task: non-zero exit (4)", 4)], vec![])),
        "crash-loop: service app (nginx:2) exited with code 4"
    );
    // A server that exits with 0 is as dead as one that fails.
    let again = || task("app", "9", TaskState::Ready);
    assert_eq!(
        first(&one(service("app"), vec![ended(0), again()], vec![])),
        "waiting for app: is ready, and waits for its turn (it exited with code 0 before)"
    );
}

#[test]
fn three_exits_are_a_crash_loop() {
    let exits = |n: usize| {
        let mut tasks: Vec<TaskSeen> =
            (0..n).map(|i| failed("app", &i.to_string(), "task: non-zero exit (3)", 3)).collect();
        tasks.push(task("app", "9", TaskState::Ready));
        one(service("app"), tasks, vec![])
    };
    assert_eq!(
        first(&exits(2)),
        "waiting for app: is ready, and waits for its turn (it exited 2 times, last with code 3 before)"
    );
    assert_eq!(first(&exits(3)), "crash-loop: service app (nginx:2) exited 3 times, last with code 3");
}

#[test]
fn one_that_waits_for_another_may_exit_more_often() {
    let mut now = one(service("app"), vec![], vec![]);
    now.tasks = (0..3).map(|i| failed("app", &i.to_string(), "task: non-zero exit (3)", 3)).collect();
    now.tasks.push(task("app", "9", TaskState::Ready));
    now.services.push(service("db"));
    now.tasks.push(task("db", "d", TaskState::Starting));
    assert!(first(&now).starts_with("waiting for app: is ready"), "{}", first(&now));
    now.containers.push(container("d", Health::Healthy));
    assert_eq!(first(&now), "crash-loop: service app (nginx:2) exited 3 times, last with code 3");
    // Two that crash do not excuse each other.
    now.containers.clear();
    now.tasks.pop();
    now.tasks.push(failed("db", "d", "task: non-zero exit (1)", 1));
    assert!(first(&now).starts_with("crash-loop: "), "{}", first(&now));
}

#[test]
fn two_ends_by_the_healthcheck_are_never_healthy() {
    let end = |id: &str| failed("app", id, "task: non-zero exit (137): dockerexec: unhealthy container", 137);
    let now = |tasks| one(service("app"), tasks, vec![]);
    assert_eq!(
        first(&now(vec![end("1"), task("app", "9", TaskState::Ready)])),
        "waiting for app: is ready, and waits for its turn (it was ended once by its healthcheck before)"
    );
    assert_eq!(
        first(&now(vec![end("1"), end("2")])),
        "never-healthy: service app (nginx:2) was ended 2 times by its healthcheck"
    );
}

#[test]
fn a_process_that_ends_well_when_its_health_was_given_up_has_not_finished_its_work() {
    let end = |id: &str| TaskSeen { unhealthy: true, exit: Some(0), ..task("app", id, TaskState::Complete) };
    // Swarm calls such an update complete and leaves the old task running.
    let service = ServiceSeen { restart: Restart::OnFailure, ..service("app") };
    let mut now = one(service, vec![old(TaskState::Running), end("1"), end("2")], vec![]);
    now.services[0].update = update(UpdateState::Completed);
    assert_eq!(said(&now, &before("app")), "never-healthy: service app (nginx:2) was ended 2 times by its healthcheck");
}

#[test]
fn a_kill_for_memory_is_named_with_its_limit() {
    let killed = |id: &str, limit| TaskSeen {
        out_of_memory: true,
        memory_limit: limit,
        ..failed("app", id, "task: non-zero exit (137)", 137)
    };
    let limit = Some(16 << 20);
    let loops = |limit| first(&one(service("app"), ["1", "2", "3"].map(|id| killed(id, limit)).into(), vec![]));
    assert_eq!(
        loops(limit),
        "out-of-memory: service app (nginx:2) exited 3 times and was OOM-killed, at its limit of 16 MiB"
    );
    assert_eq!(
        loops(None),
        "node-out-of-memory: service app (nginx:2) exited 3 times and was OOM-killed, since the node ran out of memory"
    );
    // The same exits without an OOM event are ordinary crashes.
    let crash = ["1", "2", "3"].map(|id| TaskSeen { out_of_memory: false, ..killed(id, limit) });
    assert_eq!(
        first(&one(service("app"), crash.into(), vec![])),
        "crash-loop: service app (nginx:2) exited 3 times, last with code 137"
    );
    // While it may still come up, the line says what happened.
    let mut now = one(service("app"), vec![killed("1", limit), task("app", "2", TaskState::Starting)], vec![]);
    assert_eq!(first(&now), "waiting for app: starting (it was OOM-killed, at its limit of 16 MiB before)");
    now.services[0].update = update(UpdateState::RollbackCompleted);
    assert_eq!(
        said(&now, &before("app")),
        "rolled-back: swarm rolled service app back to nginx:2 after the new version was OOM-killed, at its limit of 16 MiB"
    );
}

#[test]
fn words_that_name_the_failure_are_enough_once() {
    let rejected = |error: &str| {
        let task = TaskSeen { error: error.to_owned(), ..task("app", "1", TaskState::Rejected) };
        first(&one(service("app"), vec![task], vec![]))
    };
    assert_eq!(
        rejected("No such image: nginx:2"),
        "image-missing: service app cannot start: the image nginx:2 does not exist"
    );
    assert_eq!(
        rejected("invalid mount config for type \"bind\": bind source path does not exist: /x"),
        "task-rejected: the engine refuses to start service app (nginx:2): \
         invalid mount config for type \"bind\": bind source path does not exist: /x"
    );
    assert_eq!(
        rejected("mkdir /x: no space left on device"),
        "disk-full: service app (nginx:2) cannot start, the disk is full: mkdir /x: no space left on device"
    );
    let task =
        failed("app", "1", "starting container failed: Bind for 0.0.0.0:80 failed: port is already allocated", 128);
    assert_eq!(
        first(&one(service("app"), vec![task], vec![])),
        "port-taken: service app (nginx:2) cannot get its host port: Bind for 0.0.0.0:80 failed: port is already allocated"
    );
}

#[test]
fn an_unknown_rejection_counts_when_it_comes_again() {
    let rejected = |id: &str| TaskSeen { error: "odd".to_owned(), ..task("app", id, TaskState::Rejected) };
    let more = || task("app", "9", TaskState::Ready);
    assert!(first(&one(service("app"), vec![rejected("1"), more()], vec![])).starts_with("waiting for app"));
    assert_eq!(
        first(&one(service("app"), vec![rejected("1"), rejected("2"), more()], vec![])),
        "unknown-trouble: service app (nginx:2) could not start, tried 2 times: cc-ci does not know these words: odd"
    );
}

#[test]
fn a_task_that_no_node_takes() {
    let pending =
        |error: &str, age_ms| TaskSeen { error: error.to_owned(), age_ms, ..task("app", "2", TaskState::Pending) };
    let constraint = "no suitable node (scheduling constraints not satisfied on 1 node)";
    let port = "no suitable node (host-mode port already in use on 1 node)";
    let held = |task| TaskSeen { port_held_by: Some(PortHeld { port: 80, service: "web_app".to_owned() }), ..task };
    let now = |task| one(service("app"), vec![task], vec![]);
    assert_eq!(first(&now(pending(constraint, 100))), "waiting for app: waits for a node");
    assert_eq!(
        first(&now(pending(constraint, 5000))),
        format!("no-node: no node is suitable for service app (nginx:2): {constraint}")
    );
    let taken = format!("port-taken: service app (nginx:2) cannot get its host port: {port}");
    assert_eq!(first(&now(held(pending(port, 5000)))), format!("{taken}; service web_app holds port 80"));
    // No service holds it: swarm's records lag, and a busy machine needs longer than a moment.
    assert_eq!(first(&now(pending(port, 5000))), "waiting for app: waits for a node");
    assert_eq!(first(&now(pending(port, 31_000))), taken);
    // The old task holds the port until it has ended, and swarm retries a moment later.
    let old = |state, since_ms| TaskSeen { desired: TaskState::Shutdown, since_ms, ..task("app", "1", state) };
    let now = |old| one(service("app"), vec![old, held(pending(port, 60_000))], vec![]);
    assert!(first(&now(old(TaskState::Running, 60_000))).starts_with("waiting for"));
    assert!(first(&now(old(TaskState::Shutdown, 500))).starts_with("waiting for"));
    assert!(first(&now(old(TaskState::Shutdown, 5000))).starts_with("port-taken"));
    let now = |old| one(service("app"), vec![old, pending(port, 60_000)], vec![]);
    assert!(first(&now(old(TaskState::Shutdown, 5000))).starts_with("waiting for"));
    assert!(first(&now(old(TaskState::Shutdown, 31_000))).starts_with("port-taken"));
}

/// No node is missing and no stranger is in the way: the recipe asks for both tasks at once, and there is room for one.
#[test]
fn a_new_task_waits_for_what_its_own_old_one_keeps() {
    let pending =
        |error: &str| TaskSeen { error: error.to_owned(), age_ms: 60_000, ..task("app", "2", TaskState::Pending) };
    let port = "no suitable node (host-mode port already in use on 1 node)";
    let replicas = "no suitable node (max replicas per node limit exceed)";
    let runs = |desired| TaskSeen { current: false, desired, since_ms: 60_000, ..task("app", "1", TaskState::Running) };
    let up = || vec![container("1", Health::Healthy)];
    let judged = |old: TaskSeen, new: TaskSeen| first(&one(service("app"), vec![old, new], up()));
    for (error, what) in [(port, "the host port"), (replicas, "the one place of max_replicas_per_node")] {
        let said = judged(runs(TaskState::Running), pending(error));
        assert!(said.starts_with(&format!("did-not-move: the new task of service app waits for {what}")), "{said}");
    }
    let constraint = "no suitable node (scheduling constraints not satisfied on 1 node)";
    assert!(judged(runs(TaskState::Running), pending(constraint)).starts_with("no-node"));
    let held = PortHeld { port: 80, service: "web_app".to_owned() };
    let foreign = TaskSeen { port_held_by: Some(held), ..pending(port) };
    assert!(judged(runs(TaskState::Running), foreign).starts_with("port-taken"));
    // Another replica of the same release: more nodes would do.
    let replica = TaskSeen { current: true, ..runs(TaskState::Running) };
    assert!(judged(replica, pending(port)).starts_with("port-taken"));
}

/// A service whose update is at `state`, with the earlier task and others.
fn updating(state: UpdateState, tasks: Vec<TaskSeen>) -> Snapshot {
    let service = ServiceSeen { update: update(state), on_failure: OnFailure::Rollback, ..service("app") };
    one(service, tasks, vec![])
}

fn old(desired: TaskState) -> TaskSeen {
    TaskSeen { image: "nginx:1".to_owned(), current: false, desired, ..task("app", "old", TaskState::Running) }
}

#[test]
fn an_upgrade_is_settled_when_it_is_complete_and_the_old_is_gone() {
    let after = |now: &Snapshot| said(now, &before("app"));
    let new = || task("app", "new", TaskState::Running);
    let gone = || TaskSeen { state: TaskState::Shutdown, ..old(TaskState::Shutdown) };
    assert_eq!(
        after(&one(service("app"), vec![old(TaskState::Running)], vec![])),
        "waiting for app: swarm is about to replace it"
    );
    assert_eq!(
        after(&updating(UpdateState::Updating, vec![gone(), new()])),
        "waiting for app: it runs, and swarm watches the update for a while"
    );
    assert_eq!(
        after(&updating(UpdateState::Completed, vec![old(TaskState::Shutdown), new()])),
        "waiting for app: the old one has not stopped yet"
    );
    assert_eq!(after(&updating(UpdateState::Completed, vec![gone(), new()])), "settled: app [c-new]");
}

#[test]
fn a_failing_update_is_told_by_its_rollback() {
    let after = |now: &Snapshot| said(now, &before("app"));
    let bad = || failed("app", "new", "task: non-zero exit (3)", 3);
    assert_eq!(
        after(&updating(UpdateState::Updating, vec![bad(), bad(), bad()])),
        "waiting for app: the new version exited 3 times, last with code 3; swarm is about to roll back"
    );
    assert_eq!(
        after(&updating(UpdateState::RollbackStarted, vec![bad()])),
        "waiting for app: swarm rolls it back, since the new version exited with code 3"
    );
    let rolled = |state| {
        let mut now = updating(state, vec![bad(), TaskSeen { current: true, ..old(TaskState::Running) }]);
        now.services[0].image = "nginx:1".to_owned();
        after(&now)
    };
    assert_eq!(
        rolled(UpdateState::RollbackCompleted),
        "rolled-back: swarm rolled service app back to nginx:1 after nginx:2 exited with code 3"
    );
    assert_eq!(
        rolled(UpdateState::RollbackPaused),
        "rolled-back: swarm rolled service app back to nginx:1 after nginx:2 exited with code 3, and the way back failed too"
    );
    assert_eq!(
        after(&updating(UpdateState::Paused, vec![bad()])),
        "update-paused: swarm stopped the update of service app midway after nginx:2 exited with code 3"
    );
}

#[test]
fn an_image_that_is_missing_in_an_update_is_told_by_its_rollback() {
    let bad = TaskSeen { error: "No such image: nginx:2".to_owned(), ..task("app", "new", TaskState::Rejected) };
    let now = updating(UpdateState::Updating, vec![bad.clone()]);
    assert!(
        said(&now, &before("app")).starts_with("waiting for app: the new version could not start without its image")
    );
    let mut now = updating(UpdateState::Updating, vec![bad.clone()]);
    now.services[0].on_failure = OnFailure::Pause;
    assert!(said(&now, &before("app")).ends_with("swarm is about to stop the update"));
    // If swarm continues in any case, the failure is returned at once.
    now.services[0].on_failure = OnFailure::Continue;
    assert!(said(&now, &before("app")).starts_with("image-missing: "));
}

#[test]
fn an_update_that_no_node_takes_never_rolls_back() {
    let error = "no suitable node (insufficient resources on 1 node)".to_owned();
    let stuck = TaskSeen { error, ..task("app", "new", TaskState::Pending) };
    let gone = TaskSeen { state: TaskState::Shutdown, ..old(TaskState::Shutdown) };
    assert!(said(&updating(UpdateState::Updating, vec![gone, stuck]), &before("app")).starts_with("no-node: "));
}

#[test]
fn what_was_over_before_is_no_news() {
    let mut now = updating(UpdateState::RollbackCompleted, vec![]);
    now.tasks = (0..3).map(|i| failed("app", &i.to_string(), "task: non-zero exit (3)", 3)).collect();
    now.tasks.push(task("app", "9", TaskState::Running));
    let mut before = before("app");
    let was = before.services.get_mut("id-app").unwrap();
    was.version = 10;
    was.update = Some(UpdateState::RollbackCompleted);
    before.tasks = now.tasks.iter().map(|task| task.id.clone()).collect();
    before.over = before.tasks.iter().filter(|id| *id != "9").cloned().collect();
    assert_eq!(said(&now, &before), "settled: app [c-9]");
    assert!(first(&now).starts_with("rolled-back: "));
}

#[test]
fn every_service_is_waited_for_and_named() {
    let mut now =
        one(service("app"), vec![task("app", "1", TaskState::Starting)], vec![container("1", Health::Starting)]);
    now.services.push(service("db"));
    now.tasks.push(task("db", "2", TaskState::Preparing));
    assert_eq!(
        first(&now),
        "waiting for app: runs, its healthcheck has not passed yet; db: prepares its image, volumes and networks"
    );
    let Judgement::Going { services, .. } = judge(&now, &Before::default()) else { panic!("not going") };
    assert_eq!(services, ["app", "db"]);
}

fn any_state() -> impl Strategy<Value = TaskState> {
    use TaskState::*;
    prop::sample::select(vec![
        New, Allocated, Pending, Assigned, Accepted, Preparing, Ready, Starting, Running, Complete, Shutdown, Failed,
        Rejected, Remove, Orphaned,
    ])
}

fn any_update() -> impl Strategy<Value = Option<Update>> {
    use UpdateState::*;
    let states =
        prop::sample::select(vec![Updating, Paused, Completed, RollbackStarted, RollbackPaused, RollbackCompleted]);
    prop::option::of(states.prop_map(|state| Update { state, message: String::new() }))
}

fn any_health() -> impl Strategy<Value = Health> {
    prop::sample::select(vec![Health::None, Health::Starting, Health::Healthy, Health::Unhealthy])
}

prop_compose! {
    fn any_task(id: usize)(
        state in any_state(), desired in any_state(), current: bool, exit in prop::option::of(0..3_i64),
        error in prop::sample::select(vec!["", "task: non-zero exit (1)", "No such image: x", "unhealthy container", "no suitable node (x)"]),
        age_ms in 0..9000_u64, slot in 1..3_u8,
    ) -> TaskSeen {
        TaskSeen {
            desired, current, exit, age_ms, since_ms: age_ms, slot: slot.to_string(), error: error.to_owned(),
            ..task("app", &id.to_string(), state)
        }
    }
}

prop_compose! {
    fn any_container(id: usize)(running: bool, health in any_health(), up_s in 0..9_u64) -> ContainerSeen {
        ContainerSeen { running, up_s, exit: (!running).then_some(1), ..container(&id.to_string(), health) }
    }
}

prop_compose! {
    fn any_snapshot()(
        replicas in 0..3_u64, update in any_update(), rollback: bool,
        tasks in (any_task(0), any_task(1), any_task(2), any_task(3)), count in 0..5_usize,
        containers in (any_container(0), any_container(1), any_container(2)), local in 0..4_usize,
    ) -> Snapshot {
        let on_failure = if rollback { OnFailure::Rollback } else { OnFailure::Pause };
        let service = ServiceSeen { mode: Mode::Replicated(replicas), update, on_failure, ..service("app") };
        let tasks = [tasks.0, tasks.1, tasks.2, tasks.3].into_iter().take(count).collect();
        let containers = [containers.0, containers.1, containers.2].into_iter().take(local).collect();
        one(service, tasks, containers)
    }
}

proptest! {
    #[test]
    fn settled_means_what_it_says(now in any_snapshot()) {
        let Judgement::Settled(up) = judge(&now, &Before::default()) else { return Ok(()) };
        let Mode::Replicated(replicas) = now.services[0].mode else { unreachable!() };
        prop_assert!(up[0].containers.len() as u64 >= replicas);
        for id in &up[0].containers {
            let task = now.tasks.iter().find(|task| format!("c-{}", task.id) == *id).unwrap();
            prop_assert!(task.wanted());
            if let Some(container) = now.containers.iter().find(|container| container.id == *id) {
                prop_assert!(container.running && matches!(container.health, Health::Healthy | Health::None));
            } else {
                prop_assert_eq!(task.state, TaskState::Running);
            }
        }
        let state = now.services[0].update.as_ref().map(|update| update.state);
        prop_assert!(matches!(state, None | Some(UpdateState::Completed)));
    }

    #[test]
    fn an_update_that_was_undone_or_stopped_is_never_settled_nor_awaited(now in any_snapshot()) {
        let state = now.services[0].update.as_ref().map(|update| update.state);
        let kind = match judge(&now, &Before::default()) {
            Judgement::Never { failure, .. } => Some(failure.kind),
            _ => None,
        };
        // A rollback caused by the machine is the machine's.
        let is_machines = kind.is_some_and(|kind| kind.usual_cause() == base::failure::Cause::Infrastructure);
        match state {
            Some(UpdateState::RollbackCompleted | UpdateState::RollbackPaused) => prop_assert!(is_machines || kind == Some(Kind::RolledBack)),
            Some(UpdateState::Paused) => prop_assert!(is_machines || kind == Some(Kind::UpdatePaused)),
            _ => {}
        }
    }

    #[test]
    fn every_line_is_one_line_and_names_the_service(now in any_snapshot()) {
        let line = first(&now);
        prop_assert!(line.contains("app") && !line.contains('\n'), "{}", line);
        if let Judgement::Never { failure, service } = judge(&now, &Before::default()) {
            prop_assert!(service == "app" && !failure.look_at.is_empty() && failure.detail.is_empty());
        }
    }
}

/// A port is no part of a task's spec: just before swarm begins, everything looks settled.
#[test]
fn an_update_of_ports_alone_replaces_every_task() {
    let mut now = one(
        service("app"),
        vec![task("app", "old", TaskState::Running)],
        vec![ContainerSeen { id: "c-old".to_owned(), ..container("old", Health::Healthy) }],
    );
    assert_eq!(said(&now, &before("app")), "settled: app [c-old]", "labels alone change no task");
    now.services[0].endpoint = "vip 80".to_owned();
    assert_eq!(said(&now, &before("app")), "waiting for app: swarm is about to replace it");
    now.services[0].changed_ms = 31_000;
    assert_eq!(said(&now, &before("app")), "settled: app [c-old]", "swarm has left it alone");
    now.services[0].changed_ms = 500;
    now.tasks = vec![task("app", "new", TaskState::Running)];
    now.containers = vec![container("new", Health::Healthy)];
    assert_eq!(said(&now, &before("app")), "settled: app [c-new]");
}

#[test]
fn a_service_that_ended_after_it_was_up_has_to_outlive_that() {
    let end =
        TaskSeen { started_ms: Some(20_000), since_ms: 8_000, ..failed("app", "1", "task: non-zero exit (3)", 3) };
    let up = |up_s, health| {
        let now = ContainerSeen { up_s, ..container("9", health) };
        one(service("app"), vec![end.clone(), task("app", "9", TaskState::Running)], vec![now])
    };
    let outlive = Before { outlive: true, ..Before::default() };
    let is_up = |now: &Snapshot, before: &Before| matches!(judge(now, before), Judgement::Settled(_));
    for health in [Health::Healthy, Health::None] {
        assert!(is_up(&up(7, health), &Before::default()));
        assert!(!is_up(&up(7, health), &outlive) && !is_up(&up(23, health), &outlive));
        assert!(is_up(&up(24, health), &outlive));
    }
}

#[test]
fn what_ended_after_it_was_up_is_told_and_down_if_it_stays_so() {
    let mut settled = before("app");
    settled.services.values_mut().for_each(|service| service.version = 10);
    let end = |id: &str| failed("app", id, "task: non-zero exit (3)", 3);
    let mut now =
        one(service("app"), vec![end("1"), task("app", "9", TaskState::Running)], vec![container("9", Health::None)]);
    let said = fallen(&now, &settled);
    assert_eq!(said.len(), 1);
    assert!(!said[0].is_down && said[0].failure.what.contains("exited with code 3"), "{said:?}");
    now.tasks = vec![end("1"), end("2"), end("3"), task("app", "9", TaskState::Running)];
    assert!(fallen(&now, &settled)[0].is_down);
    // A service that swarm no longer restarts stays down, even if it ended before the last snapshot.
    now.services[0].restart = Restart::Never;
    now.tasks = vec![TaskSeen { desired: TaskState::Shutdown, ..end("1") }];
    let known = Before { over: ["1".to_owned()].into(), ..settled.clone() };
    assert!(fallen(&now, &known)[0].is_down);
    assert!(matches!(judge(&now, &known), Judgement::Never { .. }));
    now.tasks = vec![task("app", "9", TaskState::Running)];
    assert!(fallen(&now, &settled).is_empty());
}
