//! A route of cc-ci's own: a service on the network `proxy` behind traefik, as an app is. That traefik passes a request
//! on to it shows what a name in a list of services does not.

use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use http_client::{Expect, Http};
use serde_json::{Value, json};

use super::present::{PRINT_LABEL, ROUTE_LABEL};

/// The first part of its name.
const NAME: &str = "cc-ci-route";
/// The port in its container.
pub(super) const PORT: u16 = 8080;
/// How long it may take: traefik takes a new service up within a second.
const WITHIN: Duration = Duration::from_secs(5);

/// The labels of the service.
pub(super) fn labels(base_domain: impl std::fmt::Display, cert_resolver: Option<&str>, print: &str) -> Value {
    let mut labels = json!({
        "cc-ci.world": "true", PRINT_LABEL: print, ROUTE_LABEL: base_domain.to_string(),
        "traefik.enable": "true",
        // traefik 3 skips a service that has the label of both its providers.
        "traefik.docker.network": "proxy",
        "traefik.http.routers.cc-ci-route.rule": format!("Host(`{NAME}.{base_domain}`)"),
        "traefik.http.routers.cc-ci-route.entrypoints": "web-secure",
        "traefik.http.routers.cc-ci-route.tls": "true",
        "traefik.http.services.cc-ci-route.loadbalancer.server.port": PORT.to_string(),
    });
    if let Some(resolver) = cert_resolver {
        labels["traefik.http.routers.cc-ci-route.tls.certresolver"] = json!(resolver);
    }
    labels
}

/// Asks it.
///
/// # Errors
/// [`Kind::ProxyUnreachable`] where traefik does not answer, [`Kind::WorldIncomplete`] where it does not pass the request
/// on.
pub async fn asked(http: &Http, base_domain: &str, https_port: u16) -> Result<String, Failure> {
    let url = format!("https://{NAME}.{base_domain}:{https_port}/ping");
    let expect = Expect { url: url.clone(), status: vec![200], body: Some("OK".to_owned()) };
    match http.answers(&expect, Instant::now() + WITHIN, &mut |_: &str| {}).await {
        Ok(_) => Ok(url),
        Err(failure) if failure.kind == Kind::ProxyUnreachable => Err(failure),
        Err(failure) => Err(Failure::new(
            Kind::WorldIncomplete,
            format!("traefik does not pass a request on to a service that runs: {}", failure.what),
            "whether --state (CCCI_STATE) is the folder that `cc-ci up` used; traefik's log (`docker service logs`), the \
             network proxy, IPVS; `cc-ci up` makes the route anew",
        )
        .with_detail(failure.detail)),
    }
}
