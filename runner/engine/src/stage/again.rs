//! The app is taken down and deployed again over its volumes, as operators do before they change a server; and, where
//! the recipe's folder says that the recipe supports it, goes back to the release before over the same volumes.

use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use swarm::{Before, ObjectKind, Removal};

use super::{answers, data, upgrade};
use crate::context::{StageRun, Step};
use journal::text::count;

/// What a stack deploy makes again. Volumes and secrets stay, as abra leaves them.
const TAKEN_DOWN: [ObjectKind; 4] =
    [ObjectKind::Service, ObjectKind::Container, ObjectKind::Network, ObjectKind::Config];

/// How long containers may take to end by themselves.
const GRACE: Duration = Duration::from_secs(10);

pub(super) async fn run(cx: &mut StageRun) -> Step {
    let head = cx.app.spec.head.to_string();
    if cx.app.deployed.as_deref() != Some(head.as_str()) {
        return Ok(());
    }
    let base = cx.app.spec.base.clone().filter(|_| cx.app.toml.rollback.is_some());
    match cx.app.opted_out("fresh.again") {
        Some(reason) => cx.skip("fresh.again", reason),
        // New containers over the same volumes: the upgrade has shown that already.
        None if cx.app.all_new => {}
        None => again(cx, &head).await?,
    }
    match base {
        Some(base) => back(cx, &base).await,
        None => Ok(()),
    }
}

async fn again(cx: &mut StageRun, head: &str) -> Step {
    let markers = upgrade::plant(cx, "fresh.markers").await?;
    let has_data = data::is_there(cx).await;
    cx.check("fresh.again", async |cx: &mut StageRun| {
        cx.progress("takes the app down and deploys it again over its volumes");
        let stack = cx.app.spec.stack.clone();
        let until = cx.wait_until();
        let slow =
            cx.run.swarm.remove_some(&stack, &TAKEN_DOWN, Removal::Gentle, until.min(Instant::now() + GRACE)).await?;
        if !slow.is_empty() {
            cx.run.swarm.remove_some(&stack, &TAKEN_DOWN, Removal::Kill, until).await?;
        }
        let settled = cx.deploy(head, &Before::default()).await?;
        Ok((format!("{} up on the volumes of before", count(settled.services.len(), "service")), ()))
    })
    .await?;
    answers::answers(cx, "fresh.again-answers").await?;
    cx.check("fresh.kept", async |cx: &mut StageRun| {
        upgrade::still_there(cx, &markers, "taking the app down and deploying it again").await
    })
    .await?;
    if has_data {
        data::check(cx, "deployed again").await?;
    }
    Ok(())
}

/// To the release before, in place.
async fn back(cx: &mut StageRun, base: &str) -> Step {
    let markers = upgrade::plant(cx, "fresh.markers").await?;
    let has_data = data::is_there(cx).await;
    cx.check("fresh.rolled-back", async |cx: &mut StageRun| {
        let before = cx.run.swarm.before(&cx.app.spec.stack).await?;
        let settled = cx.deploy(base, &before).await.map_err(rollback_failed)?;
        Ok((format!("back at {base}: {} up", count(settled.services.len(), "service")), ()))
    })
    .await?;
    answers::answers(cx, "fresh.rollback-answers").await?;
    cx.check("fresh.rollback-data", async |cx: &mut StageRun| {
        upgrade::still_there(cx, &markers, "the way back to the release before").await
    })
    .await?;
    if has_data {
        data::check(cx, "rolled back").await?;
    }
    Ok(())
}

fn rollback_failed(failure: Failure) -> Failure {
    let what = format!("the way back to the release before fails, and recipe.toml says [rollback]: {}", failure.what);
    let kind =
        if failure.kind.usual_cause() == Kind::DidNotMove.usual_cause() { Kind::RollbackFailed } else { failure.kind };
    Failure { kind, what, ..failure }
}
