//! The tested commit on empty volumes: an upgrade can hide that a first install no longer works.

use base::failure::{Failure, Kind};
use swarm::{Before, Removal};

use super::{again, answers, evidence};
use crate::context::{StageRun, Step};
use journal::text::count;

pub(super) async fn run(cx: &mut StageRun) -> Step {
    let again = again::run(cx).await;
    evidence::collect_logs(cx).await;
    remove(cx, "fresh.removed").await?;
    let head = cx.app.spec.head.to_string();
    cx.check("fresh.settled", async |cx: &mut StageRun| {
        let settled = cx.deploy(&head, &Before::default()).await?;
        Ok((format!("{} up on empty volumes", count(settled.services.len(), "service")), ()))
    })
    .await?;
    cx.check("fresh.commit", async |cx: &mut StageRun| Ok((answers::runs_commit(cx, &head).await?, ()))).await?;
    answers::answers(cx, "fresh.answers").await?;
    again
}

/// Removes the app with all that it has, so that the next deploy is its first.
pub(super) async fn remove(cx: &mut StageRun, check: &str) -> Step {
    cx.check(check, async |cx: &mut StageRun| {
        cx.progress("removes the app with its volumes and secrets");
        let left = cx.run.swarm.remove(&cx.app.spec.stack, Removal::Kill, cx.wait_until()).await?;
        if let Some(object) = left.first() {
            return Err(Failure::new(
                Kind::LeftBehind,
                format!("{object} could not be removed"),
                "who still uses it: docker inspect",
            ));
        }
        let env = cx.app.abra.env_file(&cx.app.spec.domain);
        match std::fs::remove_file(&env) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Failure::disk("remove", &env, &error));
            }
            _ => {}
        }
        cx.app.deployed = None;
        cx.app.seeded = false;
        Ok(("nothing of the app is left".to_owned(), ()))
    })
    .await
}
