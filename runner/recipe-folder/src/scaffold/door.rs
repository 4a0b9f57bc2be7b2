//! Where an app can be asked from outside: what traefik's routers let through to it, by the labels of its services.

use std::collections::{BTreeMap, BTreeSet};

use coopcloud::router_rule::{RoutedRequest, RouterRule, Takes};

/// Redirects that an app's first page may be: to a login, to a language, to a slash.
const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

/// What to ask, and what comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Door {
    /// A router takes this path on the app's own host.
    At {
        /// The path.
        path: String,
        /// Statuses that say that the app is well.
        status: Vec<u16>,
        /// How that was found, for the one who reads `recipe.toml`.
        why: &'static str,
    },
    /// There are routers, and none takes a request to the app's own host.
    Closed,
}

impl Default for Door {
    fn default() -> Self {
        Self::At { path: "/".to_owned(), status: first_page(), why: FIRST_PAGE }
    }
}

const FIRST_PAGE: &str = "The first page; keep the one status that the first run reports.";
const PREFIX: &str = "The router takes requests below this path only; keep the one status that the first run reports.";
const HEALTHCHECK: &str = "What its own healthcheck asks for.";
const BEHIND_PREFIX: &str = "What its own healthcheck asks for, below the path that the router takes.";
const PASSWORD: &str = "The router asks for a password first, so 401 is what anyone gets.";

fn first_page() -> Vec<u16> {
    [200].into_iter().chain(REDIRECTS).collect()
}

struct Router<'a> {
    rule: RouterRule<'a>,
    asks_for_a_password: bool,
}

/// Looks for a path that a router takes on the app's own host: the one of its healthcheck, else the first page, else
/// what the rules name.
pub(super) fn door(
    labels: &BTreeMap<String, BTreeMap<String, String>>,
    domain: &str,
    healthcheck: Option<String>,
) -> Door {
    let routers = routers(labels);
    if routers.is_empty() {
        return match healthcheck {
            Some(path) => at(path, HEALTHCHECK),
            None => Door::default(),
        };
    }
    let prefixes: Vec<&str> =
        routers.iter().flat_map(|router| router.rule.paths()).filter(|path| path.starts_with('/')).collect();
    let mut wanted: Vec<(String, &'static str)> = Vec::new();
    if let Some(path) = healthcheck {
        let behind = prefixes.iter().map(|prefix| (format!("{}{path}", prefix.trim_end_matches('/')), BEHIND_PREFIX));
        let behind: Vec<_> = behind.collect();
        wanted.push((path, HEALTHCHECK));
        wanted.extend(behind);
    }
    wanted.push(("/".to_owned(), FIRST_PAGE));
    wanted.extend(prefixes.iter().map(|prefix| ((*prefix).to_owned(), PREFIX)));
    let open = |path: &str| {
        routers.iter().find(|router| router.rule.takes(RoutedRequest { host: domain, path }) == Takes::Yes)
    };
    let Some((path, why, router)) =
        wanted.into_iter().find_map(|(path, why)| open(&path).map(|router| (path, why, router)))
    else {
        return Door::Closed;
    };
    if router.asks_for_a_password { Door::At { path, status: vec![401], why: PASSWORD } } else { at(path, why) }
}

/// A healthcheck's program takes a redirect for success too, but only a first page is likely to be one.
fn at(path: String, why: &'static str) -> Door {
    let status = if matches!(why, HEALTHCHECK | BEHIND_PREFIX) && path != "/" { vec![200] } else { first_page() };
    Door::At { path, status, why }
}

/// The HTTP routers of all services. A rule that cannot be read takes nothing.
fn routers(labels: &BTreeMap<String, BTreeMap<String, String>>) -> Vec<Router<'_>> {
    let all = || labels.values().flatten();
    let passwords: BTreeSet<&str> = all()
        .filter_map(|(key, _)| key.strip_prefix("traefik.http.middlewares."))
        .filter_map(|key| key.split_once('.'))
        .filter(|(_, kind)| {
            ["basicauth.", "digestauth."].iter().any(|auth| kind.to_ascii_lowercase().starts_with(auth))
        })
        .map(|(name, _)| name)
        .collect();
    let middlewares = |name: &str| all().find(|(key, _)| **key == format!("traefik.http.routers.{name}.middlewares"));
    all()
        .filter_map(|(key, rule)| {
            let name = key.strip_prefix("traefik.http.routers.")?.strip_suffix(".rule")?;
            let chain = middlewares(name).map_or("", |(_, list)| list.as_str());
            let mut names = chain.split(',').filter_map(|one| one.trim().split('@').next());
            Some(Router {
                rule: RouterRule::parse(rule).unwrap_or(RouterRule::Any(Vec::new())),
                asks_for_a_password: names.any(|one| passwords.contains(one)),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(labels: &[(&str, &str)], healthcheck: Option<&str>) -> Door {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        door(&[("app".to_owned(), labels)].into(), "notes.example.com", healthcheck.map(str::to_owned))
    }

    const RULE: &str = "traefik.http.routers.notes.rule";

    #[track_caller]
    fn is_at(door: Door, wanted: &str, statuses: &[u16]) {
        let Door::At { path, status, .. } = door else { panic!("closed") };
        assert_eq!((path.as_str(), status.as_slice()), (wanted, statuses));
    }

    #[test]
    fn the_path_is_one_that_a_router_takes() {
        let (bare, all) = ("Host(`notes.example.com`)", first_page());
        let below = "Host(`notes.example.com`) && PathPrefix(`/notes`)";
        is_at(seen(&[(RULE, bare)], None), "/", &all);
        is_at(seen(&[(RULE, bare)], Some("/healthz")), "/healthz", &[200]);
        is_at(seen(&[(RULE, below)], None), "/notes", &all);
        // The app asks itself behind the middleware that takes the prefix away; or with it.
        is_at(seen(&[(RULE, below)], Some("/healthz")), "/notes/healthz", &[200]);
        is_at(seen(&[(RULE, below)], Some("/notes/up")), "/notes/up", &[200]);
        is_at(seen(&[(RULE, "Host(`notes.example.com`) && Path(`/only`)")], Some("/healthz")), "/only", &all);
        is_at(seen(&[], Some("/healthz")), "/healthz", &[200]);
    }

    #[test]
    fn a_host_that_no_rule_takes_is_closed_and_a_password_is_asked_for() {
        assert_eq!(seen(&[(RULE, "Host(`www.notes.example.com`)")], None), Door::Closed);
        assert_eq!(seen(&[(RULE, "HostRegexp(`{sub:\\w+}.notes.example.com`)")], Some("/healthz")), Door::Closed);
        let locked = [
            (RULE, "Host(`notes.example.com`)"),
            ("traefik.http.routers.notes.middlewares", "slash, door@docker"),
            ("traefik.http.middlewares.door.basicauth.usersfile", "/run/secrets/users"),
        ];
        is_at(seen(&locked, None), "/", &[401]);
    }
}
