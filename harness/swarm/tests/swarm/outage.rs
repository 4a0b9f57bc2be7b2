//! Services that are stopped and restarted.

use bollard::models::{TaskSpecContainerSpecFile as File, TaskSpecContainerSpecSecrets};
use swarm::Before;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_was_down_comes_back_in_a_new_container_with_all_that_it_had() {
    with_stack(async |stack| {
        let mut spec = checked(stays(), &["true"]);
        container(&mut spec).stop_grace_period = Some(0);
        let old = stack.deploy(vec![("app", spec)]).await.unwrap().services.remove(0).containers;
        let down = stack.swarm.take_down(&stack.name, "app", soon(30)).await.unwrap();
        assert_eq!(stack.swarm.containers(&stack.name).await.unwrap(), Vec::<String>::new());
        assert_eq!(stack.swarm.service_facts(&stack.name).await.unwrap()[0].replicas, Some(0));

        let mut watch = stack.watch().await;
        stack.swarm.bring_back(&down).await.unwrap();
        let settled = watch.settled(&Before::default(), soon(60), &mut |_| {}).await.unwrap();
        let new = &settled.services[0].containers;
        assert_ne!(*new, old);
        let config = stack.swarm.docker().inspect_container(&new[0], None).await.unwrap().config.unwrap();
        let test = config.healthcheck.expect("it has lost its healthcheck").test.unwrap();
        assert_eq!(test, ["CMD", "/bin/busybox", "true"]);
    })
    .await;
}

/// The file `password` of a secret.
fn secret(id: &str, name: &str) -> TaskSpecContainerSpecSecrets {
    let root = || Some("0".to_owned());
    let file = File { name: Some("password".to_owned()), uid: root(), gid: root(), mode: Some(0o444) };
    TaskSpecContainerSpecSecrets {
        file: Some(file),
        secret_id: Some(id.to_owned()),
        secret_name: Some(name.to_owned()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_takes_the_place_of_another_and_goes_with_the_stack() {
    with_stack(async |stack| {
        let right = stack.swarm.make_secret(&stack.name, "password", "right").await.unwrap();
        // Secrets are in memory, which the engine's archive API does not read.
        let mut spec = runs(&["sh", "-c", "cat /run/secrets/password >/said; exec tail -f /dev/null"]);
        container(&mut spec).stop_grace_period = Some(0);
        container(&mut spec).secrets = Some(vec![secret(right.id(), &stack.name.object("password"))]);
        stack.deploy(vec![("app", spec)]).await.unwrap();
        let read = async || {
            let id = stack.swarm.containers(&stack.name).await.unwrap().remove(0);
            String::from_utf8(stack.swarm.get_file(&id, "/said").await.unwrap().unwrap()).unwrap()
        };
        assert_eq!(read().await, "right");

        let down = stack.swarm.take_down(&stack.name, "app", soon(30)).await.unwrap();
        let wrong = stack.swarm.make_secret(&stack.name, "wrong", "wrong").await.unwrap();
        let mut watch = stack.watch().await;
        let changed = down.with_secrets(&[(stack.name.object("password"), wrong)]);
        stack.swarm.bring_back(&changed).await.unwrap();
        watch.settled(&Before::default(), soon(60), &mut |_| {}).await.unwrap();
        assert_eq!(read().await, "wrong");
    })
    .await;
}
