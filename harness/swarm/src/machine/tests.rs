use base::failure::Cause;

use super::super::judge::examples::{failed, one, service, task, update};
use super::super::judge::{Judgement, judge};
use super::super::seen::*;
use super::*;

fn ends(state: TaskState, error: &str, times: usize) -> Vec<TaskSeen> {
    (0..times).map(|n| TaskSeen { error: error.to_owned(), ..task("app", &format!("t{n}"), state) }).collect()
}

fn never(now: &Snapshot) -> Option<Failure> {
    match judge(now, &Before::default()) {
        Judgement::Never { failure, .. } => Some(failure),
        _ => None,
    }
}

/// Messages of tasks in public reports, with the state that they had.
const ENDS: &[(TaskState, &str)] = &[
    (TaskState::Rejected, "invalid pool request: Pool overlaps with other one on this address space"),
    (TaskState::Rejected, "failed to allocate gateway (10.0.7.1): Address already in use"),
    (TaskState::Rejected, "network x_inner not found"),
    (TaskState::Rejected, "node is missing network attachments, ip addresses may be exhausted"),
    (TaskState::Rejected, "could not find network attachment for container 1 to network x"),
    (
        TaskState::Rejected,
        "network sandbox join failed: subnet sandbox join failed for \"10.0.3.0/24\": error creating vxlan interface: file exists",
    ),
    (TaskState::Rejected, "words of an engine that is not written yet"),
    (TaskState::Rejected, ""),
    (
        TaskState::Failed,
        "starting container failed: could not add veth pair inside the network sandbox: invalid argument",
    ),
    (
        TaskState::Failed,
        "starting container failed: OCI runtime create failed: cgroups: cannot find cgroup mount destination",
    ),
    (TaskState::Failed, "starting container failed: words of an engine that is not written yet"),
    (TaskState::Failed, "No such container: x_app.1.7"),
];

#[test]
fn what_the_engine_cannot_do_is_the_machines_once_it_was_tried_again() {
    for (state, error) in ENDS {
        let more = task("app", "u", TaskState::Ready);
        let now = |times| one(service("app"), [ends(*state, error, times), vec![more.clone()]].concat(), vec![]);
        assert!(never(&now(1)).is_none(), "{error}: once may pass");
        let failure = never(&now(2)).unwrap_or_else(|| panic!("{error}"));
        assert_eq!(failure.kind.usual_cause(), Cause::Infrastructure, "{error}: {failure:?}");
        assert!(failure.what.contains("tried 2 times") && !failure.what.contains("host port"), "{}", failure.what);
        assert_eq!(never(&now(3)).unwrap().kind, failure.kind);
    }
}

#[test]
fn an_update_that_is_undone_for_what_the_machine_did_is_no_fault_of_the_recipe() {
    for (state, error) in ENDS.iter().chain(&[(TaskState::Rejected, "mkdir /x: no space left on device")]) {
        for end in [UpdateState::RollbackCompleted, UpdateState::RollbackPaused, UpdateState::Paused] {
            let service = ServiceSeen { update: update(end), ..service("app") };
            let failure = never(&one(service, ends(*state, error, 1), vec![])).unwrap();
            assert_eq!(failure.kind.usual_cause(), Cause::Infrastructure, "{error}: {failure:?}");
        }
    }
}

#[test]
fn an_app_that_crashes_after_a_trouble_of_the_machine_crashes_all_the_same() {
    let trouble = ends(TaskState::Rejected, "network x_inner not found", 1);
    let crash = |id: &str| failed("app", id, "task: non-zero exit (1)", 1);
    let now = one(service("app"), [trouble, ["u1", "u2", "u3"].map(crash).into()].concat(), vec![]);
    assert_eq!(never(&now).unwrap().kind, Kind::CrashLoop);
}

#[test]
fn a_command_that_the_image_does_not_have_is_told_at_once_and_is_the_recipes() {
    let error = "starting container failed: failed to create shim task: OCI runtime create failed: runc create failed: \
                 unable to start container process: exec: \"/run/netns.sh\": stat /run/netns.sh: no such file or directory: unknown";
    let now = one(service("app"), vec![failed("app", "t1", error, 127)], vec![]);
    let failure = never(&now).unwrap();
    assert_eq!((failure.kind, failure.kind.usual_cause()), (Kind::TaskRejected, Cause::Recipe));
    assert!(failure.look_at.contains("entrypoint"), "{}", failure.look_at);
}

#[test]
fn a_task_that_the_swarm_leaves_lying_is_the_machines() {
    let lies = |state, age_ms| TaskSeen { age_ms, since_ms: age_ms, ..task("app", "t1", state) };
    let kind = |task| never(&one(service("app"), vec![task], vec![])).map(|failure| failure.kind);
    assert_eq!(kind(lies(TaskState::New, 5_000)), None);
    assert_eq!(kind(lies(TaskState::New, 20_000)), Some(Kind::SwarmStuck));
    assert_eq!(kind(lies(TaskState::Pending, 20_000)), None);
    assert_eq!(kind(lies(TaskState::Pending, 31_000)), Some(Kind::SwarmStuck));
}

#[test]
fn time_that_runs_out_before_a_process_was_started_is_the_machines() {
    let services = ["app".to_owned()];
    let lies = |state, since_ms| TaskSeen { since_ms, ..task("app", "t9", state) };
    let excused = |tasks| excuse(&one(service("app"), tasks, vec![]), &services).map(|failure| failure.kind);
    assert_eq!(excused(vec![lies(TaskState::Preparing, 20_000)]), Some(Kind::RuntimeFailed));
    assert_eq!(excused(vec![lies(TaskState::Preparing, 2_000)]), None);
    assert_eq!(excused(vec![lies(TaskState::Running, 60_000)]), None);
    let trouble = || ends(TaskState::Rejected, "network x_inner not found", 1);
    assert_eq!(excused([trouble(), vec![lies(TaskState::Ready, 1_000)]].concat()), Some(Kind::NodeNetwork));
    assert_eq!(excused([trouble(), vec![lies(TaskState::Running, 60_000)]].concat()), None, "the app had its chance");
}
