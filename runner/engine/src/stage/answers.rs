//! Proof of life: a request that only the app can answer, and what else recipe.toml says of a ready app.

use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use http_client::{Answer, Expect, Url};

use super::{no_answer, ready};
use crate::context::{StageRun, Step};
use crate::diagnosis::{Diagnosis, Observation, diagnose, lines};
use journal::event::Stage;

/// A route needs seconds, and so does an app without a healthcheck.
const LONGEST: Duration = Duration::from_secs(60);
/// After this time it is looked at why there is no answer, and not waited on where that cannot change. traefik reads
/// the labels anew every 15 s unless told otherwise.
const FIRST: Duration = Duration::from_secs(20);
/// The same where the app did not answer earlier in the run.
const AGAIN: Duration = Duration::from_secs(16);
/// What a wait may end early without meaning anything.
const A_MOMENT: Duration = Duration::from_secs(1);
/// One question takes no longer.
const A_LOOK: Duration = Duration::from_secs(3);
/// Redirects are followed no further.
const HOPS: usize = 6;

/// Asks the app's health address until it answers as `recipe.toml` says, within the stage's time.
pub(super) async fn answers(cx: &mut StageRun, check: &str) -> Step {
    if let Some(reason) = opted_out(cx, check) {
        cx.skip(check, reason);
        return Ok(());
    }
    cx.check(check, async |cx: &mut StageRun| {
        let mut said = Vec::new();
        if cx.app.toml.health.http {
            said.push(by_http(cx).await?);
        }
        let others = ready::others(cx, in_time(cx)).await;
        said.extend(others.map_err(|failure| without_commands(cx.explained(failure), cx.app.unrun.as_deref()))?);
        let steady = match cx.app.toml.health.in_a_row.get().get() {
            1 => String::new(),
            times => format!(", {times} times in a row"),
        };
        Ok((format!("{}{steady}", said.join(", ")), ()))
    })
    .await
}

/// An app that is up and wrong shall not eat the whole stage: a route needs seconds.
fn in_time(cx: &StageRun) -> Instant {
    cx.wait_until().min(Instant::now() + LONGEST)
}

async fn by_http(cx: &mut StageRun) -> Result<String, Failure> {
    let expect = wanted(cx);
    let mut speaker = cx.speaker();
    let answer = match patient(cx, &expect, in_time(cx), &mut speaker).await {
        Ok(answer) => answer,
        Err((failure, seen)) => {
            let found = diagnose(&seen);
            cx.app.no_answer = Some(cause(found.as_ref(), &failure));
            let failure = cx.explained(told(cx.stage, cx.is_on_base(), failure, found, &seen));
            return Err(without_commands(failure, cx.app.unrun.as_deref()));
        }
    };
    cx.app.no_answer = None;
    around(cx, &expect.url, &answer).await?;
    ready::steady(cx, &expect, in_time(cx)).await.map_err(|failure| cx.explained(failure))?;
    let body = expect.body.as_ref().map(|text| format!(" with {text:?}")).unwrap_or_default();
    Ok(format!("{} answered {}{body}", expect.url, answer.status))
}

/// A recipe that has no answer after one deploy of a stage has none after the others of it.
fn opted_out(cx: &StageRun, check: &str) -> Option<String> {
    // A fault is made to an app that has answered after its install, if it answers at all.
    let of = if cx.stage == Stage::Faults { Stage::Install } else { cx.stage };
    cx.app.opted_out(check).or_else(|| cx.app.opted_out(&format!("{}.answers", of.name())))
}

/// What recipe.toml says that the app answers.
fn wanted(cx: &StageRun) -> Expect {
    let health = &cx.app.toml.health;
    Expect {
        url: format!("{}{}", cx.url(), health.path.as_str()),
        status: health.status.iter().map(|status| status.get()).collect(),
        body: health.body.clone(),
    }
}

/// Waits for the answer and judges nothing: for what comes before its check, and is asked over HTTP too. Swarm may have
/// made new containers, and traefik takes a moment to find them.
pub(super) async fn awaited(cx: &mut StageRun, check: &str) {
    if opted_out(cx, check).is_some() {
        return;
    }
    let until = cx.wait_until().min(Instant::now() + FIRST);
    if cx.app.toml.health.http {
        let expect = wanted(cx);
        let mut speaker = cx.speaker();
        let _ = cx.http.answers(&expect, until, &mut speaker).await;
    }
    let _ = ready::others(cx, until).await;
}

