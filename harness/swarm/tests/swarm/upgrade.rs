//! Second deployments.

use base::failure::{Failure, Kind};
use bollard::models::{
    ServiceSpec, ServiceSpecUpdateConfig, ServiceSpecUpdateConfigFailureActionEnum as Action,
    ServiceSpecUpdateConfigOrderEnum as Order,
};
use swarm::Settled;

use crate::support::*;

/// The same with an update that is monitored for a second.
fn updates(mut spec: ServiceSpec, action: Action) -> ServiceSpec {
    spec.update_config = Some(ServiceSpecUpdateConfig {
        parallelism: Some(1),
        failure_action: Some(action),
        monitor: Some(1_000_000_000),
        ..Default::default()
    });
    container(&mut spec).stop_grace_period = Some(0);
    spec
}

/// Deploys one service, then another spec for it, with the state before the second.
async fn upgrade(stack: &Stack, from: ServiceSpec, to: ServiceSpec) -> (Vec<String>, Result<Settled, Failure>) {
    let old = stack.deploy(vec![("app", from)]).await.unwrap().services.remove(0).containers;
    let mut watch = stack.watch().await;
    let before = stack.swarm.before(&stack.name).await.unwrap();
    stack.change("app", to).await;
    (old, watch.settled(&before, soon(60), &mut |_| {}).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_is_settled_on_a_new_container() {
    with_stack(async |stack| {
        let from = updates(checked(stays(), &["true"]), Action::ROLLBACK);
        let mut to = from.clone();
        container(&mut to).env = Some(vec!["VERSION=2".to_owned()]);
        let (old, settled) = upgrade(stack, from, to).await;
        let new = settled.unwrap().services.remove(0).containers;
        assert_eq!(new.len(), 1);
        assert_ne!(new, old);
        assert_eq!(stack.swarm.containers(&stack.name).await.unwrap(), new, "the old one is gone");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_labels_alone_settles_on_the_old_container() {
    with_stack(async |stack| {
        let from = updates(checked(stays(), &["true"]), Action::ROLLBACK);
        let mut to = from.clone();
        to.labels = Some([("a.label".to_owned(), "2".to_owned())].into());
        let (old, settled) = upgrade(stack, from, to).await;
        assert_eq!(settled.unwrap().services.remove(0).containers, old);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_ports_alone_is_waited_for() {
    with_stack(async |stack| {
        let from = updates(stays(), Action::ROLLBACK);
        let port = std::net::TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port();
        let (old, settled) = upgrade(stack, from.clone(), publishes(from, port)).await;
        assert_ne!(settled.unwrap().services.remove(0).containers, old);
    })
    .await;
}

/// Both tasks are to run at once, and a node gives a port once.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_port_that_the_old_task_keeps_is_the_updates_fault() {
    with_stack(async |stack| {
        let port = std::net::TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port();
        let mut from = publishes(updates(stays(), Action::PAUSE), port);
        from.update_config.as_mut().unwrap().order = Some(Order::START_FIRST);
        let mut to = from.clone();
        container(&mut to).env = Some(vec!["VERSION=2".to_owned()]);
        let failure = upgrade(stack, from, to).await.1.unwrap_err();
        assert_eq!(failure.kind, Kind::DidNotMove, "{failure:?}");
        assert!(failure.what.starts_with("the new task of service app waits for the host port"), "{}", failure.what);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolled_back_upgrade_tells_the_inner_reason() {
    with_stack(async |stack| {
        let (_, settled) =
            upgrade(stack, updates(stays(), Action::ROLLBACK), updates(exits(3), Action::ROLLBACK)).await;
        let failure = settled.unwrap_err();
        assert_eq!(failure.kind, Kind::RolledBack, "{failure:?}");
        let start = format!("swarm rolled service app back to {IMAGE} after the new version exited");
        assert!(failure.what.starts_with(&start) && failure.what.ends_with("with code 3"), "{}", failure.what);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_to_an_image_that_nobody_has_is_rolled_back() {
    with_stack(async |stack| {
        let from = updates(stays(), Action::ROLLBACK);
        let mut to = from.clone();
        container(&mut to).image = Some("testbed.invalid/harness-ghost:2".to_owned());
        let failure = upgrade(stack, from, to).await.1.unwrap_err();
        assert_eq!(failure.kind, Kind::RolledBack, "{failure:?}");
        let words = "after testbed.invalid/harness-ghost:2 could not start without its image";
        assert!(failure.what.contains(words), "{}", failure.what);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_update_is_not_waited_for() {
    with_stack(async |stack| {
        let (_, settled) = upgrade(stack, updates(stays(), Action::PAUSE), updates(exits(5), Action::PAUSE)).await;
        let failure = settled.unwrap_err();
        assert_eq!(failure.kind, Kind::UpdatePaused, "{failure:?}");
        let start = format!("swarm stopped the update of service app midway after {IMAGE} exited");
        assert!(failure.what.starts_with(&start) && failure.what.ends_with("with code 5"), "{}", failure.what);
    })
    .await;
}
