//! Why an app that swarm calls running does not answer as it should: from what was seen to one cause. Pure.

use std::collections::BTreeSet;

use base::failure::Failure;
use coopcloud::route::NoWay;
use swarm::Listening;

/// An answer by HTTP, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// The status.
    pub status: u16,
    /// The first line of the body.
    pub body: String,
    /// Where it redirects to.
    pub location: Option<String>,
    /// The login that it asks for.
    pub login: Option<String>,
}

/// The service that should answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Behind {
    /// Its name.
    pub service: String,
    /// The rule that leads to it.
    pub rule: String,
    /// The entrypoints of its router.
    pub entrypoints: Vec<String>,
    /// The middlewares of its router.
    pub middlewares: Vec<String>,
    /// Whether its router takes requests by HTTPS.
    pub tls: bool,
    /// The port in its labels.
    pub port: Option<u16>,
    /// Where its container listens, where that can be told.
    pub listening: Option<BTreeSet<Listening>>,
    /// What its container answers by itself on that port, or why it does not.
    pub direct: Option<Result<Heard, String>>,
    /// Whether its healthcheck has passed.
    pub is_healthy: bool,
}

/// What was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// What was asked for.
    pub url: String,
    /// What came back through traefik, if anything did.
    pub through: Option<Heard>,
    /// What the labels alone tell.
    pub no_way: Option<NoWay>,
    /// What traefik logged of the app.
    pub log: Vec<String>,
    /// Whether no label of any service is about a router.
    pub has_no_router: bool,
    /// The service that a router leads to.
    pub behind: Option<Behind>,
    /// The services of the app with no running container.
    pub not_running: Vec<String>,
    /// Why cc-ci's own route does not answer either, where there is one.
    pub world: Option<Failure>,
}

/// The cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// What is wrong, to follow what was seen.
    pub cause: String,
    /// What to do.
    pub look_at: String,
    /// Whether more waiting cannot change it.
    pub is_certain: bool,
    /// Whether the app may be right, and cc-ci expects what it cannot give.
    pub is_expected: bool,
    /// Whether the app has no such page: it says so itself (a status from 400 to 499), or has no route. Of a release that
    /// people run, that is no fault.
    pub is_refused: bool,
}

