//! The routing labels of a stack as traefik takes them, and whether they lead a request to the app. What another
//! provider of traefik's, or another stack, may add is not seen here, so only what cannot be mended there is said.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::labels::ServiceLabels;

/// A request that is asked of a rule.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The host.
    pub host: &'a str,
    /// The path.
    pub path: &'a str,
}

/// What a rule says to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// It takes it.
    Yes,
    /// It takes none like it.
    No,
    /// It would on another path.
    OtherPath,
    /// That hangs on what is not known here, such as the address of who asks.
    Unknown,
}

/// A router of HTTP requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Router {
    /// Its name.
    pub name: String,
    /// The service of the stack whose labels make it.
    pub on: String,
    /// Its rule; empty where it has none.
    pub rule: String,
    /// Its entrypoints.
    pub entrypoints: Vec<String>,
    /// The middlewares that it names.
    pub middlewares: Vec<String>,
    /// The service of traefik's that it names, where it names one.
    pub service: Option<String>,
    /// Whether it takes requests by HTTPS.
    pub tls: bool,
}

/// What the labels of a stack make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routing {
    /// The routers of services that traefik looks at.
    pub routers: Vec<Router>,
    /// The routers of services without `traefik.enable=true`.
    pub not_enabled: Vec<Router>,
    /// The ports of traefik's services, by the stack's service and traefik's name.
    pub ports: BTreeMap<(String, String), String>,
    /// The middlewares that labels define.
    pub middlewares: BTreeSet<String>,
    /// `traefik.docker.network` or `traefik.swarm.network`, by the stack's service.
    pub networks: BTreeMap<String, String>,
}

/// Why no request gets to the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoWay {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub look_at: String,
    /// Whether another path than the one that is asked for would do.
    pub is_path: bool,
}

impl Routing {
    /// Reads labels. Names of routers and keys count in either case, as traefik takes them.
    #[must_use]
    pub fn of(labels: &ServiceLabels) -> Self {
        let mut routing = Self::default();
        for (on, labels) in labels {
            let mut routers: BTreeMap<String, Router> = BTreeMap::new();
            let enabled =
                labels.iter().any(|(key, value)| key.eq_ignore_ascii_case("traefik.enable") && is_true(value));
            for (key, value) in labels {
                let lower = key.to_lowercase();
                if lower == "traefik.docker.network" || lower == "traefik.swarm.network" {
                    routing.networks.insert(on.clone(), value.clone());
                }
                let parts: Vec<&str> = lower.split('.').collect();
                let list = || value.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect();
                match parts.as_slice() {
                    ["traefik", "http", "routers", name, field, ..] => {
                        let router = routers.entry((*name).to_owned()).or_insert_with(|| Router {
                            name: (*name).to_owned(),
                            on: on.clone(),
                            ..Router::default()
                        });
                        match *field {
                            "rule" => router.rule.clone_from(value),
                            "entrypoints" => router.entrypoints = list(),
                            "middlewares" => router.middlewares = list(),
                            "service" => router.service = Some(value.to_lowercase()),
                            "tls" => router.tls |= parts.len() > 5 || is_true(value),
                            _ => {}
                        }
                    }
                    ["traefik", "http", "services", name, "loadbalancer", "server", "port"] => {
                        routing.ports.insert((on.clone(), (*name).to_owned()), value.clone());
                    }
                    ["traefik", "http", "middlewares", name, ..] => {
                        routing.middlewares.insert((*name).to_owned());
                    }
                    _ => {}
                }
            }
            let list = if enabled { &mut routing.routers } else { &mut routing.not_enabled };
            // Settings of TLS alone make a router too, whose rule is traefik's default, which recipes do not use.
            list.extend(routers.into_values().filter(|router| !router.rule.is_empty()));
        }
        routing
    }

    /// The port of a router's service.
    #[must_use]
    pub fn port(&self, router: &Router) -> Option<u16> {
        let mut own = self.ports.iter().filter(|((on, name), _)| {
            *on == router.on && router.service.as_ref().is_none_or(|wanted| wanted.split('@').next() == Some(name))
        });
        own.next().and_then(|(_, port)| port.parse().ok())
    }