/// Asks until the app answers or the time is up, whatever it says meanwhile: what recovers may call itself unwell for a
/// while. None where it has no answer that could be asked for.
pub(super) async fn recovered(cx: &StageRun, until: Instant) -> Result<Option<Answer>, Failure> {
    if opted_out(cx, "install.answers").is_some() {
        return Ok(None);
    }
    let expect = wanted(cx);
    let mut speaker = cx.speaker();
    loop {
        match cx.http.answers(&expect, until, &mut speaker).await {
            Ok(answer) => return Ok(Some(answer)),
            Err(failure) if Instant::now() + A_MOMENT >= until => {
                let seen = no_answer::look(cx, &expect.url).await;
                return Err(told(cx.stage, cx.is_on_base(), failure, diagnose(&seen), &seen));
            }
            Err(_) => {}
        }
    }
}

/// Whether the app says before the time is up that it is well; where it has no answer that could be asked for, its other
/// tests have to tell.
pub(super) async fn is_well(cx: &StageRun, until: Instant) -> bool {
    if opted_out(cx, "install.answers").is_some() {
        return true;
    }
    cx.http.answers(&wanted(cx), until, &mut |_: &str| {}).await.is_ok()
}

/// What the app says now, in a few words.
pub(super) async fn said(cx: &StageRun) -> String {
    match cx.http.get(&wanted(cx).url, Instant::now() + A_LOOK).await {
        Ok(answer) => format!("it answered {}", answer.status),
        Err(_) => "it did not answer".to_owned(),
    }
}

/// Asks until the app answers, the time is up, or it is plain that it never will.
async fn patient(
    cx: &StageRun,
    expect: &Expect,
    until: Instant,
    on_progress: &mut (dyn FnMut(&str) + Send),
) -> Result<Answer, (Failure, Observation)> {
    let began = Instant::now();
    let first = if cx.app.no_answer.is_some() { AGAIN } else { FIRST };
    let failure = match cx.http.answers(expect, until.min(began + first), on_progress).await {
        Ok(answer) => return Ok(answer),
        Err(failure) => failure,
    };
    // A wrong status of the app's own is believed before the time is up.
    let is_believed = began.elapsed() + A_MOMENT < first;
    let seen = no_answer::look(cx, &expect.url).await;
    let found = diagnose(&seen);
    let is_known = cx.app.no_answer.as_ref().is_some_and(|earlier| *earlier == cause(found.as_ref(), &failure));
    // The world may come back in the time that is left.
    let may_change = seen.world.is_some();
    if !may_change && (is_believed || is_known || found.is_some_and(|found| found.is_certain)) {
        return Err((failure, seen));
    }
    match cx.http.answers(expect, until, on_progress).await {
        Ok(answer) => Ok(answer),
        Err(failure) => Err((failure, no_answer::look(cx, &expect.url).await)),
    }
}

/// What is compared to know a cause again: without names that differ from deploy to deploy.
fn cause(found: Option<&Diagnosis>, failure: &Failure) -> String {
    found.map_or_else(|| failure.look_at.clone(), |found| found.cause.clone())
}

/// The failure with its cause, and with everything that was looked at.
fn told(stage: Stage, is_on_base: bool, failure: Failure, found: Option<Diagnosis>, seen: &Observation) -> Failure {
    let detail = format!("{}\n{}", lines(seen), failure.detail);
    if let Some(world) = &seen.world {
        return no_answer::of_the_world(world, failure).with_detail(detail.trim_end());
    }
    match found {
        Some(found) => Failure {
            // What answered before the change, or before a fault, and does not after it is the app's doing.
            kind: match stage {
                Stage::Upgrade | Stage::Faults => failure.kind,
                _ if found.is_expected || (is_on_base && found.is_refused) => Kind::CheckBroken,
                _ => failure.kind,
            },
            what: format!("{}: {}", failure.what, found.cause),
            look_at: found.look_at,
            ..failure
        },
        None => failure,
    }
    .with_detail(detail.trim_end())
}

/// An app that answers wrongly may miss what the recipe's commands set up: where cc-ci did not run them, that is not the
/// recipe's fault.
fn without_commands(failure: Failure, unrun: Option<&str>) -> Failure {
    match unrun {
        Some(unrun) if failure.kind == Kind::NoAnswer => Failure {
            kind: Kind::CheckBroken,
            what: format!("{}; {unrun} was not run, which may be why", failure.what),
            look_at: format!("approve the recipe (CCCI_APPROVED), so that its commands run; {}", failure.look_at),
            ..failure
        },
        _ => failure,
    }
}