/// The most likely cause; none where nothing points anywhere.
pub fn diagnose(seen: &Observation) -> Option<Diagnosis> {
    let of = |is_certain, cause: String, look_at: &str| {
        Some(Diagnosis { cause, look_at: look_at.to_owned(), is_certain, is_expected: false, is_refused: false })
    };
    if let Some(no) = &seen.no_way {
        let found = of(true, no.what.clone(), &no.look_at);
        return found.map(|found| Diagnosis { is_expected: no.is_path, ..found });
    }
    // A traefik may know the app by a file of its own, and then answers otherwise.
    if seen.has_no_router && seen.through.as_ref().is_some_and(|heard| heard.status == 404 && is_traefiks(heard)) {
        let cause = "no service has a label for a router, so traefik routes no request to the app".to_owned();
        let look_at = "[health] http = false in recipe.toml of cc-ci's folder for the recipe, if the app has no page; \
                       otherwise traefik.http.routers.… below deploy.labels";
        return of(true, cause, look_at).map(|found| Diagnosis { is_refused: true, ..found });
    }
    if let Some(line) = seen.log.first() {
        let asked = seen.behind.as_ref().filter(|_| line.to_lowercase().contains("entrypoint"));
        let asked = asked.map(|behind| format!(" (entrypoint {})", entrypoints(behind))).unwrap_or_default();
        // Its log may be of the deploy before, so it is waited on.
        return of(
            false,
            format!("traefik says: {line}{asked}"),
            "the routing labels that traefik names: routers, entrypoints, middlewares",
        );
    }
    let behind = seen.behind.as_ref()?;
    let name = &behind.service;
    if seen.not_running.contains(name) {
        let look_at = format!(
            "why service {name} ended, and restart_policy.condition: after an end with code 0, `on-failure` starts nothing"
        );
        return of(true, format!("service {name} has no running container"), &look_at);
    }
    let through = seen.through.as_ref();
    if let Some(heard) = through {
        let says = |words: &[&str]| words.iter().any(|word| heard.body.to_lowercase().contains(word));
        if heard.status == 400 && says(&["http request to an https server", "http request was sent to https port"]) {
            let look_at = format!(
                "deploy.labels of service {name}: loadbalancer.server.scheme=https, or the app's port for plain HTTP"
            );
            return of(
                true,
                "the port behind traefik speaks TLS, and traefik speaks plain HTTP to it".to_owned(),
                &look_at,
            );
        }
        if let Some(location) = &heard.location
            && is_same(location, &seen.url)
        {
            let cause = format!("it redirects {} to itself, without end", seen.url);
            return of(
                true,
                cause,
                "the app thinks that the request came by plain HTTP: its base address, and its trust in X-Forwarded-Proto",
            );
        }
        if let (401 | 403, by) = (heard.status, &heard.login) {
            let asks = by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default();
            let who = match &behind.direct {
                Some(Ok(direct)) if direct.status == heard.status => "the app itself".to_owned(),
                Some(Ok(_)) if !behind.middlewares.is_empty() => {
                    format!("the middleware {}", behind.middlewares.join(", "))
                }
                _ => "the app, or a middleware before it".to_owned(),
            };
            // An app may forbid a page whoever asks, as nginx forbids an empty folder.
            let cause = if heard.status == 403 && by.is_none() {
                format!("{who} forbids that page, and asks for no login")
            } else {
                format!("{who} lets nobody in without a login{asks}")
            };
            let look_at = "[health] in recipe.toml of cc-ci's folder for the recipe: a path without a login, or the status as the right one";
            return of(true, cause, look_at).map(|found| Diagnosis { is_expected: true, ..found });
        }
    }
    let answers_itself = matches!(&behind.direct, Some(Ok(_)));
    if !answers_itself && let Some((cause, look_at)) = port_is_wrong(behind) {
        // An app without a healthcheck may open its port later.
        return of(behind.is_healthy, cause, &look_at);
    }
    if answers_itself && !behind.tls && through.is_some_and(|heard| heard.status == 404 && is_traefiks(heard)) {
        let cause = "the router has no tls label, so it takes no request by HTTPS".to_owned();
        let look_at = format!("deploy.labels of service {name}: traefik.http.routers.….tls=true, or tls.certresolver");
        return of(true, cause, &look_at);
    }
    match (through, &behind.direct) {
        (Some(heard), Some(Ok(direct))) if heard.status == direct.status => {
            let cause = format!(
                "that is the app's own answer: its container says {} on port {}, too",
                direct.status,
                port(behind)
            );
            let is_refused = (400..500).contains(&heard.status);
            let look_at = if is_refused {
                "[health] in recipe.toml of cc-ci's folder for the recipe: a path that the app has, or the status as the \
                 right one; otherwise the log lines of the app"
            } else {
                "the log lines of the app"
            };
            of(false, cause, look_at).map(|found| Diagnosis { is_refused, ..found })
        }
        (heard, Some(Ok(direct))) => {
            let middlewares = match behind.middlewares.is_empty() {
                true => String::new(),
                false => format!(" through the middleware {}", behind.middlewares.join(", ")),
            };
            let cause = format!(
                "the container of service {name} answers {} on port {} by itself, so it is the way to it that is wrong: \
                 rule {}, entrypoint {}{middlewares}",
                direct.status,
                port(behind),
                behind.rule,
                entrypoints(behind)
            );
            let look_at = match heard.map(|heard| heard.status) {
                Some(404) => {
                    "whether traefik has these entrypoints and middlewares: its log, `docker service logs` of its service"
                }
                Some(502 | 504) => "the networks of the service: traefik reaches it by traefik.docker.network alone",
                _ => "traefik's log, and the middlewares of the router",
            };
            of(false, cause, look_at)
        }
        (_, Some(Err(why))) => {
            let cause =
                format!("the container of service {name} does not answer on port {} either: {why}", port(behind));
            of(false, cause, "the log lines of the app, and the address and port on which it listens")
        }
        _ => None,
    }
}

fn port(behind: &Behind) -> String {
    behind.port.map_or_else(|| "?".to_owned(), |port| port.to_string())
}

fn entrypoints(behind: &Behind) -> String {
    if behind.entrypoints.is_empty() { "traefik's default ones".to_owned() } else { behind.entrypoints.join(", ") }
}