    /// The first router that takes a request, or may.
    #[must_use]
    pub fn taken_by(&self, wanted: Wanted<'_>) -> Option<&Router> {
        self.routers.iter().find(|router| matches!(takes(&router.rule, wanted), Takes::Yes | Takes::Unknown))
    }

    /// Why no request gets to the app, where the labels alone tell. `networks` says which networks each service of
    /// the stack is on, by their full names, and `proxy` how the network is called that traefik shares.
    #[must_use]
    pub fn no_way(
        &self,
        wanted: Wanted<'_>,
        networks: &BTreeMap<String, BTreeSet<String>>,
        proxy: &str,
    ) -> Option<NoWay> {
        let no = |what: String, look_at: String| Some(NoWay { what, look_at, is_path: false });
        if self.routers.is_empty() {
            let router = self.not_enabled.first()?;
            return no(
                format!(
                    "service {} has a router and no label traefik.enable=true, so traefik does not look at it",
                    router.on
                ),
                format!("deploy.labels of service {}: traefik.enable=true", router.on),
            );
        }
        let Some(router) = self.taken_by(wanted) else {
            let told = |router: &Router| format!("{} (router {} of service {})", router.rule, router.name, router.on);
            let rules = self.routers.iter().map(told).collect::<Vec<_>>().join("; ");
            let Wanted { host, path } = wanted;
            if self.routers.iter().any(|router| takes(&router.rule, wanted) == Takes::OtherPath) {
                return Some(NoWay {
                    what: format!("cc-ci would ask for {path} of {host}, and no rule takes that path: {rules}"),
                    look_at:
                        "[health] path in recipe.toml of cc-ci's folder for the recipe: a path that the rule takes"
                            .to_owned(),
                    is_path: true,
                });
            }
            return no(
                format!("no router's rule takes a request to {host}{path}: {rules}"),
                format!("the rule in deploy.labels; one for the app's own name is Host(`{host}`)"),
            );
        };
        let on = &router.on;
        if self.port(router).is_none() && self.ports.keys().all(|(service, _)| service != on) {
            return no(
                format!(
                    "service {on} has no label loadbalancer.server.port; in swarm mode traefik has no other way to know the port"
                ),
                format!(
                    "deploy.labels of service {on}: traefik.http.services.{}.loadbalancer.server.port=…",
                    router.name
                ),
            );
        }
        if let Some(named) = &router.service
            && !named.contains('@')
            && !self.ports.keys().any(|(_, name)| name == named)
        {
            return no(
                format!("router {} leads to traefik's service {named}, which no label defines", router.name),
                format!("deploy.labels of service {on}: the names behind traefik.http.services."),
            );
        }
        let none = BTreeSet::new();
        let has = networks.get(on).unwrap_or(&none);
        let asked = self.networks.get(on).map_or(proxy, String::as_str);
        if !has.is_empty() && !has.contains(proxy) {
            return no(
                format!("service {on} is not on the network {proxy}, where traefik would look for it"),
                format!("networks of service {on}: {proxy}"),
            );
        }
        if !has.is_empty() && !has.contains(asked) {
            return no(
                format!("the label traefik.docker.network of service {on} says {asked}, and the service is not on it"),
                format!("deploy.labels of service {on}: traefik.docker.network={proxy}"),
            );
        }
        None
    }
}

/// As traefik reads a truth value.
#[must_use]
pub fn is_true(value: &str) -> bool {
    matches!(value.to_lowercase().as_str(), "true" | "1" | "t")
}

/// What a rule says to a request, of version 2 or 3 of traefik. What cannot be read is unknown.
#[must_use]
pub fn takes(rule: &str, wanted: Wanted<'_>) -> Takes {
    let mut reader = Reader { rest: rule, wanted, depth: 0 };
    let Some(found) = reader.either() else { return Takes::Unknown };
    if reader.rest.trim().is_empty() { found } else { Takes::Unknown }
}

struct Reader<'a> {
    rest: &'a str,
    wanted: Wanted<'a>,
    depth: u8,
}

