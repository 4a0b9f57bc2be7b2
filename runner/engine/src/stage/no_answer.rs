//! An app that does not answer as it should: everything that tells why is looked at.

use std::time::{Duration, Instant};

use base::failure::Failure;
use base::names::StackName;
use coopcloud::route::Routing;
use coopcloud::router_rule::RoutedRequest;
use http_client::{Answer, Method, Url};
use jiff::Timestamp;
use swarm::STACK_LABEL;

use super::foreseen::{PROXY, networks, strays};
use crate::context::StageRun;
use crate::diagnosis::{Behind, Heard, Observation};

/// One look takes no longer.
const LOOK: Duration = Duration::from_secs(5);
/// The last lines of traefik's log.
const LOG_LINES: usize = 400;
/// What traefik logs of an app it says again whenever it reads the labels, so old lines are not needed.
const LOG_AGE_S: i64 = 120;

/// Looks at the routes, at traefik, and at the container. What cannot be had is left out.
pub(super) async fn look(cx: &StageRun, url: &str) -> Observation {
    let mut seen = Observation { url: url.to_owned(), ..Observation::default() };
    seen.through = cx.http.get(url, Instant::now() + LOOK).await.ok().map(|answer| heard(&answer));
    let labels = cx.run.swarm.all_service_labels(&cx.app.spec.stack).await.unwrap_or_default();
    let routing = Routing::of(&labels);
    let wanted = RoutedRequest { host: cx.app.spec.domain.as_str(), path: cx.app.toml.health.path.as_str() };
    let revision = cx.app.deployed.clone().unwrap_or_else(|| cx.app.spec.head.to_string());
    // Steps of the recipe's folder and variants deploy other files than the sample names.
    let is_as_sampled = !cx.has_install_steps() && cx.app.variant.is_none();
    let compose = super::prepare::may_be_deployed(cx, &revision).ok().filter(|_| is_as_sampled);
    let on = compose.as_ref().map(|compose| networks(compose, &cx.app.spec.stack.object(""))).unwrap_or_default();
    seen.no_way = routing.no_way(wanted, &on, PROXY);
    if routing.routers.is_empty() {
        seen.no_way = seen.no_way.or(compose.as_ref().and_then(strays));
    }
    seen.has_no_router = !labels.is_empty() && routing.routers.is_empty() && routing.not_enabled.is_empty();
    seen.world = trouble_of_the_world(cx).await;
    seen.log = traefiks_log(cx).await.unwrap_or_default();
    for service in labels.keys() {
        if let Ok(None) = cx.run.swarm.local_container(&cx.app.spec.stack, service).await {
            seen.not_running.push(service.clone());
        }
    }
    if let Some(router) = routing.taken_by(wanted) {
        let target = routing.target(router);
        let mut behind = Behind {
            service: target.to_owned(),
            rule: router.rule.clone(),
            entrypoints: router.entrypoints.clone(),
            middlewares: router.middlewares.clone(),
            port: routing.port(router),
            tls: router.tls,
            ..Behind::default()
        };
        if let Ok(Some(container)) = cx.run.swarm.local_container(&cx.app.spec.stack, target).await {
            behind.is_healthy = cx.run.swarm.is_healthy(&container).await;
            behind.listening = cx.run.swarm.listening(&container).await;
            behind.direct = direct(cx, &container, behind.port).await;
        }
        seen.behind = Some(behind);
    }
    seen
}

/// Where cc-ci's own service behind the same traefik does not answer either, this says nothing about the app: another
/// `cc-ci up` may have put another CA in the world's place since the run began.
async fn trouble_of_the_world(cx: &StageRun) -> Option<Failure> {
    let (_, base) = cx.app.spec.domain.as_str().split_once('.')?;
    let there = host::world::present(&cx.run.swarm).await.ok()?;
    if !there.routes.contains(base) {
        return None;
    }
    host::world::route::asked(&cx.http, base, cx.run.https_port).await.err()
}

