//! The routing labels of a stack as traefik interprets them, and whether they lead a request to the app. Other
//! providers of traefik and other stacks are not visible here, so only errors that they cannot compensate are reported.

use std::collections::{BTreeMap, BTreeSet};

use base::text::is_true;

use super::labels::ServiceLabels;
use super::router_rule::{RoutedRequest, Takes, takes};

/// A router of HTTP requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Router {
    pub name: String,
    /// The stack's service with its labels.
    pub on: String,
    /// Its rule, or empty.
    pub rule: String,
    pub entrypoints: Vec<String>,
    pub middlewares: Vec<String>,
    /// The traefik service that it names.
    pub service: Option<String>,
    /// Whether it accepts HTTPS.
    pub tls: bool,
}

/// The routing in a stack's labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routing {
    /// The routers of enabled services.
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

/// Why no request reaches the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoWay {
    pub what: String,
    /// What to do.
    pub look_at: String,
    /// Whether another path would work.
    pub is_path: bool,
}

impl Routing {
    /// Parses labels. Names of routers and keys are case-insensitive, as in traefik.
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
                    // An address replaces a port.
                    ["traefik", "http", "services", name, "loadbalancer", "server", "port" | "url"] if enabled => {
                        routing.ports.insert((on.clone(), (*name).to_owned()), value.clone());
                    }
                    ["traefik", "http", "middlewares", name, ..] if enabled => {
                        routing.middlewares.insert((*name).to_owned());
                    }
                    _ => {}
                }
            }
            let list = if enabled { &mut routing.routers } else { &mut routing.not_enabled };
            // TLS settings alone create a router too, with traefik's default rule, which recipes do not use.
            list.extend(routers.into_values().filter(|router| !router.rule.is_empty()));
        }
        routing
    }

    /// The stack's service that a router leads to: the one whose labels define its named service, else its own.
    pub fn target<'a>(&'a self, router: &'a Router) -> &'a str {
        self.defined(router).map_or(router.on.as_str(), |(on, _)| on)
    }

    /// The port of a router's service.
    pub fn port(&self, router: &Router) -> Option<u16> {
        let own = || self.ports.iter().find(|((on, _), _)| router.service.is_none() && *on == router.on);
        let (_, port) = self.defined(router).or_else(|| own().map(|((on, _), port)| (on.as_str(), port.as_str())))?;
        port.parse().ok()
    }

    /// The stack's service and the port of a router's named service; another service's labels may define it.
    fn defined<'a>(&'a self, router: &Router) -> Option<(&'a str, &'a str)> {
        let (wanted, provider) = router.service.as_deref().map(|name| name.split_once('@').unwrap_or((name, "")))?;
        let is_wanted = |name: &str| name == wanted && ["", "docker", "swarm"].contains(&provider);
        let mut found = self.ports.iter().filter(|((_, name), _)| is_wanted(name));
        found.next().map(|((on, _), port)| (on.as_str(), port.as_str()))
    }

    /// Whether a middleware belongs to the app by its name, and is not defined. Others may be the server's.
    fn is_missing(&self, middleware: &str, host: &str) -> bool {
        let name = middleware.to_lowercase();
        let (name, provider) = name.split_once('@').unwrap_or((&name, ""));
        let is_own = name.starts_with(&host.to_lowercase().replace('.', "_"));
        is_own && ["", "docker", "swarm"].contains(&provider) && !self.middlewares.contains(name)
    }

    /// The first router that accepts a request, or may.
    pub fn taken_by(&self, wanted: RoutedRequest<'_>) -> Option<&Router> {
        self.routers.iter().find(|router| matches!(takes(&router.rule, wanted), Takes::Yes | Takes::Unknown))
    }

    /// Why no request reaches the app, if the labels alone show it. `networks` are the networks of each service of the
    /// stack, by full name, and `proxy` is the name of the network that traefik shares.
    pub fn no_way(
        &self,
        wanted: RoutedRequest<'_>,
        networks: &BTreeMap<String, BTreeSet<String>>,
        proxy: &str,
    ) -> Option<NoWay> {
        let no = |what: String, look_at: String| Some(NoWay { what, look_at, is_path: false });
        if self.routers.is_empty() {
            let router = self.not_enabled.first()?;
            return no(
                format!("service {} has a router and no label traefik.enable=true, so traefik ignores it", router.on),
                format!("deploy.labels of service {}: traefik.enable=true", router.on),
            );
        }
        let Some(router) = self.taken_by(wanted) else {
            let told = |router: &Router| format!("{} (router {} of service {})", router.rule, router.name, router.on);
            let rules = self.routers.iter().map(told).collect::<Vec<_>>().join("; ");
            let RoutedRequest { host, path } = wanted;
            if self.routers.iter().any(|router| takes(&router.rule, wanted) == Takes::OtherPath) {
                return Some(NoWay {
                    what: format!("cc-ci would request {path} of {host}, and no rule accepts that path: {rules}"),
                    look_at:
                        "[health] path in recipe.toml of cc-ci's folder for the recipe: a path that the rule accepts"
                            .to_owned(),
                    is_path: true,
                });
            }
            return no(
                format!("no router's rule accepts a request to {host}{path}: {rules}"),
                format!("the rule in deploy.labels; one for the app's own name is Host(`{host}`)"),
            );
        };
        if let Some(missing) = router.middlewares.iter().find(|name| self.is_missing(name, wanted.host)) {
            return no(
                format!("router {} names the middleware {missing}, which no label defines", router.name),
                format!("deploy.labels of service {}: the names behind traefik.http.middlewares.", router.on),
            );
        }
        // Seen with traefik 3.7: without a port of its own it drops all labels of a service, even those of routers that
        // lead elsewhere.
        if self.ports.keys().all(|(service, _)| *service != router.on) {
            let Router { name, on, .. } = router;
            return no(
                format!(
                    "service {on} has no label loadbalancer.server.port; in swarm mode traefik has no other way to know the port"
                ),
                format!("deploy.labels of service {on}: traefik.http.services.{name}.loadbalancer.server.port=…"),
            );
        }
        let none = BTreeSet::new();
        for on in [router.on.as_str(), self.target(router)] {
            let has = networks.get(on).unwrap_or(&none);
            let asked = self.networks.get(on).map_or(proxy, String::as_str);
            if !has.is_empty() && !has.contains(proxy) {
                return no(
                    format!("service {on} is not on the network {proxy}, which traefik uses"),
                    format!("networks of service {on}: {proxy}"),
                );
            }
            if !has.is_empty() && !has.contains(asked) {
                return no(
                    format!(
                        "the label traefik.docker.network of service {on} is {asked}, and the service is not on it"
                    ),
                    format!("deploy.labels of service {on}: traefik.docker.network={proxy}"),
                );
            }
            if asked != proxy && has.contains(asked) {
                return no(
                    format!(
                        "the label traefik.docker.network of service {on} is {asked}, and traefik is on {proxy} alone"
                    ),
                    format!("deploy.labels of service {on}: traefik.docker.network={proxy}"),
                );
            }
        }
        // One of another provider or stack is not visible here.
        if let Some(named) = router.service.as_ref().filter(|named| !named.contains('@'))
            && self.defined(router).is_none()
        {
            return no(
                format!("router {} leads to traefik's service {named}, which no label defines", router.name),
                format!("deploy.labels of service {}: the names behind traefik.http.services.", router.on),
            );
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: RoutedRequest<'_> = RoutedRequest { host: "app.example.org", path: "/" };

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
    fn a_router_may_lead_to_what_another_service_defines() {
        let of = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let rule = ("traefik.http.routers.x.rule", "Host(`app.example.org`)");
        let router = |service| {
            let own = ("traefik.http.services.x.loadbalancer.server.port", "80");
            let routes = of(&[("traefik.enable", "true"), rule, own, ("traefik.http.routers.x.service", service)]);
            let web = of(&[("traefik.enable", "true"), ("traefik.http.services.web.loadbalancer.server.port", "8080")]);
            Routing::of(&ServiceLabels::from([("app".to_owned(), routes), ("web".to_owned(), web)]))
        };
        let networks = |web: &str| {
            let on = |name: &str| BTreeSet::from([name.to_owned()]);
            BTreeMap::from([("app".to_owned(), on("proxy")), ("web".to_owned(), on(web))])
        };
        for name in ["web", "web@swarm", "Web"] {
            let routing = router(name);
            let found = routing.taken_by(ROOT).unwrap();
            assert_eq!((routing.target(found), routing.port(found)), ("web", Some(8080)), "{name}");
            assert_eq!(routing.no_way(ROOT, &networks("proxy"), "proxy"), None, "{name}");
            let no = routing.no_way(ROOT, &networks("inner"), "proxy").unwrap();
            assert!(no.what.starts_with("service web is not on the network proxy"), "{no:?}");
        }
        assert_eq!(router("other@file").no_way(ROOT, &networks("inner"), "proxy"), None);
        assert!(
            router("api").no_way(ROOT, &networks("proxy"), "proxy").unwrap().what.contains("traefik's service api")
        );
    }

    #[test]
    fn a_middleware_with_the_apps_own_name_has_to_be_defined() {
        let of = |named| no_way(&[("traefik.http.routers.x.middlewares", named)], "", &["proxy"]);
        assert!(of("app_example_org-slash").unwrap().contains("the middleware app_example_org-slash, which no label"));
        assert!(of("auth, App_example_org-slash@swarm").is_some());
        assert_eq!(of("auth, headers@file, app_example_org-x@file"), None, "what the server may define");
        let defined = ("traefik.http.middlewares.app_example_org-slash.stripprefix.prefixes", "/x");
        let named = ("traefik.http.routers.x.middlewares", "app_example_org-slash@docker");
        assert_eq!(no_way(&[defined, named], "", &["proxy"]), None);
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
            why(&[other], "", &["proxy"]).starts_with("no router's rule accepts a request to app.example.org/: Host(")
        );
        assert!(why(&[], GOOD[4].0, &["proxy"]).contains("no label loadbalancer.server.port"));
        assert!(why(&[("traefik.http.routers.x.service", "y")], "", &["proxy"]).contains("traefik's service y"));
        assert!(why(&[], "", &["inner"]).contains("not on the network proxy"));
        assert!(why(&[("traefik.docker.network", "web")], "", &["proxy"]).contains("is web"));
        let inner = why(&[("traefik.docker.network", "x_inner")], "", &["proxy", "x_inner"]);
        assert!(inner.contains("is x_inner, and traefik is on proxy alone"), "{inner}");
        let blog = ("traefik.http.routers.x.rule", "Host(`app.example.org`) && PathPrefix(`/blog`)");
        assert!(why(&[blog], "", &["proxy"]).contains("no rule accepts that path"));
    }
}
