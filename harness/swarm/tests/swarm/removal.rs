//! Removal.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bollard::models::{
    ConfigSpec, Mount, MountType, NetworkAttachmentConfig, NetworkCreateRequest, SecretSpec, ServiceSpec,
};
use swarm::{ObjectKind, Removal, STACK_LABEL};

use crate::support::*;

/// A service with a volume and a network of the stack; a secret that belongs to the stack only by name, and a config
/// only by label.
async fn whole(stack: &Stack, mut spec: ServiceSpec) {
    let docker = stack.swarm.docker();
    let label = HashMap::from([(STACK_LABEL.to_owned(), stack.name.to_string())]);
    let network = docker
        .create_network(NetworkCreateRequest {
            name: stack.name.object("internal"),
            driver: Some("overlay".to_owned()),
            labels: Some(label.clone()),
            ..Default::default()
        })
        .await
        .unwrap();
    let data = Some("eA==".to_owned());
    let secret = SecretSpec { name: Some(stack.name.object("pw_v1")), data: data.clone(), ..Default::default() };
    docker.create_secret(secret).await.unwrap();
    let name = Some(format!("x-{}", stack.name));
    docker.create_config(ConfigSpec { name, labels: Some(label), data, ..Default::default() }).await.unwrap();
    template(&mut spec).networks =
        Some(vec![NetworkAttachmentConfig { target: Some(network.id), ..Default::default() }]);
    container(&mut spec).mounts = Some(vec![Mount {
        typ: Some(MountType::VOLUME),
        source: Some(stack.name.object("data")),
        target: Some("/data".to_owned()),
        ..Default::default()
    }]);
    stack.deploy(vec![("app", spec)]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ignores_sigterm_is_gone_in_a_moment_with_all_that_it_had() {
    with_stack(async |stack| {
        whole(stack, ignores_sigterm()).await;
        let kinds: Vec<ObjectKind> = stack.swarm.objects(&stack.name).await.unwrap().iter().map(|o| o.kind).collect();
        assert_eq!(kinds, ObjectKind::ALL);
        let start = Instant::now();
        assert_eq!(stack.swarm.remove(&stack.name, Removal::Kill, soon(30)).await.unwrap(), []);
        let took = start.elapsed();
        assert_eq!(stack.swarm.objects(&stack.name).await.unwrap(), []);
        assert!(took < Duration::from_millis(1500), "{took:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_can_be_kept() {
    with_stack(async |stack| {
        whole(stack, stays()).await;
        let kinds = [ObjectKind::Service, ObjectKind::Container, ObjectKind::Volume];
        assert_eq!(stack.swarm.remove_some(&stack.name, &kinds, Removal::Kill, soon(30)).await.unwrap(), []);
        let left: Vec<ObjectKind> = stack.swarm.objects(&stack.name).await.unwrap().iter().map(|o| o.kind).collect();
        assert_eq!(left, [ObjectKind::Network, ObjectKind::Secret, ObjectKind::Config]);
        assert!(stack.swarm.has_secret(&stack.name.object("pw_v1")).await.unwrap());
        assert!(!stack.swarm.has_secret(&stack.name.object("pw_v2")).await.unwrap());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gentle_removal_lets_the_process_end_by_itself() {
    with_stack(async |stack| {
        // It ends a second after SIGTERM; a kill would not wait for it.
        whole(stack, runs(&["sh", "-c", "trap '/bin/busybox sleep 1; exit 0' TERM; /bin/busybox sleep 1000 & wait"]))
            .await;
        let start = Instant::now();
        assert_eq!(stack.swarm.remove(&stack.name, Removal::Gentle, soon(30)).await.unwrap(), []);
        assert!(start.elapsed() > Duration::from_secs(1), "it was killed after {:?}", start.elapsed());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_removed_while_it_starts_leaves_no_orphan() {
    with_stack(async |stack| {
        let mut app = stays();
        app.mode = replicas(4);
        stack.make("app", app).await;
        assert_eq!(stack.swarm.remove(&stack.name, Removal::Kill, soon(30)).await.unwrap(), []);
        assert_eq!(stack.swarm.objects(&stack.name).await.unwrap(), []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_go_is_told_at_the_deadline() {
    with_stack(async |stack| {
        let docker = stack.swarm.docker();
        let volume = stack.name.object("held");
        // A container without a stack that holds a volume of this one.
        let holder = format!("held-by-{}", stack.name);
        let body = bollard::models::ContainerCreateBody {
            image: Some(IMAGE.to_owned()),
            host_config: Some(bollard::models::HostConfig {
                binds: Some(vec![format!("{volume}:/data")]),
                ..Default::default()
            }),
            ..Default::default()
        };
        let options = bollard::query_parameters::CreateContainerOptionsBuilder::new().name(&holder).build();
        docker.create_container(Some(options), body).await.unwrap();
        let left = stack.swarm.remove(&stack.name, Removal::Kill, soon(1)).await;
        docker.remove_container(&holder, None).await.unwrap();
        let left: Vec<String> = left.unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(left, [format!("volume {volume}")]);
    })
    .await;
}

/// A run that slept during its teardown wakes when a later run has the name.
#[tokio::test(flavor = "multi_thread")]
async fn a_removal_ends_where_its_record_is_gone() {
    with_stack(async |stack| {
        let (swarm, record) = (&stack.swarm, format!("ccci_{}", stack.name));
        let make = async || {
            assert!(swarm.make_shared_record(&record, [].into()).await.unwrap());
            swarm.shared_record(&record).await.unwrap().expect("it was made").id
        };
        let old = make().await;
        swarm.drop_shared_record(&old).await.unwrap();
        let new = make().await;
        stack.deploy(vec![("app", stays())]).await.unwrap();
        let objects = swarm.objects(&stack.name).await.unwrap();
        assert!(!objects.is_empty());
        assert_eq!(swarm.remove_under(&stack.name, &old, Removal::Kill, soon(20)).await.unwrap(), []);
        assert_eq!(swarm.objects(&stack.name).await.unwrap(), objects, "nothing of the later one was touched");
        assert_eq!(swarm.remove_under(&stack.name, &new, Removal::Kill, soon(20)).await.unwrap(), []);
        assert_eq!(swarm.objects(&stack.name).await.unwrap(), []);
        swarm.drop_shared_record(&new).await.unwrap();
    })
    .await;
}
