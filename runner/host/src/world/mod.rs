//! The world: what must exist on a swarm before any run. `up` creates what is missing and does not touch what a server
//! has already; `down` removes what `up` created.

mod ca;
mod docker_cli;
mod entrypoints;
mod present;
pub mod route;
mod stack;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use base::names::StackName;
use http_client::{Http, HttpConfig};
use serde::Serialize;
use slots::{Board as _, SET_LABEL, SetName, SwarmBoard};
use swarm::{ObjectKind, Removal, SharedRecord, Swarm, with_tag};

use crate::settings::Settings;
use docker_cli::docker;
pub use entrypoints::entrypoints;
pub use present::{Present, is_traefik, present};

/// The stack of `up`.
pub const WORLD_STACK: &str = "cc-ci-world";

/// The HTTP client for apps. It trusts the system's authorities, and the CA of a local world if there is one.
///
/// # Errors
/// The local CA's certificate is invalid.
pub fn http(settings: &Settings) -> Result<Http, Failure> {
    http_trusting(settings, local_ca(&settings.state_dir()?, settings).as_deref())
}

/// The same with this CA or none.
///
/// # Errors
/// Its certificate is invalid.
pub fn http_trusting(settings: &Settings, ca: Option<&Path>) -> Result<Http, Failure> {
    Http::new(&HttpConfig {
        ca_pem: ca.and_then(|path| std::fs::read(path).ok()),
        resolve: settings
            .fixed_address()
            .map(|address| (settings.base_domain.to_string(), address))
            .into_iter()
            .collect(),
    })
}

/// One step of `up` or `down`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorldStep {
    pub name: String,
    pub done: Done,
    /// Its duration in milliseconds.
    pub took_ms: u64,
}

/// The result of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Done {
    Made,
    /// It existed.
    AlreadyThere,
    /// It existed and was replaced.
    Updated,
    Removed,
    /// It is deliberately left.
    Kept,
}

impl Done {
    pub fn words(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::AlreadyThere => "already there",
            Self::Updated => "updated",
            Self::Removed => "removed",
            Self::Kept => "kept",
        }
    }
}

/// The local CA's certificate, if the world's own traefik serves certificates signed by it. A server's own traefik is
/// checked with the system's authorities, even if an earlier world left a CA in the state folder.
pub async fn served_ca(swarm: &Swarm, settings: &Settings) -> Result<Option<PathBuf>, Failure> {
    let Some(ca) = local_ca(&settings.state_dir()?, settings) else { return Ok(None) };
    Ok(present(swarm).await?.foreign_traefik.is_none().then_some(ca))
}

/// The local CA's certificate, if `up` created one for this base domain.
pub fn local_ca(state: &Path, settings: &Settings) -> Option<PathBuf> {
    let path = ca::folder(state, &settings.base_domain).join("ca.pem");
    path.is_file().then_some(path)
}

/// Creates what is missing of the world.
///
/// # Errors
/// What could not be created, and why.
pub async fn up(settings: &Settings, report: &mut dyn FnMut(&WorldStep)) -> Result<(), Failure> {
    let state = settings.state_dir()?;
    let mut swarm = Swarm::connect().await?;
    let start = Instant::now();
    let mut facts = swarm.facts().await?;
    if facts.swarm_active {
        told(report, "swarm mode", Done::AlreadyThere, start);
    } else {
        docker(&["swarm", "init", "--advertise-addr", "127.0.0.1"], "switch swarm mode on").await?;
        told(report, "swarm mode", Done::Made, start);
        swarm = Swarm::connect().await?;
        facts = swarm.facts().await?;
    }

    let start = Instant::now();
    let there = present(&swarm).await?;
    if there.proxy {
        told(report, "network proxy", Done::AlreadyThere, start);
    } else {
        let label = "cc-ci.world=true";
        docker(
            &["network", "create", "-d", "overlay", "--attachable", "--label", label, "proxy"],
            "create the network proxy",
        )
        .await?;
        told(report, "network proxy", Done::Made, start);
    }

    let start = Instant::now();
    if let Some(service) = &there.foreign_traefik {
        told(report, &format!("traefik of this server ({service}), with its own certificates"), Done::Kept, start);
    } else {
        let made = ca::ensure(&state, &settings.base_domain)?;
        told(report, "certificate of the base domain", if made { Done::Made } else { Done::AlreadyThere }, start);
    }
    if let Some(service) = &there.foreign_bot {
        told(report, &format!("backup bot of this server ({service})"), Done::Kept, start);
    }

    let start = Instant::now();
    let parts = stack::Parts {
        traefik: there.foreign_traefik.is_none(),
        bot: there.foreign_bot.is_none(),
        ipvs: facts.ipvs,
        data_root: docker(&["info", "--format", "{{.DockerRootDir}}"], "query docker's data root").await?,
        images: images(&swarm, settings, there.foreign_bot.is_none(), &there.images).await?,
    };
    let wanted = stack::write(&state, settings, &parts)?;
    // Its presence is not enough: another state folder, with another CA, may have deployed it last.
    if there.traefik && there.bot && there.routes.contains(settings.base_domain.as_str()) && there.print == wanted.print
    {
        told(report, parts.words(), Done::AlreadyThere, start);
    } else {
        let stack_name = StackName::try_from(WORLD_STACK.to_owned())
            .map_err(|error| Failure::new(Kind::Bug, error.to_string(), ""))?;
        let before = swarm.before(&stack_name).await?;
        let mut watch = swarm.watch(&stack_name).await?;
        let file = wanted.file.to_string_lossy();
        // Services that are no longer in the file are pruned: the server may have its own traefik by now.
        docker(&["stack", "deploy", "--prune", "-c", &file, WORLD_STACK], &format!("deploy {}", parts.words())).await?;
        watch.settled(&before, Instant::now() + Duration::from_secs(120), &mut |_: &str| {}).await?;
        // Certificates of earlier worlds. swarm refuses to remove those in use.
        let mut old = swarm.objects(&stack_name).await?;
        old.retain(|object| matches!(object.kind, ObjectKind::Config | ObjectKind::Secret));
        swarm.discard(&old).await?;
        let is_other = |(name, id): &(&String, &String)| there.images.get(*name).is_some_and(|old| old != *id);
        for (name, _) in parts.images.iter().filter(is_other) {
            told(report, &format!("{name}, which means another image now"), Done::Updated, start);
        }
        if there.own_traefik && !parts.traefik {
            told(report, "traefik of cc-ci's own", Done::Removed, start);
        }
        told(report, parts.words(), Done::Made, start);
    }
    let start = Instant::now();
    answers(&swarm, settings).await?;
    told(report, "HTTPS of the base domain answers", Done::AlreadyThere, start);
    Ok(())
}

