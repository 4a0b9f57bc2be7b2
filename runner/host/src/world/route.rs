//! cc-ci's own route: a service on the network `proxy` behind traefik, like an app. A forwarded request shows that
//! traefik works, which a list of services does not.

use std::time::{Duration, Instant};

use base::failure::{Failure, Kind};
use http_client::{Expect, Http};
use serde_json::{Value, json};

use super::present::{PRINT_LABEL, ROUTE_LABEL};

/// The first part of its name.
const NAME: &str = "cc-ci-route";
/// The port in its container.
pub(super) const PORT: u16 = 8080;
/// Timeout: traefik detects a new service within a second.
const WITHIN: Duration = Duration::from_secs(5);

/// The labels of the service.
pub(super) fn labels(base_domain: impl std::fmt::Display, cert_resolver: Option<&str>, print: &str) -> Value {
    let mut labels = json!({
        "cc-ci.world": "true", PRINT_LABEL: print, ROUTE_LABEL: base_domain.to_string(),
        "traefik.enable": "true",
        // traefik 3 skips a service with the labels of both its providers.
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

/// Sends a request.
///
/// # Errors
/// [`Kind::ProxyUnreachable`] if traefik does not answer, [`Kind::WorldIncomplete`] if it does not forward the request.
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