fn or(a: Takes, b: Takes) -> Takes {
    let order = [Takes::Yes, Takes::Unknown, Takes::OtherPath, Takes::No];
    order.into_iter().find(|one| *one == a || *one == b).unwrap_or(Takes::No)
}

fn and(a: Takes, b: Takes) -> Takes {
    let order = [Takes::No, Takes::OtherPath, Takes::Unknown, Takes::Yes];
    order.into_iter().find(|one| *one == a || *one == b).unwrap_or(Takes::No)
}

impl<'a> Reader<'a> {
    fn either(&mut self) -> Option<Takes> {
        let mut found = self.both()?;
        while self.eat("||") {
            found = or(found, self.both()?);
        }
        Some(found)
    }

    fn both(&mut self) -> Option<Takes> {
        let mut found = self.one()?;
        while self.eat("&&") {
            found = and(found, self.one()?);
        }
        Some(found)
    }

    fn one(&mut self) -> Option<Takes> {
        self.depth += 1;
        if self.depth > 60 {
            return None;
        }
        if self.eat("!") {
            return Some(match self.one()? {
                Takes::Yes => Takes::OtherPath,
                Takes::No | Takes::OtherPath => Takes::Yes,
                Takes::Unknown => Takes::Unknown,
            });
        }
        if self.eat("(") {
            let found = self.either()?;
            return self.eat(")").then_some(found);
        }
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        if name.is_empty() || !self.eat("(") {
            return None;
        }
        let values = self.values()?;
        let Wanted { host, path } = self.wanted;
        let any = |one: &dyn Fn(&str) -> Takes| values.iter().map(|value| one(value)).fold(Takes::No, or);
        let other_path = |is: bool| if is { Takes::Yes } else { Takes::OtherPath };
        Some(match name.to_ascii_lowercase().as_str() {
            "host" | "hostheader" => {
                any(&|value| if value.eq_ignore_ascii_case(host) { Takes::Yes } else { Takes::No })
            }
            "hostregexp" => any(&|value| match pattern(value) {
                Some(pattern) if pattern.is_match(host) => Takes::Yes,
                Some(_) => Takes::No,
                None => Takes::Unknown,
            }),
            "path" if values.iter().any(|value| value.contains('{')) => Takes::Unknown,
            "path" => any(&|value| other_path(value == path)),
            "pathprefix" if values.iter().any(|value| value.contains('{')) => Takes::Unknown,
            "pathprefix" => any(&|value| other_path(path.starts_with(value))),
            "pathregexp" => any(&|value| match Regex::new(value) {
                Ok(pattern) => other_path(pattern.is_match(path)),
                Err(_) => Takes::Unknown,
            }),
            "method" => any(&|value| if value.eq_ignore_ascii_case("GET") { Takes::Yes } else { Takes::No }),
            // What a request of cc-ci does not say of itself.
            "header" | "headers" | "headerregexp" | "headersregexp" | "query" | "queryregexp" => Takes::No,
            _ => Takes::Unknown,
        })
    }

