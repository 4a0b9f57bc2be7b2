//! The release before the change is installed (the change itself where there is none) and answers.

use swarm::Before;

use super::{answers, overlay};
use crate::context::{StageRun, Step};
use journal::text::count;

pub(super) async fn run(cx: &mut StageRun) -> Step {
    let revision = cx.app.spec.base.clone().unwrap_or_else(|| cx.app.spec.head.to_string());
    cx.check("install.settled", async |cx: &mut StageRun| {
        let settled = cx.deploy(&revision, &Before::default()).await?;
        Ok((format!("{revision}: {} up", count(settled.services.len(), "service")), ()))
    })
    .await?;
    answers::answers(cx, "install.answers").await?;
    overlay::run_all(cx, "install").await
}