/// Nothing listens where the labels say.
fn port_is_wrong(behind: &Behind) -> Option<(String, String)> {
    let (port, listening, name) = (behind.port?, behind.listening.as_ref()?, &behind.service);
    let own: Vec<&Listening> = listening.iter().filter(|one| one.port == port).collect();
    if own.iter().any(|one| !one.is_local()) {
        return None;
    }
    if own.iter().any(|one| one.is_local()) {
        let cause =
            format!("service {name} listens on 127.0.0.1:{port} alone, where only its own container gets through");
        return Some((cause, format!("the address on which service {name} listens: 0.0.0.0")));
    }
    let others: BTreeSet<String> =
        listening.iter().filter(|one| !one.is_local()).map(|one| one.port.to_string()).collect();
    let where_else = match others.len() {
        0 => "nothing in the container listens at all".to_owned(),
        _ => format!("it listens on {}", others.into_iter().collect::<Vec<_>>().join(", ")),
    };
    let cause = format!("the labels of service {name} say port {port}, and nothing listens there; {where_else}");
    Some((cause, format!("loadbalancer.server.port in deploy.labels of service {name}, and the port in its settings")))
}

/// Whether a redirect leads to the address that was asked for.
fn is_same(location: &str, url: &str) -> bool {
    let Ok(asked) = url::Url::parse(url) else { return false };
    asked.join(location).is_ok_and(|to| {
        // Ports of the outside are lost where the app makes the address by its name alone.
        (to.scheme(), to.host_str(), to.path(), to.query())
            == (asked.scheme(), asked.host_str(), asked.path(), asked.query())
    })
}

/// Everything that was seen, for who reads the report.
pub fn lines(seen: &Observation) -> String {
    let told = |heard: &Heard| {
        let to = heard.location.as_ref().map(|to| format!(", to {to}")).unwrap_or_default();
        let whose = if is_traefiks(heard) { ", in traefik's words" } else { "" };
        format!("{}{to} {:?}{whose}", heard.status, heard.body)
    };
    let mut text = format!("asked: {}\n", seen.url);
    text.push_str(&format!("answer: {}\n", seen.through.as_ref().map_or_else(|| "none".to_owned(), told)));
    if let Some(behind) = &seen.behind {
        text.push_str(&format!("rule: {} (service {})\n", behind.rule, behind.service));
        text.push_str(&format!("entrypoints: {}\n", entrypoints(behind)));
        if !behind.middlewares.is_empty() {
            text.push_str(&format!("middlewares: {}\n", behind.middlewares.join(", ")));
        }
        text.push_str(&format!("port in the labels: {}\n", port(behind)));
        if let Some(listening) = &behind.listening {
            let all: Vec<String> = listening.iter().map(|one| format!("{}:{}", one.address, one.port)).collect();
            text.push_str(&format!(
                "the container listens on: {}\n",
                if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
            ));
        }
        match &behind.direct {
            Some(Ok(heard)) => text.push_str(&format!("the container's own answer: {}\n", told(heard))),
            Some(Err(why)) => text.push_str(&format!("the container's own answer: none, {why}\n")),
            None => {}
        }
    }
    for line in &seen.log {
        text.push_str(&format!("traefik's log: {line}\n"));
    }
    text
}

