//! First deploys that settle.

use std::time::{Duration, Instant};

use swarm::Before;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_settles_by_its_health_and_tells_how_soon() {
    with_stack(async |stack| {
        let app = checked(stays(), &["true"]);
        let mut watch = stack.watch().await;
        stack.make("app", app).await;
        stack
            .make("none", {
                let mut none = stays();
                none.mode = replicas(0);
                none
            })
            .await;
        let mut lines = Vec::new();
        let settled =
            watch.settled(&Before::default(), soon(60), &mut |line| lines.push(line.to_owned())).await.unwrap();

        let names: Vec<&str> = settled.services.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names, ["app", "none"]);
        assert_eq!(settled.services[0].containers.len(), 1);
        assert_eq!(settled.services[1].containers, [] as [String; 0]);
        assert_eq!(stack.swarm.containers(&stack.name).await.unwrap(), settled.services[0].containers);
        let latency = settled.seen_at - settled.healthy_at.expect("the health event was seen");
        assert!(latency < Duration::from_millis(500), "{latency:?} from the event to the decision");
        assert!(lines.iter().all(|line| line.starts_with("waiting for ")), "{lines:?}");
        assert!(lines.windows(2).all(|pair| pair[0] != pair[1]), "{lines:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_without_a_healthcheck_settles_when_it_stays_up() {
    with_stack(async |stack| {
        let start = Instant::now();
        let settled = stack.deploy(vec![("app", stays())]).await.unwrap();
        assert_eq!(settled.services[0].containers.len(), 1);
        assert!(start.elapsed() > Duration::from_secs(1), "it cannot be known so soon");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_already_is_settled_at_once() {
    with_stack(async |stack| {
        stack.deploy(vec![("app", checked(stays(), &["true"]))]).await.unwrap();
        let before = stack.swarm.before(&stack.name).await.unwrap();
        let start = Instant::now();
        let settled = stack.watch().await.settled(&before, soon(60), &mut |_| {}).await.unwrap();
        assert_eq!(settled.healthy_at, None, "nothing happened");
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_and_tasks_are_told_by_short_names() {
    with_stack(async |stack| {
        let mut app = stays();
        app.labels = Some([("a.label".to_owned(), "a value".to_owned())].into());
        stack.deploy(vec![("app", app)]).await.unwrap();
        assert_eq!(stack.swarm.services(&stack.name).await.unwrap(), ["app"]);
        let labels = stack.swarm.service_labels(&stack.name, "app").await.unwrap();
        assert_eq!(labels.get("a.label").map(String::as_str), Some("a value"));
        assert!(stack.swarm.service_labels(&stack.name, "ghost").await.unwrap().is_empty());
        let tasks = stack.swarm.tasks(&stack.name).await.unwrap();
        assert_eq!(tasks.len(), 1);
        assert_eq!((tasks[0].service.as_str(), tasks[0].desired.as_str()), ("app", "running"));
        assert_eq!((tasks[0].image.as_str(), tasks[0].exit), (IMAGE, None));
    })
    .await;
}
