//! An engine connection that is lost while a stack settles. The engine itself stays: what ends is a relay in front of
//! its socket.

use std::path::Path;

use base::failure::Kind;
use swarm::{Before, Swarm};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::support::*;

/// Relays data between a socket of the test and the engine's, until it is aborted.
fn relay(path: &Path, engine: String) -> JoinHandle<()> {
    let listener = UnixListener::bind(path).unwrap();
    tokio::spawn(async move {
        let mut streams = JoinSet::new();
        while let Ok((mut here, _)) = listener.accept().await {
            let engine = engine.clone();
            streams.spawn(async move {
                let mut there = UnixStream::connect(engine).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut here, &mut there).await;
            });
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_comes_back_was_restarted() {
    with_stack(async |stack| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker.sock");
        let engine = stack.swarm.address().strip_prefix("unix://").expect("a local engine").to_owned();
        let first = relay(&path, engine.clone());
        let swarm = Swarm::connect_to(&format!("unix://{}", path.display())).await.unwrap();
        let mut watch = swarm.watch(&stack.name).await.unwrap();

        let waiting = tokio::spawn(async move { watch.settled(&Before::default(), soon(60), &mut |_| {}).await });
        first.abort();
        let _ = first.await;
        std::fs::remove_file(&path).unwrap();
        let second = relay(&path, engine);
        let failure = waiting.await.unwrap().unwrap_err();
        second.abort();
        assert_eq!(failure.kind, Kind::EngineRestarted, "{failure:?}");
        assert!(failure.what.starts_with("the connection to the engine was lost for "), "{}", failure.what);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_not_there_is_named() {
    let failure = Swarm::connect_to("unix:///nonexistent/docker.sock").await.unwrap_err();
    assert_eq!(failure.kind, Kind::EngineUnreachable);
    assert_eq!(failure.what, "the docker engine at unix:///nonexistent/docker.sock does not answer");
}
