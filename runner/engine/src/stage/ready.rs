//! What has to be so beside the answer to the health request: ports, commands and further names, as `[health]` says. Each
//! is waited for by itself, all at once.

use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use futures_util::future::join_all;
use harness::ready::{Patience, Unmet, shakes_hands, steadily, takes_connections};
use harness::tls::{Server, Tls, TlsError, Trust};
use http_client::Expect;
use swarm::{ExecError, Inside, Streams};

use crate::context::{Keep, StageRun};
use plan::peers::SYSTEM_CAS;
use recipe_folder::recipe_toml::InService;

/// Between two right answers where several are wanted.
const BETWEEN: Duration = Duration::from_secs(1);

/// One thing that has to be so.
enum Condition<'a> {
    Tcp(u16),
    Tls { port: u16, name: String, tls: Tls },
    Command(&'a InService),
    Host(Expect),
}

/// Waits until everything beside the health request is so, and tells what that is.
///
/// # Errors
/// What is not so, with what it said last; where several are not, the others stand in the detail.
pub(super) async fn others(cx: &StageRun, deadline: Instant) -> Result<Vec<String>, Failure> {
    let conditions = conditions(cx)?;
    let ended = join_all(conditions.iter().map(|condition| async move {
        let what = condition.words();
        let mut speaker = cx.speaker();
        steadily(&what, patience(cx, deadline), &mut speaker, || condition.asked(cx))
            .await
            .map(|()| format!("{what} is ready"))
    }));
    let (ready, unready): (Vec<_>, Vec<_>) = ended.await.into_iter().partition(Result::is_ok);
    let mut failures = unready.into_iter().filter_map(Result::err);
    match failures.next() {
        None => Ok(ready.into_iter().flatten().collect()),
        Some(first) => {
            let others: Vec<String> = failures.map(|failure| failure.what).collect();
            let detail = [others.join("\n"), first.detail.clone()].join("\n");
            Err(first.with_detail(detail.trim()))
        }
    }
}

/// Asks the health request until it is right as often in a row as wanted; it was right once.
pub(super) async fn steady(cx: &StageRun, expect: &Expect, deadline: Instant) -> Result<(), Failure> {
    if cx.app.toml.health.in_a_row.get().get() == 1 {
        return Ok(());
    }
    let mut speaker = cx.speaker();
    let ask = async || cx.http.right(expect).await.map(drop).map_err(Unmet::NotYet);
    steadily(&expect.url, patience(cx, deadline), &mut speaker, ask).await
}

/// What is not so at this moment, of an app that was ready before; none where all is.
pub(super) async fn missed(cx: &StageRun, longest: Duration) -> Option<String> {
    let conditions = match conditions(cx) {
        Ok(conditions) => conditions,
        Err(failure) => return Some(failure.what),
    };
    for condition in conditions {
        let asked = tokio::time::timeout(longest, condition.asked(cx)).await;
        let why = match asked {
            Ok(Ok(())) => continue,
            Ok(Err(Unmet::NotYet(why))) => why,
            Ok(Err(Unmet::Never(failure))) => failure.what,
            Err(_) => "no answer in time".to_owned(),
        };
        return Some(format!("{}: {why}", condition.words()));
    }
    None
}

fn patience(cx: &StageRun, deadline: Instant) -> Patience {
    Patience { in_a_row: cx.app.toml.health.in_a_row.get(), between: BETWEEN, deadline }
}

fn conditions(cx: &StageRun) -> Result<Vec<Condition<'_>>, Failure> {
    let (health, domain) = (&cx.app.toml.health, cx.app.spec.domain.as_str());
    let mut found: Vec<Condition<'_>> = health.tcp.iter().map(|port| Condition::Tcp(port.get())).collect();
    for one in &health.tls {
        let name = one.host.as_ref().map_or_else(|| domain.to_owned(), |host| host.of(domain));
        let tls = if one.self_signed { Tls::new(Trust::Anyone, None) } else { trusting(cx) };
        let unusable = |error: TlsError| {
            Failure::new(Kind::WorldIncomplete, error.to_string(), "the CA file of the world; `cc-ci doctor` says more")
        };
        found.push(Condition::Tls { port: one.port.get(), name, tls: tls.map_err(unusable)? });
    }
    found.extend(health.commands.iter().map(Condition::Command));
    found.extend(health.hosts.iter().map(|one| {
        let port = if cx.run.https_port == 443 { String::new() } else { format!(":{}", cx.run.https_port) };
        Condition::Host(Expect {
            url: format!("https://{}{port}{}", one.host.of(domain), one.path.as_str()),
            status: one.status.iter().map(|status| status.get()).collect(),
            body: one.body.clone(),
        })
    }));
    Ok(found)
}

