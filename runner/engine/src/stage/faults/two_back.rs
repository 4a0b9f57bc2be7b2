//! The upgrade begins two releases back: operators skip releases, and what the release between would have migrated is
//! not migrated then.

use base::failure::Failure;

use super::super::answers;
use super::{Tried, intact, older, plant};
use crate::context::{StageRun, Stopped};
use journal::text::count;
use recipe_folder::recipe_toml::InjectedFault;

pub(super) async fn run(cx: &mut StageRun, release: &str) -> Result<Tried, Stopped> {
    let name = InjectedFault::TwoBack.check();
    if let Err(why) = older::install(cx, &name, release).await? {
        return Ok(Tried::Blocked(why));
    }
    let planted = plant(cx, &name).await?;
    let head = cx.app.spec.head.to_string();
    cx.check(&name, async |cx: &mut StageRun| {
        let before = cx.before().await?;
        let skipped = |failure: Failure| Failure {
            what: format!("the upgrade from {release}, which leaves out a release, fails: {}", failure.what),
            ..failure
        };
        let settled = cx.deploy(&head, &before).await.map_err(skipped)?;
        Ok((format!("from {release}: {} up", count(settled.services.len(), "service")), ()))
    })
    .await?;
    answers::answers(cx, &format!("{name}.answers")).await?;
    intact(cx, &name, &planted, &format!("upgrade from {release}")).await?;
    Ok(Tried::Shown)
}