    fn values(&mut self) -> Option<Vec<&'a str>> {
        let mut values = Vec::new();
        loop {
            if self.eat(")") {
                return Some(values);
            }
            if !values.is_empty() && !self.eat(",") {
                return None;
            }
            self.rest = self.rest.trim_start();
            let quote = self.rest.chars().next().filter(|c| matches!(c, '`' | '"'))?;
            let (value, rest) = self.rest[1..].split_once(quote)?;
            values.push(value);
            self.rest = rest;
        }
    }

    fn eat(&mut self, mark: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

/// A pattern of version 2, `{name:pattern}.example.org`, or of version 3, which is a plain one.
fn pattern(value: &str) -> Option<Regex> {
    // Version 2 names its patterns, `{name:…}`; what begins with a digit is a count of version 3.
    let is_named = value.match_indices('{').any(|(at, _)| value[at + 1..].starts_with(|c: char| c.is_alphabetic()));
    if !is_named {
        return Regex::new(&format!("(?i){value}")).ok();
    }
    let (mut text, mut rest) = (String::from("(?i)^"), value);
    while let Some((before, after)) = rest.split_once('{') {
        let (inside, next) = after.split_once('}')?;
        let (_, part) = inside.split_once(':').unwrap_or(("", "[^.]+"));
        text.push_str(&regex::escape(before));
        text.push_str(&format!("(?:{part})"));
        rest = next;
    }
    text.push_str(&regex::escape(rest));
    text.push('$');
    Regex::new(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: Wanted<'_> = Wanted { host: "app.example.org", path: "/" };

    #[test]
    fn rules_say_what_they_take() {
        for (rule, said) in [
            ("Host(`app.example.org`)", Takes::Yes),
            ("Host(`APP.example.org`,`x`)", Takes::Yes),
            ("Host(`www.app.example.org`)", Takes::No),
            ("Host(`app.example.org`) && PathPrefix(`/blog`)", Takes::OtherPath),
            ("Host(`app.example.org`) && !PathPrefix(`/blog`)", Takes::Yes),
            ("Host(`app.example.org`) && (Path(`/`) || Path(`/x`))", Takes::Yes),
            ("Host(`x`) && PathPrefix(`/blog`)", Takes::No),
            ("HostRegexp(`{sub:\\w+}.example.org`)", Takes::Yes),
            ("HostRegexp(`^[a-z]+\\.example\\.org$`)", Takes::Yes),
            ("HostRegexp(`{sub:[0-9]+}.example.org`)", Takes::No),
            ("Host(`app.example.org`) && Headers(`X-Key`, `1`)", Takes::No),
            ("Host(`app.example.org`) && ClientIP(`10.0.0.0/8`)", Takes::Unknown),
            ("Host(`app.example.org`) && Method(`POST`)", Takes::No),
            ("Host(`app.example.org`", Takes::Unknown),
            ("whatever", Takes::Unknown),
        ] {
            assert_eq!(takes(rule, ROOT), said, "{rule}");
        }
    }

    fn routing(labels: &[(&str, &str)]) -> Routing {
        let own = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Routing::of(&ServiceLabels::from([("app".to_owned(), own)]))
    }

    const GOOD: [(&str, &str); 5] = [
        ("traefik.enable", "true"),
        ("traefik.docker.network", "proxy"),
        ("traefik.http.routers.x.rule", "Host(`app.example.org`)"),
        ("traefik.http.routers.x.entrypoints", "web-secure"),
        ("traefik.http.services.x.loadbalancer.server.port", "80"),
    ];

    fn no_way(change: &[(&'static str, &'static str)], without: &str, networks: &[&str]) -> Option<String> {
        let mut labels: Vec<_> = GOOD.into_iter().filter(|(key, _)| *key != without).collect();
        labels.retain(|(key, _)| !change.iter().any(|(other, _)| other == key));
        labels.extend(change);
        let on = networks.iter().map(|name| (*name).to_owned()).collect();
        let networks = BTreeMap::from([("app".to_owned(), on)]);
        routing(&labels).no_way(ROOT, &networks, "proxy").map(|no| no.what)
    }

    #[test]
    fn what_the_labels_alone_tell_is_told() {
        assert_eq!(no_way(&[], "", &["proxy", "inner"]), None);
        let why = |change: &[(&'static str, &'static str)], without, networks: &[&str]| {
            no_way(change, without, networks).unwrap()
        };
        assert!(why(&[], "traefik.enable", &["proxy"]).contains("no label traefik.enable=true"));
        let other = ("traefik.http.routers.x.rule", "Host(`other.example.org`)");
        assert!(
            why(&[other], "", &["proxy"]).starts_with("no router's rule takes a request to app.example.org/: Host(")
        );
        assert!(why(&[], GOOD[4].0, &["proxy"]).contains("no label loadbalancer.server.port"));
        assert!(why(&[("traefik.http.routers.x.service", "y")], "", &["proxy"]).contains("traefik's service y"));
        assert!(why(&[], "", &["inner"]).contains("not on the network proxy"));
        assert!(why(&[("traefik.docker.network", "web")], "", &["proxy"]).contains("says web"));
        let blog = ("traefik.http.routers.x.rule", "Host(`app.example.org`) && PathPrefix(`/blog`)");
        assert!(why(&[blog], "", &["proxy"]).contains("no rule takes that path"));
    }
}
