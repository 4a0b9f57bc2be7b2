//! Proof of life: a request that only the app can answer.

use harness::failure::{Failure, Kind};
use harness::http::Expect;

use crate::context::{Context, Step};

/// Asks the app's health address until it answers as `recipe.toml` says, within the stage's time.
pub(super) async fn answers(cx: &mut Context, check: &str) -> Step {
    if let Some(reason) = cx.opted_out(check) {
        cx.skip(check, reason);
        return Ok(());
    }
    cx.check(check, async |cx: &mut Context| {
        let health = &cx.toml.health;
        let expect = Expect {
            url: format!("{}{}", cx.url(), health.path.as_str()),
            status: health.status.iter().map(|status| status.get()).collect(),
            body: health.body.clone(),
        };
        let mut speaker = cx.speaker();
        // An app that is up and wrong shall not eat the whole stage: a route needs seconds.
        let until = cx.wait_until().min(std::time::Instant::now() + std::time::Duration::from_secs(60));
        let answer = cx.http.answers(&expect, until, &mut speaker).await;
        let answer = answer.map_err(|failure| cx.explained(failure))?;
        let body = health.body.as_ref().map(|text| format!(" with {text:?}")).unwrap_or_default();
        Ok((format!("{} answered {}{body}", expect.url, answer.status), ()))
    })
    .await
}

/// The label that says which commit a service was deployed from.
pub(super) async fn deployed_commit(cx: &Context) -> Result<String, Failure> {
    let labels = cx.swarm.service_labels(&cx.spec.stack, "app").await?;
    let key = harness::coopcloud::labels::chaos_version(&cx.spec.stack);
    labels.get(&key).cloned().ok_or_else(|| {
        Failure::new(
            Kind::DidNotMove,
            format!("service app has no label {key}, so nothing says which commit runs"),
            "the labels of the service; abra sets this one on a chaos deploy",
        )
    })
}

/// Checks that the commit that runs is the wanted one.
pub(super) async fn runs_commit(cx: &Context, wanted: &str) -> Result<String, Failure> {
    let found = deployed_commit(cx).await?;
    let found = found.trim_end_matches("+U");
    let short = &wanted[..wanted.len().min(8)];
    if found == short {
        return Ok(format!("the label chaos-version says {short}"));
    }
    Err(Failure::new(
        Kind::DidNotMove,
        format!("the upgrade did not move: the running service was deployed from {found}, not from {short}"),
        "abra's deploy output and the update state of the services",
    ))
}
