//! The app starts while its database is away, as after a power cut: swarm knows no order. It has to wait, or to be
//! started again until the database is there.

use std::time::Duration;

use super::super::answers;
use super::{Planted, bring_back, intact, names, recovered, take_down};
use crate::context::{StageRun, Step};
use plan::faults::Ground;
use recipe_folder::recipe_toml::InjectedFault;

pub(super) async fn run(cx: &mut StageRun, ground: &Ground, planted: &Planted) -> Step {
    let outage = cx.app.toml.faults.database_late.unwrap_or_default();
    let (event, name) = ("start without its database", InjectedFault::DatabaseLate.check());
    cx.check(&name, async |cx: &mut StageRun| {
        let apps = take_down(cx, ground.apps()).await?;
        let databases = take_down(cx, ground.databases()).await?;
        bring_back(cx, &apps).await?;
        let (who, away) = (names(ground.databases()), outage.away.get());
        cx.progress(format!("keeps {who} away from the app that starts, for {away} s"));
        tokio::time::sleep(Duration::from_secs(away)).await;
        let said = answers::said(cx).await;
        bring_back(cx, &databases).await?;
        let took = recovered(cx, planted, event, outage.within).await?;
        Ok((format!("without {who} for {away} s ({said} then); it answers {took:.1} s after its return"), ()))
    })
    .await?;
    intact(cx, &name, planted, event).await
}