/// The image ids of the services of `up`, by names with tag. An image that is neither present nor deployed, possibly on
/// another node, is pulled first, so that a registry's refusal is reported as such.
async fn images(
    swarm: &Swarm,
    settings: &Settings,
    bot: bool,
    deployed: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Failure> {
    let all = [Some(&settings.traefik_image), bot.then_some(&settings.bot_image)];
    let mut found = BTreeMap::new();
    for name in all.into_iter().flatten().map(|name| with_tag(name)) {
        let mut id = swarm.image_id(&name).await?.or_else(|| deployed.get(&name).cloned());
        if id.is_none() {
            swarm.ensure(std::slice::from_ref(&name), &mut |_: &str| {}).await?;
            id = swarm.image_id(&name).await?;
        }
        found.extend(id.map(|id| (name, id)));
    }
    Ok(found)
}

/// Checks that traefik forwards a request to cc-ci's own route: then ports, TLS, the name and the network all work.
async fn answers(swarm: &Swarm, settings: &Settings) -> Result<(), Failure> {
    // A certificate authority that is contacted now may be slow.
    let limit = if settings.cert_resolver.is_some() { 120 } else { 30 };
    let until = Instant::now() + Duration::from_secs(limit);
    let http = http_trusting(settings, served_ca(swarm, settings).await?.as_deref())?;
    loop {
        match route::asked(&http, settings.base_domain.as_str(), settings.https_port).await {
            Err(failure) if Instant::now() >= until => return Err(failure),
            Err(_) => {}
            Ok(_) => return Ok(()),
        }
    }
}

/// Removes what `up` created. Swarm mode stays: other stacks may depend on it.
///
/// # Errors
/// What could not be removed, and why.
pub async fn down(report: &mut dyn FnMut(&WorldStep)) -> Result<(), Failure> {
    let swarm = Swarm::connect().await?;
    if !swarm.facts().await?.swarm_active {
        return Ok(());
    }
    let start = Instant::now();
    let stack =
        StackName::try_from(WORLD_STACK.to_owned()).map_err(|error| Failure::new(Kind::Bug, error.to_string(), ""))?;
    let left = swarm.remove(&stack, Removal::Kill, Instant::now() + Duration::from_secs(60)).await?;
    if let Some(object) = left.first() {
        let what = format!("{object} could not be removed");
        return Err(Failure::new(Kind::LeftBehind, what, "who still uses it: docker inspect"));
    }
    told(report, "what `cc-ci up` deployed", Done::Removed, start);
    let start = Instant::now();
    let done = if close_slots(&swarm).await? { Done::Removed } else { Done::Kept };
    told(report, "list of slots", done, start);
    let start = Instant::now();
    let ours = docker(&["network", "ls", "-q", "--filter", "label=cc-ci.world=true"], "list networks").await?;
    if ours.is_empty() {
        told(report, "network proxy", Done::Kept, start);
    } else {
        docker(&["network", "rm", "proxy"], "remove the network proxy").await?;
        told(report, "network proxy", Done::Removed, start);
    }
    told(report, "swarm mode", Done::Kept, Instant::now());
    Ok(())
}

/// Removes unused ledgers of slots. False if a run still lives, or keeps an app.
async fn close_slots(swarm: &Swarm) -> Result<bool, Failure> {
    let records = swarm.shared_records(SET_LABEL).await?;
    let set = |record: &SharedRecord| record.labels.get(SET_LABEL)?.parse::<SetName>().ok();
    let sets: BTreeSet<SetName> = records.iter().filter_map(set).collect();
    let mut all = true;
    for set in sets {
        let board = SwarmBoard::of_set(swarm, &set);
        match board.look().await? {
            Some(view) if view.tickets.is_empty() && view.ledger.held.is_empty() => board.close().await?,
            _ => all = false,
        }
    }
    Ok(all)
}

fn told(report: &mut dyn FnMut(&WorldStep), name: &str, done: Done, start: Instant) {
    let took_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    report(&WorldStep { name: name.to_owned(), done, took_ms });
}