/// Whether an answer has the words that traefik has for what it has no route or no server for.
fn is_traefiks(heard: &Heard) -> bool {
    let words = ["404 page not found", "Bad Gateway", "Gateway Timeout", "no available server", "Service Unavailable"];
    heard.status >= 404 && words.contains(&heard.body.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(status: u16, body: &str) -> Heard {
        Heard { status, body: body.to_owned(), ..Heard::default() }
    }

    fn listens(on: &[(&str, u16)]) -> Option<BTreeSet<Listening>> {
        Some(on.iter().map(|(address, port)| Listening { port: *port, address: address.parse().unwrap() }).collect())
    }

    fn seen(through: Heard, behind: Behind) -> Observation {
        let behind = Behind {
            service: "app".to_owned(),
            rule: "Host(`a.b`)".to_owned(),
            entrypoints: vec!["web-secure".to_owned()],
            port: Some(80),
            tls: true,
            is_healthy: true,
            ..behind
        };
        Observation {
            url: "https://a.b:8443/".to_owned(),
            through: Some(through),
            behind: Some(behind),
            ..Observation::default()
        }
    }

    fn cause(seen: &Observation) -> (String, bool) {
        let found = diagnose(seen).unwrap();
        assert!(!found.look_at.is_empty());
        (found.cause, found.is_certain)
    }

    #[test]
    fn a_port_that_nothing_listens_on_is_named_with_the_one_that_is_open() {
        let gateway = || heard(502, "Bad Gateway");
        let other = Behind { listening: listens(&[("0.0.0.0", 8080)]), ..Behind::default() };
        let said = cause(&seen(gateway(), other));
        assert_eq!(
            said,
            ("the labels of service app say port 80, and nothing listens there; it listens on 8080".to_owned(), true)
        );
        let local = Behind { listening: listens(&[("127.0.0.1", 80)]), ..Behind::default() };
        assert!(cause(&seen(gateway(), local)).0.contains("listens on 127.0.0.1:80 alone"));
        let mut starting = seen(gateway(), Behind { listening: listens(&[]), ..Behind::default() });
        starting.behind.as_mut().unwrap().is_healthy = false;
        assert!(!cause(&starting).1, "it may open its port later");
    }

    #[test]
    fn an_app_that_wants_no_route_is_told_from_one_whose_route_is_wrong() {
        let none = Observation { has_no_router: true, ..seen(heard(404, "404 page not found"), Behind::default()) };
        let found = diagnose(&Observation { behind: None, ..none.clone() }).unwrap();
        assert!(found.cause.starts_with("no service has a label for a router") && found.is_refused, "{found:?}");
        let by_a_file = Observation { through: Some(heard(404, "no such page here")), behind: None, ..none };
        assert!(diagnose(&by_a_file).is_none_or(|found| !found.is_refused));
    }

    #[test]
    fn whose_answer_it_is_is_told() {
        let direct = |status| Behind {
            direct: Some(Ok(heard(status, ""))),
            listening: listens(&[("::", 80)]),
            ..Behind::default()
        };
        assert!(cause(&seen(heard(404, "not here"), direct(404))).0.starts_with("that is the app's own answer"));
        let said = cause(&seen(heard(404, "404 page not found"), direct(200))).0;
        assert!(said.contains("answers 200 on port 80 by itself") && said.contains("entrypoint web-secure"), "{said}");
        let silent = Behind {
            direct: Some(Err("no answer in 3 s".to_owned())),
            listening: listens(&[("::", 80)]),
            ..Behind::default()
        };
        assert!(cause(&seen(heard(504, "Gateway Timeout"), silent)).0.contains("does not answer on port 80 either"));
        let mut plain = seen(heard(404, "404 page not found"), direct(200));
        plain.behind.as_mut().unwrap().tls = false;
        assert!(cause(&plain).0.contains("no tls label"));
        assert!(lines(&seen(heard(404, "404 page not found"), direct(200))).contains("in traefik's words"));
        assert!(!lines(&seen(heard(404, "not here"), direct(404))).contains("in traefik's words"));
    }

    #[test]
    fn what_the_answer_itself_tells_is_certain() {
        let tls = heard(400, "Client sent an HTTP request to an HTTPS server.");
        assert_eq!(
            cause(&seen(tls, Behind::default())),
            ("the port behind traefik speaks TLS, and traefik speaks plain HTTP to it".to_owned(), true)
        );
        let around = Heard { location: Some("https://a.b/".to_owned()), ..heard(301, "") };
        assert!(cause(&seen(around, Behind::default())).0.contains("to itself"));
        let on = Heard { location: Some("/login".to_owned()), ..heard(302, "") };
        assert_eq!(diagnose(&seen(on, Behind::default())), None);
        let login = Heard { login: Some("Basic realm=x".to_owned()), ..heard(401, "") };
        let guarded =
            Behind { direct: Some(Ok(heard(200, ""))), middlewares: vec!["auth".to_owned()], ..Behind::default() };
        assert!(diagnose(&seen(login.clone(), guarded.clone())).unwrap().is_expected);
        assert!(
            cause(&seen(login, guarded)).0.starts_with("the middleware auth lets nobody in without a login (Basic")
        );
    }

    #[test]
    fn labels_and_traefiks_own_words_come_first() {
        let mut now = seen(heard(404, "404 page not found"), Behind::default());
        now.log = vec!["EntryPoint doesn't exist entryPointName=nowhere".to_owned()];
        assert!(cause(&now).0.contains("entryPointName=nowhere"));
        now.no_way =
            Some(NoWay { what: "no router's rule takes it".to_owned(), look_at: "x".to_owned(), is_path: false });
        assert_eq!(cause(&now).0, "no router's rule takes it");
        let mut ended = seen(heard(503, "no available server"), Behind::default());
        ended.not_running = vec!["app".to_owned()];
        assert!(cause(&ended).0.contains("has no running container"));
    }
}
