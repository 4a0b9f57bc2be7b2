//! The tested commit on empty volumes: an upgrade can hide that a first install no longer works.

use base::failure::{Failure, Kind};
use swarm::{Before, Removal};

use super::{again, answers, evidence};
use crate::context::{Context, Step};
use journal::text::count;

pub(super) async fn run(cx: &mut Context) -> Step {
    let again = again::run(cx).await;
    evidence::collect_logs(cx).await;
    remove(cx, "fresh.removed").await?;
    let head = cx.spec.head.to_string();
    cx.check("fresh.settled", async |cx: &mut Context| {
        let settled = cx.deploy(&head, &Before::default()).await?;
        Ok((format!("{} up on empty volumes", count(settled.services.len(), "service")), ()))
    })
    .await?;
    cx.check("fresh.commit", async |cx: &mut Context| Ok((answers::runs_commit(cx, &head).await?, ()))).await?;
    answers::answers(cx, "fresh.answers").await?;
    again
}

/// Removes the app with all that it has, so that the next deploy is its first.
pub(super) async fn remove(cx: &mut Context, check: &str) -> Step {
    cx.check(check, async |cx: &mut Context| {
        cx.progress("removes the app with its volumes and secrets");
        let left = cx.swarm.remove(&cx.spec.stack, Removal::Kill, cx.wait_until()).await?;
        if let Some(object) = left.first() {
            return Err(Failure::new(
                Kind::LeftBehind,
                format!("{object} could not be removed"),
                "who still uses it: docker inspect",
            ));
        }
        let env = cx.abra.env_file(&cx.spec.domain);
        match std::fs::remove_file(&env) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Failure::disk("remove", &env, &error));
            }
            _ => {}
        }
        cx.deployed = None;
        cx.seeded = false;
        Ok(("nothing of the app is left".to_owned(), ()))
    })
    .await
}
