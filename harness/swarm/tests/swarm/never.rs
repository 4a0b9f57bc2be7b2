//! First deployments that will never settle: each failure is found at once, with evidence.

use std::time::{Duration, Instant};

use base::failure::Kind;
use bollard::models::{
    Limit, Mount, MountType, ServiceSpec, TaskSpecPlacement, TaskSpecResources, TaskSpecRestartPolicyConditionEnum,
};
use swarm::Before;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loop_is_named_within_seconds() {
    with_stack(async |stack| {
        let start = Instant::now();
        let failure = stack.deploy(vec![("app", exits(3))]).await.unwrap_err();
        assert_eq!(failure.kind, Kind::CrashLoop, "{failure:?}");
        assert_eq!(failure.what, format!("service app ({IMAGE}) exited 3 times, last with code 3"));
        assert!(failure.detail.contains("failed, desired shutdown, exit code 3"), "{}", failure.detail);
        assert!(failure.detail.contains("last lines of app:\nabout to fail\n"), "{}", failure.detail);
        assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    })
    .await;
}

/// Swarm drops ended tasks: it keeps five of a replica, or fewer.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_beside_one_that_waits_patiently_is_named_within_seconds() {
    with_stack(async |stack| {
        let mut app = checked(runs(&["sh", "-c", ": waits for db; exec tail -f /dev/null"]), &["false"]);
        container(&mut app).health_check.as_mut().unwrap().start_period = Some(600_000_000_000);
        let failure = stack.deploy(vec![("app", app), ("db", exits(7))]).await.unwrap_err();
        assert_eq!(failure.what, format!("service db ({IMAGE}) exited 3 times, last with code 7"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_waits_for_its_database_by_ending_comes_up() {
    with_stack(async |stack| {
        let shared = |words: &str| {
            let mut spec = runs(&["sh", "-c", words]);
            let source = Some(stack.name.object("shared"));
            let target = Some("/shared".to_owned());
            let typ = Some(MountType::VOLUME);
            container(&mut spec).mounts = Some(vec![Mount { source, target, typ, ..Mount::default() }]);
            spec
        };
        let app = shared("test -e /shared/up || { echo no db; exit 1; }; exec tail -f /dev/null");
        let mut db =
            checked(shared("sleep 6; touch /shared/up; exec tail -f /dev/null"), &["test", "-e", "/shared/up"]);
        container(&mut db).health_check.as_mut().unwrap().start_period = Some(600_000_000_000);
        let settled = stack.deploy(vec![("app", app), ("db", db)]).await.unwrap();
        let before = settled.services[0].before.as_deref().unwrap();
        assert!(before.starts_with("exited ") && before.ends_with("last with code 1"), "{before}");
        assert_eq!(settled.services[1].before, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_exit_without_a_restart_is_enough() {
    with_stack(async |stack| {
        let mut app = exits(4);
        template(&mut app).restart_policy.as_mut().unwrap().condition = Some(TaskSpecRestartPolicyConditionEnum::NONE);
        let failure = stack.deploy(vec![("app", app)]).await.unwrap_err();
        assert_eq!(failure.kind, Kind::CrashLoop, "{failure:?}");
        assert_eq!(failure.what, format!("service app ({IMAGE}) exited with code 4"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthcheck_that_never_passes() {
    with_stack(async |stack| {
        let mut app = checked(stays(), &["false"]);
        container(&mut app).stop_grace_period = Some(0);
        let failure = stack.deploy(vec![("app", app)]).await.unwrap_err();
        assert_eq!(failure.kind, Kind::NeverHealthy, "{failure:?}");
        assert_eq!(failure.what, format!("service app ({IMAGE}) was ended 2 times by its healthcheck"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_nobody_has() {
    with_stack(async |stack| {
        let mut app = stays();
        container(&mut app).image = Some("testbed.invalid/harness-ghost:1".to_owned());
        let failure = stack.deploy(vec![("app", app)]).await.unwrap_err();
        assert_eq!(failure.kind, Kind::ImageMissing, "{failure:?}");
        assert_eq!(failure.what, "service app cannot start: the image testbed.invalid/harness-ghost:1 does not exist");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_another_service_holds() {
    with_stack(async |stack| {
        let port = std::net::TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port();
        stack.deploy(vec![("first", publishes(stays(), port))]).await.unwrap();
        let failure = stack.deploy(vec![("second", publishes(stays(), port))]).await.unwrap_err();
        assert_eq!(failure.kind, Kind::PortTaken, "{failure:?}");
        assert!(
            failure.what.starts_with(&format!("service second ({IMAGE}) cannot get its host port")),
            "{}",
            failure.what
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_a_stranger_holds() {
    with_stack(async |stack| {
        let stranger = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
        let port = stranger.local_addr().unwrap().port();
        let failure = stack.deploy(vec![("app", publishes(stays(), port))]).await.unwrap_err();
        assert_eq!(failure.kind, Kind::PortTaken, "{failure:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_constraint_that_no_node_meets() {
    with_stack(async |stack| {
        let mut app = stays();
        let constraints = Some(vec!["node.labels.harness==nowhere".to_owned()]);
        template(&mut app).placement = Some(TaskSpecPlacement { constraints, ..Default::default() });
        let failure = stack.deploy(vec![("app", app)]).await.unwrap_err();
        assert_eq!(failure.kind, Kind::NoNode, "{failure:?}");
        assert!(failure.what.contains("scheduling constraints not satisfied"), "{}", failure.what);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mount_that_is_not_there() {
    with_stack(async |stack| {
        let mut app = stays();
        container(&mut app).mounts = Some(vec![Mount {
            typ: Some(MountType::BIND),
            source: Some("/nonexistent/harness".to_owned()),
            target: Some("/data".to_owned()),
            ..Default::default()
        }]);
        let failure = stack.deploy(vec![("app", app)]).await.unwrap_err();
        assert_eq!(failure.kind, Kind::TaskRejected, "{failure:?}");
        assert!(failure.what.contains("bind source path does not exist"), "{}", failure.what);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_tells_what_was_awaited() {
    with_stack(async |stack| {
        let mut app = checked(stays(), &["false"]);
        container(&mut app).health_check.as_mut().unwrap().retries = Some(1000);
        let mut watch = stack.watch().await;
        stack.make("app", app).await;
        let start = Instant::now();
        let failure = watch.settled(&Before::default(), soon(3), &mut |_| {}).await.unwrap_err();
        assert_eq!(failure.kind, Kind::Deadline, "{failure:?}");
        assert!(
            failure.what.ends_with("of waiting for app: runs, its healthcheck has not passed yet"),
            "{}",
            failure.what
        );
        assert!(failure.detail.contains("app.1 "), "{}", failure.detail);
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_takes_more_memory_than_it_may() {
    with_stack(async |stack| {
        let failure = stack.deploy(vec![("app", limited(runs(&["tail", "/dev/zero"])))]).await.unwrap_err();
        assert_eq!(failure.kind, Kind::OutOfMemory, "{failure:?}");
        let what = format!("service app ({IMAGE}) exited 3 times and was OOM-killed, at its limit of 16 MiB");
        assert_eq!(failure.what, what);
    })
    .await;
}

/// The same exit code, and the kernel had no part in it.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_by_somebody_else_is_no_want_of_memory() {
    with_stack(async |stack| {
        let failure = stack.deploy(vec![("app", limited(exits(137)))]).await.unwrap_err();
        assert_eq!(failure.kind, Kind::CrashLoop, "{failure:?}");
    })
    .await;
}

/// The same with a limit of 16 MiB.
fn limited(mut spec: ServiceSpec) -> ServiceSpec {
    let limits = Limit { memory_bytes: Some(16 << 20), ..Limit::default() };
    template(&mut spec).resources = Some(TaskSpecResources { limits: Some(limits), ..TaskSpecResources::default() });
    spec
}