/// A redirect is an answer, unless it leads back to where it came from.
async fn around(cx: &StageRun, url: &str, answer: &Answer) -> Result<(), Failure> {
    // One that sets a cookie may answer otherwise when it sees it again, and cc-ci sends none.
    if answer.header("set-cookie").is_some() {
        return Ok(());
    }
    let location = answer.header("location");
    let Ok(asked) = url.parse::<Url>() else { return Ok(()) };
    let place = |url: &Url| (url.scheme().to_owned(), url.path().to_owned(), url.query().map(str::to_owned));
    let (mut been, mut at, mut location) = (vec![place(&asked)], asked.clone(), location.map(str::to_owned));
    for _ in 0..HOPS {
        let Some(mut next) = location.take().and_then(|to| at.join(&to).ok()) else { return Ok(()) };
        if next.host_str() != asked.host_str() || next.scheme() != asked.scheme() {
            return Ok(());
        }
        // An app that makes the address by its name alone does not know the port of the outside.
        let _ = next.set_port(asked.port());
        if been.contains(&place(&next)) {
            return Err(Failure::new(
                Kind::NoAnswer,
                format!("{url} redirects in a circle, back to {}", next.path()),
                "the app thinks that the request came by plain HTTP: its base address, and its trust in                  X-Forwarded-Proto",
            ));
        }
        been.push(place(&next));
        let Ok(answer) = cx.http.get(next.as_str(), Instant::now() + LONGEST).await else { return Ok(()) };
        if answer.header("set-cookie").is_some() {
            return Ok(());
        }
        location = answer.header("location").map(str::to_owned);
        at = next;
    }
    Ok(())
}

/// The label that says which commit a service was deployed from.
pub(super) async fn deployed_commit(cx: &StageRun) -> Result<String, Failure> {
    let labels = cx.run.swarm.service_labels(&cx.app.spec.stack, "app").await?;
    let key = coopcloud::labels::chaos_version(&cx.app.spec.stack);
    labels.get(&key).cloned().ok_or_else(|| {
        Failure::new(
            Kind::DidNotMove,
            format!("service app has no label {key}, so nothing says which commit runs"),
            "the labels of the service; abra sets this one on a chaos deploy",
        )
    })
}

/// Checks that the commit that runs is the wanted one.
pub(super) async fn runs_commit(cx: &StageRun, wanted: &str) -> Result<String, Failure> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_is_not_blamed_where_the_worlds_own_route_does_not_answer_either() {
        let red = Failure::new(Kind::NoAnswer, "x does not answer: UnknownIssuer", "the app");
        let world = Failure::new(Kind::WorldIncomplete, "traefik does not pass a request on", "`cc-ci up`");
        let found = || {
            let (cause, look_at) = ("service app listens on 80".to_owned(), "the port".to_owned());
            Some(Diagnosis { cause, look_at, is_certain: true, is_expected: false, is_refused: false })
        };
        let broken = Observation { world: Some(world), ..Observation::default() };
        for stage in [Stage::Install, Stage::Upgrade] {
            let said = told(stage, false, red.clone(), found(), &broken);
            assert_eq!((said.kind, said.look_at.as_str()), (Kind::WorldIncomplete, "`cc-ci up`"));
            assert_eq!(said.kind.usual_cause(), base::failure::Cause::Infrastructure);
            assert!(
                said.what.ends_with("nothing is known of the app: x does not answer: UnknownIssuer"),
                "{}",
                said.what
            );
            assert_eq!(told(stage, false, red.clone(), found(), &Observation::default()).kind, Kind::NoAnswer);
        }
    }

    /// A release that people run and that answers 404 at `/` serves something else: what is asked is wrong.
    #[test]
    fn a_release_is_not_blamed_for_a_page_that_it_never_had() {
        let red = Failure::new(Kind::NoAnswer, "x answered 404 (wanted 200)", "the app");
        let found = |is_refused| {
            let (cause, look_at) = ("that is the app's own answer".to_owned(), "[health]".to_owned());
            Some(Diagnosis { cause, look_at, is_certain: false, is_expected: false, is_refused })
        };
        let kind = |stage, is_on_base, is_refused| {
            told(stage, is_on_base, red.clone(), found(is_refused), &Observation::default()).kind
        };
        assert_eq!(kind(Stage::Install, true, true), Kind::CheckBroken);
        assert_eq!(kind(Stage::Install, true, false), Kind::NoAnswer, "an answer of 500 is a broken one");
        assert_eq!(kind(Stage::Install, false, true), Kind::NoAnswer, "the change itself may have lost the page");
        assert_eq!(kind(Stage::Upgrade, false, true), Kind::NoAnswer, "the release before had it");
    }

    #[test]
    fn a_recipe_is_not_blamed_for_what_cc_ci_did_not_run() {
        let red = |kind| Failure::new(kind, "x answered 404 (wanted 200)", "the app");
        let said = without_commands(red(Kind::NoAnswer), Some("POST_DEPLOY_CMDS=\"app make\""));
        assert_eq!(said.kind, Kind::CheckBroken);
        assert_eq!(
            said.what,
            "x answered 404 (wanted 200); POST_DEPLOY_CMDS=\"app make\" was not run, which may be why"
        );
        assert_eq!(without_commands(red(Kind::NoAnswer), None).kind, Kind::NoAnswer);
        assert_eq!(without_commands(red(Kind::ProxyUnreachable), Some("X")).kind, Kind::ProxyUnreachable);
    }
}