/// A client that believes whom the run's tests believe.
fn trusting(cx: &StageRun) -> Result<Tls, TlsError> {
    let path = cx.run.ca.as_deref().unwrap_or(SYSTEM_CAS.as_ref());
    let read = std::fs::read(path);
    let pem = read.map_err(|error| TlsError::Unusable(format!("{} cannot be read: {error}", path.display())))?;
    Tls::new(Trust::Authorities(&pem), None)
}

impl Condition<'_> {
    fn words(&self) -> String {
        match self {
            Self::Tcp(port) => format!("port {port} (TCP)"),
            Self::Tls { port, .. } => format!("port {port} (TLS)"),
            Self::Command(one) => format!("`{}` in service {}", one.run.join(" "), one.service),
            Self::Host(expect) => expect.url.clone(),
        }
    }

    async fn asked(&self, cx: &StageRun) -> Result<(), Unmet> {
        let host = cx.host();
        // A socket's address has no brackets.
        let host = host.trim_matches(['[', ']']);
        match self {
            Self::Tcp(port) => takes_connections(host, *port).await,
            Self::Tls { port, name, tls } => shakes_hands(tls, Server { host, port: *port, name }).await,
            Self::Command(one) => ends_well(cx, one).await,
            Self::Host(expect) => cx.http.right(expect).await.map(drop).map_err(Unmet::NotYet),
        }
    }
}

async fn ends_well(cx: &StageRun, one: &InService) -> Result<(), Unmet> {
    let run = match &cx.run.keep {
        Keep::ByRun(run) => run.to_string(),
        _ => cx.app.spec.run.to_string(),
    };
    let inside = Inside { stack: &cx.app.spec.stack, run: &run, service: &one.service };
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let streams = Streams { input: tokio::io::empty(), output: &mut output, errors: &mut errors };
    let ended = cx.run.swarm.exec_in(inside, &one.run, streams).await;
    judged(ended, &output, &errors)
}

/// What the end of a command says. Pure.
fn judged(ended: Result<i64, ExecError>, output: &[u8], errors: &[u8]) -> Result<(), Unmet> {
    let last = |text: &[u8]| {
        let text = String::from_utf8_lossy(text).into_owned();
        text.lines().rev().find(|line| !line.trim().is_empty()).map(|line| format!(": {}", line.trim()))
    };
    match ended {
        Ok(0) => Ok(()),
        Ok(code) => {
            let said = last(errors).or_else(|| last(output)).unwrap_or_default();
            Err(Unmet::NotYet(format!("it ends with {code}{said}")))
        }
        Err(ExecError::Engine(failure)) if failure.kind == Kind::EngineUnreachable => Err(Unmet::Never(failure)),
        Err(wrong @ (ExecError::NoService { .. } | ExecError::NotOfTheRun { .. } | ExecError::Elsewhere { .. })) => {
            let look_at = "the service in [health] commands of recipe.toml, and the services of the recipe";
            Err(Unmet::Never(Failure::new(Kind::CheckBroken, wrong.to_string(), look_at)))
        }
        Err(other) => Err(Unmet::NotYet(other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_judged_by_its_exit_code_and_told_with_its_last_line() {
        assert_eq!(judged(Ok(0), b"x", b"y"), Ok(()));
        let said = |code, output: &str, errors: &str| match judged(Ok(code), output.as_bytes(), errors.as_bytes()) {
            Err(Unmet::NotYet(why)) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(said(1, "a\nno response\n\n", ""), "it ends with 1: no response");
        assert_eq!(said(2, "a", "worse\n"), "it ends with 2: worse");
        assert_eq!(said(127, "", ""), "it ends with 127");
    }

    #[test]
    fn a_service_that_is_not_there_is_the_folders_mistake_and_one_that_starts_is_waited_for() {
        let none = ExecError::NoService { service: "dv".to_owned(), services: "app, db".to_owned() };
        let Err(Unmet::Never(failure)) = judged(Err(none), b"", b"") else { panic!("it is waited for") };
        assert_eq!(failure.kind, Kind::CheckBroken);
        assert_eq!(failure.what, "the app has no service \"dv\"; its services: app, db");
        let starts = ExecError::NotRunning { service: "db".to_owned(), tasks: "it has no task".to_owned() };
        assert!(matches!(judged(Err(starts), b"", b""), Err(Unmet::NotYet(_))));
    }
}
