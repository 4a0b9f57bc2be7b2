//! Files and commands in a container.

use std::time::Instant;

use base::failure::Kind;
use bollard::models::{Mount, MountType};
use swarm::MountedVolume;

use crate::support::*;

fn with_volume(stack: &Stack) -> bollard::models::ServiceSpec {
    let mut spec = stays();
    let mount = |name: &str, target: &str, read_only| Mount {
        typ: Some(MountType::VOLUME),
        source: Some(stack.name.object(name)),
        target: Some(target.to_owned()),
        read_only: Some(read_only),
        ..Default::default()
    };
    container(&mut spec).mounts = Some(vec![mount("data", "/data", false), mount("fixed", "/fixed", true)]);
    spec
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_into_a_volume_and_comes_back_without_a_shell() {
    with_stack(async |stack| {
        stack.deploy(vec![("app", with_volume(stack))]).await.unwrap();
        let mounts = stack.swarm.mounted(&stack.name).await.unwrap();
        let short: Vec<(&str, &str, bool)> =
            mounts.iter().map(|m| (m.short.as_str(), m.path.as_str(), m.read_only)).collect();
        assert_eq!(short, [("data", "/data", false), ("fixed", "/fixed", true)]);
        let MountedVolume { name, service, container, path, .. } = &mounts[0];
        assert_eq!((name, service.as_str()), (&stack.name.object("data"), "app"));

        let swarm = &stack.swarm;
        assert_eq!(swarm.get_file(container, "/data/.marker").await.unwrap(), None);
        swarm.put_file(container, path, ".marker", b"one\0two").await.unwrap();
        assert_eq!(swarm.get_file(container, "/data/.marker").await.unwrap().unwrap(), b"one\0two");
        swarm.put_file(container, path, ".marker", b"").await.unwrap();
        assert_eq!(swarm.get_file(container, "/data/.marker").await.unwrap().unwrap(), b"");
        assert!(swarm.put_file(container, "/data/no-folder", "x", b"x").await.is_err());
        assert!(swarm.put_file(container, &mounts[1].path, "x", b"x").await.is_err(), "a read-only volume was written");
        assert!(swarm.get_file(container, "/data").await.is_err(), "a folder is no file");
        assert!(swarm.get_file("no-such-container", "/data/.marker").await.is_err());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_tells_its_exit_code_and_its_words() {
    with_stack(async |stack| {
        let settled = stack.deploy(vec![("app", stays())]).await.unwrap();
        let container = &settled.services[0].containers[0];
        let run = async |script: &str, deadline: Instant| {
            let argv = ["/bin/busybox", "sh", "-c", script].map(str::to_owned);
            let env = [("GREETING".to_owned(), "hello".to_owned())];
            stack.swarm.exec(container, &argv, &env, deadline).await
        };
        let ended = run("echo $GREETING; echo bad >&2; exit 7", soon(20)).await.unwrap();
        assert_eq!(ended.exit, 7);
        assert!(ended.output.contains("hello\n") && ended.output.contains("bad\n"), "{ended:?}");
        let failure =
            run("/bin/busybox sleep 100", Instant::now() + std::time::Duration::from_millis(300)).await.unwrap_err();
        assert_eq!(failure.kind, Kind::Deadline);
        assert!(stack.swarm.exec("no-such-container", &["x".to_owned()], &[], soon(20)).await.is_err());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_log_lines_are_plain_text() {
    with_stack(async |stack| {
        let script = "for i in 1 2 3 4 5; do printf \"line $i \\033[31mred\\033[0m\\n\"; done; exec /bin/busybox tail -f /dev/null";
        stack.deploy(vec![("app", runs(&["sh", "-c", script]))]).await.unwrap();
        let logs = stack.swarm.logs(&stack.name, "app", 2).await.unwrap();
        assert_eq!((logs.text.as_str(), logs.cut), ("line 4 red\nline 5 red\n", true));
        let logs = stack.swarm.logs(&stack.name, "app", 50).await.unwrap();
        assert_eq!((logs.text.lines().count(), logs.cut), (5, false));
        assert!(stack.swarm.logs(&stack.name, "ghost", 2).await.is_err());
    })
    .await;
}
