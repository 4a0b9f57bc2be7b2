//! How soon cc-ci acts: from "healthy" in the engine's own event to the next step, and from the
//! order to remove a stack until no object of it is left.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base::failure::{Failure, Kind};
use base::names::StackName;
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::StreamExt;
use swarm::{Before, Removal, Swarm};
use tokio::process::Command;

/// Median milliseconds from the engine's health event to the moment when cc-ci goes on, over
/// `rounds` deployments of a small stack.
///
/// # Errors
/// When a deployment fails.
pub async fn reaction_ms(swarm: &Swarm, image: &str, rounds: usize, dir: &Path) -> Result<f64, Failure> {
    let stack = name("bench-reaction")?;
    let healthy = "test: [CMD, /bin/busybox, test, -f, /bin/busybox], interval: 200ms, retries: 3";
    let file = compose(dir, image, "exec /bin/busybox tail -f /dev/null", &format!(", healthcheck: {{ {healthy} }}"))?;
    let mut times = Vec::new();
    for _ in 0..rounds {
        let filters = HashMap::from([("type", vec!["container"]), ("event", vec!["health_status"])]);
        let options = EventsOptionsBuilder::default().filters(&filters).build();
        let docker = swarm.docker().clone();
        let listener = tokio::spawn(async move {
            let mut events = docker.events(Some(options));
            events.next().await.and_then(Result::ok).and_then(|event| event.time_nano)
        });
        let mut watch = swarm.watch(&stack).await?;
        deploy(&file, &stack).await?;
        let until = Instant::now() + Duration::from_secs(60);
        watch.settled(&Before::default(), until, &mut |_: &str| {}).await?;
        let went_on = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let event = listener.await.ok().flatten().and_then(|nano| u64::try_from(nano).ok());
        if let Some(nano) = event {
            times.push(went_on.saturating_sub(Duration::from_nanos(nano)));
        }
        swarm.remove(&stack, Removal::Kill, until).await?;
    }
    if times.len() < rounds {
        return Err(failed("an event of the engine was missed"));
    }
    Ok(super::median(times).as_secs_f64() * 1000.0)
}

/// Median milliseconds to remove a stack whose process ignores SIGTERM.
///
/// # Errors
/// When it cannot be deployed or something is left.
pub async fn teardown_ms(swarm: &Swarm, image: &str, rounds: usize, dir: &Path) -> Result<f64, Failure> {
    let stack = name("bench-teardown")?;
    let file = compose(dir, image, "trap '' TERM; while :; do /bin/busybox tail -f /dev/null; done", "")?;
    let mut times = Vec::new();
    for _ in 0..rounds {
        let until = Instant::now() + Duration::from_secs(60);
        let mut watch = swarm.watch(&stack).await?;
        deploy(&file, &stack).await?;
        watch.settled(&Before::default(), until, &mut |_: &str| {}).await?;
        let start = Instant::now();
        let left = swarm.remove(&stack, Removal::Kill, until).await?;
        times.push(start.elapsed());
        if !left.is_empty() {
            return Err(failed("teardown left something behind"));
        }
    }
    Ok(super::median(times).as_secs_f64() * 1000.0)
}

fn name(text: &str) -> Result<StackName, Failure> {
    StackName::try_from(text.to_owned()).map_err(|error| failed(&error.to_string()))
}

/// A stack of one service with one volume and one network of its own.
fn compose(dir: &Path, image: &str, script: &str, more: &str) -> Result<std::path::PathBuf, Failure> {
    let file = dir.join(format!("{}.yml", script.len()));
    let script = script.replace('\'', "''");
    let text = format!(
        "version: '3.8'\nservices:\n  app: {{ image: '{image}', entrypoint: ['/bin/busybox', sh, -c, '{script}'], \
         volumes: ['data:/data'], networks: [internal], deploy: {{ endpoint_mode: dnsrr }}{more} }}\n\
         volumes: {{ data: {{}} }}\nnetworks: {{ internal: {{}} }}\n"
    );
    std::fs::write(&file, text).map_err(|error| base::failure::Failure::disk("write", &file, &error))?;
    Ok(file)
}

async fn deploy(file: &Path, stack: &StackName) -> Result<(), Failure> {
    let output = Command::new("docker").args(["stack", "deploy", "-c"]).arg(file).arg(stack.as_str()).output().await;
    let output = output.map_err(|error| failed(&error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default()))
}

fn failed(why: &str) -> Failure {
    Failure::new(Kind::WorldIncomplete, format!("the bench failed: {why}"), "run it on a machine with a whole world")
}
