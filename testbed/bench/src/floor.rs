//! The floor: the docker operations of a run issued by hand, each wait ended by the very event that
//! ends it, with nothing checked, recorded or prepared. No runner can be faster than this.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use bollard::Docker;
use bollard::models::{EventMessage, EventMessageTypeEnum};
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::{Stream, StreamExt};
use http_client::{Expect, Http};
use swarm::{Removal, Swarm};
use tokio::process::Command;

use super::measured::CcCiRun;
use source::{Checkout, Revision};

/// The recipe at its base and at its head, with the compose files that cc-ci deployed, renamed to a
/// stack of the bench's own.
#[derive(Debug)]
pub struct Trees {
    /// The bench's stack.
    pub stack: String,
    /// The bench's domain.
    pub domain: String,
    /// Checkout of the base release.
    pub base: PathBuf,
    /// Checkout of the head.
    pub head: PathBuf,
}

impl Trees {
    /// Lays both trees out below `dir`.
    ///
    /// # Errors
    /// When the repository or the disk refuses.
    pub fn lay_out(source: &str, run: &CcCiRun, dir: &Path) -> Result<Self, Failure> {
        let domain =
            format!("bench-floor.{}", run.started.domain.as_str().split_once('.').map_or("", |(_, base)| base));
        let stack = domain.replace('.', "_");
        let head = run.started.head.to_string();
        let base = run.started.base.clone().unwrap_or_else(|| head.clone());
        let tree = |name: &str, revision: &str| -> Result<PathBuf, Failure> {
            let path = dir.join(name);
            let checkout = Checkout::clone_from(source, &path, None)?;
            if let Some(number) = run.started.pull_request {
                checkout.resolve(&Revision::PullRequest(number))?;
            }
            checkout.check_out(revision)?;
            let yaml = run.composes.iter().find(|(version, _)| version == revision).map(|(_, yaml)| yaml);
            let yaml = yaml.ok_or_else(|| failed(&format!("the run deployed no compose file for {revision}")))?;
            let yaml = yaml.replace(run.started.stack.as_str(), &stack).replace(run.started.domain.as_str(), &domain);
            let file = path.join("bench.yml");
            std::fs::write(&file, yaml.replace('$', "$$"))
                .map_err(|error| base::failure::Failure::disk("write", &file, &error))?;
            Ok(path)
        };
        Ok(Self { base: tree("base", &base)?, head: tree("head", &head)?, stack, domain })
    }
}

/// Runs the floor and gives its time.
///
/// # Errors
/// When an operation fails.
pub async fn floor(swarm: &Swarm, http: &Http, trees: &Trees, url: &str) -> Result<Duration, Failure> {
    let docker = swarm.docker().clone();
    let stack = base::names::StackName::try_from(trees.stack.clone()).map_err(|error| failed(&error.to_string()))?;
    let expect = Expect { url: url.to_owned(), status: vec![200], body: None };
    let far = || Instant::now() + Duration::from_secs(120);
    let answers = async || http.answers(&expect, far(), &mut |_: &str| {}).await.map(drop);

    let start = Instant::now();
    let mut events = Box::pin(events_of(&docker, &trees.stack));
    deploy(&trees.base, &trees.stack).await?;
    all_healthy(&mut events, &trees.base).await?;
    answers().await?;
    deploy(&trees.head, &trees.stack).await?;
    all_updated(&mut events, &trees.head).await?;
    answers().await?;
    bot(&docker, &trees.stack, "create").await?;
    bot(&docker, &trees.stack, "restore").await?;
    answers().await?;
    swarm.remove(&stack, Removal::Kill, far()).await?;
    let mut events = Box::pin(events_of(&docker, &trees.stack));
    deploy(&trees.head, &trees.stack).await?;
    all_healthy(&mut events, &trees.head).await?;
    answers().await?;
    swarm.remove(&stack, Removal::Kill, far()).await?;
    Ok(start.elapsed())
}

fn events_of(docker: &Docker, stack: &str) -> impl Stream<Item = EventMessage> + use<> {
    let docker = docker.clone();
    let label = format!("com.docker.stack.namespace={stack}");
    let prefix = format!("{stack}_");
    async_stream(docker, label, prefix)
}

