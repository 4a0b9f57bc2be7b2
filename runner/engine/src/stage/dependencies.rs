//! The apps that the tested one needs: each comes up as soon as those that it needs itself are there,
//! and independent ones side by side. Then the logins are made. What goes wrong here is never the tested
//! recipe's fault.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base::failure::{Cause, Failure, Kind};
use base::names::RecipeName;
use futures_util::future::try_join_all;
use swarm::Before;
use tokio::sync::watch;

use super::{answers, prepare, ready};
use crate::context::logins;
use crate::context::{StageRun, Step, Stopped};
use journal::event::{Fault, Origin, Outcome};
use journal::text::count;
use plan::peers::Peers;

/// How long a dependency may take to show that it still lives.
const ALIVE: Duration = Duration::from_secs(5);

/// What can be done before anything is deployed: their images are here.
pub(super) async fn prepare(cx: &mut StageRun) -> Step {
    for at in 0..cx.holdings.dependencies.len() {
        let start = Instant::now();
        let other = &cx.holdings.dependencies[at];
        let (recipe, revision) = (other.app.spec.recipe.clone(), other.release());
        if other.app.was_there() {
            continue;
        }
        let ended = match prepare::may_be_deployed(other, &revision) {
            Ok(compose) => prepare::ensure(other, &compose).await,
            Err(failure) => Err(failure),
        };
        let name = format!("prepare.{recipe}-images");
        match ended {
            Ok(text) => cx.record(&name, Origin::Generic, Outcome::Passed, text, None, start.elapsed()),
            Err(failure) => {
                let fault = other.fault(failure);
                let text = fault.failure.what.clone();
                cx.record(&name, Origin::Generic, Outcome::Failed, text, Some(fault.clone()), start.elapsed());
                cx.faults.push(fault);
                return Err(Stopped);
            }
        }
    }
    Ok(())
}

pub(super) async fn run(cx: &mut StageRun) -> Step {
    let peers = cx.check("dependencies.names", async |cx: &mut StageRun| names(cx).await).await?;
    cx.app.peers = peers.clone();
    let (stage, deadline) = (cx.stage, cx.deadline);
    for other in &mut cx.holdings.dependencies {
        (other.stage, other.deadline) = (stage, deadline);
        if !other.app.is_warm() {
            other.app.peers = peers.clone();
        }
    }
    let up: BTreeMap<RecipeName, watch::Sender<bool>> = cx
        .holdings
        .dependencies
        .iter()
        .map(|other| (other.app.spec.recipe.clone(), watch::Sender::new(false)))
        .collect();
    // One that fails ends the others: without it no stage can go on.
    let ended = try_join_all(cx.holdings.dependencies.iter_mut().map(|other| come_up(other, &up))).await;
    let faults: Vec<Fault> =
        cx.holdings.dependencies.iter_mut().flat_map(|other| std::mem::take(&mut other.faults)).collect();
    cx.faults.extend(faults);
    ended?;
    cx.holdings.came_up = true;
    if cx.app.toml.sso.is_some() {
        cx.check("dependencies.logins", async |cx: &mut StageRun| logins::make(cx).await.map(|text| (text, ())))
            .await?;
    }
    logins::tell(cx).map_err(|failure| {
        let fault = cx.fault(failure);
        cx.faults.push(fault);
        Stopped
    })
}

async fn names(cx: &mut StageRun) -> Result<(String, Peers), Failure> {
    let domains = cx.holdings.dependencies.iter().map(|other| &other.app.spec.domain).chain([&cx.app.spec.domain]);
    let peers = Peers::of(&cx.run.swarm, domains, cx.run.fixed_address, cx.run.ca.as_deref()).await?;
    let text = match peers.hosts.first() {
        None => "DNS knows the names of the apps".to_owned(),
        Some((_, address)) => format!("{} by {address}", count(peers.hosts.len(), "name")),
    };
    let trust = if peers.ca.is_some() { ", the local CA is trusted" } else { "" };
    Ok((format!("{text}{trust}"), peers))
}

/// Brings one app up when those before it are.
async fn come_up(cx: &mut StageRun, up: &BTreeMap<RecipeName, watch::Sender<bool>>) -> Step {
    for before in cx.app.after.clone() {
        let Some(sender) = up.get(&before) else { continue };
        // The sender outlives every receiver, so the wait ends with the app up, or never.
        let _ = sender.subscribe().wait_for(|is_up| *is_up).await;
    }
    let (recipe, revision) = (cx.app.spec.recipe.clone(), cx.release());
    if cx.app.was_there() {
        cx.app.deployed = Some(revision);
        answers::answers(cx, &format!("dependencies.{recipe}.warm")).await?;
        tell_up(&recipe, up);
        return Ok(());
    }
    cx.check(&format!("dependencies.{recipe}.settled"), async |cx: &mut StageRun| {
        let settled = cx.deploy(&revision, &Before::default()).await?;
        Ok((format!("{revision}: {} up", count(settled.services.len(), "service")), ()))
    })
    .await?;
    answers::answers(cx, &format!("dependencies.{recipe}.answers")).await?;
    tell_up(&recipe, up);
    Ok(())
}

fn tell_up(recipe: &RecipeName, up: &BTreeMap<RecipeName, watch::Sender<bool>>) {
    if let Some(sender) = up.get(recipe) {
        sender.send_replace(true);
    }
}

/// A dependency that no longer answers: then whatever else is red says nothing about the recipe.
pub async fn lost(cx: &StageRun) -> Option<Fault> {
    for other in cx.holdings.dependencies.iter().filter(|other| other.app.deployed.is_some()) {
        let Some(said) = no_longer_well(other).await else { continue };
        let failure = Failure::new(
            Kind::DependencyGone,
            format!("the dependency {} was up and is not any more: {said}", other.app.spec.recipe),
            "its tasks and its last log lines, in the report",
        );
        return Some(Fault { cause: Cause::Dependency, failure });
    }
    None
}

/// What an app that was ready says in place of that; none where it is well.
async fn no_longer_well(cx: &StageRun) -> Option<String> {
    let health = &cx.app.toml.health;
    if health.http {
        let url = format!("{}{}", cx.url(), health.path.as_str());
        match cx.http.get(&url, Instant::now() + ALIVE).await {
            Ok(answer) if health.status.iter().any(|status| status.get() == answer.status) => {}
            Ok(answer) => return Some(format!("{url} answered {}", answer.status)),
            Err(failure) => return Some(failure.what),
        }
    }
    ready::missed(cx, ALIVE).await
}
