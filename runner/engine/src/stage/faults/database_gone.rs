//! The database goes away under the live app and comes back, as at its update or when its node is short of memory. The
//! app has to find it again by itself: a connection that is kept for good is not.

use std::time::Duration;

use super::super::answers;
use super::{Planted, bring_back, intact, names, recovered, take_down};
use crate::context::{StageRun, Step};
use plan::faults::Ground;
use recipe_folder::recipe_toml::InjectedFault;

pub(super) async fn run(cx: &mut StageRun, ground: &Ground, planted: &Planted) -> Step {
    let outage = cx.app.toml.faults.database_gone.unwrap_or_default();
    let (event, name) = ("outage of its database", InjectedFault::DatabaseGone.check());
    cx.check(&name, async |cx: &mut StageRun| {
        let databases = take_down(cx, ground.databases()).await?;
        let (who, away) = (names(ground.databases()), outage.away.get());
        cx.progress(format!("keeps {who} away from the live app, for {away} s"));
        tokio::time::sleep(Duration::from_secs(away)).await;
        let said = answers::said(cx).await;
        bring_back(cx, &databases).await?;
        let took = recovered(cx, planted, event, outage.within).await?;
        Ok((format!("{who} was away for {away} s ({said} then); the app answers {took:.1} s after its return"), ()))
    })
    .await?;
    intact(cx, &name, planted, event).await
}
