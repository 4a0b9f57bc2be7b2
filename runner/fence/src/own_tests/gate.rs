//! The gate: a traefik with one route. It answers for the app's domain by asking the app at its public
//! address, over TLS that is verified, and refuses every other name. WebSockets and streams pass.

use std::net::IpAddr;
use std::time::Duration;

use base::names::Domain;
use serde_json::{Value, json};

use host::certificate::{Issued, issue};

/// The folder of the gate's files in its container.
pub(super) const FOLDER: &str = "/gate";
/// The file that both the gate and its health command read.
pub(super) const STATIC_FILE: &str = "/gate/traefik.yml";
/// What the gate answers for another name than the app's: "Misdirected Request".
const REFUSED: u16 = 421;
/// The certificate's life; a run is shorter.
const LASTS: Duration = Duration::from_secs(24 * 3600);

/// What the gate is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gate<'a> {
    /// The app's domain.
    pub(super) domain: &'a Domain,
    /// The HTTPS port of its address, which is also the gate's.
    pub(super) port: u16,
    /// Whether the world's certificates are signed by a local authority, whose file is `world.pem`.
    pub(super) local_ca: bool,
}

impl Gate<'_> {
    /// The gate's configuration: names in its folder and texts. JSON is YAML.
    pub(super) fn files(&self) -> [(&'static str, String); 2] {
        [("traefik.yml", self.fixed().to_string()), ("routes.yml", self.routes().to_string())]
    }

    fn fixed(&self) -> Value {
        json!({
            "entryPoints": {
                "app": { "address": format!(":{}", self.port) },
                // For the gate's own health command, and nobody outside its container.
                "ready": { "address": "127.0.0.1:8080" },
            },
            "ping": { "entryPoint": "ready", "manualRouting": true },
            "providers": { "file": { "filename": format!("{FOLDER}/routes.yml"), "watch": false } },
            "global": { "checkNewVersion": false, "sendAnonymousUsage": false },
        })
    }

    fn routes(&self) -> Value {
        let domain = self.domain;
        let mut transport = json!({ "serverName": domain });
        if self.local_ca {
            transport["rootCAs"] = json!([format!("{FOLDER}/world.pem")]);
        }
        json!({
            "http": {
                "routers": {
                    "app": {
                        "entryPoints": ["app"], "rule": format!("Host(`{domain}`)"), "priority": 2,
                        "service": "app", "tls": {},
                    },
                    "others": {
                        "entryPoints": ["app"], "rule": "PathPrefix(`/`)", "priority": 1,
                        "middlewares": ["refuse"], "service": "noop@internal", "tls": {},
                    },
                    // It comes with the routes, so that "ready" means that they are in place.
                    "ready": { "entryPoints": ["ready"], "rule": "Path(`/ping`)", "service": "ping@internal" },
                },
                "middlewares": {
                    // Nobody has this address (RFC 5737), so everybody is refused.
                    "refuse": { "ipAllowList": { "sourceRange": ["192.0.2.1/32"], "rejectStatusCode": REFUSED } },
                },
                "services": {
                    "app": { "loadBalancer": {
                        "servers": [{ "url": format!("https://{domain}:{}", self.port) }],
                        "serversTransport": "app",
                    } },
                },
                "serversTransports": { "app": transport },
            },
            "tls": { "stores": { "default": { "defaultCertificate": {
                "certFile": format!("{FOLDER}/cert.pem"), "keyFile": format!("{FOLDER}/key.pem"),
            } } } },
        })
    }
}

/// A certificate for one domain and one run, with the authority that the test trusts.
pub(super) fn certificate(domain: &Domain) -> Result<Issued, rcgen::Error> {
    issue("cc-ci gate of one run", &[domain.to_string()], LASTS)
}

/// The address by which the gate reaches the app's public name. A name that means this host itself
/// means the bridge's end of it inside a container.
pub(super) fn seen_from_bridge(address: IpAddr, host: Option<IpAddr>) -> IpAddr {
    if address.is_loopback() || address.is_unspecified() { host.unwrap_or(address) } else { address }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_knows_one_name() {
        let domain: Domain = "custom-html-1a2b3c4.ci.example.org".parse().unwrap();
        let gate = Gate { domain: &domain, port: 8443, local_ca: true };
        let [(_, fixed), (_, routes)] = gate.files();
        insta::assert_snapshot!(format!("{fixed}\n{routes}").replace("},", "},\n"));
        assert!(!Gate { local_ca: false, ..gate }.files()[1].1.contains("rootCAs"), "then the public ones hold");
    }

    #[test]
    fn each_run_has_a_certificate_of_its_own() {
        let domain: Domain = "a.ci.example.org".parse().unwrap();
        let (one, other) = (certificate(&domain).unwrap(), certificate(&domain).unwrap());
        assert!(one.authority != other.authority && one.key != other.key);
        assert!(one.certificate.starts_with("-----BEGIN CERTIFICATE-----"));
    }

    #[test]
    fn this_host_is_the_bridges_end() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let bridge = Some(address("172.20.0.1"));
        assert_eq!(seen_from_bridge(address("127.0.0.1"), bridge), address("172.20.0.1"));
        assert_eq!(seen_from_bridge(address("::1"), bridge), address("172.20.0.1"));
        assert_eq!(seen_from_bridge(address("203.0.113.7"), bridge), address("203.0.113.7"));
    }
}