/// A test that is red while the world passes on nothing says nothing about the app, whatever it looked for.
pub(super) async fn blamed(cx: &StageRun, failure: Failure) -> Failure {
    match trouble_of_the_world(cx).await {
        Some(world) => {
            let detail = failure.detail.clone();
            Failure { files: failure.files.clone(), ..of_the_world(&world, failure) }.with_detail(detail)
        }
        None => failure,
    }
}

/// What is wrong with the world, with what it hides.
pub(super) fn of_the_world(world: &Failure, failure: Failure) -> Failure {
    let what = format!("{}; so nothing is known of the app: {}", world.what, failure.what);
    Failure { what, ..world.clone() }
}

/// What a container answers without traefik, by its leg on the node's bridge.
async fn direct(cx: &StageRun, container: &str, port: Option<u16>) -> Option<Result<Heard, String>> {
    let address = cx.run.swarm.bridge_address(container).await.ok()??;
    let url: Url = format!("http://{address}:{}{}", port?, cx.app.toml.health.path.as_str()).parse().ok()?;
    let ask = cx.http.ask(Method::GET, &url).within(LOOK).as_host(cx.app.spec.domain.as_str());
    Some(ask.send().await.map(|answer| heard(&answer)).map_err(|error| error.why))
}

fn heard(answer: &Answer) -> Heard {
    let line = answer.body.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    Heard {
        status: answer.status,
        body: line.chars().take(120).collect(),
        location: answer.header("location").map(str::to_owned),
        login: answer.header("www-authenticate").map(str::to_owned),
    }
}

/// The errors that traefik logged of this app lately, newest first. Its own interface is closed on most servers,
/// and its log says the same of what it does not take.
async fn traefiks_log(cx: &StageRun) -> Result<Vec<String>, Failure> {
    let Some((stack, service)) = traefik(cx).await else { return Ok(Vec::new()) };
    let since = Timestamp::now().as_second() - LOG_AGE_S;
    let logs = cx.run.swarm.logs_since(&stack, &service, LOG_LINES, since).await?;
    let mut found: Vec<String> = Vec::new();
    for line in logs.text.lines().rev().filter(|line| is_of(line, cx.app.spec.stack.as_str())) {
        let line = said(line);
        if !found.contains(&line) && found.len() < 5 {
            found.push(line);
        }
    }
    Ok(found)
}

/// Whether a line is an error about something of this stack.
fn is_of(line: &str, stack: &str) -> bool {
    let is_error = ["level=error", "\"level\":\"error\"", " ERR "].iter().any(|mark| line.contains(mark));
    let routers =
        ["routerName=", "serviceName=", "middlewareName=", "container=", "\"routerName\":", "\"serviceName\":"];
    is_error && line.contains(stack) && routers.iter().any(|mark| line.contains(mark))
}

/// The line without its time.
fn said(line: &str) -> String {
    let from = ["ERR ", "level=error "].iter().find_map(|mark| Some(line.find(mark)? + mark.len())).unwrap_or(0);
    line[from..].chars().take(300).collect()
}

async fn traefik(cx: &StageRun) -> Option<(StackName, String)> {
    let services = cx.run.swarm.docker().list_services(None).await.ok()?;
    let mut found = services.into_iter().filter_map(|service| service.spec).filter(host::world::is_traefik);
    found.find_map(|spec| {
        let stack = StackName::try_from(spec.labels?.get(STACK_LABEL)?.clone()).ok()?;
        let short = spec.name?.strip_prefix(&stack.object(""))?.to_owned();
        Some((stack, short))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traefiks_words_about_the_app_are_told_from_others() {
        let line = "2026-01-01T00:00:00Z ERR EntryPoint doesn't exist entryPointName=nowhere routerName=hut_x@swarm";
        assert!(is_of(line, "hut_x") && !is_of(line, "hut_y") && !is_of(&line.replace("ERR", "DBG"), "hut_x"));
        assert!(said(line).starts_with("EntryPoint doesn't exist"));
    }
}