/// Container events of the stack (by label) and updates of its services (by name).
fn async_stream(docker: Docker, label: String, prefix: String) -> impl Stream<Item = EventMessage> {
    let filters = HashMap::from([("type", vec!["container", "service"])]);
    let options = EventsOptionsBuilder::default().filters(&filters).build();
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let (key, value) = label.split_once('=').unwrap_or((&label, ""));
        let mut events = docker.events(Some(options));
        while let Some(Ok(event)) = events.next().await {
            let of = |name: &str| attribute(&event, name);
            let ours = of(key).as_deref() == Some(value) || of("name").is_some_and(|name| name.starts_with(&prefix));
            if ours && sender.send(event).is_err() {
                return;
            }
        }
    });
    futures_util::stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|event| (event, receiver))
    })
}

fn attribute(event: &EventMessage, name: &str) -> Option<String> {
    event.actor.as_ref()?.attributes.as_ref()?.get(name).cloned()
}

async fn all_healthy(events: &mut (impl Stream<Item = EventMessage> + Unpin), tree: &Path) -> Result<(), Failure> {
    let mut waiting = services(tree)?;
    while !waiting.is_empty() {
        let event = events.next().await.ok_or_else(|| failed("the event stream ended"))?;
        if event.action.as_deref() == Some("health_status: healthy")
            && let Some(name) = attribute(&event, "com.docker.swarm.service.name")
        {
            waiting.retain(|service| !name.ends_with(&format!("_{service}")));
        }
    }
    Ok(())
}

async fn all_updated(events: &mut (impl Stream<Item = EventMessage> + Unpin), tree: &Path) -> Result<(), Failure> {
    // An update is done when swarm calls it complete and the container of before has ended.
    let mut waiting = services(tree)?;
    let mut ending = waiting.clone();
    while !waiting.is_empty() || !ending.is_empty() {
        let event = events.next().await.ok_or_else(|| failed("the event stream ended"))?;
        if event.action.as_deref() == Some("die")
            && let Some(name) = attribute(&event, "com.docker.swarm.service.name")
        {
            ending.retain(|service| !name.ends_with(&format!("_{service}")));
        }
        if event.typ == Some(EventMessageTypeEnum::SERVICE)
            && attribute(&event, "updatestate.new").as_deref() == Some("completed")
            && let Some(name) = attribute(&event, "name")
        {
            waiting.retain(|service| !name.ends_with(&format!("_{service}")));
        }
    }
    Ok(())
}

/// The services of a tree, which the floor knows from the compose file.
fn services(tree: &Path) -> Result<BTreeSet<String>, Failure> {
    let file = tree.join("bench.yml");
    let text = std::fs::read_to_string(&file).map_err(|error| base::failure::Failure::disk("read", &file, &error))?;
    let compose =
        coopcloud::compose::Compose::load(&[("bench.yml".to_owned(), text)], &std::collections::BTreeMap::new())
            .map_err(|error| failed(&error.to_string()))?;
    Ok(compose.services.iter().map(|service| service.name.clone()).collect())
}

async fn deploy(tree: &Path, stack: &str) -> Result<(), Failure> {
    run(Command::new("docker").args(["stack", "deploy", "-c", "bench.yml", stack]).current_dir(tree)).await
}

async fn bot(docker: &Docker, stack: &str, verb: &str) -> Result<(), Failure> {
    let label = HashMap::from([("label", vec!["coop-cloud.backupbot.enabled=true"])]);
    let options = bollard::query_parameters::ListServicesOptionsBuilder::default().filters(&label).build();
    let services = docker.list_services(Some(options)).await.map_err(|error| failed(&error.to_string()))?;
    let id = services.first().and_then(|service| service.id.clone()).ok_or_else(|| failed("there is no backup bot"))?;
    let label = HashMap::from([("label", vec![format!("com.docker.swarm.service.id={id}")])]);
    let options = bollard::query_parameters::ListContainersOptionsBuilder::default().filters(&label).build();
    let containers = docker.list_containers(Some(options)).await.map_err(|error| failed(&error.to_string()))?;
    let container = containers.first().and_then(|container| container.id.clone());
    let container = container.ok_or_else(|| failed("the backup bot has no container"))?;
    let service = format!("SERVICE={stack}");
    run(Command::new("docker").args(["exec", "-e", &service, &container, "/usr/bin/backup", "--", verb])).await
}

async fn run(command: &mut Command) -> Result<(), Failure> {
    let output = command.output().await.map_err(|error| failed(&error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default()))
}

fn failed(why: &str) -> Failure {
    Failure::new(
        Kind::WorldIncomplete,
        format!("the floor failed: {why}"),
        "run the bench on a machine with a whole world",
    )
}
